"""python renew.py ISSUER CLIENT_ID < refresh token

Authlib refreshes twice by discovery, revokes the session, and shows that it is over. Prints the
last access token.
"""

import os
import sys
import urllib.request
import json

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # http on loopback


def main():
    issuer, client_id = sys.argv[1:]
    first = sys.stdin.read().strip()
    url = f"{issuer}/.well-known/oauth-authorization-server"
    with urllib.request.urlopen(url, timeout=10) as answer:
        metadata = json.load(answer)
    [method] = metadata["token_endpoint_auth_methods_supported"]
    session = OAuth2Session(client_id, token_endpoint_auth_method=method,
                            revocation_endpoint_auth_method=method)

    def refresh(token):
        return session.refresh_token(metadata["token_endpoint"], refresh_token=token)

    def revoke(token):
        return session.revoke_token(metadata["revocation_endpoint"], token).status_code

    one = refresh(first)
    two = refresh(one["refresh_token"])
    assert one["refresh_token"] not in (first, two["refresh_token"])
    assert two["token_type"] == "Bearer" and two["expires_in"] > 0
    statuses = [revoke(token) for token in (
        two["access_token"], two["refresh_token"], two["refresh_token"], "never-issued")]
    assert statuses == [400, 200, 200, 200], statuses
    try:
        refresh(two["refresh_token"])
    except OAuthError as error:
        assert error.error == "invalid_grant", error.error
    else:
        raise AssertionError("the session is not over")
    print(two["access_token"])


if __name__ == "__main__":
    main()
