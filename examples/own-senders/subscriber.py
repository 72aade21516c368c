"""What all examples share: a Lambda function that a topic of codes calls."""

import base64
import json
import urllib.parse
import urllib.request
from datetime import UTC, datetime


def subscriber(send):
    """The handler that sends each message once, and none whose code has expired.

    An error is a failure to SNS, which repeats the message. An instance knows what it has sent;
    a repeat that meets another instance is the same code once more.
    """
    sent = {}

    def handler(event, _context=None):
        for record in event["Records"]:
            message = json.loads(record["Sns"]["Message"])
            now = datetime.now(UTC)
            for known in [known for known, end in sent.items() if end <= now]:
                del sent[known]
            end = datetime.fromisoformat(message["end"])
            if end > now and message["id"] not in sent:
                send(message)
                sent[message["id"]] = end

    return handler


def post(url, user, password, *, form=None, body=None):
    """Posts to a provider. Any answer but 2xx is an error."""
    data, media_type = json.dumps(body), "application/json"
    if form:
        data, media_type = urllib.parse.urlencode(form), "application/x-www-form-urlencoded"
    basic = base64.b64encode(f"{user}:{password}".encode()).decode()
    headers = {"Content-Type": media_type, "Authorization": f"Basic {basic}"}
    request = urllib.request.Request(url, data.encode(), headers)
    with urllib.request.urlopen(request, timeout=5):
        pass
