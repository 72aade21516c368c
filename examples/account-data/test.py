"""Deletes an account on a local stack, and expects that the application's rows of that user go."""

import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent / "check-token")]

from app import Notes, server  # noqa: E402
from stack import Stack, fetch  # noqa: E402


def delete_account(stack, login):
    request = urllib.request.Request(
        stack.api + "/api/me/", method="DELETE", headers={"Authorization": f"Bearer {login['token']}"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 204, answer.status


def wait_until(what, holds):
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end, what
        time.sleep(0.05)


with tempfile.TemporaryDirectory() as folder:
    file = f"{folder}/notes.db"
    with server(file, 0) as free:
        port = free.server_port
    app = subprocess.Popen([sys.executable, HERE / "app.py", file, str(port)])
    stack = Stack(EVENTS_URL=f"http://127.0.0.1:{port}/events")
    try:
        alice, bob = (stack.log_in(email=f"{name}@example.com") for name in ("alice", "bob"))
        notes = Notes(file)
        for user in (alice, bob):
            notes.add(user["user_id"], "milk")
            notes.add(user["user_id"], "bread")
        delete_account(stack, alice)
        wait_until("the rows of the deleted user stay", lambda: not notes.of(alice["user_id"]))
        assert notes.of(bob["user_id"]) == ["milk", "bread"]
        shown = [event["detail"] for event in fetch(f"{stack.inbox}/api/events")]
        assert {"created", "removed"} <= {detail["kind"] for detail in shown}, shown
        assert "example.com" not in str(shown), shown
    finally:
        stack.end()
        app.kill()
        app.wait()
print("the application's rows of a deleted user are gone, those of another user are not")
