"""Presents tokens of two local stacks, and forgeries of them, to each verifier.

A verifier gets only the issuer's URL, the audience and the token. Forgeries that need the signing
key are signed by the stack's KMS, which accepts every caller.
"""

import contextlib
import pathlib
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from forge import Forger, header, spoken, with_bit_flipped, with_header
from stack import TARGET, Stack

HERE = pathlib.Path(__file__).parent
VERIFIERS = {
    "python": [sys.executable, HERE / "check.py"],
    "node": ["node", TARGET / "check-token" / "check.mjs"],
    "rust": [TARGET / "debug" / "check-token"],
}
ACCEPTED, REFUSED, CANNOT_TELL = 0, 1, 2

# The reason, in the words of each verifier.
NO_ALGORITHM = {"python": "alg value is not allowed", "rust": "unknown variant",
                "node": '"alg" (Algorithm) Header Parameter value not allowed'}
ALGORITHM = NO_ALGORITHM | {"rust": "InvalidAlgorithm"}
KEY = {"python": "Unable to find a signing key", "node": "no applicable key",
       "rust": "unknown key"}
NO_KEY_NAMED = KEY | {"node": "multiple matching keys"}
SIGNATURE = {"python": "Signature verification failed", "node": "signature verification failed",
             "rust": "InvalidSignature"}
AUDIENCE = {"python": "Audience doesn't match", "node": '"aud"', "rust": "InvalidAudience"}
NO_AUDIENCE = {"python": '"aud"', "node": '"aud"', "rust": "aud"}
ISSUER = {"python": "Invalid issuer", "node": '"iss"', "rust": "InvalidIssuer"}
EXPIRED = {"python": "expired", "node": '"exp"', "rust": "ExpiredSignature"}
NO_EXPIRY = {"python": '"exp"', "node": '"exp"', "rust": "exp"}
TYPE = {"python": "not an access token", "node": '"typ"', "rust": "not an access token"}
ANY = dict.fromkeys(VERIFIERS, "")


class Untrue(Exception):
    pass


def verdict(name, issuer, audience, token):
    done = subprocess.run(
        [*VERIFIERS[name], issuer, audience], input=token, text=True, capture_output=True,
        timeout=30, check=False)
    if token and token in done.stdout + done.stderr:
        raise Untrue(f"{name} prints the token")
    return done.returncode, done.stdout.strip(), done.stderr.strip()


def check(what, issuer, audience, token, code, words):
    """Each verifier must exit with this code, and print its own words."""
    with ThreadPoolExecutor() as pool:
        verdicts = pool.map(lambda name: verdict(name, issuer, audience, token), VERIFIERS)
    for name, (was, out, err) in zip(VERIFIERS, verdicts):
        # The code is not enough: a program that crashes exits with 1, too.
        right = {
            ACCEPTED: (out, err) == (words[name], ""),
            REFUSED: not out and err.startswith("refused: ") and words[name] in err,
            CANNOT_TELL: not out and err.startswith("cannot tell: ") and words[name] in err,
        }
        if was != code or not right[code]:
            raise Untrue(f"{what}: {name} exits with {was}, {out or err!r}")
    print(f"ok  {what}", flush=True)


def tokens_of_ours(stack):
    for destination in ({"email": "alice@example.com"}, {"phone_number": "+14155550123"}):
        login = stack.log_in(**destination)
        subject = dict.fromkeys(VERIFIERS, login["user_id"])
        [kind] = destination
        check(f"accepted: a login by {kind}", stack.api, "example", login["token"],
              ACCEPTED, subject)
    claims, now = spoken(login["token"]), int(time.time())
    for what, iat, exp in [("ahead of ours", now + 3, now + 3603), ("behind ours", now - 3602, now - 2)]:
        token = Forger(stack).sign(header(login["token"]), claims | {"iat": iat, "exp": exp})
        check(f"accepted: a token whose issuer's clock is {what}", stack.api, "example", token,
              ACCEPTED, subject)


def forgeries(stack, other, token):
    """Tokens whose signature by this issuer is missing or does not match."""
    ours, theirs = Forger(stack), Forger(other)
    head, claims = header(token), spoken(token)
    yield "alg none", ours.unsigned(head | {"alg": "none"}, claims), NO_ALGORITHM
    yield "alg none, signed", with_header(token, alg="none"), NO_ALGORITHM
    for form, secret in ours.public_forms().items():
        yield f"HS256 keyed with the public key as {form}", ours.hs256(token, secret), ALGORITHM
    yield "the kid of the other published key", with_header(token, kid=ours.second_kid), SIGNATURE
    yield "an unknown kid", with_header(token, kid="unknown"), KEY
    yield "no kid", with_header(token, kid=None), NO_KEY_NAMED
    yield "one flipped bit in the signature", with_bit_flipped(token, 2), SIGNATURE
    yield "one flipped bit in the claims", with_bit_flipped(token, 1), SIGNATURE
    yield "another key under our kid", theirs.sign(head, claims), SIGNATURE
    bring = {"jwk": theirs.jwk, "jku": f"{other.api}/.well-known/jwks.json"}
    yield "another key, brought along", theirs.sign(head | bring, claims), SIGNATURE
    yield "another issuer's token", other.log_in(email="alice@example.com")["token"], KEY
    yield "no signature", token.rpartition(".")[0] + ".", SIGNATURE | {"node": ""}
    yield "nothing at all", "", ANY
    yield "nonsense", "a.b.c", ANY
    yield "a token without its header", token.partition(".")[2], ANY


def misuses(stack, token):
    """Tokens with this issuer's signature that are not its access tokens for this audience."""
    ours = Forger(stack)
    head, claims = header(token), spoken(token)

    def changed(**more):
        merged = claims | more
        return ours.sign(head, {name: value for name, value in merged.items() if value})

    now = int(time.time())
    yield "another audience", changed(aud="somebody else"), AUDIENCE
    yield "no audience", changed(aud=None), NO_AUDIENCE
    yield "another issuer", changed(iss="https://login.example.com"), ISSUER
    yield "an expired token", changed(iat=now - 3607, exp=now - 7), EXPIRED
    yield "no expiry", changed(exp=None), NO_EXPIRY
    for typ in ("JWT", "dpop+jwt"):
        yield f"type {typ}", ours.sign(head | {"typ": typ}, claims), TYPE


def lifetimes(other):
    token = other.log_in(phone_number="+14155550124")["token"]
    while time.time() < spoken(token)["exp"] + 7:
        time.sleep(0.1)
    check("refused: an expired token of one second", other.api, "example", token, REFUSED, EXPIRED)


def issuers_fault(stack, token):
    """The verifier can neither accept nor refuse."""
    elsewhere = stack.api.replace("127.0.0.1", "localhost")
    words = dict.fromkeys(VERIFIERS, "the issuer does not match")
    check("cannot tell: a document of another issuer", elsewhere, "example", token,
          CANNOT_TELL, words)
    check("cannot tell: no server", "http://127.0.0.1:9", "example", token, CANNOT_TELL, ANY)


def page_shows_the_file():
    page = (HERE.parents[1] / "docs" / "checking-tokens.md").read_text()
    if f"```python\n{(HERE / 'check.py').read_text()}```\n" not in page:
        raise Untrue("docs/checking-tokens.md does not have the current check.py")
    print("ok  the page has the current file")


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    page_shows_the_file()
    with contextlib.ExitStack() as stacks:
        stack = Stack(SECOND_SIGNING_KEY_ID="second-signing-key")
        stacks.callback(stack.end)
        other = Stack(TOKEN_TTL_SECONDS="1")
        stacks.callback(other.end)
        tokens_of_ours(stack)
        token = stack.log_in(email="bob@example.com")["token"]
        for what, forged, words in [*forgeries(stack, other, token), *misuses(stack, token)]:
            check(f"refused: {what}", stack.api, "example", forged, REFUSED, words)
        check("refused: a token for others", stack.api, "others", token, REFUSED, AUDIENCE)
        check("refused: a token of others", other.api, "example", token, REFUSED, KEY)
        lifetimes(other)
        issuers_fault(stack, token)


if __name__ == "__main__":
    try:
        main()
    except Untrue as untrue:
        sys.exit(f"FAILED: {untrue}")
