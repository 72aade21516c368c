"""Lets OAuth libraries verify, renew and revoke tokens of a local stack, by discovery only.

The forgeries are those of examples/check-token. Tokens that lack a claim of RFC 9068 are added.
"""

import contextlib
import http.server
import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

HERE = pathlib.Path(__file__).parent
CLIENTS = pathlib.Path(os.environ["CLIENTS"])
CHECK_TOKEN = HERE.parent / "check-token"
sys.path.append(str(CHECK_TOKEN))

from forge import Forger, header, spoken  # noqa: E402
from stack import Stack  # noqa: E402

described = importlib.util.spec_from_file_location("check_token", CHECK_TOKEN / "test.py")
check_token = importlib.util.module_from_spec(described)
described.loader.exec_module(check_token)

PYTHON = [os.environ["CLIENTS_PYTHON"], HERE / "python"]
VERIFIERS = {
    "oauth4webapi": ["node", CLIENTS / "verify.mjs", "oauth4webapi"],
    "jose": ["node", CLIENTS / "verify.mjs", "jose"],
    "express-oauth2-jwt-bearer": ["node", CLIENTS / "verify.mjs", "express-oauth2-jwt-bearer"],
    "Lambda authorizer": ["node", CLIENTS / "verify.mjs", "Lambda authorizer"],
    "Authlib": [PYTHON[0], PYTHON[1] / "verify.py", "authlib"],
    "PyJWT": [PYTHON[0], PYTHON[1] / "verify.py", "pyjwt"],
}
RENEWERS = {
    "oauth4webapi": ["node", CLIENTS / "renew.mjs", "oauth4webapi"],
    "openid-client": ["node", CLIENTS / "renew.mjs", "openid-client"],
    "Authlib": [PYTHON[0], PYTHON[1] / "renew.py"],
    "oauth2": [CLIENTS / "rust" / "debug" / "renew"],
}


class Untrue(Exception):
    pass


def verdicts(name, issuer, tokens):
    done = subprocess.run(
        [*VERIFIERS[name], issuer, "example"], input="".join(f"{token}\n" for token in tokens),
        text=True, capture_output=True, timeout=120, check=False)
    lines = done.stdout.splitlines()
    if any(token in done.stdout + done.stderr for token in tokens if len(token) > 100):
        raise Untrue(f"{name} prints a token")
    if len(lines) != len(tokens):
        raise Untrue(f"{name}: {len(lines)} verdicts of {len(tokens)} tokens\n{done.stderr[-2000:]}")
    return lines


def cases(stack, other):
    """Descriptions, tokens, and the beginning of the verdict."""
    for destination in ({"email": "alice@example.com"}, {"phone_number": "+14155550123"}):
        login = stack.log_in(**destination)
        [kind] = destination
        yield f"a login by {kind}", login["token"], f"accepted {login['user_id']}"
    token = stack.log_in(email="bob@example.com")["token"]
    forged = [*check_token.forgeries(stack, other, token), *check_token.misuses(stack, token)]
    for what, changed, _ in forged:
        yield what, changed, "refused "
    ours = Forger(stack)
    for name in ("client_id", "jti", "iat", "sub"):
        claims = {claim: value for claim, value in spoken(token).items() if claim != name}
        yield f"no {name}", ours.sign(header(token), claims), "refused "


def verify(name, issuer, told):
    found = verdicts(name, issuer, [token for _, token, _ in told])
    wrong = [f"{what}: {verdict}" for (what, _, expected), verdict in zip(told, found)
             if not (verdict == expected or expected == "refused " and verdict.startswith(expected))]
    if wrong:
        raise Untrue(f"{name}\n  " + "\n  ".join(wrong))
    accepted = sum(verdict.startswith("accepted ") for verdict in found)
    return f"ok  {name}: {accepted} accepted, {len(found) - accepted} refused"


class Unkeyed(http.server.BaseHTTPRequestHandler):
    """An issuer that has metadata, and no keys."""

    def do_GET(self):
        host, port = self.server.server_address
        issuer = f"http://{host}:{port}"
        known = "/.well-known/o" in self.path
        body = json.dumps({"issuer": issuer, "jwks_uri": f"{issuer}/keys"}).encode()
        self.send_response(200 if known else 500)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def cannot_tell(name, stack, token):
    """Without the issuer, and without its keys, a verifier can neither accept nor refuse."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unkeyed) as unkeyed:
        threading.Thread(target=unkeyed.serve_forever, daemon=True).start()
        for issuer in ("http://127.0.0.1:9", f"http://127.0.0.1:{unkeyed.server_port}"):
            theirs = Forger(stack).sign(header(token), spoken(token) | {"iss": issuer})
            [verdict] = verdicts(name, issuer, [theirs])
            if not verdict.startswith("cannot tell "):
                raise Untrue(f"{name}, {issuer}: {verdict}")
        unkeyed.shutdown()
    return f"ok  {name}: cannot tell without the issuer, nor without its keys"


def renew(name, stack, number):
    """The refreshed token is verified by the first verifier."""
    login = stack.log_in(email=f"renew{number}@example.com")
    done = subprocess.run(
        [*RENEWERS[name], stack.api, "example"], input=login["refresh_token"] + "\n", text=True,
        capture_output=True, timeout=60, check=False)
    if done.returncode:
        raise Untrue(f"{name}: {done.stderr[-2000:]}")
    [verdict] = verdicts("oauth4webapi", stack.api, [done.stdout.strip()])
    if verdict != f"accepted {login['user_id']}":
        raise Untrue(f"{name}: the renewed token is {verdict}")
    return f"ok  {name}: refreshed twice, revoked, over"


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    with contextlib.ExitStack() as stacks:
        stack = Stack(SECOND_SIGNING_KEY_ID="second-signing-key", REQUESTS_PER_IP_PER_HOUR="1000")
        stacks.callback(stack.end)
        other = Stack()
        stacks.callback(other.end)
        told = list(cases(stack, other))
        with ThreadPoolExecutor(2) as pool:
            results = [pool.submit(verify, name, stack.api, told) for name in VERIFIERS]
            results += [pool.submit(cannot_tell, name, stack, told[0][1]) for name in VERIFIERS]
            results += [pool.submit(renew, name, stack, n) for n, name in enumerate(RENEWERS)]
            for result in results:
                print(result.result(), flush=True)


if __name__ == "__main__":
    try:
        main()
    except Untrue as untrue:
        sys.exit(f"FAILED: {untrue}")
