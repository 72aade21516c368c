//! The answers to a request that takes a fresh login.

use guarded_api::handle;
use lambda_http::{Body, Response, request::from_str};
use serde_json::{Value, json};

const CHALLENGE: &str = "Bearer error=\"insufficient_user_authentication\", \
     error_description=\"A more recent login is required\", max_age=\"300\"";

/// A request to delete the account, `age` seconds after the login.
fn event(age: i64) -> Value {
    let mut event: Value =
        serde_json::from_str(include_str!("../events/hello.json")).expect("JSON");
    event["rawPath"] = json!("/account");
    event["requestContext"]["http"]["method"] = json!("DELETE");
    event["requestContext"]["http"]["path"] = json!("/account");
    let login = 1_767_226_200 - age;
    event["requestContext"]["authorizer"]["jwt"]["claims"]["auth_time"] = json!(login.to_string());
    event
}

fn answer(event: &Value) -> Response<Body> {
    handle(&from_str(&event.to_string()).expect("an event of an HTTP API"))
}

fn assert_step_up(answer: &Response<Body>) {
    assert_eq!(answer.status(), 401);
    assert_eq!(answer.headers()["www-authenticate"], CHALLENGE);
}

#[test]
fn a_login_of_the_last_five_minutes_is_enough() {
    // A clock that is ahead of the gateway's makes no old login.
    for age in [-2, 0, 300] {
        assert_eq!(answer(&event(age)).status(), 200, "{age}");
    }
    for age in [301, 3600] {
        assert_step_up(&answer(&event(age)));
    }
}

#[test]
fn a_login_of_unknown_age_is_not_enough() {
    for time in [json!(0), json!(-1)] {
        let mut unknown = event(0);
        unknown["requestContext"]["timeEpoch"] = time;
        assert_step_up(&answer(&unknown));
    }
    for login in [json!(""), json!("soon"), json!("-1")] {
        let mut unknown = event(0);
        unknown["requestContext"]["authorizer"]["jwt"]["claims"]["auth_time"] = login;
        assert_step_up(&answer(&unknown));
    }
}
