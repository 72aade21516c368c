"""The story of a login, told to a deployed stack, each sentence checked.

With EMULATOR set to its address, the whole story: codes are read back from the emulator's
mail and text messages, and each permission is taken away once. With API_URL alone, what can be
told without reading somebody's messages; nothing is sent.
"""

import contextlib
import http.client
import json
import os
import re
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor

FUNCTIONS = {"login-with-otp": "Login", "validate-otp": "Validate"}
LOGIN, VALIDATE = "/api/login-with-otp/", "/api/validate-otp/"
INVALID_OTP = ("invalid-otp", "Invalid OTP", 400, "Invalid OTP.")
NOT_FOUND = ("not-found", "Not found", 404, "There is nothing at this address.")
NOT_ALLOWED = ("method-not-allowed", "Method not allowed", 405, "This address takes POST only.")
NO_SUCH_DESTINATION = (
    "destination-not-allowed", "Destination not allowed", 403,
    "This service does not send codes to this destination.",
)
NOT_JSON = (
    "unsupported-media-type", "Unsupported media type", 415, "The body must be application/json.",
)
TOO_MANY = ("too-many-requests", "Too many requests", 429, "Too many requests. Try again later.")
DELIVERY_FAILED = (
    "delivery-failed", "Delivery failed", 502, "The code could not be sent. Try again.",
)

passed = 0


class Untrue(Exception):
    """The stack does not do what the story says."""


def same(what, found, expected):
    if found != expected:
        raise Untrue(f"{what}: expected {expected!r}, found {found!r}")


@contextlib.contextmanager
def tells(sentence):
    global passed
    started = time.monotonic()
    try:
        yield
    except Exception as error:
        print(f"FAILED  {sentence}: {error}")
        print(f"{passed} passed, 1 failed")
        raise SystemExit(1) from error
    passed += 1
    print(f"ok  {sentence} ({time.monotonic() - started:.1f} s)")


class Api:
    """The API at `url`; `connect` says where it listens, if its name does not resolve."""

    def __init__(self, url, connect=None):
        self.url = urllib.parse.urlsplit(url.rstrip("/"))
        self.connect = connect or self.url.netloc

    def send(self, method, path, body=None, media_type="application/json", more=()):
        secure = self.url.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(self.connect, timeout=40)
        headers = {"Host": self.url.netloc} | dict(more)
        if body is not None:
            headers["Content-Type"] = media_type
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, self.url.path + path, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def post(self, path, **body):
        return self.send("POST", path, body)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.bytes = status, headers, body

    def is_success(self, members):
        same("status and body", (self.status, self.bytes[:300] if self.status != 200 else b""),
             (200, b""))
        same("Content-Type", self.headers["Content-Type"], "application/json")
        same("Cache-Control", self.headers["Cache-Control"], "no-store")
        body = json.loads(self.bytes)
        same("members", sorted(body), sorted(members))
        return body

    def is_problem(self, name, title, status, detail=None):
        same("status", (self.status, self.bytes[:300] if self.status != status else b""),
             (status, b""))
        same("Content-Type", self.headers["Content-Type"], "application/problem+json")
        same("Cache-Control", self.headers["Cache-Control"], "no-store")
        body = json.loads(self.bytes)
        expected = {"type": f"/problems/{name}", "title": title, "status": status}
        detail = detail or body.get("detail")
        expected |= {"detail": detail, "error": detail}
        if status in (429, 503):
            expected["retry_after"] = body.get("retry_after")
            same("retry_after is whole and positive", type(body["retry_after"]), int)
            same("Retry-After", self.headers["Retry-After"], str(body["retry_after"]))
        same("members", body, expected)
        return body


SENT = ["message", "challenge_id", "channel", "code_length", "expires_in", "resend_in"]
LOGGED_IN = ["token", "token_type", "expires_in", "user_id", "new_user"]


def refusals(api):
    """What needs no code: nothing is sent."""
    with tells("an unknown route is a problem, told by the gateway"):
        for path in ("/", "/api/", "/api/login-with-otp/more", "/api/unknown/"):
            api.send("POST", path, {}).is_problem(*NOT_FOUND)
    with tells("another method is a problem that says which one is allowed"):
        for path in (LOGIN, VALIDATE, LOGIN.rstrip("/"), VALIDATE.rstrip("/")):
            for method in ("GET", "PUT", "OPTIONS"):
                answer = api.send(method, path)
                answer.is_problem(*NOT_ALLOWED)
                same("Allow", answer.headers["Allow"], "POST")
    with tells("another media type is a problem"):
        for media_type in ("text/plain", "application/x-www-form-urlencoded", "application/json5"):
            for path in (LOGIN, VALIDATE):
                api.send("POST", path, b"{}", media_type).is_problem(*NOT_JSON)
    with tells("a body that is not one object of the call is a problem"):
        for body in (
            b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 4000, b"{}",
            b'{"email": "a@example.com", "phone_number": "+14155550123"}',
            b'{"email": "a@example.com", "email": "b@example.com"}',
            b'{"email": ["a@example.com"]}', b'{"email": "a@example.com", "more": 1}',
            b'{"email": "a@example.com, b@example.com"}', b'{"email": "a@example.com\\r\\nBcc: b"}',
            b'{"phone_number": "4155550123"}', b'{"phone_number": 14155550123}',
            b'{"email": "' + b"a" * 5000 + b'@example.com"}',
        ):
            for path in (LOGIN, VALIDATE):
                api.send("POST", path, body).is_problem("invalid-request", "Invalid request", 400)
    with tells("a code that was never issued is refused"):
        guess = {"email": "nobody@example.com", "otp": "000000"}
        api.post(VALIDATE, **guess).is_problem(*INVALID_OTP)
        api.post(VALIDATE, **guess, challenge_id="unknown").is_problem(*INVALID_OTP)
    with tells("a number outside the allowed prefixes is refused before anything is sent"):
        api.post(LOGIN, phone_number="+99912345678").is_problem(*NO_SUCH_DESTINATION)


class Stack:
    """The deployed stack and the emulator under it."""

    def __init__(self, emulator, name):
        import boto3

        self.emulator = emulator
        self.client = lambda service: boto3.client(service, endpoint_url=emulator)
        stack = self.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        self.name = name
        self.outputs = {o["OutputKey"]: o["OutputValue"] for o in stack["Outputs"]}
        self.parameters = {p["ParameterKey"]: p["ParameterValue"] for p in stack["Parameters"]}
        # The emulator answers for the API's host, stage and all, on its own port.
        self.address = urllib.parse.urlsplit(emulator).netloc
        port = self.address.rpartition(":")[2]
        url = urllib.parse.urlsplit(self.outputs["ApiUrl"])
        api_id = url.netloc.partition(".")[0]
        self.api = Api(f"http://{api_id}.execute-api.localhost:{port}{url.path}", self.address)

    def fetch(self, path):
        with urllib.request.urlopen(f"{self.emulator}/_ministack/{path}", timeout=10) as answer:
            return json.load(answer)

    def mails(self, to):
        accounts = self.fetch("ses/messages")["messages"].values()
        return [mail for mails in accounts for mail in mails if mail["To"] == [to]]

    def texts(self, to):
        return self.fetch("sns/sms-messages")["sms_messages"].get(to, [])

    def code_for(self, destination):
        if "@" in destination:
            text = self.mails(destination)[-1]["BodyText"]
        else:
            text = self.texts(destination)[-1]["Message"]
        return re.search(r"\b[0-9]{6}\b", text)[0]

    def ask(self, destination):
        member = "email" if "@" in destination else "phone_number"
        sent = self.api.post(LOGIN, **{member: destination}).is_success(SENT)
        return {member: destination, "challenge_id": sent["challenge_id"]}

    def log_in(self, destination):
        claim = self.ask(destination)
        answer = self.api.post(VALIDATE, **claim, otp=self.code_for(destination))
        return answer.is_success(LOGGED_IN)

    def public_key(self):
        from cryptography.hazmat.primitives.serialization import load_der_public_key

        key_id = self.outputs["SigningKeyId"]
        return load_der_public_key(self.client("kms").get_public_key(KeyId=key_id)["PublicKey"])

    def claims(self, token):
        import jwt

        header = jwt.get_unverified_header(token)
        same("header", header,
             {"alg": "RS256", "typ": "at+jwt", "kid": self.outputs["SigningKeyId"]})
        return jwt.decode(token, self.public_key(), algorithms=["RS256"],
                          audience=self.parameters["TokenAudience"],
                          issuer=self.outputs["Issuer"],
                          options={"require": ["iss", "sub", "aud", "iat", "exp", "jti"]})

    def log_lines(self):
        lines = []
        for function in FUNCTIONS:
            pages = self.client("logs").get_paginator("filter_log_events")
            for page in pages.paginate(logGroupName=f"/aws/lambda/{self.name}-{function}"):
                lines += [event["message"].rstrip() for event in page["events"]]
        return lines

    @contextlib.contextmanager
    def silent_ses(self):
        """While SES refuses to send."""
        ses, sender = self.client("sesv2"), self.parameters["EmailFrom"]
        ses.delete_email_identity(EmailIdentity=sender)
        try:
            yield
        finally:
            ses.create_email_identity(EmailIdentity=sender)


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
        same("seconds within two days", all(abs(t - time.time()) < 172_800 for t in times), True)


def login_by_email(stack):
    api, alice = stack.api, "alice@example.com"
    with tells("a code is sent by e-mail"):
        sent = api.post(LOGIN, email="Alice@EXAMPLE.com").is_success(SENT)
        same("answer", {k: v for k, v in sent.items() if k != "challenge_id"}, {
            "message": "OTP has been sent to your email.", "channel": "email",
            "code_length": 6, "expires_in": 300,
            "resend_in": int(stack.parameters["ResendCooldownSeconds"]),
        })
        [mail] = stack.mails(alice)
        code = stack.code_for(alice)
        same("sender", mail["Source"], stack.parameters["EmailFrom"])
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
    with tells("the right code gives a token that the key's public half verifies"):
        logged_in = api.post(VALIDATE, **claim, otp=code).is_success(LOGGED_IN)
        same("new user", logged_in["new_user"], True)
        same("life", logged_in["expires_in"], 3600)
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


def browsers(stack):
    with tells("a page of the allowed origin may ask before it sends, and no other"):
        for origin, status in ((stack.parameters["AllowedOrigins"], 204), ("https://evil.example", 405)):
            asks = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            answer = stack.api.send("OPTIONS", LOGIN, more=asks)
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
    with tells("no code and no whole destination is in a log"):
        text = "\n".join(stack.log_lines())
        same("the functions log", '"outcome":"sent"' in text and '"logged-in"' in text, True)
        for name in ("alice", "bob", "carol"):
            same(name, f"{name}@example.com" in text, False)
            same("code", stack.code_for(f"{name}@example.com") in re.findall(r"\d{6,}", text), False)
        same("number", "+14155550123" in text, False)


def permissions(stack):
    """Takes each permission away once: what it is for must fail, and nothing may be left over."""
    iam, kms = stack.client("iam"), stack.client("kms")
    round_number = 0

    def every_call():
        nonlocal round_number
        round_number += 1
        stack.log_in(f"p{round_number}@example.com")
        unnamed = f"q{round_number}@example.com"
        stack.ask(unnamed)
        answer = stack.api.post(VALIDATE, email=unnamed, otp=stack.code_for(unnamed))
        answer.is_success(LOGGED_IN)
        stack.log_in(f"+1415556{round_number:04}")
        failing_delivery(stack, f"r{round_number}@example.com")

    def cold_start():
        for function in FUNCTIONS:
            stack.client("lambda").update_function_configuration(
                FunctionName=f"{stack.name}-{function}", Timeout=20)

    def needed(sentence, put, policy, less):
        with tells(sentence):
            put(json.dumps(less))
            cold_start()
            try:
                every_call()
            except Untrue:
                return
            finally:
                put(json.dumps(policy))
                cold_start()
            raise Untrue("all goes well without it")

    roles = [role["RoleName"] for role in iam.list_roles()["Roles"]]
    for function, logical_id in FUNCTIONS.items():
        [role] = [name for name in roles if name.startswith(f"{stack.name}-{logical_id}Role")]
        names = {"RoleName": role, "PolicyName": function}
        policy = iam.get_role_policy(**names)["PolicyDocument"]
        for number, statement in enumerate(policy["Statement"]):
            actions = statement["Action"]
            for action in [actions] if isinstance(actions, str) else actions:
                # Lambda itself writes the log; the emulator does so without asking.
                if not action.startswith("logs:"):
                    needed(f"{function} needs {action}",
                           lambda text, names=names: iam.put_role_policy(
                               **names, PolicyDocument=text),
                           policy, without(policy, number, action))
    for output in ("SigningKeyId", "DigestKeyId"):
        names = {"KeyId": stack.outputs[output], "PolicyName": "default"}
        policy = json.loads(kms.get_key_policy(**names)["Policy"])
        for number, statement in enumerate(policy["Statement"]):
            if statement["Sid"] != "Administer":
                needed(f"{output} needs {statement['Sid']}",
                       lambda text, names=names: kms.put_key_policy(**names, Policy=text),
                       policy, without(policy, number, statement["Action"]))
    with tells("with every permission back, all is well again"):
        every_call()


def without(policy, number, action):
    """The policy without one action of one of its statements."""
    less = json.loads(json.dumps(policy))
    statement = less["Statement"][number]
    if isinstance(statement["Action"], list) and len(statement["Action"]) > 1:
        statement["Action"].remove(action)
    else:
        del less["Statement"][number]
    return less


def whole_story(stack):
    stack.client("sesv2").create_email_identity(EmailIdentity=stack.parameters["EmailFrom"])
    issuer(stack)
    login_by_email(stack)
    login_by_sms(stack)
    browsers(stack)
    guessing(stack)
    with tells("a failed delivery is told, and not counted"):
        failing_delivery(stack)
    refusals(stack.api)
    flood(stack)
    expiry(stack)
    logs(stack)
    permissions(stack)


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
    print(f"{passed} passed, 0 failed")


if __name__ == "__main__":
    main()
