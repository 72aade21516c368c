"""A client of the guarded API, which renews its token and logs in again when the API asks for it.

`send` sends a request with a token, and returns the status, the headers and the body. `renew` and
`log_in` return an access token: by the refresh token, and by a code that the user enters.
"""

RENEW, LOG_IN = "invalid_token", "insufficient_user_authentication"


def asked_for(status, headers):
    """What a 401 asks for (RFC 6750, RFC 9470). API Gateway's own 401 has no reason."""
    if status != 401:
        return None
    # A REST API of API Gateway gives the header its second name.
    names = ("WWW-Authenticate", "x-amzn-Remapped-WWW-Authenticate")
    challenge = next((headers[name] for name in names if name in headers), "")
    return LOG_IN if f'error="{LOG_IN}"' in challenge else RENEW


def call(send, token, renew, log_in):
    """Each remedy is tried once: a client must not ask its user for codes again and again."""
    remedies = {RENEW: renew, LOG_IN: log_in}
    while True:
        status, headers, body = send(token)
        remedy = remedies.pop(asked_for(status, headers), None)
        if remedy is None:
            return status, body
        token = remedy()
