//! Claims: what an operator says about a user, in tokens and in the user's profile.

use std::{ffi::OsString, net::SocketAddr, time::Duration};

use admin::{Exit, Io, run};
use aws_sdk_dynamodb::Client as DynamoDb;
use local::aws::clients;
use otp_domain::{Claims, OperationId, UnixTime, UserRecord};
use otp_service::{
    ambient,
    store::{Events, Store, Transition, UserWritten},
    table::Table,
};
use serde_json::{Value, json};
use tests::{ALICE, Call, CallFault, PHONE, TestApp, table::partition_key};

use crate::{refresh::assert_refused, tokens::claims};

/// Runs the operator's tool; returns the exit code and what it reported.
async fn admin(app: &TestApp, args: &[&str], stdin: &[u8]) -> (Exit, String) {
    admin_at(app.operator.address, app, args, stdin).await
}

/// The same, with the services at this address.
async fn admin_at(
    services: SocketAddr,
    app: &TestApp,
    args: &[&str],
    mut stdin: &[u8],
) -> (Exit, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut io = Io {
        stdin: &mut stdin,
        stdout: &mut out,
        stderr: &mut err,
    };
    let table = Some(app.settings.sessions.table_name.clone());
    let aws = async || clients(services);
    let args = args.iter().map(OsString::from);
    let exit = run(args, table, aws, UnixTime::from_millis(app.now()), &mut io).await;
    out.extend(err);
    (exit, String::from_utf8(out).unwrap())
}

async fn set(app: &TestApp, to: &str, claims: &str) {
    let (exit, said) = admin(app, &["users", "set", to, "--claims", claims], b"").await;
    assert_eq!(exit, Exit::Done, "{said}");
}

/// The operator's claims of an access token: all but the service's own.
async fn operators(app: &TestApp, token: &Value) -> Value {
    let mut spoken = claims(app, token.as_str().unwrap()).await;
    let own = [
        "iss",
        "sub",
        "aud",
        "client_id",
        "iat",
        "exp",
        "auth_time",
        "jti",
        "amr",
        "sid",
        "email",
        "email_verified",
        "phone_number",
        "phone_number_verified",
    ];
    spoken
        .as_object_mut()
        .unwrap()
        .retain(|name, _| !own.contains(&name.as_str()));
    spoken
}

async fn refreshed(app: &TestApp, login: &mut Value) -> Value {
    let answer = app.refresh(&login["refresh_token"]).await;
    *login = answer.assert_ok().clone();
    operators(app, &login["token"]).await
}

async fn profile(app: &TestApp, login: &Value) -> Value {
    let answer = app.me(login["token"].as_str().unwrap()).await;
    answer.assert_ok()["claims"].clone()
}

#[tokio::test]
async fn claims_are_in_new_and_refreshed_tokens_and_in_the_profile() {
    let app = TestApp::start().await;
    let both = ["users", "add", "--email", ALICE, "--phone", PHONE];
    admin(&app, &both, b"").await;
    let mut login = app.log_in(ALICE).await;
    assert_eq!(operators(&app, &login["token"]).await, json!({}));
    assert_eq!(profile(&app, &login).await, Value::Null);

    // From the next refresh of a session that stands, whichever destination was named.
    let editor = json!({ "roles": ["editor"], "tenant": { "id": 7 } });
    set(&app, PHONE, &editor.to_string()).await;
    assert_eq!(profile(&app, &login).await, editor);
    assert_eq!(refreshed(&app, &mut login).await, editor);
    let by_phone = app.log_in(PHONE).await;
    assert_eq!(operators(&app, &by_phone["token"]).await, editor);

    // Changed, and removed.
    set(&app, ALICE, r#"{"plan":"gold"}"#).await;
    assert_eq!(refreshed(&app, &mut login).await, json!({ "plan": "gold" }));
    set(&app, ALICE, "{}").await;
    assert_eq!(refreshed(&app, &mut login).await, json!({}));
    assert_eq!(profile(&app, &login).await, Value::Null);
    let left = app.items().await;
    assert!(left.iter().all(|item| !item.contains_key("claims")));
}

#[tokio::test]
async fn claims_survive_a_disabling_and_end_with_the_user() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    let gold = json!({ "plan": "gold" });
    let add = ["users", "add", "--email", ALICE, "--claims"];
    let (exit, _) = admin(&app, &[&add[..], &[&gold.to_string()]].concat(), b"").await;
    assert_eq!(exit, Exit::Done);
    for command in ["disable", "enable"] {
        admin(&app, &["users", command, ALICE], b"").await;
    }
    let mut login = app.log_in(ALICE).await;
    assert_eq!(operators(&app, &login["token"]).await, gold);
    assert_eq!(refreshed(&app, &mut login).await, gold);

    admin(&app, &["users", "remove", ALICE], b"").await;
    let left = app.items().await;
    assert!(left.iter().all(|item| !item.contains_key("claims")));
    assert_refused(&app.refresh(&login["refresh_token"]).await);
    app.advance(Duration::from_secs(1));
    let next = app.log_in(ALICE).await;
    assert_eq!(operators(&app, &next["token"]).await, json!({}));
}

/// The user of a destination is removed, and the next one added, after an operator's change has
/// read the first one.
#[tokio::test]
async fn a_change_of_a_user_who_was_removed_meanwhile_does_not_reach_the_next_one() {
    let app = TestApp::start().await;
    let add = ["users", "add", "--email", ALICE];
    admin(&app, &add, b"").await;
    let table = app.settings.sessions.table_name.clone();
    let client = DynamoDb::new(clients(app.operator.address).sdk());
    let store = Store::new(Table::new(client, table), Events::Off);
    let removed = store
        .find_user_record(&ALICE.parse().unwrap())
        .await
        .unwrap();
    let removed = removed.expect("the first user");
    admin(&app, &["users", "remove", ALICE], b"").await;
    admin(&app, &add, b"").await;
    let mut login = app.log_in(ALICE).await;

    let claims = Claims::parse(r#"{"role":"admin"}"#).unwrap();
    let changed = [
        UserRecord {
            claims,
            ..removed.clone()
        },
        UserRecord {
            disabled_at: Some(removed.created_at),
            ..removed.clone()
        },
        removed.clone(),
    ];
    let all = changed.iter().map(|it| Transition::Change(&removed, it));
    for change in all.chain([Transition::Remove(&removed)]) {
        let (operation, now) = (
            OperationId::draw(&mut ambient::rng()),
            UnixTime::from_millis(app.now()),
        );
        let written = store.write_user(change, "change", &operation, now).await;
        assert_eq!(written, Ok(UserWritten::Outdated));
        assert_eq!(refreshed(&app, &mut login).await, json!({}));
        assert_eq!(profile(&app, &login).await, Value::Null);
    }
    let operation = OperationId::draw(&mut ambient::rng());
    store.end_devices(&removed, &operation).await.unwrap();
    let items = app.partition(&partition_key(ALICE)).await;
    assert!(!items["user"].contains_key("devices_ended"));
}

#[tokio::test]
async fn claims_go_in_and_out_as_csv() {
    let app = TestApp::start().await;
    let users = "email,phone_number,claims\n\
                 a@example.com,,\"{\"\"plan\"\":\"\"gold\"\"}\"\n\
                 b@example.com,,\n";
    let (exit, said) = admin(&app, &["users", "add", "--csv", "-"], users.as_bytes()).await;
    assert_eq!(exit, Exit::Done, "{said}");
    let (_, listed) = admin(&app, &["users", "list"], b"").await;
    assert!(
        listed.contains(",false,\"{\"\"plan\"\":\"\"gold\"\"}\"\n"),
        "{listed}"
    );
    assert!(listed.contains(",false,{}\n"), "{listed}");

    // What is listed can be edited and set.
    let edited = listed
        .replace("gold", "silver")
        .replace(",{}", ",\"{\"\"n\"\":1}\"");
    let (exit, said) = admin(&app, &["users", "set", "--csv", "-"], edited.as_bytes()).await;
    assert_eq!(exit, Exit::Done, "{said}");
    assert!(
        said.ends_with("2 changed, 0 unchanged, 0 failed\n"),
        "{said}"
    );
    for (to, expected) in [
        ("a@example.com", json!({ "plan": "silver" })),
        ("b@example.com", json!({ "n": 1 })),
    ] {
        let login = app.log_in(to).await;
        assert_eq!(operators(&app, &login["token"]).await, expected, "{to}");
    }
    // An empty field removes nothing, and nothing is written.
    let empty = "email,phone_number,claims\na@example.com,,{}\nb@example.com,,\n";
    let (exit, said) = admin(&app, &["users", "set", "--csv", "-"], empty.as_bytes()).await;
    assert_eq!(exit, Exit::Failed);
    assert_eq!(
        said,
        "line 3: no claims; {} removes them\nnothing was written\n"
    );
    assert_eq!(admin(&app, &["users", "list"], b"").await.1, {
        let (_, listed) = admin(&app, &["users", "list"], b"").await;
        assert!(listed.contains("silver"));
        listed
    });
}

#[tokio::test]
async fn nobody_gets_the_claims_of_a_user_who_does_not_exist() {
    let app = TestApp::start().await;
    let line = ["users", "set", ALICE, "--claims", r#"{"a":1}"#];
    let (exit, said) = admin(&app, &line, b"").await;
    assert_eq!(exit, Exit::Failed);
    assert_eq!(said, "alice@example.com: failed: no such user\n");
    let login = app.log_in(ALICE).await;
    assert_eq!(operators(&app, &login["token"]).await, json!({}));
}

#[tokio::test]
async fn without_the_claims_there_is_no_token_but_a_reused_one_still_ends_its_session() {
    let app = TestApp::with(&[("REFRESH_GRACE_SECONDS", "60")]).await;
    let first = app.log_in(ALICE).await["refresh_token"].clone();
    app.faults.inject(Call::FindUser, CallFault::Http500, 3);
    app.refresh(&first).await.assert_unavailable();
    app.faults.stop();
    app.refresh(&first).await.assert_ok();
    app.advance(Duration::from_mins(2));
    app.faults.inject(Call::FindUser, CallFault::Http500, 3);
    assert_refused(&app.refresh(&first).await);
    assert_eq!(app.sessions().await, 0);
}

#[tokio::test]
async fn an_interrupted_write_leaves_both_places_alike_and_can_be_repeated() {
    for (fault, old_is_left) in [
        (CallFault::Http500, true),
        (CallFault::ReplyReplacedBy500, false),
    ] {
        let app = TestApp::start().await;
        let mut login = app.log_in(ALICE).await;
        set(&app, ALICE, r#"{"n":1}"#).await;
        app.faults.inject(Call::SetClaims, fault, usize::MAX);
        let line = ["users", "set", ALICE, "--claims", r#"{"n":2}"#];
        let (exit, said) = admin_at(app.faults.address, &app, &line, b"").await;
        app.faults.stop();
        assert_eq!(exit, Exit::Failed);
        assert!(said.contains("unknown whether changed"), "{said}");
        let left = json!({ "n": if old_is_left { 1 } else { 2 } });
        assert_eq!(refreshed(&app, &mut login).await, left);
        assert_eq!(profile(&app, &login).await, left);
        set(&app, ALICE, r#"{"n":2}"#).await;
        assert_eq!(refreshed(&app, &mut login).await, json!({ "n": 2 }));
    }
}
