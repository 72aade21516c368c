"""The story of a login, told to a deployed stack, each sentence checked.

With EMULATOR set to its address, the whole story: codes are read back from the emulator's
mail and text messages, and each permission is taken away once. With API_URL alone, what can be
told without reading somebody's messages; nothing is sent.
"""

import json
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor

import telling
from lasting import lasting, leaving, rotation
from permissions import permissions
from stack import Stack
from telling import (
    CONFIGURATION, CONFIGURED, DELIVERY_FAILED, INVALID_OTP, INVALID_REFRESH_TOKEN, KEYS,
    LOGGED_IN, LOGIN, LOGOUT, ME, METADATA, METHODS, NO_SUCH_DESTINATION, NOT_ALLOWED, NOT_FOUND,
    NOT_JSON, REFRESH, REVOKE, SENT, SERVER, TOKEN, TOO_MANY, VALIDATE, Api, same, tells,
)


def refusals(api):
    """What needs no code: nothing is sent."""
    with tells("an unknown route is a problem, told by the gateway"):
        for path in ("/", "/api/", "/api/login-with-otp/more", "/api/unknown/"):
            api.send("POST", path, {}).is_problem(*NOT_FOUND)
    with tells("another method is a problem that says which one is allowed"):
        for path, allowed in METHODS.items():
            for method in {"GET", "POST", "PUT", "OPTIONS", "DELETE"} - {*allowed}:
                for spelling in (path.rstrip("/"), path.rstrip("/") + "/"):
                    answer = api.send(method, spelling)
                    answer.is_problem(*NOT_ALLOWED, f"This address takes {' and '.join(allowed)} only.")
                    same("Allow", answer.headers["Allow"], ", ".join(allowed))
    with tells("another media type is a problem"):
        for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/json5"):
            for path in (LOGIN, VALIDATE, REFRESH, LOGOUT):
                api.send("POST", path, b"{}", media_type).is_problem(*NOT_JSON)
    with tells("a body that is not one object of the call is a problem"):
        for body in (
            b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 4000, b"{}",
            b'{"email": "a@example.com", "phone_number": "+14155550123"}',
            b'{"email": "a@example.com", "email": "b@example.com"}',
            b'{"email": ["a@example.com"]}', b'{"email": "a@example.com", "more": 1}',
            b'{"email": "a@example.com, b@example.com"}', b'{"email": "a@example.com\\r\\nBcc: b"}',
            b'{"phone_number": "4155550123"}', b'{"phone_number": 14155550123}',
            b'{"email": "' + b"a" * 5000 + b'@example.com"}', b'{"refresh_token": null}',
            b'{"refresh_token": "a", "refresh_token": "a"}', b'{"refresh_token": "a", "more": 1}',
        ):
            for path in (LOGIN, VALIDATE, REFRESH, LOGOUT):
                api.send("POST", path, body).is_problem("invalid-request", "Invalid request", 400)
    with tells("a code that was never issued is refused"):
        guess = {"email": "nobody@example.com", "otp": "000000"}
        api.post(VALIDATE, **guess).is_problem(*INVALID_OTP)
        api.post(VALIDATE, **guess, challenge_id="A" * 22).is_problem(*INVALID_OTP)
    with tells("a refresh token that was never given out is refused, and logs out in peace"):
        for token in ("", "unknown", "A" * 86):
            api.post(REFRESH, refresh_token=token).is_problem(*INVALID_REFRESH_TOKEN)
            api.post(LOGOUT, refresh_token=token, all=True).is_done()
            api.post_form(TOKEN, grant_type="refresh_token", refresh_token=token).is_oauth_error(
                "invalid_grant" if token else "invalid_request")
    with tells("an OAuth client is answered as OAuth has it"):
        api.post_form(TOKEN).is_oauth_error("invalid_request")
        api.post_form(TOKEN, grant_type="password").is_oauth_error("unsupported_grant_type")
        api.post_form(TOKEN, client_id="nobody").is_oauth_error("invalid_client")
        api.post_form(REVOKE).is_oauth_error("invalid_request")
        api.send("GET", TOKEN).is_oauth_error("invalid_request", 405)
        answer = api.post_form(REVOKE, token="unknown")
        same("status and body", (answer.status, answer.bytes), (200, b""))
    with tells("nobody is told who they are without a token of ours"):
        api.send("GET", ME).is_unauthorized("Bearer")
        for shown in ("Bearer unknown", "Bearer a.b.c", "Basic YTpi"):
            answer = api.send("GET", ME, more={"Authorization": shown})
            answer.is_unauthorized('Bearer error="invalid_token"')
    with tells("the issuer and its keys are public"):
        for slash in ("", "/"):
            api.send("GET", CONFIGURATION + slash).is_public(CONFIGURED)
            api.send("GET", METADATA + slash).is_public(SERVER)
            [*keys] = api.send("GET", KEYS + slash).is_public(["keys"])["keys"]
            same("there is one at least", bool(keys), True)
    with tells("a number outside the allowed prefixes is refused before anything is sent"):
        api.post(LOGIN, phone_number="+99912345678").is_problem(*NO_SUCH_DESTINATION)


def wrong(code):
    return f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"


def issuer(stack):
    with tells("the issuer is the API's own URL"):
        same("Issuer", stack.outputs["Issuer"], stack.outputs["ApiUrl"])


def flood(stack):
    with tells("what floods the gateway is refused by it, in the functions' words"):
        with ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: stack.api.send("POST", LOGIN, {}), range(160)))
        refused = [answer for answer in answers if answer.status == 429]
        same("some are refused, some are not", 0 < len(refused) < len(answers), True)
        refused[0].is_problem(*TOO_MANY)
        time.sleep(1)


def expiry(stack):
    with tells("all that the table holds expires by its TTL attribute, users excepted"):
        template = stack.client("cloudformation").get_template(
            StackName=stack.name, TemplateStage="Processed")["TemplateBody"]
        template = json.loads(template) if isinstance(template, str) else template
        ttl = template["Resources"]["Table"]["Properties"]["TimeToLiveSpecification"]
        pages = stack.client("dynamodb").get_paginator("scan")
        items = [item for page in pages.paginate(TableName=stack.outputs["TableName"])
                 for item in page["Items"]]
        lasting = {item["sk"]["S"] for item in items if ttl["AttributeName"] not in item}
        same("without it", (ttl["Enabled"], lasting), (True, {"user"}))
        times = [int(item[ttl["AttributeName"]]["N"]) for item in items
                 if ttl["AttributeName"] in item]
        guesses = 400 * 86_400
        login = max(guesses, int(stack.parameters["RefreshTtlSeconds"]))
        same("seconds, none after the longest login or count, and a day of grace",
             all(abs(t - time.time()) < login + 172_800 for t in times), True)


def login_by_email(stack):
    api, alice = stack.api, "alice@example.com"
    with tells("a code is sent by e-mail"):
        sent = api.post(LOGIN, email="Alice@EXAMPLE.com").is_success(SENT)
        same("answer", {k: v for k, v in sent.items() if k != "challenge_id"}, {
            "message": "OTP has been sent to your email.", "channel": "email",
            "destination": alice, "ways": ["email"], "code_length": 6, "max_attempts": 3, "expires_in": 300, "delivery": "confirmed",
            "resend_in": int(stack.parameters["ResendCooldownSeconds"]),
        })
        [mail] = stack.mails(alice)
        code = stack.code_for(alice)
        brand, sender = (stack.parameters[name] for name in ("Brand", "EmailFrom"))
        same("sender", mail["Source"], f'"{brand}" <{sender}>')
        same("both bodies carry the code", (code in mail["BodyText"], code in mail["BodyHtml"]),
             (True, True))
        same("the brand is named", stack.parameters["Brand"] in mail["BodyText"], True)
    with tells("a second code at once is refused, with the wait, and nothing is sent"):
        refused = api.post(LOGIN.rstrip("/"), email=alice).is_problem(*TOO_MANY)
        same("mails", len(stack.mails(alice)), 1)
    claim = {"email": alice, "challenge_id": sent["challenge_id"]}
    with tells("a wrong code is refused"):
        wrong_code = api.post(VALIDATE, **claim, otp=wrong(code))
        wrong_code.is_problem(*INVALID_OTP)
    with tells("the right code gives a token that what its issuer publishes verifies"):
        logged_in = stack.redeem(claim, code)
        same("new user", logged_in["new_user"], True)
        same("life", (logged_in["expires_in"], logged_in["refresh_expires_in"]), (3600, 604800))
        claims = stack.claims(logged_in["token"])
        same("subject", claims["sub"], logged_in["user_id"])
        same("life", claims["exp"] - claims["iat"], 3600)
        same("proof", (claims["email"], claims["email_verified"], claims["amr"]),
             (alice, True, ["otp"]))
    with tells("the same code again is refused in the same words"):
        again = api.post(VALIDATE, **claim, otp=code)
        again.is_problem(*INVALID_OTP)
        same("bytes", again.bytes, wrong_code.bytes)
    with tells("after the wait that was told, the same user logs in"):
        time.sleep(refused["retry_after"])
        again = stack.log_in(alice)
        same("user", (again["new_user"], again["user_id"]), (False, logged_in["user_id"]))
    return logged_in, again


def browsers(stack):
    with tells("a page of the allowed origin may ask before it sends, and no other"):
        for origin, status in ((stack.parameters["AllowedOrigins"], 204), ("https://evil.example", 405)):
            for path in (LOGIN, REFRESH, ME):
                asks = {"Origin": origin, "Access-Control-Request-Method": METHODS[path][-1]}
                answer = stack.api.send("OPTIONS", path, more=asks)
                same("status", answer.status, status)
                same("allowed", answer.headers["Access-Control-Allow-Origin"],
                     origin if status == 204 else None)


def login_by_sms(stack):
    number = "+14155550123"
    with tells("a code is sent by SMS, and gives a token"):
        logged_in = stack.log_in(number)
        claims = stack.claims(logged_in["token"])
        same("proof", (claims["phone_number"], claims["phone_number_verified"], claims["amr"]),
             (number, True, ["otp", "sms"]))
    with tells("a denied prefix within an allowed one is refused"):
        stack.api.post(LOGIN, phone_number="+19005550123").is_problem(*NO_SUCH_DESTINATION)
        same("texts", stack.texts("+19005550123"), [])


def guessing(stack):
    with tells("without its challenge id a code is good for the newest challenge"):
        stack.ask("bob@example.com")
        code = stack.code_for("bob@example.com")
        stack.api.post(VALIDATE.rstrip("/"), email="bob@example.com", otp=code).is_success(LOGGED_IN)
    with tells("after three wrong codes the right one is refused too"):
        claim = stack.ask("carol@example.com")
        code = stack.code_for("carol@example.com")
        for guess in [wrong(code)] * 3 + [code]:
            stack.api.post(VALIDATE, **claim, otp=guess).is_problem(*INVALID_OTP)


def failing_delivery(stack, address="dave@example.com"):
    """The second request at once shows that the first was not counted."""
    with stack.silent_ses():
        for _ in range(2):
            stack.api.post(LOGIN, email=address).is_problem(*DELIVERY_FAILED)
    stack.ask(address)


def logs(stack):
    with tells("no code, no token and no whole destination is in a log"):
        text = "\n".join(stack.log_lines())
        same("the functions log", '"outcome":"sent"' in text and '"signed-up"' in text, True)
        for name in ("alice", "bob", "carol"):
            same(name, f"{name}@example.com" in text, False)
            same("code", stack.code_for(f"{name}@example.com") in re.findall(r"\d{6,}", text), False)
        same("number", "+14155550123" in text, False)
        same("tokens", [token for token in stack.tokens if token in text], [])


def alarms(stack):
    with tells("what went wrong is what the alarms look for in the logs"):
        lines = [json.loads(line) for line in stack.log_lines() if line.startswith("{")]
        filters = stack.client("logs").describe_metric_filters()["metricFilters"]
        for metric in ("ReusedRefreshTokens", "DeliveryFailures", "Unavailable"):
            named = [one for one in filters
                     if one["metricTransformations"][0]["metricName"] == metric]
            same(f"{metric} has a filter", bool(named), True)
            for one in named:
                values = re.findall(r'\$\.(\w+) = "([^"]+)"', one["filterPattern"])
                found = any(line.get(name) == value for name, value in values for line in lines)
                same(one["filterName"], found, True)


def whole_story(stack):
    stack.client("sesv2").create_email_identity(EmailIdentity=stack.parameters["EmailFrom"])
    issuer(stack)
    first, second = login_by_email(stack)
    third = lasting(stack, first, second)
    leaving(stack, third)
    login_by_sms(stack)
    browsers(stack)
    guessing(stack)
    with tells("a failed delivery is told, and not counted"):
        failing_delivery(stack)
    refusals(stack.api)
    flood(stack)
    expiry(stack)
    logs(stack)
    rotation(stack)
    permissions(stack, failing_delivery)
    alarms(stack)


def main():
    emulator = os.environ.get("EMULATOR")
    if emulator:
        stack = Stack(emulator, os.environ["STACK"])
        try:
            whole_story(stack)
        except SystemExit:
            print("The functions' last words:", *stack.log_lines()[-20:], sep="\n  ")
            raise
    else:
        print(f"Telling {os.environ['API_URL']} what needs no code.")
        refusals(Api(os.environ["API_URL"]))
        print("SKIPPED: everything that reads a message, a key, a log or a policy back.")
    print(f"{telling.passed} passed, 0 failed")


if __name__ == "__main__":
    main()
