"""A login goes on, ends, and outlives the keys that it began with."""

import base64
import hashlib
import json
import re
import time

from telling import INVALID_REFRESH_TOKEN, REFRESH, same, tells


def is_over(stack, login):
    answer = stack.api.post(REFRESH, refresh_token=login["refresh_token"])
    answer.is_problem(*INVALID_REFRESH_TOKEN)
    return answer


def lasting(stack, first, second):
    """Two logins of one user, of which the second goes on: its last answer."""
    with tells("a refresh gives a new token of the same user, and the refresh token's successor"):
        after = stack.refresh(first)
        same("user", after["user_id"], first["user_id"])
        same("life", (after["expires_in"], after["refresh_expires_in"]), (3600, 604800))
        before, now = (stack.claims(login["token"]) for login in (first, after))
        same("is new", before["jti"] != now["jti"], True)
        for claim in ("sub", "email", "amr", "auth_time"):
            same(claim, now[claim], before[claim])
    with tells("the same refresh token again, at once, has the same successor"):
        same("successor", stack.refresh(first)["refresh_token"], after["refresh_token"])
    with tells("the same refresh token again, later, ends its login and no other of the user"):
        time.sleep(int(stack.parameters["RefreshGraceSeconds"]))
        refused = is_over(stack, first)
        same("bytes", is_over(stack, after).bytes, refused.bytes)
        return stack.refresh(second)


def leaving(stack, login):
    """Ends this login of a user and another, each way."""
    alice = "alice@example.com"
    with tells("a token tells whose it is"):
        me = stack.me(login["token"]).is_success(["user_id", "destinations", "created_at"])
        same("user", (me["user_id"], me["destinations"]),
             (login["user_id"], [{"channel": "email", "email": alice}]))
        same("RFC 3339", bool(re.fullmatch(r"\d{4}(-\d\d){2}T[\d:.]{8,12}Z", me["created_at"])), True)
    with tells("a token that was tampered with tells nothing"):
        head, claims, signature = login["token"].split(".")
        other = "B" if signature[0] == "A" else "A"
        answer = stack.me(f"{head}.{claims}.{other}{signature[1:]}")
        answer.is_unauthorized('Bearer error="invalid_token"')
    with tells("a logout ends its login, alone, and a second one makes no difference"):
        other = stack.log_in(alice)
        for _ in range(2):
            stack.log_out(other)
            is_over(stack, other)
        login = stack.refresh(login)
    with tells("a logout of all ends every login of the user"):
        time.sleep(int(stack.parameters["ResendCooldownSeconds"]))
        other = stack.log_in(alice)
        stack.log_out(other, all=True)
        is_over(stack, other)
        is_over(stack, login)


def thumbprint(key):
    """RFC 7638."""
    text = json.dumps({name: key[name] for name in ("e", "kty", "n")}, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


def signed_by(login):
    import jwt

    return jwt.get_unverified_header(login["token"])["kid"]


def rotation(stack):
    login = stack.log_in("grace@example.com")
    old_id, old = stack.outputs["SigningKeyId"], signed_by(login)
    with tells("the keys are named by their thumbprints"):
        keys = stack.keys()
        same("names", [key["kid"] for key in keys], [thumbprint(key) for key in keys])
        same("all", {key["kid"] for key in keys}, {old})
    with tells("of two keys the first signs, and both are published"):
        stack.deploy(SigningKeys="A,B", DigestKeys="A,B")
        login = stack.refresh(login)
        same("signed by", signed_by(login), old)
        [new] = {key["kid"] for key in stack.keys()} - {old}
        claim = stack.ask("heidi@example.com")
        code = stack.code_for("heidi@example.com")
    with tells("when they change places, what was signed and sent before is still good"):
        stack.deploy(SigningKeys="B,A", DigestKeys="B,A")
        same("published", {key["kid"] for key in stack.keys()}, {old, new})
        stack.claims(login["token"])
        same("me", stack.me(login["token"]).status, 200)
        same("signed by", signed_by(stack.redeem(claim, code)), new)
        after = stack.refresh(login)
        same("signed by", signed_by(after), new)
        stack.claims(after["token"])
    with tells("the old keys are forgotten at last, stay in the account, and nobody is logged out"):
        stack.deploy(SigningKeys="B", DigestKeys="B")
        same("published", {key["kid"] for key in stack.keys()}, {new})
        stack.me(login["token"]).is_unauthorized('Bearer error="invalid_token"')
        stack.claims(stack.refresh(after)["token"])
        stack.log_in("ivan@example.com")
        state = stack.client("kms").describe_key(KeyId=old_id)["KeyMetadata"]["KeyState"]
        same("state", state, "Enabled")
