"""The two clients: they do what the flows yield, one flow about a session at a time."""

import asyncio
import inspect
import threading
import time
from collections.abc import AsyncGenerator, Generator
from typing import Any

import httpx

from .flows import Challenge, Flow, Flows, Load, Problem, Save, Send, Session, Sleep
from .stores import MemoryStore, Store

TIMEOUT = 30.0


def _destination(email: str | None, phone_number: str | None) -> dict[str, str]:
    if (email is None) == (phone_number is None):
        raise TypeError("give either email or phone_number")
    return {"email": email} if email is not None else {"phone_number": str(phone_number)}


def _read(response: httpx.Response) -> Any:
    if response.status_code == 204:
        return None
    try:
        answer = response.json()
    except ValueError:
        # A 200 that is no JSON comes from a network's login page.
        raise Problem(0 if response.status_code < 400 else response.status_code) from None
    if response.is_success:
        return answer
    raise Problem(response.status_code, answer)


class _Bearer(httpx.Auth):
    def __init__(self, client: "Client | AsyncClient") -> None:
        self._client = client

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        assert isinstance(self._client, Client)
        token = self._client.token()
        if (yield _with(request, token)).status_code == 401 and token:
            yield _with(request, self._client.refresh(token))

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        assert isinstance(self._client, AsyncClient)
        token = await self._client.token()
        if (yield _with(request, token)).status_code == 401 and token:
            yield _with(request, await self._client.refresh(token))


def _with(request: httpx.Request, token: str | None) -> httpx.Request:
    if token:
        request.headers["authorization"] = f"Bearer {token}"
    return request


class Client:
    """For threads: `client.token()` is an access token that serves.

    `auth` lets an `httpx.Client` send it: `httpx.Client(base_url=api, auth=client.auth)`.
    """

    def __init__(
        self, api: str, *, store: Store | None = None, locale: str | None = None, http: httpx.Client | None = None
    ) -> None:
        self._api = api.rstrip("/")
        self._store = store or MemoryStore()
        self._http = http or httpx.Client(timeout=TIMEOUT)
        self._flows = Flows(locale)
        self._turn = threading.Lock()
        self.auth: httpx.Auth = _Bearer(self)

    def request_code(
        self, *, email: str | None = None, phone_number: str | None = None, challenge_id: str | None = None
    ) -> Challenge:
        """Sends a code; with the id of a live challenge, the same one again."""
        return self._run(self._flows.request_code(_destination(email, phone_number), challenge_id))

    def validate(self, challenge: Challenge, otp: str, *, device: str | None = None) -> Session:
        """Exchanges a code for a session."""
        return self._run(self._flows.validate(challenge, otp, device))

    @property
    def session(self) -> Session | None:
        return self._run(self._flows.session())

    def token(self) -> str | None:
        """An access token, renewed if it is about to expire; None if nobody is logged in."""
        return self._run(self._flows.token(None, renew=False))

    def refresh(self, stale: str | None = None) -> str | None:
        """Renews the tokens now, or only if the token is still `stale`."""
        return self._run(self._flows.token(stale, renew=stale is None))

    def logout(self, *, all: bool = False, forget: bool = False) -> None:
        """Ends the session here, then on the server; `forget`: this device is known no longer."""
        self._run(self._flows.logout(all, forget))

    def _run(self, flow: Flow) -> Any:
        with self._turn:
            result: Any = None
            problem: Problem | None = None
            while True:
                try:
                    step = flow.throw(problem) if problem else flow.send(result)
                except StopIteration as end:
                    return end.value
                result = problem = None
                try:
                    result = self._do(step)
                except Problem as error:
                    problem = error

    def _do(self, step: Send | Sleep | Load | Save) -> Any:
        match step:
            case Load():
                return self._store.load()
            case Save(text):
                return self._store.save(text)
            case Sleep(seconds):
                return time.sleep(seconds)
            case Send(path, body, headers):
                try:
                    return _read(self._http.post(self._api + path, json=body, headers=headers))
                except httpx.HTTPError:
                    raise Problem(0) from None


class AsyncClient:
    """`Client` for asyncio. Its store's methods may be coroutines."""

    def __init__(
        self, api: str, *, store: Any = None, locale: str | None = None, http: httpx.AsyncClient | None = None
    ) -> None:
        self._api = api.rstrip("/")
        self._store = store or MemoryStore()
        self._http = http or httpx.AsyncClient(timeout=TIMEOUT)
        self._flows = Flows(locale)
        self._turn = asyncio.Lock()
        self.auth: httpx.Auth = _Bearer(self)

    async def request_code(
        self, *, email: str | None = None, phone_number: str | None = None, challenge_id: str | None = None
    ) -> Challenge:
        """Sends a code; with the id of a live challenge, the same one again."""
        return await self._run(self._flows.request_code(_destination(email, phone_number), challenge_id))

    async def validate(self, challenge: Challenge, otp: str, *, device: str | None = None) -> Session:
        """Exchanges a code for a session."""
        return await self._run(self._flows.validate(challenge, otp, device))

    async def session(self) -> Session | None:
        return await self._run(self._flows.session())

    async def token(self) -> str | None:
        """An access token, renewed if it is about to expire; None if nobody is logged in."""
        return await self._run(self._flows.token(None, renew=False))

    async def refresh(self, stale: str | None = None) -> str | None:
        """Renews the tokens now, or only if the token is still `stale`."""
        return await self._run(self._flows.token(stale, renew=stale is None))

    async def logout(self, *, all: bool = False, forget: bool = False) -> None:
        """Ends the session here, then on the server; `forget`: this device is known no longer."""
        await self._run(self._flows.logout(all, forget))

    async def _run(self, flow: Flow) -> Any:
        async with self._turn:
            result: Any = None
            problem: Problem | None = None
            while True:
                try:
                    step = flow.throw(problem) if problem else flow.send(result)
                except StopIteration as end:
                    return end.value
                result = problem = None
                try:
                    result = await self._do(step)
                except Problem as error:
                    problem = error

    async def _do(self, step: Send | Sleep | Load | Save) -> Any:
        match step:
            case Load():
                return await _awaited(self._store.load())
            case Save(text):
                return await _awaited(self._store.save(text))
            case Sleep(seconds):
                return await asyncio.sleep(seconds)
            case Send(path, body, headers):
                try:
                    return _read(await self._http.post(self._api + path, json=body, headers=headers))
                except httpx.HTTPError:
                    raise Problem(0) from None


async def _awaited(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value
