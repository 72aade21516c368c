"""The deployed stack, and the emulator under it."""

import contextlib
import json
import re
import urllib.parse
import urllib.request

from telling import (
    CONFIGURATION, CONFIGURED, DESTINATIONS, KEYS, KNOWN, LOGGED_IN, LOGIN, LOGOUT, ME, REFRESH,
    REFRESHED, SENT, VALIDATE, Api, same,
)

FUNCTIONS = {"login-with-otp": "Login", "validate-otp": "Validate"}


class Stack:
    """The deployed stack and the emulator under it."""

    def __init__(self, emulator, name):
        import boto3

        self.emulator = emulator
        self.client = lambda service: boto3.client(service, endpoint_url=emulator)
        self.name = name
        self.read()
        self.tokens = []  # all that were given out
        # The emulator answers for the API's host, stage and all, on its own port.
        self.address = urllib.parse.urlsplit(emulator).netloc
        port = self.address.rpartition(":")[2]
        url = urllib.parse.urlsplit(self.outputs["ApiUrl"])
        api_id = url.netloc.partition(".")[0]
        self.api = Api(f"http://{api_id}.execute-api.localhost:{port}{url.path}", self.address)

    def read(self):
        stacks = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        self.outputs = {o["OutputKey"]: o["OutputValue"] for o in stacks[0]["Outputs"]}
        self.parameters = {p["ParameterKey"]: p["ParameterValue"] for p in stacks[0]["Parameters"]}

    def deploy(self, **parameters):
        """The same template with other parameters; those not named keep their values."""
        cloudformation = self.client("cloudformation")
        cloudformation.update_stack(
            StackName=self.name, UsePreviousTemplate=True,
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=[
                {"ParameterKey": key, "ParameterValue": parameters[key]} if key in parameters
                else {"ParameterKey": key, "UsePreviousValue": True} for key in self.parameters
            ])
        cloudformation.get_waiter("stack_update_complete").wait(
            StackName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
        self.read()

    def fetch(self, path):
        with urllib.request.urlopen(f"{self.emulator}/_ministack/{path}", timeout=10) as answer:
            return json.load(answer)

    def mails(self, to):
        accounts = self.fetch("ses/messages")["messages"].values()
        return [mail for mails in accounts for mail in mails if mail["To"] == [to]]

    def texts(self, to):
        return self.fetch("sns/sms-messages")["sms_messages"].get(to, [])

    def code_for(self, destination):
        if "@" in destination:
            text = self.mails(destination)[-1]["BodyText"]
        else:
            text = self.texts(destination)[-1]["Message"]
        return re.search(r"\b[0-9]{6}\b", text)[0]

    def ask(self, destination):
        member = "email" if "@" in destination else "phone_number"
        sent = self.api.post(LOGIN, **{member: destination}).is_success(SENT)
        return {member: destination, "challenge_id": sent["challenge_id"]}

    def log_in(self, destination):
        claim = self.ask(destination)
        return self.redeem(claim, self.code_for(destination))

    def redeem(self, claim, code):
        return self.kept(self.api.post(VALIDATE, **claim, otp=code).is_success(LOGGED_IN))

    def refresh(self, login):
        answer = self.api.post(REFRESH, refresh_token=login["refresh_token"])
        return self.kept(answer.is_success(REFRESHED))

    def kept(self, login):
        self.tokens += [login["token"], login["refresh_token"]]
        return login

    def log_out(self, login, **more):
        self.api.post(LOGOUT, refresh_token=login["refresh_token"], **more).is_done()

    def me(self, token):
        return self.api.send("GET", ME, more={"Authorization": f"Bearer {token}"})

    def add_destination(self, login, destination):
        member = "email" if "@" in destination else "phone_number"
        bearer = {"Authorization": f"Bearer {login['token']}"}
        claim = {member: destination}
        sent = self.api.send("POST", DESTINATIONS, claim, more=bearer).is_success(SENT)
        claim |= {"challenge_id": sent["challenge_id"], "otp": self.code_for(destination)}
        self.api.send("POST", DESTINATIONS + "verify/", claim, more=bearer).is_success(KNOWN)

    def keys(self):
        return self.api.send("GET", KEYS).is_public(["keys"])["keys"]

    def claims(self, token):
        """Verified by what the issuer publishes, and nothing else."""
        import jwt

        configuration = self.api.send("GET", CONFIGURATION).is_public(CONFIGURED)
        same("issuer", configuration["issuer"], self.outputs["Issuer"])
        # The emulator answers for the issuer's host on its own port.
        path = configuration["jwks_uri"].removeprefix(self.outputs["ApiUrl"])
        keys = jwt.PyJWKClient(f"http://{self.address}{self.api.url.path}{path}",
                               headers={"Host": self.api.url.netloc})
        header = jwt.get_unverified_header(token)
        same("header", header, {"alg": "RS256", "typ": "at+jwt", "kid": header["kid"]})
        return jwt.decode(token, keys.get_signing_key_from_jwt(token), algorithms=["RS256"],
                          audience=self.parameters["TokenAudience"],
                          issuer=configuration["issuer"],
                          options={"require": ["iss", "sub", "aud", "iat", "exp", "jti", "client_id"]})

    def log_lines(self):
        lines = []
        for function in FUNCTIONS:
            pages = self.client("logs").get_paginator("filter_log_events")
            for page in pages.paginate(logGroupName=f"/aws/lambda/{self.name}-{function}"):
                lines += [event["message"].rstrip() for event in page["events"]]
        return lines

    @contextlib.contextmanager
    def silent_ses(self):
        """While SES refuses to send."""
        ses, sender = self.client("sesv2"), self.parameters["EmailFrom"]
        ses.delete_email_identity(EmailIdentity=sender)
        try:
            yield
        finally:
            ses.create_email_identity(EmailIdentity=sender)
