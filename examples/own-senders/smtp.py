"""Sends codes to e-mail addresses by SMTP: SMTP_URL=smtps://user:password@mail.example.com."""

import os
import smtplib
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from subscriber import subscriber

SERVER = urlsplit(os.environ["SMTP_URL"])
FROM = os.environ["SMTP_FROM"]


def send(message):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = FROM, message["destination"], message["subject"]
    mail["Auto-Submitted"] = "auto-generated"
    mail["Content-Language"] = message["locale"]
    mail["X-Entity-Ref-ID"] = message["id"]
    mail.set_content(message["text"])
    mail.add_alternative(message["html"], subtype="html")
    connect = smtplib.SMTP_SSL if SERVER.scheme == "smtps" else smtplib.SMTP
    with connect(SERVER.hostname, SERVER.port or 0, timeout=5) as server:
        if SERVER.username:
            server.login(unquote(SERVER.username), unquote(SERVER.password or ""))
        server.send_message(mail)


handler = subscriber(send)
