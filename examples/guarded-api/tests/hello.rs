//! The answers to events of API Gateway.

use guarded_api::handle;
use lambda_http::{Body, Response, request::from_str};
use serde_json::{Value, json};

fn event() -> Value {
    serde_json::from_str(include_str!("../events/hello.json")).expect("JSON")
}

fn answer(event: &Value) -> Response<Body> {
    let request = from_str(&event.to_string()).expect("an event of an HTTP API");
    handle(&request)
}

fn body(answer: &Response<Body>) -> Value {
    serde_json::from_slice(answer.body()).expect("JSON")
}

#[test]
fn the_user_whom_the_token_speaks_for_is_greeted() {
    let answer = answer(&event());
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(
        body(&answer),
        json!({ "message": "Hello, 0Yb1uTQ1VZt9cJ7mXxk2Ew." })
    );
}

#[test]
fn without_the_authorizers_word_nobody_is_greeted_whatever_the_request_says() {
    let paths: [&[&str]; 4] = [
        &["requestContext", "authorizer"],
        &["requestContext", "authorizer", "jwt"],
        &["requestContext", "authorizer", "jwt", "claims"],
        &["requestContext", "authorizer", "jwt", "claims", "sub"],
    ];
    for path in paths {
        let mut event = event();
        let (last, parents) = path.split_last().expect("a path");
        let parent = parents
            .iter()
            .fold(&mut event, |value, name| &mut value[name]);
        let taken = parent.as_object_mut().expect("an object").remove(*last);
        assert!(taken.is_some(), "{last} is in the event");
        let answer = answer(&event);
        assert_eq!(answer.status(), 500, "without {last}");
        let message = "This route has no authorizer.";
        assert_eq!(body(&answer), json!({ "message": message }));
    }
}
