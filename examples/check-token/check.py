"""python check.py ISSUER AUDIENCE < token

Prints the subject. Exit code 1: refused. 2: cannot tell.
"""

import json
import sys
import urllib.request

import jwt


class Verifier:
    """Create one per process: it keeps the keys."""

    def __init__(self, issuer, audience):
        url = issuer.rstrip("/") + "/.well-known/openid-configuration"
        with urllib.request.urlopen(url, timeout=5) as answer:
            configuration = json.load(answer)
        if configuration["issuer"] != issuer:
            raise ValueError("the issuer does not match")
        self.issuer = issuer
        self.audience = audience
        # If a token's key is unknown, it fetches the keys again, at most once in 30 seconds.
        self.keys = jwt.PyJWKClient(configuration["jwks_uri"], lifespan=3600, timeout=5)

    def check(self, token):
        token = jwt.decode_complete(
            token,
            self.keys.get_signing_key_from_jwt(token),
            algorithms=["RS256"],
            issuer=self.issuer,
            audience=self.audience,
            leeway=5,  # seconds between the issuer's clock and yours
            options={"require": ["iss", "aud", "exp", "sub"]},
        )
        if token["header"].get("typ") != "at+jwt":
            raise jwt.InvalidTokenError("not an access token")
        return token["payload"]


# Errors of the issuer: answer 503. All other errors of PyJWT are the token's: answer 401.
ISSUERS_FAULT = (OSError, ValueError, KeyError, jwt.PyJWKClientConnectionError, jwt.PyJWKSetError)


def main():
    try:
        _, issuer, audience = sys.argv
        verifier = Verifier(issuer, audience)
        print(verifier.check(sys.stdin.read().strip())["sub"])
    except ISSUERS_FAULT as error:
        sys.stderr.write(f"cannot tell: {error}\n")
        return 2
    except jwt.PyJWTError as error:
        sys.stderr.write(f"refused: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
