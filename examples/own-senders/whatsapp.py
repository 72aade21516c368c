"""Sends codes by WhatsApp, through AWS End User Messaging Social.

Needs an approved authentication template with a button that copies the code, and the permission
social-messaging:SendWhatsAppMessage.
"""

import json
import os

import boto3
from subscriber import subscriber

FROM = os.environ["WHATSAPP_PHONE_NUMBER_ID"]
TEMPLATE = os.environ["WHATSAPP_TEMPLATE"]
LANGUAGE = os.environ.get("WHATSAPP_LANGUAGE", "en")
client = boto3.client("socialmessaging")


def send(message):
    code = [{"type": "text", "text": message["code"]}]
    body = {
        "messaging_product": "whatsapp", "recipient_type": "individual",
        "to": message["destination"], "type": "template",
        "template": {
            "name": TEMPLATE, "language": {"code": LANGUAGE},
            "components": [
                {"type": "body", "parameters": code},
                {"type": "button", "sub_type": "url", "index": "0", "parameters": code},
            ],
        },
    }
    client.send_whatsapp_message(
        originationPhoneNumberId=FROM, metaApiVersion="v20.0", message=json.dumps(body).encode())


handler = subscriber(send)
