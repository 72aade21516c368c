"""How the story is told, and what its sentences ask the API."""

import contextlib
import http.client
import json
import time
import urllib.parse

LOGIN, VALIDATE = "/api/login-with-otp/", "/api/validate-otp/"
REFRESH, LOGOUT, ME = "/api/token/refresh/", "/api/logout/", "/api/me/"
DESTINATIONS = ME + "destinations/"
CONFIGURATION, KEYS = "/.well-known/openid-configuration", "/.well-known/jwks.json"
METADATA = "/.well-known/oauth-authorization-server"
TOKEN, REVOKE = "/oauth2/token", "/oauth2/revoke"
METHODS = dict.fromkeys((LOGIN, VALIDATE, REFRESH, LOGOUT), ["POST"]) | dict.fromkeys(
    (CONFIGURATION, METADATA, KEYS), ["GET"]) | {ME: ["DELETE", "GET"]}
NOT_ALLOWED = ("method-not-allowed", "Method not allowed", 405)
INVALID_OTP = ("invalid-otp", "Invalid OTP", 400, "Invalid OTP.")
NOT_FOUND = ("not-found", "Not found", 404, "There is nothing at this address.")
INVALID_REFRESH_TOKEN = (
    "invalid-refresh-token", "Invalid refresh token", 400, "Invalid refresh token.",
)
UNAUTHORIZED = ("unauthorized", "Unauthorized", 401, "This address takes a valid token.")
NO_SUCH_DESTINATION = (
    "destination-not-allowed", "Destination not allowed", 403,
    "This service does not send codes to this destination.",
)
NOT_JSON = (
    "unsupported-media-type", "Unsupported media type", 415, "The body must be application/json in UTF-8.",
)
LIMITS = ["cooldown", "destination", "client", "deployment"]
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

    def post_form(self, path, **form):
        body = urllib.parse.urlencode(form).encode()
        return self.send("POST", path, body, "application/x-www-form-urlencoded")


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.bytes = status, headers, body

    def is_success(self, members, cache="no-store"):
        same("status and body", (self.status, self.bytes[:300] if self.status != 200 else b""),
             (200, b""))
        same("Content-Type", self.headers["Content-Type"], "application/json")
        same("Cache-Control", self.headers["Cache-Control"], cache)
        body = json.loads(self.bytes)
        same("members", sorted(body), sorted(members))
        return body

    def is_public(self, members):
        return self.is_success(members, "public, max-age=3600")

    def is_oauth_error(self, error, status=400):
        same("status", (self.status, self.bytes[:300] if self.status != status else b""),
             (status, b""))
        same("Content-Type", self.headers["Content-Type"], "application/json")
        same("Cache-Control", self.headers["Cache-Control"], "no-store")
        body = json.loads(self.bytes)
        same("members", sorted(body), ["error", "error_description"])
        same("error", body["error"], error)

    def is_done(self):
        same("status and body", (self.status, self.bytes[:300]), (204, b""))
        same("Cache-Control", self.headers["Cache-Control"], "no-store")

    def is_unauthorized(self, challenge):
        self.is_problem(*UNAUTHORIZED)
        # A REST API of API Gateway gives it the second name.
        names = ("WWW-Authenticate", "x-amzn-Remapped-WWW-Authenticate")
        same("challenge", [self.headers[n] for n in names if n in self.headers], [challenge])

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
        if status == 429:
            expected["limit"] = body.get("limit")
            same("the limit is named", body.get("limit") in LIMITS, True)
        same("members", body, expected)
        return body

SENT = [
    "message", "challenge_id", "channel", "code_length", "max_attempts", "expires_in", "resend_in",
    "delivery", "destination", "ways",
]
REFRESHED = [
    "token", "token_type", "expires_in", "user_id", "refresh_token", "refresh_expires_in",
]
LOGGED_IN = [*REFRESHED, "new_user", "device_token"]
KNOWN = ["user_id", "destinations", "created_at"]
SERVER = [
    "issuer", "jwks_uri", "token_endpoint", "revocation_endpoint", "response_types_supported",
    "grant_types_supported", "token_endpoint_auth_methods_supported",
    "revocation_endpoint_auth_methods_supported",
]
CONFIGURED = [
    *SERVER, "subject_types_supported", "id_token_signing_alg_values_supported",
    "claims_supported",
]
GRANTED = ["access_token", "token_type", "expires_in", "refresh_token"]
