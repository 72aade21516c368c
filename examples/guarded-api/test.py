"""Calls the deployed API with tokens of a local stack.

API Gateway and the template accept https issuers only. The issuer here is at http on loopback, so
the test removes that one rule from the deployed template.
"""

import contextlib
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).parent
GUARDED = pathlib.Path(os.environ["GUARDED"])
sys.path.append(str(HERE.parent / "check-token"))

from forge import Forger, header, spoken, with_bit_flipped  # noqa: E402
from stack import Stack  # noqa: E402
from step_up import call  # noqa: E402


class Untrue(Exception):
    pass


class Emulator:
    def __init__(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        settings = {"AWS_ENDPOINT_URL": self.url, "GATEWAY_PORT": str(self.port)}
        self.environment = os.environ | settings
        self.log = GUARDED / "emulator.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, HERE / "emulator.py"], env=self.environment,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait(self):
        for _ in range(100):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=2).close()
                return
            time.sleep(0.2)
        raise Untrue(f"the emulator did not start:\n{self.log.read_text()}")

    def deploy(self, issuer):
        template = (GUARDED / "build" / "template.yaml").read_text()
        here = GUARDED / "build" / "loopback.yaml"
        here.write_text(re.sub(r"AllowedPattern: \^https.*", "AllowedPattern: ^http.*", template))
        done = subprocess.run(
            ["sam", "deploy", "--template-file", here, "--stack-name", "guarded", "--resolve-s3",
             "--capabilities", "CAPABILITY_IAM", "--no-confirm-changeset", "--no-progressbar",
             "--parameter-overrides", "Architecture=x86_64", "Audience=example",
             f"Issuer={issuer}"],
            env=self.environment, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode:
            raise Untrue(f"sam deploy failed:\n{done.stdout}{done.stderr}")
        return re.search(r"https://(\w+)\.execute-api", done.stdout)[1]


def send(emulator, api, token, method="GET", path="/hello"):
    headers = {"Host": f"{api}.execute-api.localhost:{emulator.port}"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(f"{emulator.url}{path}", headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def ask(emulator, api, token):
    status, _, body = send(emulator, api, token)
    return status, body


def steps_up(emulator, api, stack, token):
    """A client whose login is old, and whose user enters a code when the API asks for it."""
    asked = []

    def leave(token):
        return send(emulator, api, token, "DELETE", "/account")

    def log_in():
        asked.append("code")
        return stack.log_in(phone_number="+14155550123")["token"]

    forger = Forger(stack)
    claims = spoken(token)
    old = forger.sign(header(token), claims | {"auth_time": int(time.time()) - 301})
    status, body = call(leave, old, lambda: old, log_in)
    if status != 200 or asked != ["code"] or "Goodbye" not in body:
        raise Untrue(f"step-up: {status} {body}, asked {asked}")
    print("ok  an old login: one code, then 200", flush=True)
    # A login that stays old ends the attempt, after one code.
    asked.clear()
    status, _ = call(leave, old, lambda: old, lambda: asked.append("code") or old)
    if (status, asked) != (401, ["code"]):
        raise Untrue(f"step-up in vain: {status}, asked {asked}")
    # An invalid token is renewed, without a code.
    asked.clear()
    status, _ = call(leave, "a.b.c", lambda: token, log_in)
    if (status, asked) != (200, []):
        raise Untrue(f"renewal: {status}, asked {asked}")
    print("ok  an invalid token: renewed, then 200", flush=True)


def others(stack, token):
    forger = Forger(stack)
    head, claims = header(token), spoken(token)
    yield "no token", None
    yield "nonsense", "a.b.c"
    yield "one flipped bit", with_bit_flipped(token, 1)
    yield "another audience", forger.sign(head, claims | {"aud": "somebody else"})
    yield "another issuer", forger.sign(head, claims | {"iss": "https://login.example.com"})
    yield "an expired token", forger.sign(head, claims | {"exp": int(time.time()) - 1})


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    with contextlib.ExitStack() as running:
        stack, emulator = Stack(), Emulator()
        running.callback(stack.end)
        running.callback(emulator.end)
        emulator.wait()
        api = emulator.deploy(stack.api)
        login = stack.log_in(email="alice@example.com")
        greeting = f'{{"message":"Hello, {login["user_id"]}."}}'
        cases = [("a token of ours", login["token"], (200, greeting))]
        cases += [(what, token, 401) for what, token in others(stack, login["token"])]
        for what, token, expected in cases:
            status, body = ask(emulator, api, token)
            if expected not in (status, (status, body)):
                raise Untrue(f"{what}: {status} {body}")
            print(f"ok  {what}: {status}", flush=True)
        steps_up(emulator, api, stack, login["token"])


if __name__ == "__main__":
    try:
        main()
    except Untrue as untrue:
        sys.exit(f"FAILED: {untrue}")
