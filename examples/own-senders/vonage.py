"""Sends codes by the Messages API of Vonage, which was Nexmo."""

import os

from subscriber import post, subscriber

API = os.environ.get("VONAGE_API", "https://api.nexmo.com")
KEY, SECRET = os.environ["VONAGE_API_KEY"], os.environ["VONAGE_API_SECRET"]
FROM = os.environ["VONAGE_FROM"]


def send(message):
    post(f"{API}/v1/messages", KEY, SECRET, body={
        "channel": "sms", "message_type": "text", "from": FROM,
        "to": message["destination"].lstrip("+"), "text": message["text"],
        "client_ref": message["id"],
    })


handler = subscriber(send)
