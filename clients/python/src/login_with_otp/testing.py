"""The local stack in tests: `stack = start()`, then `code_for("ada@example.com")`."""

import atexit
import os
import subprocess
import tempfile
import time
from typing import Any

import httpx

_last: "Stack | None" = None


class Stack:
    """A stack that serves: its addresses are `api`, `inbox`, `aws` and `web`."""

    def __init__(self, program: "subprocess.Popen[str]", addresses: dict[str, str]) -> None:
        self._program = program
        self._read: set[str] = set()
        self.api, self.inbox, self.aws, self.web = (addresses[name] for name in ("api", "inbox", "aws", "web"))

    def code_for(self, address: str, timeout: float = 10) -> str:
        """The newest code to an address or a number that this has not returned before, or the next one."""
        end = time.monotonic() + timeout
        while True:
            fresh = [m for m in self.messages(address) if m["code"] and m["id"] not in self._read]
            self._read.update(message["id"] for message in fresh)
            if fresh:
                return fresh[0]["code"]
            if time.monotonic() > end:
                raise TimeoutError(f"no new code for {address} came within {timeout} s")
            time.sleep(0.025)

    def messages(self, address: str = "") -> list[dict[str, Any]]:
        """The messages to an address or a number, or all, newest first."""
        return self._ask("GET", "/api/messages", params={"to": address}).json()

    def reset(self) -> None:
        """Empties the inbox, and forgets every cooldown, wrong guess and count. Users and sessions stay."""
        self._ask("DELETE", "/api/messages")
        self._ask("DELETE", "/api/limits")

    def advance(self, seconds: int) -> None:
        """Moves the stack's clock forward."""
        self._ask("POST", "/api/clock", json={"advance": seconds})

    def stop(self) -> None:
        """Ends the stack."""
        self._program.terminate()
        self._program.wait()
        atexit.unregister(self.stop)

    def _ask(self, method: str, path: str, **how: Any) -> httpx.Response:
        answer = httpx.request(method, self.inbox + path, trust_env=False, **how)
        if not answer.is_success:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer


def start(settings: dict[str, Any] | None = None, binary: str | None = None) -> Stack:
    """Starts a stack on free ports. It serves when this returns, and ends with this process at the latest.

    The program is `binary`, or that of $LOGIN_WITH_OTP_LOCAL, or `login-with-otp-local` on the PATH.
    Unlike a deployment, it has no cooldown between two codes unless RESEND_COOLDOWN_SECONDS says so.
    """
    global _last
    free = {name: "127.0.0.1:0" for name in ("API_ADDR", "INBOX_ADDR", "AWS_ADDR", "WEB_ADDR")}
    told = {name: str(value) for name, value in (settings or {}).items()}
    path = binary or os.environ.get("LOGIN_WITH_OTP_LOCAL") or "login-with-otp-local"
    # A file, because nobody reads a pipe.
    with tempfile.TemporaryFile("w+") as log:
        environment = {**os.environ, **free, "RESEND_COOLDOWN_SECONDS": "0", **told}
        command = [path, "--until-stdin-ends"]  # of this process, however it ends
        pipe = subprocess.PIPE
        try:
            program = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=log, text=True)
        except FileNotFoundError as why:
            raise RuntimeError(f"{path} is not here: name the local stack's program by LOGIN_WITH_OTP_LOCAL") from why
        assert program.stdout
        addresses = {}
        for line in program.stdout:
            name, _, address = line.strip().partition(" ")
            addresses[name] = address
            if name == "web":
                break
        if "web" not in addresses:
            program.wait()
            log.seek(0)
            raise RuntimeError(f"the local stack did not start: {log.read()}")
    _last = Stack(program, addresses)
    atexit.register(_last.stop)
    return _last


def code_for(address: str, timeout: float = 10) -> str:
    """`code_for` of the stack that was started last."""
    if not _last:
        raise RuntimeError("no stack runs: call start() first")
    return _last.code_for(address, timeout)
