"""The emulator of e2e/emulator.py, which also creates the routes and the authorizer of an HTTP API.
SAM writes these into the API's OpenAPI document, which ministack ignores."""

import pathlib
import sys

sys.path[0] = str(pathlib.Path(__file__).parents[2] / "e2e")

import emulator  # noqa: E402, F401
from ministack.services.cloudformation import provisioners  # noqa: E402

HANDLERS = provisioners._RESOURCE_HANDLERS
plain_create = HANDLERS["AWS::ApiGatewayV2::Api"]["create"]


def add(kind, api_id, **properties):
    create = HANDLERS[f"AWS::ApiGatewayV2::{kind}"]["create"]
    return create("", {"ApiId": api_id, **properties}, "")[0]


def add_authorizer(api_id, name, scheme):
    described = scheme["x-amazon-apigateway-authorizer"]
    rules = described["jwtConfiguration"]
    return add("Authorizer", api_id, Name=name, AuthorizerType="JWT",
               IdentitySource=[described["identitySource"]],
               JwtConfiguration={"Issuer": rules["issuer"], "Audience": rules["audience"]})


def add_route(api_id, authorizers, key, operation):
    leads_to = operation["x-amazon-apigateway-integration"]
    integration = add("Integration", api_id, IntegrationUri=leads_to["uri"],
                      PayloadFormatVersion=leads_to["payloadFormatVersion"])
    guard = {}
    for scheme in operation.get("security", []):
        [name] = scheme
        guard = {"AuthorizationType": "JWT", "AuthorizerId": authorizers[name]}
    add("Route", api_id, RouteKey=key, Target=f"integrations/{integration}", **guard)


def create(logical_id, properties, stack_name):
    api_id, attributes = plain_create(logical_id, properties, stack_name)
    document = properties.get("Body", {})
    schemes = document.get("components", {}).get("securitySchemes", {})
    authorizers = {name: add_authorizer(api_id, name, scheme) for name, scheme in schemes.items()}
    for path, operations in document.get("paths", {}).items():
        for method, operation in operations.items():
            add_route(api_id, authorizers, f"{method.upper()} {path}", operation)
    return api_id, attributes


HANDLERS["AWS::ApiGatewayV2::Api"]["create"] = create

if __name__ == "__main__":
    from ministack.app import main

    main()
