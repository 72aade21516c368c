"""Sends codes by Plivo, which is told to keep no text in its log."""

import os

from subscriber import post, subscriber

API = os.environ.get("PLIVO_API", "https://api.plivo.com")
ACCOUNT, TOKEN = os.environ["PLIVO_AUTH_ID"], os.environ["PLIVO_AUTH_TOKEN"]
FROM = os.environ["PLIVO_FROM"]


def send(message):
    body = {"src": FROM, "dst": message["destination"], "text": message["text"], "log": False}
    post(f"{API}/v1/Account/{ACCOUNT}/Message/", ACCOUNT, TOKEN, body=body)


handler = subscriber(send)
