"""python verify.py LIBRARY ISSUER AUDIENCE < tokens, one in each line

Prints a verdict for each token: `accepted SUB`, `refused REASON` or `cannot tell REASON`.
"""

import json
import sys
import urllib.request

import jwt
from authlib.oauth2.rfc6749 import OAuth2Error
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator

# Errors of these kinds are the token's. All others are the issuer's.
REFUSALS = {
    "authlib": (OAuth2Error, ValueError),
    "pyjwt": jwt.PyJWTError,
}
REQUIRED = ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"]


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def discover(issuer):
    metadata = fetch(f"{issuer}/.well-known/oauth-authorization-server")
    if metadata["issuer"] != issuer:
        raise OSError("the issuer does not match")
    return metadata


class Validator(JWTBearerTokenValidator):
    """Fetches the keys before the first token, so that a failure is not taken for a refusal."""

    def __init__(self, metadata, audience):
        super().__init__(issuer=metadata["issuer"], resource_server=audience)
        self.keys = fetch(metadata["jwks_uri"])

    def get_jwks(self):
        return self.keys


def authlib(metadata, audience):
    validator = Validator(metadata, audience)

    def check(token):
        claims = validator.authenticate_token(token)
        validator.validate_token(claims, scopes=None, request=None)
        return claims["sub"]

    return check


def pyjwt(metadata, audience):
    keys = jwt.PyJWKClient(metadata["jwks_uri"])
    keys.fetch_data()

    def check(token):
        decoded = jwt.decode_complete(
            token, keys.get_signing_key_from_jwt(token), algorithms=["RS256"], audience=audience,
            issuer=metadata["issuer"], options={"require": REQUIRED})
        if decoded["header"].get("typ") != "at+jwt":  # PyJWT leaves this to its caller.
            raise jwt.InvalidTokenError("not an access token")
        return decoded["payload"]["sub"]

    return check


def main():
    library, issuer, audience = sys.argv[1:]
    check = None
    for token in sys.stdin.read().split("\n")[:-1]:
        verdict = "cannot tell"
        try:
            check = check or {"authlib": authlib, "pyjwt": pyjwt}[library](
                discover(issuer), audience)
            print("accepted", check(token))
        except jwt.PyJWKClientConnectionError as error:
            print("cannot tell", error)
        except REFUSALS[library] as error:
            verdict = "refused" if check else verdict
            print(verdict, type(error).__name__, str(error).replace("\n", " "))
        except OSError as error:
            print("cannot tell", error)


if __name__ == "__main__":
    main()
