//! The user whom a challenge carries from its login to its validation.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use tests::{
    ALICE, Answer, Call, TestApp,
    table::{Item, partition_key},
};

use crate::tokens::claims;

/// The calls of the validation of a right code, and its answer.
async fn validate(app: &TestApp, id: &str, code: &str) -> (Answer, Vec<Call>) {
    app.faults.stop();
    let answer = app.validate(ALICE, Some(id), code).await;
    (answer, app.faults.calls())
}

fn count(calls: &[Call], call: Call) -> usize {
    calls.iter().filter(|made| **made == call).count()
}

async fn plan(app: &TestApp, answer: &Answer) -> Value {
    let token = answer.text("token");
    claims(app, &token).await["plan"].clone()
}

/// Changes an attribute of the user.
async fn set(app: &TestApp, name: &str, value: Option<&str>) {
    let mut items = app.partition(&partition_key(ALICE)).await;
    let mut item = items.remove("user").expect("a user");
    item.remove(name);
    item.extend(value.map(|value| (name.to_owned(), AttributeValue::S(value.to_owned()))));
    app.put(item).await;
}

#[tokio::test]
async fn a_login_and_its_validation_look_for_the_user_once() {
    let app = TestApp::start().await;
    app.faults.read_whole_batches();
    for new_user in [true, false] {
        app.faults.stop();
        let (id, code) = app.receive_code(ALICE).await;
        assert_eq!(
            app.faults.calls(),
            [Call::FindUser, Call::Admit, Call::SendEmail]
        );
        let (answer, calls) = validate(&app, &id, &code).await;
        assert_eq!(answer.assert_ok()["new_user"], new_user);
        assert_eq!(count(&calls, Call::FindUser), 0);
        assert_eq!(calls[calls.len() - 2..], [Call::Sign, Call::Redeem]);
        app.advance(Duration::from_secs(30));
    }
}

#[tokio::test]
async fn claims_that_changed_after_the_login_are_those_in_the_token() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    app.add_user(ALICE, false).await;
    let gold = r#"{"plan":"gold"}"#;
    let other = r#"{ "plan" : "silver", "iss": "x" }"#;
    for (before, after, expected) in [
        (None, Some(gold), json!("gold")),
        (Some(gold), None, Value::Null),
        (Some(gold), Some(other), json!("silver")),
        // Not in the form that this version writes, and unchanged.
        (Some(other), Some(other), json!("silver")),
    ] {
        app.advance(Duration::from_millis(1));
        set(&app, "claims", before).await;
        let (id, code) = app.receive_code(ALICE).await;
        set(&app, "claims", after).await;
        let (answer, calls) = validate(&app, &id, &code).await;
        answer.assert_ok();
        assert_eq!(plan(&app, &answer).await, expected);
        let tries = if before == after { 1 } else { 2 };
        assert_eq!(count(&calls, Call::Redeem), tries);
        assert_eq!(count(&calls, Call::FindUser), 0);
    }
    assert_eq!(app.sessions_of(ALICE).await, 4);
}

#[tokio::test]
async fn large_claims_and_challenges_of_earlier_versions_are_looked_up() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    app.add_user(ALICE, false).await;
    let large = format!(r#"{{"plan":"gold","a":"{}"}}"#, "x".repeat(400));
    for (claims, forgotten) in [(large.as_str(), false), (r#"{"plan":"gold"}"#, true)] {
        app.advance(Duration::from_millis(1));
        set(&app, "claims", Some(claims)).await;
        let (id, code) = app.receive_code(ALICE).await;
        if forgotten {
            let forget = |challenge: &mut Item| drop(challenge.remove("found_user"));
            app.change_challenge(ALICE, &id, forget).await;
        }
        assert!(!app.challenges(ALICE).await[&id].contains_key("found_user"));
        let (answer, calls) = validate(&app, &id, &code).await;
        answer.assert_ok();
        assert_eq!(plan(&app, &answer).await, "gold");
        assert_eq!(count(&calls, Call::FindUser), 1);
        assert_eq!(count(&calls, Call::Redeem), 1);
    }
}

#[tokio::test]
async fn a_user_who_was_added_after_the_login_is_the_one_who_logs_in() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    app.add_user(ALICE, false).await;
    let (answer, _) = validate(&app, &id, &code).await;
    assert_eq!(answer.assert_ok()["new_user"], false);
    assert_eq!(answer.text("user_id"), format!("user of {ALICE}"));
}

/// What a user may have as claims: nothing, or some.
const CLAIMS: [Option<&str>; 2] = [None, Some(r#"{"plan":"gold"}"#)];

#[tokio::test]
async fn a_user_who_was_removed_and_added_again_is_the_new_one() {
    for claims in CLAIMS {
        let app = TestApp::start().await;
        app.add_user(ALICE, false).await;
        set(&app, "claims", claims).await;
        let (id, code) = app.receive_code(ALICE).await;
        app.remove_user(ALICE).await;
        app.add_user(ALICE, false).await;
        set(&app, "claims", claims).await;
        set(&app, "user_id", Some("the next one")).await;
        let (answer, _) = validate(&app, &id, &code).await;
        assert_eq!(answer.assert_ok()["user_id"], "the next one");
    }
}

#[tokio::test]
async fn a_user_who_was_removed_after_the_login_signs_up_or_is_refused() {
    for (policy, status) in [("sign-up", 200), ("reveal", 400)] {
        let app = TestApp::with(&[("UNKNOWN_USERS", policy)]).await;
        app.add_user(ALICE, false).await;
        let (id, code) = app.receive_code(ALICE).await;
        app.remove_user(ALICE).await;
        let (answer, calls) = validate(&app, &id, &code).await;
        assert_eq!(answer.status, status, "{policy}");
        if status == 200 {
            assert_eq!(answer.json["new_user"], true);
            assert_ne!(answer.json["user_id"], format!("user of {ALICE}"));
        }
        assert_eq!(count(&calls, Call::FindUser), 0);
    }
}

#[tokio::test]
async fn a_user_who_was_disabled_after_the_login_gets_no_token() {
    for claims in CLAIMS {
        let app = TestApp::start().await;
        app.add_user(ALICE, false).await;
        set(&app, "claims", claims).await;
        let (id, code) = app.receive_code(ALICE).await;
        app.disable_user(ALICE).await;
        let (answer, calls) = validate(&app, &id, &code).await;
        answer.assert_problem(400, "invalid-otp");
        assert_eq!(count(&calls, Call::Redeem), 1);
        assert_eq!(app.sessions_of(ALICE).await, 0);
    }
}

#[tokio::test]
async fn a_code_is_used_once_on_whatever_instance_and_voids_the_earlier_ones() {
    for claims in CLAIMS {
        let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
        app.add_user(ALICE, false).await;
        set(&app, "claims", claims).await;
        let void = app.receive_code(ALICE).await;
        app.advance(Duration::from_secs(1));
        let used = app.receive_code(ALICE).await;
        app.validate(ALICE, Some(&used.0), &used.1)
            .await
            .assert_ok();
        for (id, code) in [used, void] {
            let other = app.cold_start().await;
            let answer = other.validate(ALICE, Some(&id), &code).await;
            answer.assert_problem(400, "invalid-otp");
        }
        assert_eq!(app.sessions().await, 1);
    }
}

#[tokio::test]
async fn a_used_code_starts_no_second_session_at_another_instance() {
    let app = TestApp::start().await;
    let (id, code) = app.receive_code(ALICE).await;
    app.validate(ALICE, Some(&id), &code).await.assert_ok();
    let other = app.cold_start().await;
    other.warm_up().await;
    let (answer, calls) = validate(&other, &id, &code).await;
    answer.assert_problem(400, "invalid-otp");
    assert_eq!(count(&calls, Call::Redeem), 1);
    assert_eq!(app.sessions_of(ALICE).await, 1);
}
