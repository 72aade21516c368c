//! What comes of it when something that we depend on fails: a proxy in front of
//! the emulated services does it, one answer at a time.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderName, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::json;
use tokio::net::TcpListener;

use crate::idempotency::{KEY, login_as};

use crate::harness::{ALICE, PHONE, TestApp, other_than};

#[derive(Clone, Copy, Debug)]
pub enum Failure {
    /// The call is done, but its answer is lost on the way.
    AnswerLost,
    /// The service answers with this error, and has done nothing.
    Error(u16, &'static str),
    /// A transaction was cancelled because another was at the same items.
    Conflict,
    /// No answer, ever.
    Hang,
}

pub type Script = Arc<Mutex<VecDeque<(&'static str, Failure)>>>;

struct Proxy {
    services: SocketAddr,
    http: Client<HttpConnector, Body>,
    script: Script,
}

/// A stack whose functions reach the services through a proxy, which fails the
/// calls of the script, each once, in order of the calls.
pub async fn failing(
    settings: &[(&str, &str)],
    script: &[(&'static str, Failure)],
) -> (TestApp, Script) {
    let mut app = TestApp::with(settings).await;
    let left = Script::default();
    let proxy = Arc::new(Proxy {
        services: app.stack.aws,
        http: Client::builder(TokioExecutor::new()).build(HttpConnector::new()),
        script: Arc::clone(&left),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(forward).with_state(proxy);
    tokio::spawn(async move { axum::serve(listener, router).await });
    app.call_aws_at(address).await;
    left.lock().unwrap().extend(script.iter().copied());
    (app, left)
}

/// What a call asks for: `X-Amz-Target` says it, or the path (SES), or nothing
/// does (SNS).
fn operation(request: &Parts) -> String {
    let target = request.headers.get(HeaderName::from_static("x-amz-target"));
    let target = target.and_then(|value| value.to_str().ok());
    match target.and_then(|target| target.split('.').next_back()) {
        Some(name) => name.to_owned(),
        None if request.uri.path() == "/v2/email/outbound-emails" => "SendEmail".to_owned(),
        None => "Publish".to_owned(),
    }
}

/// The next failure for a call that asks for the script's operation, or that
/// has the script's words in its body.
fn next_failure(proxy: &Proxy, head: &Parts, body: &[u8]) -> Option<Failure> {
    let operation = operation(head);
    let body = String::from_utf8_lossy(body);
    let mut script = proxy.script.lock().unwrap();
    let next = script
        .iter()
        .position(|(name, _)| *name == operation || body.contains(name));
    next.and_then(|n| script.remove(n))
        .map(|(_, failure)| failure)
}

async fn forward(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    let body = body.collect().await.expect("a whole request").to_bytes();
    let failure = next_failure(&proxy, &head, &body);
    let path = head.uri.path().to_owned();
    head.uri = format!("http://{}{path}", proxy.services).parse().unwrap();
    let request = Request::from_parts(head, Body::from(body));
    match failure {
        None => {
            let answer = proxy.http.request(request).await;
            answer.expect("the services answer").into_response()
        }
        Some(Failure::AnswerLost) => {
            let done = proxy
                .http
                .request(request)
                .await
                .expect("the services answer");
            assert!(
                done.status().is_success(),
                "nothing was done that could be lost"
            );
            error(500, "InternalServerError")
        }
        Some(Failure::Error(status, code)) => error(status, code),
        Some(Failure::Conflict) => conflict(),
        Some(Failure::Hang) => std::future::pending().await,
    }
}

fn error(status: u16, code: &str) -> Response {
    let body = json!({ "__type": code, "message": "as the test wants" }).to_string();
    let status = StatusCode::from_u16(status).unwrap();
    (status, [("x-amzn-errortype", code)], body).into_response()
}

fn conflict() -> Response {
    let body = json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled",
        "CancellationReasons": [{ "Code": "TransactionConflict" }, { "Code": "None" }],
    });
    (StatusCode::BAD_REQUEST, body.to_string()).into_response()
}

/// Words that tell our writes apart.
const SPEND: &str = "ADD spent_by";
const REDEEM: &str = "last_login_by = :request";

#[tokio::test]
async fn a_lost_answer_to_any_of_our_writes_is_no_refusal_and_counts_once() {
    let limits = [("OTP_MAX_ATTEMPTS", "1"), ("SENDS_PER_HOUR", "2")];
    let lost = [
        ("TransactWriteItems", Failure::AnswerLost),
        (SPEND, Failure::AnswerLost),
        (REDEEM, Failure::AnswerLost),
    ];
    let (app, left) = failing(&limits, &lost).await;
    // A first login makes the user, a second one finds it: two different writes.
    for expected_new in [true, false] {
        left.lock().unwrap().clear();
        left.lock().unwrap().extend(lost);
        let (id, code) = app.receive_code(ALICE).await;
        let answer = app.validate(ALICE, Some(&id), &code).await;
        assert_eq!(answer.assert_ok()["new_user"], expected_new);
        assert_eq!(app.spent(ALICE, &id).await, 1);
        assert!(left.lock().unwrap().is_empty(), "each failure happened");
        app.advance(Duration::from_secs(30));
    }
    assert_eq!(app.messages(ALICE).len(), 2);
    app.login(ALICE).await.assert_too_many();
}

#[tokio::test]
async fn writes_that_conflict_are_tried_again() {
    let conflict = Failure::Error(400, "TransactionConflictException");
    let (app, left) = failing(
        &[],
        &[
            ("TransactWriteItems", Failure::Conflict),
            ("TransactWriteItems", Failure::Conflict),
            (SPEND, conflict),
            (REDEEM, conflict),
        ],
    )
    .await;
    let (id, code) = app.receive_code(ALICE).await;
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    assert!(left.lock().unwrap().is_empty(), "each failure happened");
}

#[tokio::test]
async fn a_failed_delivery_is_withdrawn_and_may_be_tried_again_at_once() {
    for (to, operation) in [(ALICE, "SendEmail"), (PHONE, "Publish")] {
        for refusal in [
            Failure::Error(400, "MessageRejected"),
            Failure::Error(400, "OptedOut"),
        ] {
            let limits = [("SENDS_PER_HOUR", "1"), ("SENDS_PER_DAY", "1")];
            let (app, _) = failing(&limits, &[(operation, refusal)]).await;
            app.login(to).await.assert_problem(502, "delivery-failed");
            app.login(to).await.assert_ok();
            app.login(to).await.assert_too_many();
            assert_eq!(app.messages(to).len(), 1);
        }
    }
}

#[tokio::test]
async fn a_withdrawn_code_is_worth_nothing_though_its_message_came_through() {
    // Both tries of the delivery are done, and both answers lost.
    let lost = ("SendEmail", Failure::AnswerLost);
    let (app, _) = failing(&[], &[lost, lost]).await;
    app.login(ALICE)
        .await
        .assert_problem(502, "delivery-failed");
    let code = app.newest_code(ALICE);
    app.validate(ALICE, None, &code)
        .await
        .assert_problem(400, "invalid-otp");
}

#[tokio::test]
async fn a_delivery_whose_first_answer_is_lost_is_repeated_with_the_same_code() {
    let (app, _) = failing(&[], &[("SendEmail", Failure::AnswerLost)]).await;
    let (id, code) = app.receive_code(ALICE).await;
    let codes: Vec<_> = app
        .messages(ALICE)
        .into_iter()
        .map(|message| message.code)
        .collect();
    assert_eq!(codes, [Some(code.clone()), Some(code.clone())]);
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn failing_deliveries_buy_no_guesses_beyond_the_days() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0"), ("SENDS_PER_DAY", "2")]).await;
    let to = "besieged@keep.example.org";
    app.stack.messages.set_refusing(true);
    for _ in 0..6 {
        // Guesses race with the failing delivery, at the newest live challenge.
        let guesses = async {
            for _ in 0..10 {
                app.validate(to, None, "000000").await;
            }
        };
        let (login, ()) = tokio::join!(app.login(to), guesses);
        assert!(!login.status.is_success());
    }
    let lines = app.log.lines();
    let compared = lines
        .iter()
        .filter(|line| line["destination"] == "b***@k***.org" && line["reason"] == "wrong code");
    let compared = compared.count();
    assert!(
        compared <= 2 * 3,
        "{compared} comparisons where two sends were admitted"
    );
}

#[tokio::test]
async fn without_the_table_nothing_is_sent_and_nobody_gets_in() {
    let refused = Failure::Error(500, "InternalServerError");
    for operation in [SPEND, "GetItem", REDEEM] {
        let (app, left) = failing(&[], &[]).await;
        let (id, code) = app.receive_code(ALICE).await;
        left.lock().unwrap().extend([(operation, refused); 3]);
        assert_unavailable(&app.validate(ALICE, Some(&id), &code).await);
        // What failed was ours: the attempt is gone, the code is not.
        app.validate(ALICE, Some(&id), &code).await.assert_ok();
    }

    let (app, left) = failing(&[], &[]).await;
    left.lock()
        .unwrap()
        .extend([("TransactWriteItems", refused); 3]);
    assert_unavailable(&app.login(ALICE).await);
    assert!(app.messages(ALICE).is_empty());
}

#[tokio::test]
async fn without_the_signing_key_the_code_is_still_good_later() {
    let (app, left) = failing(&[], &[]).await;
    let (id, code) = app.receive_code(ALICE).await;
    left.lock()
        .unwrap()
        .extend([("Sign", Failure::Error(500, "KMSInternalException")); 3]);
    assert_unavailable(&app.validate(ALICE, Some(&id), &code).await);
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
}

#[tokio::test]
async fn without_the_digest_key_nothing_starts_and_its_return_is_enough() {
    let (app, left) = failing(&[], &[]).await;
    left.lock()
        .unwrap()
        .extend([("GenerateMac", Failure::Error(400, "DisabledException")); 2]);
    assert_unavailable(&app.login(ALICE).await);
    assert_unavailable(&app.validate(ALICE, None, "123456").await);
    app.receive_code(ALICE).await;
}

#[tokio::test]
async fn a_service_that_hangs_is_given_up_within_its_budget() {
    let hang = |operation| [(operation, Failure::Hang); 4];
    let (app, left) = failing(&[], &[]).await;
    for (operation, budget) in [("TransactWriteItems", 4), ("SendEmail", 6)] {
        left.lock().unwrap().extend(hang(operation));
        let answer = tokio::time::timeout(
            // Twice the budget, for a machine that is busy.
            Duration::from_secs(budget * 2),
            app.login(&format!("{budget}@example.com")),
        )
        .await
        .expect("an answer in time");
        assert!(answer.status.is_server_error());
        left.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn a_fault_is_in_the_log_and_not_in_the_answer() {
    let secret = "SecretInternalsException";
    let to = "fault-finder@hidden.example.net";
    let (app, left) = failing(&[], &[]).await;
    left.lock()
        .unwrap()
        .extend([("TransactWriteItems", Failure::Error(400, secret)); 3]);
    let answer = app.login(to).await;
    assert!(!String::from_utf8_lossy(&answer.bytes).contains(secret));
    let line = app
        .log
        .lines()
        .into_iter()
        .find(|line| line["destination"] == "f***@h***.net")
        .expect("a line about it");
    assert_eq!(line["outcome"], "unavailable");
    assert_eq!(line["dependency"], "table");
    assert_eq!(line["operation"], "TransactWriteItems");
    assert_eq!(line["cause"], secret);
}

#[track_caller]
fn assert_unavailable(answer: &crate::harness::Answer) {
    answer.assert_problem(503, "unavailable");
    assert!(answer.headers.contains_key("retry-after"));
}

#[tokio::test]
async fn a_wrong_code_asks_nothing_of_the_signing_key() {
    let (app, left) = failing(&[], &[("Sign", Failure::Hang)]).await;
    let (id, code) = app.receive_code(ALICE).await;
    app.validate(ALICE, Some(&id), &other_than(&code))
        .await
        .assert_problem(400, "invalid-otp");
    assert_eq!(left.lock().unwrap().len(), 1, "Sign was not called");
}

#[tokio::test]
async fn a_request_that_was_not_seen_through_is_a_new_one_after_a_while() {
    let lost = ("TransactWriteItems", Failure::AnswerLost);
    let (app, _) = failing(&[("RESEND_COOLDOWN_SECONDS", "0")], &[lost; 3]).await;
    assert_unavailable(&login_as(&app, KEY, ALICE).await);
    assert!(app.messages(ALICE).is_empty());
    app.advance(Duration::from_secs(25));
    login_as(&app, KEY, ALICE).await.assert_ok();
    login_as(&app, KEY, ALICE).await.assert_ok();
    assert_eq!(app.messages(ALICE).len(), 1);
}
