"""What a client does, as generators: they yield what is to be done, and client.py does it."""

import json
import secrets
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

WAITS = (1.0, 3.0)
LONGEST_WAIT = 5.0
OVER = "/problems/invalid-refresh-token"


@dataclass
class Send:
    path: str
    body: dict[str, Any]
    headers: dict[str, str]


@dataclass
class Sleep:
    seconds: float


@dataclass
class Load:
    pass


@dataclass
class Save:
    text: str = field(repr=False)


Flow = Generator[Send | Sleep | Load | Save, Any, Any]


class Problem(Exception):
    """An answer that is an error (RFC 9457), or no answer: then `type` is `network`."""

    def __init__(self, status: int, body: Any = None) -> None:
        body = body if isinstance(body, dict) else {}
        self.status = status
        self.type: str = body.get("type") or ("about:blank" if status else "network")
        self.detail: str = body.get("detail") or f"No valid answer ({status})"
        self.retry_after: int | None = body.get("retry_after")
        self.limit: str | None = body.get("limit")
        super().__init__(self.detail)

    @property
    def lost(self) -> bool:
        """Whether the request may have taken effect although there was no proper answer."""
        return not self.status or (self.status > 499 and self.type != "/problems/delivery-failed")


@dataclass(frozen=True)
class Challenge:
    """A code that was sent."""

    id: str
    destination: dict[str, str] = field(repr=False)
    code_length: int
    max_attempts: int
    expires_in: int
    resend_in: int
    delivery: str


@dataclass(frozen=True)
class Session:
    """Who is logged in."""

    user_id: str
    new_user: bool


class Flows:
    """What both clients share. Each flow runs to its end before the next of the same lock starts."""

    def __init__(self, locale: str | None) -> None:
        self.locale = locale
        self._keys: dict[str, str] = {}

    def request_code(self, destination: dict[str, str], challenge_id: str | None) -> Flow:
        device = (yield from self._state())["devices"].get(_name(destination))
        body = destination | _given(challenge_id=challenge_id, device_token=device)
        sent = yield from self._once("/api/login-with-otp/", body)
        names = ("code_length", "max_attempts", "expires_in", "resend_in", "delivery")
        return Challenge(sent["challenge_id"], destination, **{name: sent[name] for name in names})

    def validate(self, challenge: Challenge, otp: str, device: str | None) -> Flow:
        body = challenge.destination | {"otp": otp, "challenge_id": challenge.id} | _given(device=device)
        answer = yield from self._once("/api/validate-otp/", body)
        state = yield from self._state()
        session = {"user_id": answer["user_id"], "new_user": answer["new_user"]} | _tokens(answer)
        if "device_token" in answer:
            state["devices"][_name(challenge.destination)] = answer["device_token"]
        yield Save(json.dumps(state | {"session": session}))
        return Session(answer["user_id"], answer["new_user"])

    def session(self) -> Flow:
        session = (yield from self._state())["session"]
        return session and Session(session["user_id"], session["new_user"])

    def token(self, stale: str | None, renew: bool) -> Flow:
        """A token other than `stale`, renewed if it must be or if it is about to expire."""
        state = yield from self._state()
        session = state["session"]
        if not session:
            return None
        is_fresh = session["got"] <= time.time() < session["renew_at"]
        if session["token"] != stale and is_fresh and not renew:
            return session["token"]
        try:
            answer = yield from self._post("/api/token/refresh/", {"refresh_token": session["refresh_token"]}, {})
        except Problem as problem:
            # Another process with the same store may have been faster.
            now = (yield from self._state())["session"]
            if now and now["refresh_token"] != session["refresh_token"]:
                return now["token"]
            if problem.type != OVER:
                raise
            yield Save(json.dumps(state | {"session": None}))
            return None
        yield Save(json.dumps(state | {"session": session | _tokens(answer)}))
        return answer["token"]

    def logout(self, all_sessions: bool, forget: bool) -> Flow:
        state = yield from self._state()
        session = state["session"]
        devices = {} if forget else state["devices"]
        yield Save(json.dumps({"session": None, "devices": devices}))
        if session:
            body = {"refresh_token": session["refresh_token"], "all": all_sessions} | ({"forget": True} if forget else {})
            yield from self._post("/api/logout/", body, {})

    def _state(self) -> Flow:
        text = yield Load()
        return json.loads(text) if text else {"session": None, "devices": {}}

    def _once(self, path: str, body: dict[str, Any]) -> Flow:
        """Until there is an answer, the same body goes under the same key: the service does it once."""
        intent = path + json.dumps(body)
        key = self._keys.setdefault(intent, secrets.token_hex(16))
        try:
            answer = yield from self._post(path, body, {"idempotency-key": key})
        except Problem as problem:
            if not problem.lost:
                self._keys.pop(intent, None)
            raise
        self._keys.pop(intent, None)
        return answer

    def _post(self, path: str, body: dict[str, Any], headers: dict[str, str]) -> Flow:
        """Three tries, if answers get lost."""
        if self.locale:
            headers = headers | {"accept-language": self.locale}
        for wait in (*WAITS, None):
            try:
                return (yield Send(path, body, headers))
            except Problem as problem:
                if not problem.lost or wait is None:
                    raise
                seconds = min(problem.retry_after or wait, LONGEST_WAIT)
            yield Sleep(seconds)


def _given(**members: str | None) -> dict[str, str]:
    return {name: value for name, value in members.items() if value is not None}


def _name(destination: dict[str, str]) -> str:
    return " ".join(destination.values()).lower()


def _tokens(answer: dict[str, Any]) -> dict[str, Any]:
    """Renewed ahead of their end by 30 seconds, or by a tenth of a short life."""
    now, life = time.time(), answer["expires_in"]
    token = {"token": answer["token"], "refresh_token": answer["refresh_token"]}
    return token | {"got": now, "renew_at": now + life - min(30, life / 10)}
