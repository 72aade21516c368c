//! What providers report of messages: what it changes for the next login.

use std::time::Duration;

use otp_edge::route::Route;
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::{Value, json};
use tests::{
    ALICE, Answer, Call, CallFault, LOGIN, PHONE, TestApp, destination,
    table::{Item, number, partition_key},
};

const BOUNCE: &str = "bounce+1@simulator.amazonses.com";
const COMPLAINT: &str = "complaint@simulator.amazonses.com";
/// In the log of all tests, nothing else is masked so.
const CONCEALED: &str = "hidden@example.org";
const SUPPRESSED: &str = "suppressionlist@simulator.amazonses.com";
const INVALID: &str = "+15005550001";
const SWITCHED_OFF: &str = "+15005550002";
const OPTED_OUT: &str = "+15005550003";
const BLOCKED: &str = "+15005550004";

const DAY: Duration = Duration::from_hours(24);
const MINUTE: Duration = Duration::from_mins(1);

fn assert_undeliverable(answer: &Answer) {
    answer.assert_problem(409, "destination-undeliverable");
}

/// Asks for a code, and brings what the provider reports of it.
async fn login_and_report(app: &TestApp, to: &str) -> Answer {
    let answer = app.login(to).await;
    app.deliver_reports().await;
    answer
}

async fn history(app: &TestApp, to: &str) -> Option<Item> {
    let mut items = app.partition(&partition_key(to)).await;
    items.remove("history")
}

/// The states of the messages to a destination.
async fn states(app: &TestApp, to: &str) -> Vec<String> {
    let history = history(app, to).await.unwrap_or_default();
    let messages = history.iter().filter(|(name, _)| name.starts_with("sent#"));
    let states = messages.map(|(_, value)| {
        let written = value.as_s().unwrap();
        written.split(' ').nth(2).unwrap().to_owned()
    });
    states.collect()
}

#[tokio::test]
async fn after_a_bounce_a_login_says_so_and_sends_nothing_for_thirty_days() {
    let app = TestApp::start().await;
    app.login(ALICE).await.assert_ok();
    login_and_report(&app, BOUNCE).await.assert_ok();
    app.advance(MINUTE);
    let refused = app.login(BOUNCE).await;
    assert_undeliverable(&refused);
    assert!(refused.text("detail").contains("came back"));
    assert_eq!(app.messages(BOUNCE).len(), 1);
    assert_eq!(app.messages(BOUNCE)[0].state, "bounced");
    app.login(ALICE).await.assert_ok();
    app.advance((DAY * 30).saturating_sub(MINUTE * 2));
    assert_undeliverable(&app.login(BOUNCE).await);
    app.advance(MINUTE);
    app.login(BOUNCE).await.assert_ok();
}

#[tokio::test]
async fn a_mark_that_does_not_end_counts_until_it_is_lifted() {
    let app = TestApp::start().await;
    for to in [COMPLAINT, SUPPRESSED, OPTED_OUT, BLOCKED] {
        login_and_report(&app, to).await.assert_ok();
        for days in [1, 300] {
            app.advance(DAY * days);
            assert_undeliverable(&app.login(to).await);
        }
    }
}

#[tokio::test]
async fn a_dead_number_is_told_for_seven_days_and_a_phone_that_is_off_is_none() {
    let app = TestApp::start().await;
    for to in [INVALID, SWITCHED_OFF] {
        login_and_report(&app, to).await.assert_ok();
    }
    app.advance((DAY * 7).saturating_sub(MINUTE));
    assert_undeliverable(&app.login(INVALID).await);
    login_and_report(&app, SWITCHED_OFF).await.assert_ok();
    assert_eq!(app.messages(SWITCHED_OFF)[0].state, "failed");
    app.advance(MINUTE);
    app.login(INVALID).await.assert_ok();
}

#[tokio::test]
async fn a_message_that_arrives_after_a_mark_lifts_it_and_one_before_does_not() {
    let app = TestApp::start().await;
    app.stack.messages.suppress(ALICE);
    app.add_user(ALICE, false).await;
    let answer = login_and_report(&app, ALICE).await;
    let id = answer.text("challenge_id");
    app.advance(MINUTE);
    assert_undeliverable(&app.login(ALICE).await);
    // A message that was sent before the mark arrives late.
    let mut delivered = event(&app, ALICE, &id, "Delivery", &json!({}));
    delivered["detail"]["mail"]["timestamp"] = json!("2026-01-01T00:09:00.000Z");
    bring(&app, &delivered).await;
    assert_undeliverable(&app.login(ALICE).await);
    // Another application reaches the address: the same account has sent it.
    let sent = "2026-01-01T00:10:30.000Z";
    delivered["detail"]["mail"]["timestamp"] = json!(sent);
    bring(&app, &delivered).await;
    app.login(ALICE).await.assert_ok();
}

#[tokio::test]
async fn a_right_code_that_was_sent_after_a_mark_lifts_it_and_one_before_does_not() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(COMPLAINT).await;
    app.deliver_reports().await;
    app.validate(COMPLAINT, Some(&id), &code).await.assert_ok();
    app.advance(MINUTE);
    assert_undeliverable(&app.login(COMPLAINT).await);

    // A bounce that is reported after a later code has come back.
    let (id, code) = app.receive_code(ALICE).await;
    let bounced = bounce(&app, ALICE, &id);
    app.advance(MINUTE);
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    app.advance(MINUTE);
    let (id, code) = app.receive_code(ALICE).await;
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    app.advance(MINUTE);
    bring(&app, &bounced).await;
    app.login(ALICE).await.assert_ok();
}

/// Two ways to numbers.
const WAYS: (&str, &str) = (
    "PHONE_WAYS",
    "sms,own=arn:aws:sns:us-east-1:123456789012:codes",
);

#[tokio::test]
async fn the_next_way_takes_the_code_of_one_with_a_mark_and_does_not_lift_it() {
    let app = TestApp::with(&[WAYS]).await;
    login_and_report(&app, OPTED_OUT).await.assert_ok();
    app.advance(MINUTE);
    let (id, code) = app.receive_code(OPTED_OUT).await;
    let ways = || {
        app.messages(OPTED_OUT)
            .into_iter()
            .map(|message| message.way)
    };
    assert_eq!(ways().collect::<Vec<_>>(), ["own", "sms"]);
    app.validate(OPTED_OUT, Some(&id), &code).await.assert_ok();
    app.advance(MINUTE);
    // A client that chooses the marked way gets the code by the other.
    let mut body = destination(OPTED_OUT);
    body["via"] = json!("sms");
    app.post(LOGIN, body.to_string()).await.assert_ok();
    assert_eq!(ways().next().as_deref(), Some("own"));
}

#[tokio::test]
async fn under_conceal_a_stranger_learns_nothing_and_a_known_device_is_told() {
    let app = TestApp::with(&[("UNKNOWN_USERS", "conceal")]).await;
    app.add_user(CONCEALED, false).await;
    let login = app.log_in(CONCEALED).await;
    let device = login["device_token"].as_str().unwrap();
    app.stack.messages.suppress(CONCEALED);
    app.advance(MINUTE);
    login_and_report(&app, CONCEALED).await.assert_ok();
    app.advance(MINUTE);
    let sent = app.messages(CONCEALED).len();
    let known = app.login(CONCEALED).await;
    let unknown = app.login("nobody@example.com").await;
    for member in ["delivery", "code_length", "expires_in", "resend_in"] {
        assert_eq!(known.assert_ok()[member], unknown.assert_ok()[member]);
    }
    let mut body = destination(CONCEALED);
    body["device_token"] = json!(device);
    let told = app.post_from("203.0.113.9", LOGIN, &[], &body).await;
    assert_undeliverable(&told);
    assert_eq!(app.messages(CONCEALED).len(), sent);
    let lines = app.log.lines_about("h***@e***.org");
    let undeliverable = |line: &&Value| line["outcome"] == "destination-undeliverable";
    assert_eq!(lines.iter().filter(undeliverable).count(), 2);
}

#[tokio::test]
async fn a_fixed_code_needs_no_way() {
    let settings = [
        ("TEST_IDENTITIES", "bounce+1@simulator.amazonses.com=123456"),
        ("TEST_IDENTITIES_UNTIL", "2026-01-05T00:00:00Z"),
    ];
    let app = TestApp::start().await;
    login_and_report(&app, BOUNCE).await.assert_ok();
    let with = TestApp::with(&settings).await;
    with.login(BOUNCE).await.assert_ok();
    assert_eq!(states(&with, BOUNCE).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_repeat_under_an_idempotency_key_gets_its_answer_in_spite_of_a_mark() {
    let app = TestApp::start().await;
    let key = "2f7c1a52-3b0e-4c6b-9f43-6f0f6f1f7d0a";
    app.login_with_key(key, BOUNCE).await.assert_ok();
    app.deliver_reports().await;
    app.login_with_key(key, BOUNCE).await.assert_ok();
}

#[tokio::test]
async fn a_refusal_counts_against_the_client() {
    let app = TestApp::with(&[("REQUESTS_PER_IP_PER_HOUR", "3")]).await;
    login_and_report(&app, BOUNCE).await.assert_ok();
    app.advance(MINUTE);
    for _ in 0..2 {
        assert_undeliverable(&app.login(BOUNCE).await);
    }
    app.login(BOUNCE).await.assert_too_many();
}

#[tokio::test]
async fn the_last_ten_messages_of_seven_days_are_known_with_what_became_of_them() {
    let app = TestApp::with(&[("SENDS_PER_HOUR", "100"), ("SENDS_PER_DAY", "100")]).await;
    for _ in 0..12 {
        login_and_report(&app, PHONE).await.assert_ok();
        app.advance(MINUTE);
    }
    assert_eq!(states(&app, PHONE).await, ["delivered"; 10]);
    app.advance(DAY * 7);
    app.login(PHONE).await.assert_ok();
    assert_eq!(states(&app, PHONE).await, ["asked"]);
}

#[tokio::test]
async fn a_message_that_was_not_sent_is_not_known() {
    let app = TestApp::start().await;
    app.stack.messages.set_refusing(true);
    app.login(ALICE)
        .await
        .assert_problem(502, "delivery-failed");
    assert_eq!(states(&app, ALICE).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_known_devices_message_is_known_like_any_other() {
    let app = TestApp::start().await;
    let device = app.log_in(ALICE).await["device_token"].clone();
    app.deliver_reports().await;
    let mut body = destination(ALICE);
    body["device_token"] = device;
    let answer = app.post_from("203.0.113.9", LOGIN, &[], &body).await;
    answer.assert_ok();
    assert_eq!(states(&app, ALICE).await.len(), 2);
}

#[tokio::test]
async fn a_repeated_codes_messages_are_told_apart_by_their_time() {
    let app = TestApp::start().await;
    let (id, _) = app.receive_code(ALICE).await;
    let first = app.stack.messages.take_reports();
    app.advance(MINUTE);
    let mut body = destination(ALICE);
    body["challenge_id"] = json!(id);
    app.post(LOGIN, body.to_string()).await.assert_ok();
    let _ = app.stack.messages.take_reports();
    for report in first {
        app.invoke(Route::Login, &report).await.unwrap();
    }
    let mut states = states(&app, ALICE).await;
    states.sort();
    assert_eq!(states, ["asked", "delivered"]);
}

#[tokio::test]
async fn a_message_of_another_application_is_dropped_unlogged() {
    let app = TestApp::start().await;
    let number = "+14155550177";
    app.login(number).await.assert_ok();
    let ours = app.stack.messages.take_reports();
    app.advance(MINUTE * 2);
    // The same number, at another time, and another number.
    let other = TestApp::start().await;
    other.advance(MINUTE * 2);
    other.login(number).await.assert_ok();
    other.login("+14155550178").await.assert_ok();
    let before = app.log.lines().len();
    for report in other.stack.messages.take_reports() {
        assert_eq!(app.invoke(Route::Login, &report).await.unwrap(), "null");
    }
    assert_eq!(states(&app, number).await, ["asked"]);
    assert_eq!(history(&app, "+14155550178").await, None);
    let reports = app.log.lines_about("+1***77");
    let reports = reports.iter().filter(|line| line["event"] == "report");
    assert_eq!(reports.count(), 0, "{before}");
    for report in ours {
        app.invoke(Route::Login, &report).await.unwrap();
    }
    assert_eq!(states(&app, number).await, ["delivered"]);
}

#[tokio::test]
async fn without_a_user_and_a_live_code_only_a_mark_that_ends_is_written() {
    let app = TestApp::start().await;
    for (to, is_marked) in [(COMPLAINT, false), (BOUNCE, true)] {
        app.login(to).await.assert_ok();
        let reports = app.stack.messages.take_reports();
        app.advance(MINUTE * 10);
        for report in &reports {
            app.invoke(Route::Login, report).await.unwrap();
        }
        assert_eq!(states(&app, to).await, ["asked"]);
        let answer = app.login(to).await;
        assert_eq!(answer.status == 409, is_marked, "{to}");
    }
    // Nothing of a destination comes back that is gone.
    let id = app.login(ALICE).await.text("challenge_id");
    app.delete(&partition_key(ALICE), "history").await;
    app.deliver_reports().await;
    bring(&app, &bounce(&app, ALICE, &id)).await;
    assert_eq!(history(&app, ALICE).await, None);
}

#[tokio::test]
async fn what_cannot_be_understood_is_logged_and_dropped() {
    let app = TestApp::start().await;
    let event = json!({ "detail-type": "Email Bounced", "source": "aws.ses", "detail": {} });
    bring(&app, &event).await;
    let lines = app.log.lines();
    let line = lines
        .iter()
        .find(|line| line["outcome"] == "not-understood");
    assert_eq!(line.unwrap()["level"], "WARN");
}

#[tokio::test]
async fn what_meets_a_broken_table_has_to_come_again() {
    let app = TestApp::start().await;
    app.login(BOUNCE).await.assert_ok();
    let reports = app.stack.messages.take_reports();
    for call in [Call::FindUser, Call::RecordReport] {
        app.faults.inject(call, CallFault::Http500, 3);
        assert_eq!(app.invoke(Route::Login, &reports[0]).await, None);
    }
    assert_eq!(app.invoke(Route::Login, &reports[0]).await.unwrap(), "null");
    app.advance(MINUTE);
    assert_undeliverable(&app.login(BOUNCE).await);
}

#[tokio::test]
async fn the_log_says_what_became_of_which_message_and_names_nobody() {
    let app = TestApp::start().await;
    let answer = login_and_report(&app, "suppressionlist+log@simulator.amazonses.com").await;
    let challenge = answer.text("challenge_id");
    let lines = app.log.lines_about("s***@s***.com");
    let mut reports = lines
        .iter()
        .filter(|line| line["event"] == "report" && line["challenge_id"] == challenge.as_str());
    let line = reports.next().unwrap();
    assert_eq!(line["outcome"], "suppressed");
    assert_eq!(
        (&line["way"], &line["channel"]),
        (&json!("email"), &json!("email"))
    );
    assert!(line["pseudonym"].is_string() && line["message_id"].is_string());
}

/// In whatever order and how often events come, the destination ends in the same state.
#[tokio::test]
async fn events_that_come_twice_and_in_any_order_leave_the_same_state() {
    let settings = [
        ("REQUESTS_PER_IP_PER_HOUR", "1000"),
        ("CONVERSION_GUARD", "0"),
    ];
    let app = TestApp::with(&settings).await;
    let mut ends = Vec::new();
    for seed in 0..40 {
        let mut rng = StdRng::seed_from_u64(seed);
        let to = format!("order{seed}@example.com");
        app.add_user(&to, false).await;
        let began = app.now();
        let first = app.login(&to).await.text("challenge_id");
        let complaint = json!({ "complaintFeedbackType": "abuse" });
        let mut events = vec![
            event(&app, &to, &first, "Delivery", &json!({})),
            event(&app, &to, &first, "Complaint", &complaint),
        ];
        app.advance(MINUTE);
        events.push(bounce(&app, &to, &first));
        app.advance(MINUTE);
        let second = app.login(&to).await.text("challenge_id");
        events.push(event(&app, &to, &second, "Delivery", &json!({})));
        events.push(event(&app, &to, &second, "DeliveryDelay", &json!({})));
        app.advance(MINUTE);
        // Each once, and some of them again.
        let mut order: Vec<_> = (0..events.len()).chain(0..events.len()).collect();
        order.shuffle(&mut rng);
        let at_least = events.len() + 1;
        while (0..events.len()).any(|nth| !order[..at_least].contains(&nth)) {
            order.shuffle(&mut rng);
        }
        for nth in &order[..at_least] {
            bring(&app, &events[*nth]).await;
        }
        let answer = app.login(&to).await;
        let mut states = states(&app, &to).await;
        states.sort();
        let history = history(&app, &to).await.unwrap();
        let times = ["complained#email", "bounced#email", "reached#email"];
        let since = |name| number(&history, name).map(|at| at - i64::try_from(began).unwrap());
        let times = times.map(since);
        ends.push((answer.status, states, times));
    }
    assert_eq!(ends[0].0, 200, "the second message has arrived");
    assert!(ends.windows(2).all(|pair| pair[0] == pair[1]), "{ends:?}");
}

fn bounce(app: &TestApp, to: &str, challenge: &str) -> Value {
    let bounce = json!({ "bounceType": "Permanent", "bounceSubType": "General" });
    event(app, to, challenge, "Bounce", &bounce)
}

/// An event of SES, now, about the message with the code of a challenge.
fn event(app: &TestApp, to: &str, challenge: &str, what: &str, more: &Value) -> Value {
    let seconds = app.now() / 1000 - 1_767_226_200;
    let minutes = 10 + seconds / 60;
    let now = format!(
        "2026-01-01T{:02}:{:02}:{:02}.000Z",
        minutes / 60,
        minutes % 60,
        seconds % 60
    );
    let mut about = json!({ "timestamp": now });
    for (name, value) in more.as_object().unwrap() {
        about[name] = value.clone();
    }
    let mut member = what.to_owned();
    member.replace_range(..1, &what[..1].to_lowercase());
    json!({ "source": "aws.ses", "detail-type": "Email", "detail": {
        "eventType": what,
        member: about,
        "mail": { "timestamp": now, "messageId": "m", "destination": [to],
            "tags": { "challenge_id": [challenge] } },
    }})
}

async fn bring(app: &TestApp, event: &Value) {
    let answer = app.invoke(Route::Login, &event.to_string()).await;
    assert_eq!(answer.as_deref(), Some("null"), "the event is taken");
}
