"""The load test, for locust. Each login requests a code by e-mail, reads it in the inbox, validates
it, reads its profile, refreshes the session and logs out.

One login in five sends a wrong code first. An unexpected status is a failure.
"""

import itertools
import os
import urllib.parse

import requests
from locust import HttpUser, constant, task

NUMBERS = itertools.count()


class Person(HttpUser):
    wait_time = constant(0.1)

    def on_start(self):
        self.inbox = requests.Session()  # reading mail is no load on the service
        self.logins = 0

    def ask(self, name, path, body, expected):
        with self.client.post(path, json=body, name=name, catch_response=True) as answer:
            if answer.status_code != expected:
                answer.failure(f"{answer.status_code} instead of {expected}")
                return None
            answer.success()
            return answer.json() if answer.content else {}

    def code(self):
        to = urllib.parse.quote(self.email)
        url = f"{os.environ['INBOX']}/api/messages?to={to}"
        return self.inbox.get(url).json()[0]["code"]

    @task
    def log_in(self):
        if self.logins % 20 == 0:  # with one address, reading the inbox gets slower and slower
            self.email = f"person{next(NUMBERS)}@example.com"
        self.logins += 1
        me = {"email": self.email}
        sent = self.ask("login", "/api/login-with-otp/", me, 200)
        if not sent:
            return
        code = self.code()
        claim = me | {"challenge_id": sent["challenge_id"]}
        if self.logins % 5 == 0:
            wrong = str((int(code) + 1) % 1_000_000).zfill(6)
            self.ask("validate, wrong", "/api/validate-otp/", claim | {"otp": wrong}, 400)
        login = self.ask("validate", "/api/validate-otp/", claim | {"otp": code}, 200)
        # A code logs in once only.
        self.ask("validate, again", "/api/validate-otp/", claim | {"otp": code}, 400)
        if not login:
            return
        bearer = {"Authorization": f"Bearer {login['token']}"}
        self.client.get("/api/me/", headers=bearer, name="me")
        refreshed = self.ask(
            "refresh", "/api/token/refresh/", {"refresh_token": login["refresh_token"]}, 200
        )
        if refreshed:
            leave = {"refresh_token": refreshed["refresh_token"]}
            self.ask("logout", "/api/logout/", leave, 204)
