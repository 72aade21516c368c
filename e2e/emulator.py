"""ministack on loopback, with IAM enforced.

It checks every call of the deployed functions against their roles and the key policies.
What it leaves out of what template.yaml relies on is added here, as AWS documents it:

- the condition keys of kms:Sign and kms:GenerateMac, the identity and sender of ses:SendEmail;
- aws:PrincipalArn of an assumed role: the role's ARN, not the session's;
- from an API's OpenAPI document, the ANY method and the gateway responses;
- the policy of a function that an API invokes, and the API's other name for WWW-Authenticate;
- the ~1 that stands for a slash in the path of a stage's method setting;
- alarms over an expression, which it keeps as alarms over one metric: it evaluates neither.
"""

import contextvars
import json
import os
import re
from email.utils import parseaddr
from fnmatch import fnmatchcase

os.environ["AUTH"] = "true"
os.environ["BIND_HOST"] = "127.0.0.1"

from ministack.core import iam_actions, iam_evaluator  # noqa: E402
from ministack.services import apigateway_v1, lambda_svc  # noqa: E402
from ministack.services.cloudformation import provisioners  # noqa: E402

request_body = contextvars.ContextVar("request_body", default=b"")
plain_extract_resource_arn = iam_actions.extract_resource_arn
plain_enforce = iam_evaluator.enforce


def members(body):
    try:
        parsed = json.loads(body or b"{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def extract_resource_arn(service, method, path, headers, body, query, region, account):
    request_body.set(body)
    if service == "ses" and path.rstrip("/") == "/v2/email/outbound-emails":
        sender = parseaddr(members(body).get("FromEmailAddress", ""))[1]
        return f"arn:aws:ses:{region}:{account}:identity/{sender}"
    return plain_extract_resource_arn(
        service, method, path, headers, body, query, region, account
    )


def enforce(access_key, action, service, region, resource_arn="*", service_context=None):
    sent = members(request_body.get())
    keys = {
        "kms:Sign": {
            "kms:SigningAlgorithm": sent.get("SigningAlgorithm"),
            "kms:MessageType": sent.get("MessageType", "RAW"),
        },
        "kms:GenerateMac": {"kms:MacAlgorithm": sent.get("MacAlgorithm")},
        "ses:SendEmail": {"ses:FromAddress": parseaddr(sent.get("FromEmailAddress", ""))[1]},
    }.get(action, {})
    return plain_enforce(
        access_key, action, service, region, resource_arn, {**(service_context or {}), **keys}
    )


plain_resolve_condition_key = iam_evaluator._resolve_condition_key


def resolve_condition_key(key, context):
    value = plain_resolve_condition_key(key, context)
    if key.lower() == "aws:principalarn":
        session = re.fullmatch(r"arn:aws:sts::(\d+):assumed-role/([^/]+)/.+", value or "")
        if session:
            return f"arn:aws:iam::{session[1]}:role/{session[2]}"
    return value


ANY = "x-amazon-apigateway-any-method"
plain_import_operation = apigateway_v1._import_operation
plain_import_rest_api = apigateway_v1._import_rest_api


def import_operation(api_id, resource_id, http_method, *rest):
    method = "ANY" if http_method.lower() == ANY else http_method
    return plain_import_operation(api_id, resource_id, method, *rest)


def import_rest_api(spec, base_data=None):
    api_id = plain_import_rest_api(spec, base_data)
    for kind, response in spec.get("x-amazon-apigateway-gateway-responses", {}).items():
        apigateway_v1._put_gateway_response(
            api_id, kind, {**response, "statusCode": str(response.get("statusCode", ""))}
        )
    return api_id


plain_invoke_lambda_proxy = apigateway_v1._invoke_lambda_proxy_v1


async def invoke_lambda_proxy(
    integration, api_id, stage_name, stage, resource, path, method, *rest, **more
):
    function = apigateway_v1._extract_lambda_ref_from_integration_uri(integration["uri"])
    policy, account = lambda_svc.function_policy_for_arn(function)
    api = f"arn:aws:execute-api:{more['owner_region']}:{account}:{api_id}"
    source = f"{api}/{stage_name}/{method}{resource['path']}"
    sources = [one["Condition"]["ArnLike"]["AWS:SourceArn"] for one in policy["Statement"]]
    if not any(fnmatchcase(source, pattern) for pattern in sources):
        return apigateway_v1._gw_error("API_CONFIGURATION_ERROR", "Internal server error")
    status, headers, body = await plain_invoke_lambda_proxy(
        integration, api_id, stage_name, stage, resource, path, method, *rest, **more
    )
    renamed = {"www-authenticate": "x-amzn-Remapped-WWW-Authenticate"}
    return status, {renamed.get(name.lower(), name): headers[name] for name in headers}, body


plain_method_settings = provisioners._apigw_method_settings


def method_settings(settings):
    def decoded(path):
        return path if path == "/*" else "/" + path.replace("~1", "/").lstrip("/")

    return plain_method_settings(
        [{**one, "ResourcePath": decoded(one["ResourcePath"])} for one in settings or []]
    )


plain_alarm_record = provisioners._cw_metric_alarm_record


def alarm_record(name, properties):
    queries = properties.get("Metrics") or []
    metrics = [query["MetricStat"]["Metric"] for query in queries if "MetricStat" in query]
    # A query over a whole namespace names no metric.
    named = [*metrics, {"Namespace": "AWS/SNS", "MetricName": "SMSSuccessRate"}][0]
    plain = {key: value for key, value in properties.items() if key != "Metrics"}
    return plain_alarm_record(name, {**named, **plain} if queries else properties)


provisioners._apigw_method_settings = method_settings
provisioners._cw_metric_alarm_record = alarm_record
apigateway_v1._OPENAPI_HTTP_METHODS = {*apigateway_v1._OPENAPI_HTTP_METHODS, ANY}
apigateway_v1._import_operation = import_operation
apigateway_v1._import_rest_api = import_rest_api
apigateway_v1._invoke_lambda_proxy_v1 = invoke_lambda_proxy
iam_actions.extract_resource_arn = extract_resource_arn
iam_evaluator.enforce = enforce
iam_evaluator._resolve_condition_key = resolve_condition_key

if __name__ == "__main__":
    from ministack.app import main

    main()
