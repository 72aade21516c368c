use std::time::Duration;

use lambda_http::{Body, Response};
use otp_service::fault::Fault;
use serde_json::Value;

use super::*;
use crate::{mistakes::Explanation, rejection::FormRejection, route::ErrorFormat};

fn body(response: &Response<Body>) -> Value {
    let Body::Text(text) = response.body() else {
        panic!("no text");
    };
    text.parse().unwrap()
}

/// The status, the type and what clients of OAuth read; then the headers, if any.
fn told(failure: impl Into<Failure>) -> String {
    let problem = Problem::of(&failure.into());
    let (plain, oauth) = (problem.response(), problem.response_as(ErrorFormat::OAuth));
    assert_eq!(plain.status(), oauth.status());
    let (told, code) = (body(&plain), body(&oauth));
    assert_eq!(told["type"], format!("/problems/{}", problem.name()));
    assert_eq!(told["status"], plain.status().as_u16());
    for (member, of) in [
        ("detail", &told),
        ("error", &told),
        ("error_description", &code),
    ] {
        assert_eq!(of[member], problem.detail(), "{member}");
    }
    let code = code["error"].as_str().unwrap();
    let mut parts = vec![format!("{} {} {code}", told["status"], problem.name())];
    for name in ["limit", "retry_after", "max_age"] {
        parts.extend(told.get(name).map(|value| format!("{name} {value}")));
    }
    for name in ["allow", "retry-after", "set-cookie", "www-authenticate"] {
        let value = plain.headers().get(name);
        assert_eq!(value, oauth.headers().get(name));
        parts.extend(value.map(|value| format!("{name}: {}", value.to_str().unwrap())));
    }
    parts.join(", ")
}

#[test]
fn each_refusal_has_its_problem() {
    let limited = |millis| Refusal::TooManyRequests {
        limit: "sends-hour",
        kind: LimitKind::Destination,
        wait: Duration::from_millis(millis),
    };
    for (refusal, expected) in [
        (Refusal::UnknownApp, "400 invalid-request invalid_request"),
        (
            Refusal::InvalidOtp("used"),
            "400 invalid-otp invalid_request",
        ),
        (
            Refusal::InvalidRefreshToken("x"),
            "400 invalid-refresh-token invalid_grant",
        ),
        (
            Refusal::NotRevocable,
            "400 unsupported-token-type unsupported_token_type",
        ),
        (
            Refusal::DestinationNotAllowed,
            "403 destination-not-allowed invalid_request",
        ),
        (
            Refusal::DestinationRefused,
            "400 destination-refused invalid_request",
        ),
        (
            Refusal::UserNotFound(DestinationKind::Email),
            "404 user-not-found invalid_request",
        ),
        (
            limited(1001),
            "429 too-many-requests temporarily_unavailable, limit \"destination\", \
             retry_after 2, retry-after: 2",
        ),
        (
            limited(0),
            "429 too-many-requests temporarily_unavailable, limit \"destination\", \
             retry_after 1, retry-after: 1",
        ),
        (
            Refusal::Unauthorized(Unauthorized::NoToken),
            "401 unauthorized invalid_request, www-authenticate: Bearer",
        ),
        (
            Refusal::Unauthorized(Unauthorized::InvalidToken("expired")),
            "401 unauthorized invalid_request, www-authenticate: Bearer error=\"invalid_token\"",
        ),
        (
            Refusal::StaleLogin(Duration::from_mins(10)),
            "401 stale-login invalid_request, max_age 600, www-authenticate: Bearer \
             error=\"insufficient_user_authentication\", max_age=\"600\"",
        ),
    ] {
        assert_eq!(told(refusal), expected);
    }
}

#[test]
fn who_is_not_reached_reads_what_happened_and_that_another_destination_helps() {
    for kind in [DestinationKind::Email, DestinationKind::Phone] {
        for mark in Mark::ALL {
            let refusal = Refusal::DestinationUndeliverable(kind, mark);
            assert_eq!(
                told(refusal),
                "409 destination-undeliverable invalid_request"
            );
            let problem = Problem::of(&refusal.into());
            let detail = problem.detail();
            assert!(detail.to_lowercase().contains("use another"), "{detail}");
        }
    }
}

#[test]
fn an_unknown_user_is_told_by_the_channel() {
    let detail = |channel| {
        let refusal = Refusal::UserNotFound(channel);
        Problem::of(&refusal.into()).detail().to_owned()
    };
    assert_eq!(
        detail(DestinationKind::Email),
        "User with this email does not exist."
    );
    assert_eq!(
        detail(DestinationKind::Phone),
        "User with this phone number does not exist."
    );
}

#[test]
fn each_rejection_has_its_problem() {
    for (rejection, expected) in [
        (Rejection::NotFound, "404 not-found invalid_request"),
        (
            Rejection::MethodNotAllowed(vec!["DELETE", "GET"]),
            "405 method-not-allowed invalid_request, allow: DELETE, GET",
        ),
        (
            Rejection::MethodNotAllowed(vec!["POST"]),
            "405 method-not-allowed invalid_request, allow: POST",
        ),
        (
            Rejection::OriginNotAllowed,
            "403 origin-not-allowed invalid_request",
        ),
        (
            Rejection::SessionMismatch,
            "409 session-mismatch invalid_request",
        ),
        (
            Rejection::UnsupportedMediaType,
            "415 unsupported-media-type invalid_request",
        ),
        (
            Rejection::InvalidRequest(Explanation::new("x")),
            "400 invalid-request invalid_request",
        ),
        (
            Rejection::Form(FormRejection::OtherClient),
            "400 invalid-client invalid_client",
        ),
        (
            Rejection::Form(FormRejection::Authenticates),
            "401 invalid-client invalid_client, www-authenticate: Basic",
        ),
        (
            Rejection::Form(FormRejection::UnsupportedGrantType),
            "400 unsupported-grant-type unsupported_grant_type",
        ),
        (
            Rejection::Form(FormRejection::InvalidScope),
            "400 invalid-scope invalid_scope",
        ),
    ] {
        assert_eq!(told(rejection), expected);
    }
    for (methods, told) in [
        (vec!["GET"], "GET"),
        (vec!["DELETE", "GET"], "DELETE and GET"),
    ] {
        let problem = Problem::of(&Rejection::MethodNotAllowed(methods).into());
        assert_eq!(problem.detail(), format!("This address takes {told} only."));
    }
}

#[test]
fn a_fault_says_nothing_of_its_cause_and_when_to_come_back() {
    let fault = |dependency| Error::from(Fault::new(dependency, "GetItem", "secret"));
    let unavailable = "503 unavailable temporarily_unavailable, retry_after 2, retry-after: 2";
    for (dependency, expected) in [
        (Dependency::Table, unavailable),
        (Dependency::Keys, unavailable),
        (Dependency::Settings, unavailable),
        (Dependency::Provider, "502 delivery-failed invalid_request"),
    ] {
        assert_eq!(told(fault(dependency)), expected);
        let problem = Problem::of(&fault(dependency).into());
        assert!(!problem.detail().contains("secret"));
    }
}

#[test]
fn a_stale_cookie_is_removed() {
    let refusal = Refusal::InvalidRefreshToken("reused");
    let told = told(Failure::StaleCookie(refusal.into()));
    let removed = "400 invalid-refresh-token invalid_grant, set-cookie: __Host-refresh_token=; \
        Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0";
    assert_eq!(told, removed);
}
