"""The story of a login through `sam local`, each call with its status (e2e/sam-local runs it)."""

import json
import os
import subprocess
import urllib.parse
import urllib.request
from pathlib import Path

import telling
from telling import (
    CONFIGURATION, CONFIGURED, INVALID_OTP, INVALID_REFRESH_TOKEN, KEYS, LOGGED_IN, LOGIN, LOGOUT,
    GRANTED, ME, NO_SUCH_DESTINATION, NOT_ALLOWED, NOT_JSON, REFRESH, REFRESHED, REVOKE, SENT,
    TOKEN, VALIDATE, Api, same, tells,
)

# Each file in events/: the function that takes it, and the status of its answer.
EVENTS = {
    "jwks": ("Validate", 200),
    "login-email": ("Login", 200),
    "login-email-base64": ("Login", 200),
    "login-email-function-url": ("Login", 200),
    "login-email-http-api": ("Login", 200),
    "login-invalid-request": ("Login", 400),
    "login-method-not-allowed": ("Login", 405),
    "login-sms": ("Login", 200),
    "login-sms-not-allowed": ("Login", 403),
    "login-unsupported-media-type": ("Login", 415),
    "logout": ("Validate", 204),
    "me": ("Validate", 401),
    "oauth-authorization-server": ("Validate", 200),
    "oauth-revoke": ("Validate", 200),
    "oauth-token": ("Validate", 400),
    "openid-configuration": ("Validate", 200),
    "refresh": ("Validate", 400),
    "validate-email": ("Validate", 400),
    "validate-invalid-request": ("Validate", 400),
    "validate-sms": ("Validate", 400),
}
ENVIRONMENT = Path("events/sam-local.json")


class Loud(Api):
    """Prints each call and its status."""

    def send(self, method, path, *rest, **more):
        answer = super().send(method, path, *rest, **more)
        print(f"    {method} {path} {answer.status}")
        return answer


def code_for(destination):
    query = urllib.parse.urlencode({"to": destination})
    with urllib.request.urlopen(f"{os.environ['INBOX']}/api/messages?{query}", timeout=10) as answer:
        return json.load(answer)[0]["code"]


def log_in(api, member, destination, slash):
    """Asks for a code and brings it back, by one spelling of the routes."""
    sent = api.post(LOGIN.rstrip("/") + slash, **{member: destination}).is_success(SENT)
    claim = {member: destination, "challenge_id": sent["challenge_id"]}
    code = code_for(destination)
    wrong = f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"
    api.post(VALIDATE.rstrip("/") + slash, **claim, otp=wrong).is_problem(*INVALID_OTP)
    return api.post(VALIDATE.rstrip("/") + slash, **claim, otp=code).is_success(LOGGED_IN)


def session(api, logged_in, slash):
    bearer = {"Authorization": f"Bearer {logged_in['token']}"}
    same("me", api.send("GET", ME.rstrip("/") + slash, more=bearer).status, 200)
    refreshed = api.post(REFRESH.rstrip("/") + slash, refresh_token=logged_in["refresh_token"])
    latest = refreshed.is_success(REFRESHED)["refresh_token"]
    granted = api.post_form(TOKEN + slash, grant_type="refresh_token", refresh_token=latest)
    latest = granted.is_success(GRANTED)["refresh_token"]
    same("unknown, revoked", api.post_form(REVOKE + slash, token="unknown").status, 200)
    api.post(LOGOUT.rstrip("/") + slash, refresh_token=latest).is_done()
    ended = api.post(REFRESH.rstrip("/") + slash, refresh_token=latest)
    ended.is_problem(*INVALID_REFRESH_TOKEN)


def story(api):
    for slash, name in (("/", "with"), ("", "without")):
        with tells(f"a login by e-mail, by paths {name} the trailing slash"):
            logged_in = log_in(api, "email", f"alice.{name}@example.com", slash)
        with tells(f"me, a refresh and a logout, by paths {name} the trailing slash"):
            session(api, logged_in, slash)
        with tells(f"a login by SMS, by paths {name} the trailing slash"):
            log_in(api, "phone_number", f"+1415555{len(name):04}", slash)
        with tells(f"the issuer and its keys are public, {name} the trailing slash"):
            issuer = api.send("GET", CONFIGURATION + slash).is_public(CONFIGURED)["issuer"]
            same("issuer", issuer, api.url.geturl())
            api.send("GET", KEYS + slash).is_public(["keys"])
    with tells("refusals are problems"):
        api.send("GET", LOGIN).is_problem(*NOT_ALLOWED)
        api.send("POST", ME, {}).is_problem(*NOT_ALLOWED)
        api.send("POST", VALIDATE, b"{}", "text/plain").is_problem(*NOT_JSON)
        api.post(LOGIN).is_problem("invalid-request", "Invalid request", 400)
        api.post(LOGIN, phone_number="+447911123456").is_problem(*NO_SUCH_DESTINATION)
        api.send("GET", ME).is_unauthorized("Bearer")


def invoke(function, event, *more):
    """The answer to an event, and what SAM wrote about it."""
    run = subprocess.run(
        ["tools/sam-local", "invoke", function, "--event", f"events/{event}.json", *more],
        text=True, capture_output=True, timeout=600)
    answers = [line for line in run.stdout.splitlines() if line.startswith("{")]
    if run.returncode != 0 or not answers:
        raise telling.Untrue(f"exit code {run.returncode}\n{run.stdout}{run.stderr}")
    answer = json.loads(answers[-1])
    print(f"    sam local invoke {function} --event events/{event}.json {answer['statusCode']}")
    return answer, run.stderr


def events():
    with tells("every file in events/ is invoked"):
        files = {path.stem for path in Path("events").glob("*.json")} - {ENVIRONMENT.stem}
        same("files", sorted(files), sorted(EVENTS))
        for event, (function, status) in EVENTS.items():
            same(event, invoke(function, event)[0]["statusCode"], status)


def wrong_table():
    with tells("a wrong table name is reported in words"):
        settings = json.loads(ENVIRONMENT.read_text())
        settings["Parameters"]["TABLE_NAME"] = "no-such-table"
        wrong = Path(os.environ["WORK"]) / "wrong-table.json"
        wrong.write_text(json.dumps(settings))
        answer, log = invoke("Login", "login-email", "--env-vars", str(wrong))
        same("type", json.loads(answer["body"])["type"], "/problems/unavailable")
        [line] = [json.loads(line) for line in log.splitlines() if '"outcome"' in line]
        print("    " + json.dumps(line))
        same("log", (line["outcome"], line["dependency"], line["cause"]),
             ("unavailable", "table", "ResourceNotFoundException"))


if __name__ == "__main__":
    story(Loud(os.environ["API_URL"]))
    events()
    wrong_table()
    print(f"{telling.passed} passed, 0 failed")
