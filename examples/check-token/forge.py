"""Makes invalid tokens: forged, changed or expired."""

import base64
import hashlib
import hmac
import json
import urllib.request

import boto3
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)


def encode(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(part):
    return base64.urlsafe_b64decode(part + "==")


def header(token):
    return json.loads(decode(token.split(".")[0]))


def spoken(token):
    return json.loads(decode(token.split(".")[1]))


def part(members):
    return encode(json.dumps(members, separators=(",", ":")).encode())


def with_header(token, **changes):
    """Changes members of the header; None removes one."""
    members = {name: value for name, value in (header(token) | changes).items() if value}
    return ".".join([part(members), *token.split(".")[1:]])


def with_bit_flipped(token, number):
    """Flips one bit of the signature (part 2), or of the subject in the claims (part 1)."""
    parts = token.split(".")
    raw = bytearray(decode(parts[number]))
    at = raw.index(b'"sub":"') + 10 if number == 1 else len(raw) // 2
    raw[at] ^= 1
    parts[number] = encode(bytes(raw))
    return ".".join(parts)


class Forger:
    """Signs any claims with the key of a local stack, whose KMS accepts every caller."""

    def __init__(self, stack):
        self.kms = boto3.client(
            "kms", endpoint_url=stack.aws, region_name="us-east-1",
            aws_access_key_id="local", aws_secret_access_key="local")
        url = f"{stack.api}/.well-known/jwks.json"
        with urllib.request.urlopen(url, timeout=10) as answer:
            keys = json.load(answer)["keys"]
        self.jwk, self.second_kid = keys[0], keys[-1]["kid"]

    def unsigned(self, head, claims):
        return f"{part(head)}.{part(claims)}."

    def sign(self, head, claims):
        message = f"{part(head)}.{part(claims)}"
        signature = self.kms.sign(
            KeyId="local-signing-key", Message=message.encode(), MessageType="RAW",
            SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256")["Signature"]
        return f"{message}.{encode(signature)}"

    def hs256(self, token, secret):
        message = f"{part(header(token) | {'alg': 'HS256'})}.{token.split('.')[1]}"
        return f"{message}.{encode(hmac.digest(secret, message.encode(), hashlib.sha256))}"

    def public_forms(self):
        """The forms of the public key that a library could mistake for an HMAC secret."""
        der = self.kms.get_public_key(KeyId="local-signing-key")["PublicKey"]
        key = load_der_public_key(der)
        return {
            "PEM": key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            "DER": der,
            "PKCS #1 DER": key.public_bytes(Encoding.DER, PublicFormat.PKCS1),
            "JWK": json.dumps(self.jwk, separators=(",", ":")).encode(),
            "modulus": decode(self.jwk["n"]),
        }
