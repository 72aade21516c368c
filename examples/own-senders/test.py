"""Lets each example send codes to a stand-in for its provider: first by events, then as an own
sender of a local stack, whose code must log in."""

import base64
import contextlib
import email
import email.policy
import http.server
import importlib
import json
import os
import pathlib
import socketserver
import sys
import threading
import urllib.error
import urllib.parse
from datetime import UTC, datetime, timedelta

HERE = pathlib.Path(__file__).parent
sys.path += [str(HERE), str(HERE.parent / "check-token")]

from stack import Stack, fetch  # noqa: E402

TOPIC = "arn:aws:sns:us-east-1:123456789012:codes"
NUMBER, ADDRESS = "+14155550123", "alice@example.com"
USER, SECRET, FROM = "user", "s3cret", "+14155550100"


class Untrue(Exception):
    pass


def same(what, found, expected):
    if found != expected:
        raise Untrue(f"{what}: {found!r} instead of {expected!r}")


class Provider(http.server.BaseHTTPRequestHandler):
    """All providers behind one address. It answers as they do, and refuses while told so."""

    requests, refuses = [], False

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        is_form = self.headers["Content-Type"] == "application/x-www-form-urlencoded"
        body = dict(urllib.parse.parse_qsl(body)) if is_form else json.loads(body)
        Provider.requests.append((self.path, self.headers["Authorization"], body))
        status, answer = (500, {}) if Provider.refuses else ANSWERS[self.path]
        answer = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


ANSWERS = {
    f"/2010-04-01/Accounts/{USER}/Messages.json": (201, {"sid": "SM1", "status": "queued"}),
    "/v1/messages": (202, {"message_uuid": "aaaaaaaa"}),
    f"/v1/Account/{USER}/Message/": (202, {"message_uuid": ["db3ce55a"], "api_id": "db342550"}),
    "/v1/whatsapp/send": (200, {"messageId": "wamid.1"}),
}


class Mail(socketserver.StreamRequestHandler):
    """An SMTP server for one mail a connection."""

    def handle(self):
        def say(line):
            self.wfile.write(line.encode() + b"\r\n")

        say("220 mail.example.com")
        for line in self.rfile:
            match line.split()[0].upper():
                case b"EHLO":
                    say("250-mail.example.com")
                    say("250 AUTH PLAIN")
                case b"AUTH":
                    known = base64.b64decode(line.split()[2]) == f"\0{USER}\0{SECRET}".encode()
                    say("235 welcome" if known else "535 who?")
                case b"DATA" if Provider.refuses:
                    say("451 later")
                case b"DATA":
                    say("354 go on")
                    text = b"".join(iter(self.rfile.readline, b".\r\n"))
                    mail = email.message_from_bytes(text, policy=email.policy.default)
                    Provider.requests.append(("smtp", None, mail))
                    say("250 taken")
                case b"QUIT":
                    say("221 bye")
                    return
                case _:
                    say("250 ok")


class Topic(http.server.BaseHTTPRequestHandler):
    """The HTTP subscriber of the local stack's topic, in front of an example's handler."""

    def do_POST(self):
        notification = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Topic.handler({"Records": [{"Sns": notification}]})
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        Topic.taken.release()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serving(handler, server=http.server.ThreadingHTTPServer):
    with server(("127.0.0.1", 0), handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield serving.server_address[1]
        serving.shutdown()


def basic(_message, headers):
    expected = base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
    same("authorization", headers, f"Basic {expected}")


def twilio(message, authorization, body):
    basic(message, authorization)
    same("Twilio", body, {"To": NUMBER, "From": FROM, "Body": message["text"]})


def vonage(message, authorization, body):
    basic(message, authorization)
    same("Vonage", body, {
        "channel": "sms", "message_type": "text", "to": NUMBER[1:], "from": FROM,
        "text": message["text"], "client_ref": message["id"]})


def plivo(message, authorization, body):
    basic(message, authorization)
    same("Plivo", body, {"src": FROM, "dst": NUMBER, "text": message["text"], "log": False})


def whatsapp(message, authorization, body):
    same("signed", authorization.startswith("AWS4-HMAC-SHA256 "), True)
    same("number", body["originationPhoneNumberId"], "phone-number-id-1")
    sent = json.loads(base64.b64decode(body["message"]))
    same("to", (sent["to"], sent["type"]), (NUMBER, "template"))
    same("template", (sent["template"]["name"], sent["template"]["language"]["code"]), ("login", "en"))
    texts = [part["parameters"] for part in sent["template"]["components"]]
    same("code, in the text and in the button", texts, [[{"type": "text", "text": message["code"]}]] * 2)


def smtp(message, _authorization, mail):
    same("to", (mail["To"], mail["From"]), (ADDRESS, "login@example.com"))
    same("subject", mail["Subject"], message["subject"])
    same("it answers nobody", mail["Auto-Submitted"], "auto-generated")
    for kind, name in (("plain", "text"), ("html", "html")):
        part = mail.get_body((kind,)).get_content()
        same(kind, part.strip().splitlines(), message[name].strip().splitlines())


EXAMPLES = {twilio: NUMBER, vonage: NUMBER, plivo: NUMBER, whatsapp: NUMBER, smtp: ADDRESS}


def event(message):
    return {"Records": [{"Sns": {"Message": json.dumps(message)}}]}


def message(number, to, minutes):
    end = datetime.now(UTC) + timedelta(minutes=minutes)
    return {
        "id": f"message-{number}", "destination": to, "code": "012345", "locale": "en",
        "text": "012345 is your Example code.\n", "subject": "Your code", "html": "<b>012345</b>\n",
        "brand": "Example", "challenge": "c", "end": end.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "way": "own", "a member of a later version": 1,
    }


def one_request(check, of):
    [(_, authorization, body)] = Provider.requests
    check(of, authorization, body)
    Provider.requests.clear()


def by_events(check, to, handler):
    """Each message once, none after its end, and one that failed again."""
    live, late = message(1, to, 5), message(2, to, -1)
    handler(event(live))
    one_request(check, live)
    handler(event(live))
    handler(event(late))
    same("repeated or past its end", Provider.requests, [])
    failing = message(3, to, 5)
    Provider.refuses = True
    try:
        handler(event(failing))
    except Exception as error:
        same("the error tells no code", "012345" in str(error), False)
    else:
        raise Untrue("a failure is no error")
    finally:
        Provider.refuses = False
        Provider.requests.clear()
    handler(event(failing))
    one_request(check, failing)


def on_a_stack(check, to, handler):
    """A login by the code that the provider got."""
    Topic.handler, Topic.taken = staticmethod(handler), threading.Semaphore(0)
    name, kind = check.__name__, "EMAIL" if "@" in to else "PHONE"
    with serving(Topic) as port:
        ways = {f"{kind}_WAYS": f"{name}={TOPIC}", "SUBSCRIBERS": f"{TOPIC}=http://127.0.0.1:{port}/"}
        stack = Stack(**ways)
        try:
            destination = {"email" if kind == "EMAIL" else "phone_number": to}
            sent = stack.post("/api/login-with-otp/", destination | {"via": name})
            same("ways", sent["ways"], [name])
            if not Topic.taken.acquire(timeout=10):
                raise Untrue("the topic was not read")
            [inbox] = fetch(f"{stack.inbox}/api/messages?to={urllib.parse.quote(to)}")
            same("way", inbox["way"], name)
            one_request(check, inbox | {"id": sent["challenge_id"]})
            guess = {"challenge_id": sent["challenge_id"], "otp": inbox["code"]}
            stack.post("/api/validate-otp/", destination | guess)
        finally:
            stack.end()


def main():
    with serving(Provider) as api, serving(Mail, socketserver.ThreadingTCPServer) as mail:
        url = f"http://127.0.0.1:{api}"
        os.environ |= {
            "TWILIO_API": url, "TWILIO_ACCOUNT_SID": USER, "TWILIO_AUTH_TOKEN": SECRET, "TWILIO_FROM": FROM,
            "VONAGE_API": url, "VONAGE_API_KEY": USER, "VONAGE_API_SECRET": SECRET, "VONAGE_FROM": FROM,
            "PLIVO_API": url, "PLIVO_AUTH_ID": USER, "PLIVO_AUTH_TOKEN": SECRET, "PLIVO_FROM": FROM,
            "WHATSAPP_PHONE_NUMBER_ID": "phone-number-id-1", "WHATSAPP_TEMPLATE": "login",
            "AWS_ENDPOINT_URL": url, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_MAX_ATTEMPTS": "1",
            "SMTP_URL": f"smtp://{USER}:{SECRET}@127.0.0.1:{mail}", "SMTP_FROM": "login@example.com",
        }
        for check, to in EXAMPLES.items():
            handler = importlib.import_module(check.__name__).handler
            by_events(check, to, handler)
            on_a_stack(check, to, handler)
            print(f"ok: {check.__name__}", flush=True)


main()
