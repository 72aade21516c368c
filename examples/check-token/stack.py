"""Runs the local stack for a test."""

import json
import os
import pathlib
import subprocess
import urllib.parse
import urllib.request

TARGET = pathlib.Path(os.environ["TARGET"])


class Stack:
    """`cargo run -p local` on free ports, with these settings."""

    def __init__(self, **settings):
        anywhere = dict.fromkeys(["API_ADDR", "INBOX_ADDR", "AWS_ADDR", "WEB_ADDR"], "127.0.0.1:0")
        self.process = subprocess.Popen(
            [TARGET / "debug" / "local"], env=anywhere | settings, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        said = [self.process.stdout.readline().split() for _ in range(3)]
        self.api, self.inbox, self.aws = (address for _, address in said)

    def end(self):
        self.process.kill()
        self.process.wait()

    def post(self, path, body):
        request = urllib.request.Request(
            self.api + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        return fetch(request)

    def log_in(self, **destination):
        sent = self.post("/api/login-with-otp/", destination)
        [to] = destination.values()
        code = fetch(f"{self.inbox}/api/messages?to={urllib.parse.quote(to)}")[0]["code"]
        claim = {"challenge_id": sent["challenge_id"], "otp": code}
        return self.post("/api/validate-otp/", destination | claim)


def fetch(request):
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)
