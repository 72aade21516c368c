//! The ways on which codes travel: chosen, in order, and by own senders.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, extract::State, http::StatusCode, routing::post};
use serde_json::{Value, json};
use tests::{ALICE, Answer, Call, CallFault, LOGIN, PHONE, TestApp, destination};
use tokio::{
    net::TcpListener,
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

const TOPIC: &str = "arn:aws:sns:eu-west-1:123456789012:codes";
const TWO: (&str, &str) = (
    "PHONE_WAYS",
    "sms,whatsapp=arn:aws:sns:eu-west-1:123456789012:codes",
);
const MAILED: (&str, &str) = (
    "EMAIL_WAYS",
    "email,smtp=arn:aws:sns:us-east-1:123456789012:mails",
);

async fn via(app: &TestApp, to: &str, way: &str, more: Value) -> Answer {
    let mut body = destination(to);
    body["via"] = json!(way);
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    app.post(LOGIN, body.to_string()).await
}

fn ways_of(app: &TestApp, to: &str) -> Vec<String> {
    let messages = app.messages(to).into_iter().rev();
    messages.map(|message| message.way).collect()
}

#[tokio::test]
async fn a_login_names_the_ways_and_takes_the_first_or_the_chosen_one() {
    let app = TestApp::with(&[TWO, MAILED]).await;
    for (to, ways) in [(PHONE, ["sms", "whatsapp"]), (ALICE, ["email", "smtp"])] {
        let answer = app.login(to).await;
        assert_eq!(answer.assert_ok()["ways"], json!(ways));
        app.advance(Duration::from_secs(30));
        let answer = via(&app, to, ways[1], json!({})).await;
        assert_eq!(answer.assert_ok()["ways"], json!(ways));
        assert_eq!(ways_of(&app, to), ways);
        let id = answer.text("challenge_id");
        app.validate(to, Some(&id), &app.newest_code(to))
            .await
            .assert_ok();
    }
}

#[tokio::test]
async fn a_way_that_is_none_to_the_destination_is_a_mistake_that_names_the_known_ones() {
    let app = TestApp::with(&[TWO]).await;
    for (to, way, known) in [
        (
            PHONE,
            "email",
            "`via` must be `sms` or `whatsapp` for this destination.",
        ),
        (
            PHONE,
            "",
            "`via` must be `sms` or `whatsapp` for this destination.",
        ),
        (
            ALICE,
            "whatsapp",
            "`via` must be `email` for this destination.",
        ),
    ] {
        let answer = via(&app, to, way, json!({})).await;
        answer.assert_problem(400, "invalid-request");
        assert_eq!(answer.json["detail"], known);
    }
    // Nothing was counted.
    app.login(PHONE).await.assert_ok();
}

#[tokio::test]
async fn a_resend_on_another_way_has_the_same_code() {
    let app = TestApp::with(&[TWO, MAILED]).await;
    for (to, way) in [(PHONE, "whatsapp"), (ALICE, "smtp")] {
        let (id, code) = app.receive_code(to).await;
        app.advance(Duration::from_secs(30));
        let answer = via(&app, to, way, json!({ "challenge_id": id })).await;
        assert_eq!(answer.assert_ok()["challenge_id"], id);
        assert_eq!(ways_of(&app, to).last().unwrap(), way);
        assert_eq!(app.newest_code(to), code);
        app.validate(to, Some(&id), &code).await.assert_ok();
    }
}

#[tokio::test]
async fn all_ways_share_the_cooldown_and_the_caps() {
    let app = TestApp::with(&[TWO, ("SMS_PER_DAY", "2")]).await;
    app.login(PHONE).await.assert_ok();
    let soon = via(&app, PHONE, "whatsapp", json!({})).await;
    soon.assert_problem(429, "too-many-requests");
    app.advance(Duration::from_secs(30));
    via(&app, PHONE, "whatsapp", json!({})).await.assert_ok();
    let full = via(&app, "+14155550199", "whatsapp", json!({})).await;
    full.assert_problem(429, "too-many-requests");
    assert_eq!(full.json["limit"], "deployment");
}

#[tokio::test]
async fn a_failure_that_is_known_at_once_is_followed_by_the_next_way() {
    let app = TestApp::with(&[TWO]).await;
    let to = "+14155550177";
    app.stack.messages.refuse(vec!["sms".into()]);
    let (id, code) = app.receive_code(to).await;
    assert_eq!(ways_of(&app, to), ["whatsapp"]);
    // Other tests have numbers with this mask.
    let mut lines = app.log.lines_about("+1***77").into_iter();
    let line = lines.find(|line| line["challenge_id"] == *id).unwrap();
    assert_eq!(line["way"], "whatsapp");
    assert_eq!(line["outcome"], "sent");
    app.validate(to, Some(&id), &code).await.assert_ok();
    // The chosen way first, then the others.
    app.stack.messages.refuse(vec!["whatsapp".into()]);
    app.advance(Duration::from_secs(30));
    via(&app, to, "whatsapp", json!({})).await.assert_ok();
    assert_eq!(ways_of(&app, to), ["whatsapp", "sms"]);
    app.stack.messages.set_refusing(true);
    app.advance(Duration::from_secs(30));
    let failed = app.login(to).await;
    failed.assert_problem(502, "delivery-failed");
    // It was withdrawn.
    app.stack.messages.set_refusing(false);
    app.login(to).await.assert_ok();
}

#[tokio::test]
async fn a_number_that_sns_refuses_may_be_reached_on_another_way() {
    let app = TestApp::with(&[TWO]).await;
    let to = "+1000000";
    app.login(to).await.assert_ok();
    assert_eq!(ways_of(&app, to), ["whatsapp"]);
    let alone = TestApp::start().await;
    let refused = alone.login(to).await;
    refused.assert_problem(400, "destination-refused");
}

#[tokio::test]
async fn a_message_that_may_arrive_is_not_sent_on_another_way() {
    let app = TestApp::with(&[TWO]).await;
    app.faults
        .inject(Call::SendSms, CallFault::Http500, usize::MAX);
    let answer = app.login(PHONE).await;
    assert_eq!(answer.assert_ok()["delivery"], "unconfirmed");
    assert_eq!(ways_of(&app, PHONE), [""; 0]);
}

#[tokio::test]
async fn if_one_way_fails_and_another_knows_no_such_number_it_may_be_tried_again() {
    let app = TestApp::with(&[TWO]).await;
    app.stack.messages.refuse(vec!["whatsapp".into()]);
    for way in ["sms", "whatsapp"] {
        let failed = via(&app, "+1000000", way, json!({})).await;
        failed.assert_problem(502, "delivery-failed");
    }
}

#[tokio::test]
async fn under_conceal_the_next_way_follows_the_answer_and_nobody_sees_it() {
    let app = TestApp::with(&[TWO, ("UNKNOWN_USERS", "conceal")]).await;
    let (user, stranger) = ("+14155550166", "+14155550165");
    app.add_user(user, false).await;
    app.stack.messages.refuse(vec!["sms".into()]);
    let [of_user, of_stranger] = [user, stranger].map(|to| {
        let app = &app;
        async move {
            let mut answer = via(app, to, "sms", json!({})).await.assert_ok().clone();
            assert_eq!(answer["destination"], to);
            for name in ["challenge_id", "destination"] {
                answer[name].take();
            }
            answer
        }
    });
    assert_eq!(of_user.await, of_stranger.await);
    app.settle().await;
    assert_eq!(ways_of(&app, user), ["whatsapp"]);
    assert_eq!(ways_of(&app, stranger), [""; 0]);
    assert_eq!(
        app.log.lines_about("+1***66").last().unwrap()["way"],
        "whatsapp"
    );
}

#[tokio::test]
async fn an_own_sender_needs_no_ses() {
    let own = (
        "EMAIL_WAYS",
        "email,smtp=arn:aws:sns:us-east-1:123456789012:mails",
    );
    let app = TestApp::with(&[own, ("EMAIL_FROM", "")]).await;
    let answer = app.login(ALICE).await;
    assert_eq!(answer.assert_ok()["ways"], json!(["smtp"]));
    assert_eq!(ways_of(&app, ALICE), ["smtp"]);
    let none = TestApp::with(&[("EMAIL_FROM", ""), TWO]).await;
    none.login(ALICE)
        .await
        .assert_problem(403, "destination-not-allowed");
}

/// A subscriber that fails the first time, and what it took.
async fn subscriber() -> (String, UnboundedReceiver<String>) {
    let (sender, receiver) = unbounded_channel();
    let has_failed = AtomicBool::new(false);
    let receive = async |State(state): State<Arc<Subscriber>>, body: String| {
        if state.has_failed.swap(true, Ordering::Relaxed) {
            state.sender.send(body).unwrap();
            StatusCode::OK
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    let state = Arc::new(Subscriber { sender, has_failed });
    let router = Router::new().route("/", post(receive)).with_state(state);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, router).await });
    (url, receiver)
}

struct Subscriber {
    sender: UnboundedSender<String>,
    has_failed: AtomicBool,
}

#[tokio::test]
async fn the_subscriber_of_a_topic_gets_all_that_it_needs_to_send_the_code() {
    let (url, mut received) = subscriber().await;
    let subscribers = format!("{TOPIC}={url}");
    let mails = "smtp=arn:aws:sns:eu-west-1:123456789012:codes";
    let app = TestApp::with(&[TWO, ("EMAIL_WAYS", mails), ("SUBSCRIBERS", &subscribers)]).await;
    let mut next = async || {
        let body = timeout(Duration::from_secs(10), received.recv()).await;
        let notification: Value = serde_json::from_str(&body.unwrap().unwrap()).unwrap();
        assert_eq!(notification["Type"], "Notification");
        assert_eq!(notification["TopicArn"], TOPIC);
        let message = notification["Message"].as_str().unwrap();
        serde_json::from_str::<Value>(message).unwrap()
    };
    let answer = via(&app, PHONE, "whatsapp", json!({ "locale": "de" })).await;
    let id = answer.assert_ok()["challenge_id"].clone();
    let (code, text) = (app.newest_code(PHONE), app.messages(PHONE)[0].text.clone());
    let mut expected = json!({
        "id": id, "way": "whatsapp", "destination": PHONE, "code": code, "text": text,
        "purpose": "login", "locale": "de", "brand": "Example", "challenge": id, "end": "2026-01-01T00:15:00Z",
    });
    assert!(next().await == expected, "the message is not as documented");
    assert!(text.unwrap().contains("Example"));
    // The same code again is another message.
    app.advance(Duration::from_secs(30));
    let again = json!({ "locale": "de", "challenge_id": id });
    via(&app, PHONE, "whatsapp", again).await.assert_ok();
    let second = next().await;
    assert_ne!(second["id"], expected["id"]);
    expected["id"] = second["id"].clone();
    expected["end"] = json!("2026-01-01T00:15:30Z");
    assert!(second == expected, "the second is another code's");
    app.login(ALICE).await.assert_ok();
    let mail = next().await;
    let sent = app.messages(ALICE).remove(0);
    for (name, value) in [
        ("subject", sent.subject),
        ("html", sent.html),
        ("text", sent.text),
    ] {
        let value = value.expect(name);
        assert!(mail[name] == *value, "{name}");
    }
}
