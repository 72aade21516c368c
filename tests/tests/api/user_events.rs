//! Each change of a user has its event, in the same transaction.

use std::{collections::BTreeMap, time::Duration};

use axum::http::Method;
use axum::{Json, Router, extract::State, routing::post};
use otp_domain::{OperationId, UnixTime};
use otp_service::store::{Events, Store, Transition, UserWritten};
use otp_service::{ambient, table::Table};
use serde_json::{Value, json};
use tests::{
    ALICE, Call, CallFault, DESTINATIONS, ME, PHONE, SESSIONS, TestApp, destination,
    table::{Item, number, sort_key},
};
use tokio::{net::TcpListener, sync::mpsc, time::timeout};

use crate::{
    admin::Admin,
    destinations::{add, adding_code, prove},
    template::evaluator::{Pipe, records},
    tokens::claims,
};

const BOB: &str = "bob@example.com";
const ON: &[(&str, &str)] = &[
    ("EVENT_BUS_NAME", "default"),
    ("RESEND_COOLDOWN_SECONDS", "0"),
    ("SENDS_PER_HOUR", "100"),
    ("SENDS_PER_DAY", "100"),
];

fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    item[name].as_s().unwrap()
}

/// All events, by their keys: in the order of their sequence.
async fn events(app: &TestApp) -> Vec<Item> {
    let mut all = app.items().await;
    all.retain(|item| sort_key(item).starts_with("event#"));
    all.sort_by_key(|item| (sort_key(item), text(item, "pk").to_owned()));
    all
}

/// The kinds of all events that nobody has asked for yet.
async fn news(app: &TestApp, seen: &mut usize) -> Vec<String> {
    app.advance(Duration::from_secs(1));
    let all = events(app).await;
    let new = all[*seen..].iter().map(|it| text(it, "kind").to_owned());
    let new = new.collect();
    *seen = all.len();
    new
}

/// What is true of the events of every user: the last one is that of the user's last change, and
/// no two but ends of sessions have the same sequence.
async fn assert_in_step(app: &TestApp) {
    let mut last = BTreeMap::new();
    for event in events(app).await {
        if text(&event, "kind") == "session-ended" {
            continue;
        }
        let sequence: i64 = text(&event, "sequence").parse().unwrap();
        let before = last.insert(text(&event, "pk").to_owned(), sequence);
        assert!(before.is_none_or(|before| before < sequence), "{event:?}");
    }
    let items = app.items().await;
    let users = items.iter().filter(|item| item.contains_key("version"));
    for user in users {
        assert_eq!(last.get(text(user, "pk")).copied(), number(user, "version"));
    }
}

async fn remove(app: &TestApp, login: &Value, to: &str) {
    let path = format!("{DESTINATIONS}remove/");
    let body = destination(to);
    let removed = app.post_with_token(&path, &login["token"], &body).await;
    assert_eq!(removed.status, 204);
}

#[tokio::test]
async fn each_change_of_a_user_writes_its_event() {
    let app = TestApp::with(ON).await;
    let seen = &mut 0;
    let login = app.log_in(ALICE).await;
    assert_eq!(news(&app, seen).await, ["created"]);
    // A login changes no user.
    let other = app.log_in(ALICE).await;
    assert_eq!(news(&app, seen).await, [""; 0]);
    add(&app, &login, BOB).await;
    assert_eq!(news(&app, seen).await, ["destination-added"]);
    remove(&app, &login, BOB).await;
    assert_eq!(news(&app, seen).await, ["destination-removed"]);
    app.admin_does(&format!("change {ALICE} --phone {PHONE}"))
        .await;
    assert_eq!(news(&app, seen).await, ["destination-changed"]);
    let end = format!("{SESSIONS}{}/", sid(&app, &other).await);
    let ended = app.with_token(Method::DELETE, &end, &login["token"]).await;
    assert_eq!(ended.status, 204);
    assert_eq!(news(&app, seen).await, ["session-ended"]);
    assert!(app.set_claims(PHONE, r#"{"a":1}"#).await);
    assert_eq!(news(&app, seen).await, ["claims-changed"]);
    // What changes nothing is no event.
    assert!(app.set_claims(PHONE, r#"{"a":1}"#).await);
    app.admin_does(&format!("enable {PHONE}")).await;
    assert_eq!(news(&app, seen).await, [""; 0]);
    app.admin_does(&format!("disable {PHONE}")).await;
    assert_eq!(news(&app, seen).await, ["disabled", "session-ended"]);
    app.admin_does(&format!("enable {PHONE}")).await;
    assert_eq!(news(&app, seen).await, ["enabled"]);
    assert_in_step(&app).await;
    let login = app.log_in(PHONE).await;
    let deleted = app.with_token(Method::DELETE, ME, &login["token"]).await;
    assert_eq!(deleted.status, 204);
    assert_eq!(news(&app, seen).await, ["removed", "session-ended"]);
    app.admin_does(&format!("add --email {ALICE}")).await;
    assert_eq!(news(&app, seen).await, ["created"]);
    app.admin_does(&format!("remove {ALICE}")).await;
    assert_eq!(news(&app, seen).await, ["disabled", "removed"]);
    assert_in_step(&app).await;

    for event in events(&app).await {
        let names: Vec<_> = event.keys().map(String::as_str).collect();
        assert_eq!(names.len(), 9, "{names:?}");
        let said = format!("{event:?}");
        for to in [ALICE, BOB, PHONE] {
            assert!(!said.contains(to), "{said}");
        }
        assert_eq!(
            format!("user#{}", text(&event, "owner")),
            text(&event, "pk")
        );
        let is_end = text(&event, "kind") == "session-ended";
        assert_eq!(text(&event, "session_id").is_empty(), !is_end);
        let written = number(&event, "expires_at").unwrap() - 86_400_000;
        let now = i64::try_from(app.now()).unwrap();
        assert!((now - 60_000..=now).contains(&written), "{event:?}");
    }
}

async fn sid(app: &TestApp, login: &Value) -> String {
    let token = login["token"].as_str().unwrap();
    claims(app, token).await["sid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_change_that_fails_leaves_no_event_and_one_whose_answer_is_lost_leaves_one() {
    for call in [
        Call::Redeem,
        Call::AddDestination,
        Call::RemoveDestination,
        Call::ChangeUser,
    ] {
        for fault in [CallFault::Http503, CallFault::ReplyDropped] {
            let app = TestApp::with(ON).await;
            app.faults.inject(call, fault, 20);
            let (id, code) = app.receive_code(ALICE).await;
            app.validate(ALICE, Some(&id), &code).await;
            assert_in_step(&app).await;
            if call == Call::Redeem {
                continue;
            }
            app.advance(Duration::from_secs(1));
            let login = app.log_in(ALICE).await;
            let (id, code) = adding_code(&app, &login, BOB).await;
            prove(&app, &login, BOB, &id, &code).await;
            let path = format!("{DESTINATIONS}remove/");
            app.post_with_token(&path, &login["token"], &destination(BOB))
                .await;
            app.with_token(Method::DELETE, ME, &login["token"]).await;
            assert_in_step(&app).await;
        }
    }
}

#[tokio::test]
async fn a_change_that_comes_too_late_leaves_no_event() {
    let app = TestApp::with(ON).await;
    let login = app.log_in(ALICE).await;
    app.log_in(PHONE).await;
    let seen = &mut 0;
    assert_eq!(news(&app, seen).await, ["created", "created"]);
    let table = app.settings.sessions.table_name.clone();
    let client = aws_sdk_dynamodb::Client::new(local::aws::clients(app.operator.address).sdk());
    let store = Store::new(Table::new(client, table), Events::On);
    let read = store.find_user_record(&ALICE.parse().unwrap()).await;
    let read = read.unwrap().expect("a user");
    assert!(app.set_claims(ALICE, r#"{"a":1}"#).await);
    assert_eq!(news(&app, seen).await, ["claims-changed"]);
    let operation = OperationId::draw(&mut ambient::rng());
    let now = UnixTime::from_millis(app.now());
    let removal = Transition::Remove(&read);
    let written = store.write_user(removal, "change", &operation, now).await;
    assert_eq!(written, Ok(UserWritten::Outdated));
    // The number is another user's.
    let (id, code) = adding_code(&app, &login, PHONE).await;
    let taken = prove(&app, &login, PHONE, &id, &code).await;
    assert_eq!(taken.status, 409);
    let taken = app
        .admin(&format!("add --email {BOB} --phone {PHONE}"))
        .await;
    assert_eq!(taken.exit, ::admin::Exit::Failed);
    assert_eq!(news(&app, seen).await, [""; 0]);
    assert_in_step(&app).await;
}

#[tokio::test]
async fn a_session_ends_once_however_often_it_is_ended() {
    for fault in CallFault::NOTHING_DONE
        .into_iter()
        .chain(CallFault::REPLY_LOST)
    {
        let app = TestApp::with(ON).await;
        let login = app.log_in(ALICE).await;
        let out = json!({ "refresh_token": login["refresh_token"] });
        app.faults.inject(Call::EndSessionTold, fault, 1);
        for _ in 0..3 {
            app.log_out(out.clone()).await;
        }
        assert_eq!(app.sessions().await, 0);
        let ended = events(&app).await.into_iter();
        let ended: Vec<_> = ended
            .filter(|event| text(event, "kind") == "session-ended")
            .collect();
        assert_eq!(ended.len(), 1, "{fault:?}");
        assert_eq!(text(&ended[0], "session_id"), sid(&app, &login).await);
    }
}

#[tokio::test]
async fn without_a_bus_nobody_writes_an_event() {
    let app = TestApp::with(&ON[1..]).await;
    let login = app.log_in(ALICE).await;
    add(&app, &login, BOB).await;
    app.admin_does(&format!("disable {ALICE}")).await;
    app.admin_does(&format!("remove {ALICE}")).await;
    assert!(events(&app).await.is_empty());
}

/// A program that takes events, and its URL.
async fn subscriber() -> (mpsc::UnboundedReceiver<Value>, String) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let take = async |State(sender): State<mpsc::UnboundedSender<Value>>, Json(event)| {
        let _ = sender.send(event);
    };
    let router = Router::new().route("/", post(take)).with_state(sender);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (receiver, url)
}

#[tokio::test]
async fn the_local_stack_posts_what_the_pipe_makes_of_the_stream() {
    let (mut events, url) = subscriber().await;
    let app = TestApp::with(&[("EVENTS_URL", &url)]).await;
    let login = app.log_in(ALICE).await;
    let deleted = app.with_token(Method::DELETE, ME, &login["token"]).await;
    assert_eq!(deleted.status, 204);
    let mut posted = Vec::new();
    for kind in ["created", "removed", "session-ended"] {
        let event = timeout(Duration::from_secs(20), events.recv()).await;
        let event = event.expect("an event in time").expect("an event");
        assert_eq!(event["detail"]["kind"], kind);
        assert_eq!(event["detail"]["user_id"], login["user_id"]);
        posted.push(event);
    }
    let mut shown = app.stack.messages.events();
    shown.reverse();
    assert_eq!(shown, posted);

    let pipe = Pipe::of_template();
    let records = records(app.stack.aws, &app.settings.sessions.table_name).await;
    let made: Vec<_> = records.iter().filter_map(|it| pipe.event(it)).collect();
    let essence =
        |event: &Value| ["source", "detail-type", "detail"].map(|name| event[name].clone());
    let (made, posted): (Vec<_>, Vec<_>) = (
        made.iter().map(essence).collect(),
        posted.iter().map(essence).collect(),
    );
    assert_eq!(made, posted);
    assert!(records.len() > made.len());
}
