//! The gateway: which function a route reaches, at which rate, and what becomes of the rest.

use otp_edge::route::Route;
use serde_json::{Value, json};

use super::{Stack, at, text};

fn api() -> Value {
    Stack::full().part(&["Resources", "Api", "Properties"])
}

#[test]
fn a_function_takes_calls_of_its_own_routes_of_this_api_and_no_others() {
    let mut permissions = Stack::full().resources("AWS::Lambda::Permission");
    permissions.retain(|(name, _)| !name.contains("Reports"));
    assert_eq!(permissions.len(), 2);
    for (name, permission) in permissions {
        assert_eq!(permission["Action"], "lambda:InvokeFunction", "{name}");
        assert_eq!(
            permission["Principal"], "apigateway.amazonaws.com",
            "{name}"
        );
        let is_logins = permission["FunctionName"] == "Login";
        assert!(
            is_logins || permission["FunctionName"] == "Validate",
            "{name}"
        );
        let source = text(&permission["SourceArn"]);
        // Every path of this API: its own document decides which of them reach validate-otp.
        let of_stage = "arn:aws:execute-api:eu-west-1:123456789012:Api/v1/*";
        let of_login = format!("{of_stage}{}*", Route::Login.path());
        assert_eq!(
            source,
            if is_logins { &of_login } else { of_stage },
            "{name}"
        );
    }
}

#[test]
fn the_gateways_own_answers_have_the_headers_of_the_functions() {
    let api = api();
    let responses = at(&api, &["GatewayResponses"]).as_object().unwrap();
    let names: Vec<_> = responses.keys().map(String::as_str).collect();
    // A kind that is not listed takes the answer of its class.
    let listed = [
        "DEFAULT_4XX",
        "DEFAULT_5XX",
        "INTEGRATION_FAILURE",
        "INTEGRATION_TIMEOUT",
        "MISSING_AUTHENTICATION_TOKEN",
        "REQUEST_TOO_LARGE",
        "RESOURCE_NOT_FOUND",
        "THROTTLED",
        "UNSUPPORTED_MEDIA_TYPE",
        "WAF_FILTERED",
    ];
    assert_eq!(names, listed);
    for (name, response) in responses {
        let mut headers = at(response, &["ResponseParameters", "Headers"]).clone();
        // The test of the answers compares this one with the body.
        headers.as_object_mut().unwrap().remove("Retry-After");
        let expected = json!({
            "Content-Type": "'application/problem+json'",
            "Cache-Control": "'no-store'",
            "Vary": "'origin'",
            "Access-Control-Allow-Origin": "method.request.header.Origin",
            "Access-Control-Allow-Credentials": "'true'",
            "Access-Control-Expose-Headers": "'retry-after'",
        });
        assert_eq!(headers, expected, "{name}");
    }
    let forbidden = text(at(&responses["WAF_FILTERED"], &["StatusCode"]));
    assert_eq!(forbidden, "403");
}

#[test]
fn the_gateways_log_tells_of_each_request_and_not_of_its_query() {
    let log = api()["AccessLogSetting"].take();
    assert_eq!(log["DestinationArn"], "ApiLog.Arn");
    let line: Value = serde_json::from_str(&text(&log["Format"])).expect("JSON");
    let expected = json!({
        "request_id": "$context.requestId",
        "time": "$context.requestTime",
        "ip": "$context.identity.sourceIp",
        "method": "$context.httpMethod",
        "route": "$context.resourcePath",
        "status": "$context.status",
        "duration_ms": "$context.responseLatency",
        "error": "$context.error.responseType",
        "function_status": "$context.integration.status",
        "waf": "$context.waf.status",
    });
    assert_eq!(line, expected);
}

#[test]
fn the_gateway_may_write_its_log_whoever_set_its_role() {
    for (whose, is_ours) in [("create", true), ("existing", false)] {
        let stack = Stack::with(&[("GatewayLogRole", whose)]);
        let resources = stack.section("Resources");
        for name in ["GatewayLogging", "GatewayLoggingRole"] {
            assert_eq!(resources.contains_key(name), is_ours, "{whose}: {name}");
        }
        let logged_by = stack.part(&["Resources", "Api", "Properties", "Variables", "LOGGED_BY"]);
        // A reference makes the stage wait for the role.
        assert_eq!(
            logged_by,
            if is_ours {
                "GatewayLogging"
            } else {
                "existing"
            }
        );
    }
    let account = Stack::full().part(&["Resources", "GatewayLogging", "Properties"]);
    assert_eq!(
        account,
        json!({ "CloudWatchRoleArn": "GatewayLoggingRole.Arn" })
    );
}

#[test]
fn a_web_acl_stands_before_the_stage_if_there_is_one() {
    let kind = "AWS::WAFv2::WebACLAssociation";
    assert_eq!(Stack::with(&[]).resources(kind), []);
    // Nothing else brings it.
    let acl = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/b";
    let stack = Stack::with(&[("WebAclArn", acl)]);
    let (_, association) = stack.resources(kind).remove(0);
    let expected = json!({
        "WebACLArn": acl,
        "ResourceArn": "arn:aws:apigateway:eu-west-1::/restapis/Api/stages/Api.Stage",
    });
    assert_eq!(association, expected);
    assert_eq!(stack.resources("AWS::WAFv2::WebACL"), []);
}

#[test]
fn one_parameter_creates_a_web_acl_with_a_rate_rule_for_each_address() {
    let kind = "AWS::WAFv2::WebACL";
    assert_eq!(Stack::with(&[]).resources(kind), []);
    let stack = Stack::with(&[("WebAclRequests", "300")]);
    let (_, acl) = stack.resources(kind).remove(0);
    assert_eq!(
        [&acl["Scope"], &acl["DefaultAction"]],
        [&json!("REGIONAL"), &json!({ "Allow": {} })]
    );
    let rules = acl["Rules"].as_array().unwrap();
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0]["Action"], json!({ "Block": {} }));
    let rate = at(&rules[0], &["Statement", "RateBasedStatement"]);
    let expected = json!({ "AggregateKeyType": "IP", "EvaluationWindowSec": 300, "Limit": "300" });
    assert_eq!(rate, &expected);
    let association = stack.resources("AWS::WAFv2::WebACLAssociation").remove(0).1;
    assert_eq!(association["WebACLArn"], "WebAcl.Arn");
}

#[test]
fn the_url_that_clients_and_verifiers_know_is_that_of_the_stage() {
    let api = api();
    assert_eq!(
        [&api["StageName"], &api["EndpointConfiguration"]["Type"]],
        ["v1", "REGIONAL"]
    );
    // Without the version, SAM would make a second stage.
    assert_eq!(
        [
            &api["OpenApiVersion"],
            at(&api, &["DefinitionBody", "openapi"])
        ],
        ["3.0.1"; 2]
    );
    let info = json!({ "title": "AWS::StackName", "version": "1" });
    assert_eq!(*at(&api, &["DefinitionBody", "info"]), info);
    assert_eq!(api["Name"], "AWS::StackName");
    let own = "https://Api.execute-api.eu-west-1.amazonaws.com/v1";
    let elsewhere = "https://login.example.com";
    let domain = [
        ("DomainName", "login.example.com"),
        (
            "CertificateArn",
            "arn:aws:acm:eu-west-1:123456789012:certificate/a",
        ),
    ];
    for (chosen, url, issuer) in [
        (&[][..], own, own),
        (&[("TokenIssuer", elsewhere)], own, elsewhere),
        (&domain, elsewhere, elsewhere),
        // While services learn the new issuer.
        (
            &[domain[0], domain[1], ("TokenIssuer", own)],
            elsewhere,
            own,
        ),
    ] {
        let stack = Stack::with(chosen);
        let outputs = stack.section("Outputs");
        let output = |name: &str| text(at(&outputs[name], &["Value"]));
        assert_eq!(output("ApiUrl"), url);
        assert_eq!(
            output("DiscoveryUrl"),
            format!("{url}{}", Route::Configuration.path())
        );
        assert_eq!(output("Issuer"), issuer);
        let variables = stack.part(&["Globals", "Function", "Environment", "Variables"]);
        assert_eq!(variables["TOKEN_ISSUER"], issuer);
        let has_target = outputs.contains_key("DomainTarget");
        assert_eq!(has_target, chosen.contains(&domain[0]));
    }
}

#[test]
fn a_domain_name_leads_to_the_stage_by_tls_1_2_at_least() {
    const DOMAIN: &str = "AWS::ApiGateway::DomainName";
    let (domain, certificate) = (
        "login.example.com",
        "arn:aws:acm:eu-west-1:123456789012:certificate/a",
    );
    let both = [
        ("EmailFrom", "login@example.com"),
        ("DomainName", domain),
        ("CertificateArn", certificate),
    ];
    for (chosen, allowed) in [
        (&both[..1], true),
        (&both[..2], false),
        (&[both[0], both[2]], false),
        (&both, true),
    ] {
        assert_eq!(Stack::with(chosen).is_allowed(), allowed, "{chosen:?}");
    }
    assert!(Stack::with(&[]).resources(DOMAIN).is_empty());
    let stack = Stack::with(&both);
    let policy = json!(["SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09", "BASIC"]);
    let of = |properties: &Value| {
        json!([
            properties["SecurityPolicy"],
            properties["EndpointAccessMode"]
        ])
    };
    assert_eq!(of(&api()), policy);
    let (_, properties) = stack.resources(DOMAIN).remove(0);
    assert_eq!(of(&properties), policy);
    assert_eq!(properties["DomainName"], domain);
    assert_eq!(properties["RegionalCertificateArn"], certificate);
    assert_eq!(
        properties["EndpointConfiguration"],
        json!({ "Types": ["REGIONAL"] })
    );
    let (_, mapping) = stack
        .resources("AWS::ApiGateway::BasePathMapping")
        .remove(0);
    assert_eq!(
        mapping,
        json!({ "DomainName": "Domain", "RestApiId": "Api", "Stage": "Api.Stage" })
    );
}
