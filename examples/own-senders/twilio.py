"""Sends codes by Twilio."""

import os

from subscriber import post, subscriber

API = os.environ.get("TWILIO_API", "https://api.twilio.com")
ACCOUNT, TOKEN = os.environ["TWILIO_ACCOUNT_SID"], os.environ["TWILIO_AUTH_TOKEN"]
FROM = os.environ["TWILIO_FROM"]


def send(message):
    form = {"To": message["destination"], "From": FROM, "Body": message["text"]}
    post(f"{API}/2010-04-01/Accounts/{ACCOUNT}/Messages.json", ACCOUNT, TOKEN, form=form)


handler = subscriber(send)
