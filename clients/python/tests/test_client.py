"""The clients against the local stack, over networks that lose answers."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from login_with_otp import AsyncClient, Client, FileStore, MemoryStore, Problem, flows, testing


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(flows, "WAITS", (0.0, 0.0))


class Network(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Loses the answers of the first requests to a path, and counts all of them."""

    def __init__(self, losing="", times=0):
        self.real, self.later = httpx.HTTPTransport(), httpx.AsyncHTTPTransport()
        self.losing, self.times, self.asked = losing, times, []

    def _note(self, request, answer):
        self.asked.append(request.url.path)
        if request.url.path == self.losing and self.times:
            self.times -= 1
            raise httpx.ReadError("lost")
        return answer

    def handle_request(self, request):
        answer = self.real.handle_request(request)
        return self._note(request, answer)

    async def handle_async_request(self, request):
        answer = await self.later.handle_async_request(request)
        return self._note(request, answer)


def client_of(stack, network=None, **how):
    return Client(stack.api, http=httpx.Client(transport=network or Network()), **how)


def login(client, stack, email):
    return client.validate(client.request_code(email=email), stack.code_for(email))


def test_a_login_a_guarded_call_and_a_logout(otp):
    client = client_of(otp)
    session = login(client, otp, "whole@example.com")
    assert client.session == session
    with httpx.Client(base_url=otp.api, auth=client.auth) as api:
        assert api.get("/api/me/").json()["user_id"] == session.user_id
    client.logout()
    assert client.session is None and client.token() is None


def test_a_number_gets_its_code_and_either_is_needed(otp):
    client = client_of(otp)
    challenge = client.request_code(phone_number="+14165550123")
    assert client.validate(challenge, otp.code_for("+14165550123")).user_id
    with pytest.raises(TypeError):
        client.request_code()


@pytest.mark.parametrize("path", ["/api/login-with-otp/", "/api/validate-otp/", "/api/token/refresh/", "/api/logout/"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_lost_answer_is_repeated_and_nothing_happens_twice(otp, path, times):
    email = f"lost{path.count('-')}{len(path)}{times}@example.com"
    network = Network(path, times)
    client = client_of(otp, network)
    login(client, otp, email)
    assert client.refresh()
    client.logout()
    assert network.asked.count(path) == times + 1
    assert len(otp.messages(email)) == 1


def test_who_asks_again_after_lost_answers_gets_the_first_challenge(otp):
    network = Network("/api/login-with-otp/", 3)
    client = client_of(otp, network)
    with pytest.raises(Problem) as failed:
        client.request_code(email="again@example.com")
    assert (failed.value.type, failed.value.lost) == ("network", True)
    client.request_code(email="again@example.com")
    assert len(otp.messages("again@example.com")) == 1


def test_a_wrong_code_is_a_problem(otp):
    client = client_of(otp)
    challenge = client.request_code(email="wrong@example.com")
    code = otp.code_for("wrong@example.com")
    with pytest.raises(Problem) as wrong:
        client.validate(challenge, str((int(code[0]) + 1) % 10) + code[1:])
    assert (wrong.value.type, wrong.value.status) == ("/problems/invalid-otp", 400)
    assert client.validate(challenge, code)


def test_fifty_threads_share_one_refresh(otp):
    network = Network()
    client = client_of(otp, network)
    login(client, otp, "threads@example.com")
    stale = client.token()
    start = threading.Barrier(50)

    def refresh(_):
        start.wait()
        return client.refresh(stale)

    with ThreadPoolExecutor(50) as pool:
        assert len({*pool.map(refresh, range(50))}) == 1
    assert network.asked.count("/api/token/refresh/") == 1


def test_a_refused_token_is_renewed_once(otp):
    client = client_of(otp)
    login(client, otp, "refused@example.com")
    asked = []

    def api(request):
        asked.append(request.headers["authorization"])
        return httpx.Response(401 if len(asked) == 1 else 200)

    with httpx.Client(transport=httpx.MockTransport(api), auth=client.auth) as http:
        assert http.get("https://shop.example.com/orders").status_code == 200
    assert len({*asked}) == 2


def test_a_session_that_ended_on_the_server_ends_here_and_a_lost_network_ends_nothing(otp):
    network = Network("/api/token/refresh/", 3)
    client = client_of(otp, network)
    login(client, otp, "ended@example.com")
    with pytest.raises(Problem):
        client.refresh()
    assert client.session
    otp.advance(31 * 86_400)
    assert client.refresh() is None and client.session is None


def test_two_processes_share_a_file(otp, tmp_path):
    store = FileStore(tmp_path / "tokens")
    first, second = client_of(otp, store=store), client_of(otp, store=FileStore(tmp_path / "tokens"))
    login(first, otp, "file@example.com")
    assert (tmp_path / "tokens").stat().st_mode & 0o77 == 0
    stale = first.token()
    renewed = first.refresh()
    assert second.refresh(stale) == renewed


def test_a_device_is_known_after_a_logout_until_it_is_forgotten(otp):
    store = MemoryStore()
    client = client_of(otp, store=store)
    login(client, otp, "device@example.com")
    client.logout()
    assert "device@example.com" in store.load()
    login(client, otp, "device@example.com")
    client.logout(forget=True)
    assert "device@example.com" not in store.load()


def test_secrets_are_in_no_representation(otp):
    client = client_of(otp)
    challenge = client.request_code(email="secret@example.com")
    assert "secret@" not in repr(challenge)
    assert "tokens" not in repr(flows.Save("tokens"))


class SlowStore(MemoryStore):
    async def load(self):
        await asyncio.sleep(0)
        return super().load()

    async def save(self, text):
        await asyncio.sleep(0)
        super().save(text)


@pytest.mark.parametrize("store", [MemoryStore(), SlowStore()])
def test_the_same_under_asyncio(otp, store):
    async def story():
        network = Network("/api/validate-otp/", 1)
        client = AsyncClient(otp.api, store=store, http=httpx.AsyncClient(transport=network))
        email = f"async-{type(store).__name__}@example.com"
        challenge = await client.request_code(email=email)
        session = await client.validate(challenge, otp.code_for(email), device="tests")
        assert await client.session() == session
        stale = await client.token()
        tokens = await asyncio.gather(*(client.refresh(stale) for _ in range(50)))
        assert len({*tokens}) == 1 and tokens[0] != stale
        assert network.asked.count("/api/token/refresh/") == 1
        async with httpx.AsyncClient(base_url=otp.api, auth=client.auth) as api:
            assert (await api.get("/api/me/")).json()["user_id"] == session.user_id
        await client.logout(all=True)
        assert await client.token() is None

    asyncio.run(story())


def test_testing_says_what_is_wrong_and_speaks_to_the_last_stack(otp):
    with pytest.raises(RuntimeError, match="OTP_LENGTH"):
        testing.start({"OTP_LENGTH": 3})
    with pytest.raises(TimeoutError, match="nobody@example.com"):
        testing.code_for("nobody@example.com", timeout=0)
    otp.reset()
    assert otp.messages() == []


def test_the_page_shows_the_test_that_runs_here():
    here = Path(__file__).parent
    assert (here / "test_login.py").read_text() in (here.parent / "README.md").read_text()
