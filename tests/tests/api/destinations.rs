//! Users add destinations to their own account.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use tests::{
    ALICE, Answer, Call, CallFault, DESTINATIONS, Gate, PHONE, TestApp, destination, other_than,
    validation,
};

use crate::admin::Admin;

const BOB: &str = "bob@example.com";
const QUICK: &[(&str, &str)] = &[
    ("RESEND_COOLDOWN_SECONDS", "0"),
    ("SENDS_PER_HOUR", "100"),
    ("SENDS_PER_DAY", "100"),
    ("REQUESTS_PER_IP_PER_HOUR", "1000"),
];

pub async fn ask(app: &TestApp, login: &Value, to: &str) -> Answer {
    let body = destination(to);
    app.post_with_token(DESTINATIONS, &login["token"], &body)
        .await
}

pub async fn prove(app: &TestApp, login: &Value, to: &str, id: &str, code: &str) -> Answer {
    let path = format!("{DESTINATIONS}verify/");
    let body = validation(to, Some(id), code);
    app.post_with_token(&path, &login["token"], &body).await
}

/// Asks for a code that adds a destination: the challenge's id and the code.
pub async fn adding_code(app: &TestApp, login: &Value, to: &str) -> (String, String) {
    let answer = ask(app, login, to).await;
    answer.assert_ok();
    (answer.text("challenge_id"), app.newest_code(to))
}

pub async fn add(app: &TestApp, login: &Value, to: &str) {
    let (id, code) = adding_code(app, login, to).await;
    prove(app, login, to, &id, &code).await.assert_ok();
}

/// What a profile lists.
pub fn listed(profile: &Value) -> Vec<&str> {
    let all = profile["destinations"].as_array().unwrap().iter();
    let all = all.map(|it| it["email"].as_str().or(it["phone_number"].as_str()));
    all.map(Option::unwrap).collect()
}

#[tokio::test]
async fn the_same_user_logs_in_by_each_destination() {
    let app = TestApp::with(QUICK).await;
    let login = app.log_in(ALICE).await;
    for (n, to) in [PHONE, BOB].into_iter().enumerate() {
        let sent = ask(&app, &login, to).await;
        let told = sent.assert_ok();
        assert_eq!(told["destination"], to);
        assert_eq!(told["code_length"], 6);
        let (id, code) = (sent.text("challenge_id"), app.newest_code(to));
        let added = prove(&app, &login, to, &id, &code).await;
        assert_eq!(listed(added.assert_ok()).len(), n + 2);
        // A repeat finds that it is done.
        prove(&app, &login, to, &id, &code).await.assert_ok();
    }
    let profile = app.me(login["token"].as_str().unwrap()).await;
    assert_eq!(listed(profile.assert_ok()), [ALICE, BOB, PHONE]);
    app.advance(Duration::from_secs(1));
    for to in [ALICE, BOB, PHONE] {
        let by_it = app.log_in(to).await;
        assert_eq!(by_it["user_id"], login["user_id"], "{to}");
        assert_eq!(by_it["new_user"], false);
    }
}

#[tokio::test]
async fn a_code_does_only_what_it_was_sent_for() {
    let app = TestApp::with(QUICK).await;
    let (login, other) = (app.log_in(ALICE).await, app.log_in(PHONE).await);
    let (id, code) = adding_code(&app, &login, BOB).await;
    // It logs nobody in, with and without its id.
    for id in [Some(id.as_str()), None] {
        app.validate(BOB, id, &code)
            .await
            .assert_problem(400, "invalid-otp");
    }
    // It adds nothing to another user, and a login's code adds nothing.
    prove(&app, &other, BOB, &id, &code)
        .await
        .assert_problem(400, "invalid-otp");
    let (login_id, login_code) = app.receive_code(BOB).await;
    for (id, code) in [(&login_id, &login_code), (&id, &login_code)] {
        prove(&app, &login, BOB, id, code)
            .await
            .assert_problem(400, "invalid-otp");
    }
    // A guess without an id answers the login's challenge, and the other one keeps its attempts.
    let named = validation(BOB, None, &code);
    let path = format!("{DESTINATIONS}verify/");
    app.post_with_token(&path, &login["token"], &named)
        .await
        .assert_problem(400, "invalid-request");
    prove(&app, &login, BOB, &id, &code).await.assert_ok();
    let by_bob = app.validate(BOB, Some(&login_id), &login_code).await;
    assert_eq!(by_bob.assert_ok()["user_id"], login["user_id"]);
}

#[tokio::test]
async fn a_resend_keeps_its_purpose() {
    let app = TestApp::with(QUICK).await;
    let login = app.log_in(ALICE).await;
    let (id, code) = adding_code(&app, &login, BOB).await;
    let mut body = destination(BOB);
    body["challenge_id"] = json!(id);
    let again = app
        .post_with_token(DESTINATIONS, &login["token"], &body)
        .await;
    assert_eq!(again.assert_ok()["challenge_id"], id);
    assert_eq!(app.newest_code(BOB), code);
    // A login that names the challenge gets another one.
    let answer = app.post(tests::LOGIN, body.to_string()).await;
    let other = answer.assert_ok()["challenge_id"].clone();
    assert_ne!(other, id);
    let code = app.newest_code(BOB);
    let answer = app.validate(BOB, other.as_str(), &code).await;
    assert_eq!(answer.assert_ok()["new_user"], true);
}

#[tokio::test]
async fn only_the_right_code_tells_that_a_destination_is_another_users() {
    for mode in ["sign-up", "conceal", "reveal"] {
        let settings = [QUICK, &[("UNKNOWN_USERS", mode)]].concat();
        let app = TestApp::with(&settings).await;
        for to in [ALICE, BOB] {
            app.add_user(to, false).await;
        }
        app.add_user("disabled@example.com", true).await;
        let login = app.log_in(ALICE).await;
        let mut answers = Vec::new();
        for to in [BOB, "disabled@example.com", "nobody@example.com"] {
            let sent = ask(&app, &login, to).await;
            let (id, code) = (sent.text("challenge_id"), app.newest_code(to));
            let mut told = sent.assert_ok().clone();
            (told["challenge_id"], told["destination"]) = (Value::Null, Value::Null);
            answers.push(told);
            let wrong = prove(&app, &login, to, &id, &other_than(&code)).await;
            wrong.assert_problem(400, "invalid-otp");
            let right = prove(&app, &login, to, &id, &code).await;
            if to == "nobody@example.com" {
                assert_eq!(listed(right.assert_ok()), [ALICE, to], "{mode}");
            } else {
                right.assert_problem(409, "destination-taken");
            }
        }
        assert!(answers.iter().all(|told| *told == answers[0]), "{mode}");
        let by_bob = app.log_in(BOB).await;
        assert_ne!(by_bob["user_id"], login["user_id"]);
    }
}

#[tokio::test]
async fn adding_takes_a_fresh_login_and_an_active_user() {
    let app = TestApp::with(QUICK).await;
    let login = app.log_in(ALICE).await;
    let (id, code) = adding_code(&app, &login, BOB).await;
    for token in [json!("x"), json!("")] {
        let stranger = json!({ "token": token });
        ask(&app, &stranger, BOB)
            .await
            .assert_problem(401, "unauthorized");
    }
    app.advance(Duration::from_mins(10));
    ask(&app, &login, BOB)
        .await
        .assert_problem(401, "stale-login");
    prove(&app, &login, BOB, &id, &code)
        .await
        .assert_problem(401, "stale-login");
    let login = app.log_in(ALICE).await;
    app.disable_user(ALICE).await;
    ask(&app, &login, BOB)
        .await
        .assert_problem(401, "unauthorized");
}

#[tokio::test]
async fn a_user_has_ten_destinations_at_most() {
    let app = TestApp::with(QUICK).await;
    let login = app.log_in(ALICE).await;
    let late = adding_code(&app, &login, "late@example.com").await;
    for n in 0..9 {
        add(&app, &login, &format!("more{n}@example.com")).await;
    }
    ask(&app, &login, BOB)
        .await
        .assert_problem(409, "too-many-destinations");
    prove(&app, &login, "late@example.com", &late.0, &late.1)
        .await
        .assert_problem(409, "too-many-destinations");
}

#[tokio::test]
async fn an_operator_acts_on_all_destinations_of_the_user() {
    let app = TestApp::with(QUICK).await;
    let login = app.log_in(ALICE).await;
    assert!(app.set_claims(ALICE, r#"{"plan":"gold"}"#).await);
    add(&app, &login, BOB).await;
    let by_bob = app.log_in(BOB).await;
    let claims = crate::tokens::claims(&app, by_bob["token"].as_str().unwrap()).await;
    assert_eq!(claims["plan"], "gold");
    assert!(app.set_claims(BOB, r#"{"plan":"silver"}"#).await);
    app.advance(Duration::from_secs(1));
    for to in [ALICE, BOB] {
        let login = app.log_in(to).await;
        let claims = crate::tokens::claims(&app, login["token"].as_str().unwrap()).await;
        assert_eq!(claims["plan"], "silver", "{to}");
    }
}

#[tokio::test]
async fn of_two_users_who_add_one_destination_at_once_one_gets_it() {
    let app = TestApp::with(QUICK).await;
    let logins = [app.log_in(ALICE).await, app.log_in(PHONE).await];
    let mut codes = Vec::new();
    for login in &logins {
        codes.push(adding_code(&app, login, BOB).await);
    }
    let gate = Gate::of(2, Call::AddDestination, BOB);
    app.faults.hold(&gate);
    let both = logins.iter().zip(&codes);
    let both = both.map(|(login, (id, code))| prove(&app, login, BOB, id, code));
    let answers = join_all(both).await;
    gate.assert_met();
    let won: Vec<_> = answers.iter().filter(|it| it.status == 200).collect();
    assert_eq!(won.len(), 1);
    let lost = answers.iter().find(|it| it.status != 200).unwrap();
    lost.assert_problem(409, "destination-taken");
    let by_bob = app.log_in(BOB).await;
    assert_eq!(by_bob["user_id"], won[0].json["user_id"]);
}

#[tokio::test]
async fn two_destinations_that_a_user_adds_at_once_are_both_added() {
    let app = TestApp::with(QUICK).await;
    let login = app.log_in(ALICE).await;
    let mut codes = Vec::new();
    for to in [BOB, PHONE] {
        codes.push((to, adding_code(&app, &login, to).await));
    }
    let gate = Gate::of(2, Call::AddDestination, login["user_id"].as_str().unwrap());
    app.faults.hold(&gate);
    let both = codes
        .iter()
        .map(|(to, (id, code))| prove(&app, &login, to, id, code));
    for answer in join_all(both).await {
        answer.assert_ok();
    }
    gate.assert_met();
    let profile = app.me(login["token"].as_str().unwrap()).await;
    assert_eq!(listed(profile.assert_ok()), [ALICE, BOB, PHONE]);
}

#[tokio::test]
async fn a_lost_answer_leaves_a_destination_that_a_repeat_finds() {
    for fault in [CallFault::Http500, CallFault::ReplyReplacedBy500] {
        let app = TestApp::with(QUICK).await;
        let login = app.log_in(ALICE).await;
        let (id, code) = adding_code(&app, &login, BOB).await;
        app.faults.inject(Call::AddDestination, fault, usize::MAX);
        let lost = prove(&app, &login, BOB, &id, &code).await;
        lost.assert_unavailable();
        app.faults.stop();
        let again = prove(&app, &login, BOB, &id, &code).await;
        assert_eq!(listed(again.assert_ok()), [ALICE, BOB], "{fault:?}");
        assert_eq!(app.log_in(BOB).await["user_id"], login["user_id"]);
    }
}

#[tokio::test]
async fn a_removed_user_gets_no_destination() {
    let app = TestApp::with(QUICK).await;
    let login = app.log_in(ALICE).await;
    let (id, code) = adding_code(&app, &login, BOB).await;
    app.admin_does(&format!("remove {ALICE}")).await;
    prove(&app, &login, BOB, &id, &code)
        .await
        .assert_problem(401, "unauthorized");
    let by_bob = app.log_in(BOB).await;
    assert_eq!(by_bob["new_user"], true);
}

#[tokio::test]
async fn a_message_says_what_its_code_confirms() {
    let app = TestApp::with(&[QUICK, &[PAGE]].concat()).await;
    let login = app.log_in(ALICE).await;
    ask(&app, &login, BOB).await.assert_ok();
    let message = app.messages(BOB).remove(0);
    let text = message.text.unwrap();
    assert_eq!(
        message.subject.as_deref(),
        Some("Add this address to your Example account")
    );
    assert!(text.contains("Your code to add this address"), "{}", text);
    // The link of a login logs somebody in.
    assert!(!text.contains("https://"), "{}", text);
    let mut body = destination(PHONE);
    body["locale"] = json!("de");
    app.post_with_token(DESTINATIONS, &login["token"], &body)
        .await
        .assert_ok();
    let text = app.messages(PHONE).remove(0).text.unwrap();
    assert!(text.contains("diese Nummer Ihrem Konto"), "{}", text);
}

async fn remove(app: &TestApp, login: &Value, to: &str) -> Answer {
    let path = format!("{DESTINATIONS}remove/");
    app.post_with_token(&path, &login["token"], &destination(to))
        .await
}

async fn undo(app: &TestApp, token: &str) -> Answer {
    let path = format!("{DESTINATIONS}undo/");
    app.post(&path, json!({ "token": token }).to_string()).await
}

const PAGE: (&str, &str) = ("SIGN_IN_URL", "https://example.com/sign-in");
const DAY: Duration = Duration::from_hours(24);

/// The token in the newest message to a destination.
fn undo_token(app: &TestApp, to: &str) -> Option<String> {
    let message = app.messages(to).into_iter().next()?;
    let text = message.text?;
    let (_, rest) = text.split_once("https://example.com/sign-in#undo=")?;
    Some(rest.trim().to_owned())
}

/// Alice has added Bob, who may remove her now; the session is by Bob.
async fn alice_and_bob(settings: &[(&str, &str)]) -> (TestApp, Value) {
    let app = TestApp::with(&[QUICK, &[PAGE], settings].concat()).await;
    let login = app.log_in(ALICE).await;
    app.advance(Duration::from_secs(1));
    add(&app, &login, BOB).await;
    app.advance(DAY * 3);
    let by_bob = app.log_in(BOB).await;
    (app, by_bob)
}

#[tokio::test]
async fn a_removed_destination_logs_in_a_new_user_and_the_others_the_old_one() {
    let (app, by_bob) = alice_and_bob(&[]).await;
    let by_alice = app.log_in(ALICE).await;
    app.advance(Duration::from_secs(1));
    let code = app.receive_code(ALICE).await;
    let removed = remove(&app, &by_bob, ALICE).await;
    assert_eq!(removed.status, 204);
    // Its sessions have ended, and that of the request has not.
    let ended = app.refresh(&by_alice["refresh_token"]).await;
    ended.assert_problem(400, "invalid-refresh-token");
    let refreshed = app.refresh(&by_bob["refresh_token"]).await;
    refreshed.assert_ok();
    let profile = app.me(by_bob["token"].as_str().unwrap()).await;
    assert_eq!(listed(profile.assert_ok()), [BOB]);
    // A repeat finds that it is done.
    assert_eq!(remove(&app, &by_bob, ALICE).await.status, 204);
    // A code from before the removal is as good as a new one, and no better.
    let answer = app.validate(ALICE, Some(&code.0), &code.1).await;
    let new = answer.assert_ok();
    assert_eq!(new["new_user"], true);
    assert_ne!(new["user_id"], by_bob["user_id"]);
    assert_eq!(app.log_in(BOB).await["user_id"], by_bob["user_id"]);
}

#[tokio::test]
async fn a_session_may_remove_the_destination_that_it_began_with() {
    let (app, by_bob) = alice_and_bob(&[]).await;
    assert_eq!(remove(&app, &by_bob, BOB).await.status, 204);
    let refreshed = app.refresh(&by_bob["refresh_token"]).await;
    let token = refreshed.assert_ok()["token"].clone();
    let claims = crate::tokens::claims(&app, token.as_str().unwrap()).await;
    assert_eq!(claims["email"], ALICE);
    // It was no older one that removed it, so there is nothing to undo.
    assert_eq!(undo_token(&app, BOB), None);
    // A session whose destination is gone removes no other.
    add(&app, &by_bob, PHONE).await;
    let more = remove(&app, &json!({ "token": token }), PHONE).await;
    more.assert_problem(403, "destination-too-new");
}

#[tokio::test]
async fn the_last_destination_and_those_of_others_stay() {
    let app = TestApp::with(QUICK).await;
    let (login, other) = (app.log_in(ALICE).await, app.log_in(BOB).await);
    remove(&app, &login, ALICE)
        .await
        .assert_problem(409, "last-destination");
    assert_eq!(remove(&app, &login, BOB).await.status, 204);
    app.advance(Duration::from_secs(1));
    assert_eq!(app.log_in(BOB).await["user_id"], other["user_id"]);
}

#[tokio::test]
async fn a_new_destination_removes_no_older_one_for_three_days() {
    let app = TestApp::with(QUICK).await;
    let login = app.log_in(ALICE).await;
    app.advance(Duration::from_secs(1));
    add(&app, &login, BOB).await;
    app.advance(Duration::from_secs(3 * 86_400 - 1));
    let by_bob = app.log_in(BOB).await;
    remove(&app, &by_bob, ALICE)
        .await
        .assert_problem(403, "destination-too-new");
    app.advance(Duration::from_secs(1));
    assert_eq!(remove(&app, &by_bob, ALICE).await.status, 204);
}

#[tokio::test]
async fn each_change_is_told_to_the_others_and_to_a_removed_one() {
    let (app, by_bob) = alice_and_bob(&[]).await;
    let subjects = |to: &str| -> Vec<_> {
        let all = app.messages(to).into_iter();
        all.filter(|it| it.code.is_none())
            .map(|it| it.subject.unwrap())
            .collect()
    };
    let changed = "Your Example account has changed";
    // The addition was told to Alice.
    assert_eq!(subjects(ALICE), [changed]);
    assert!(subjects(BOB).is_empty());
    let token = adding_code(&app, &by_bob, PHONE).await;
    prove(&app, &by_bob, PHONE, &token.0, &token.1)
        .await
        .assert_ok();
    assert_eq!(subjects(ALICE).len(), 2);
    assert_eq!(remove(&app, &by_bob, PHONE).await.status, 204);
    // Of two that say the same within an hour, one is sent. The removed one is told so.
    assert_eq!(subjects(ALICE).len(), 2);
    // Its code is used, and adds nothing again.
    prove(&app, &by_bob, PHONE, &token.0, &token.1)
        .await
        .assert_problem(400, "invalid-otp");
    let told = app.messages(PHONE).remove(0).text.unwrap();
    assert!(
        told.starts_with("This address or number no longer"),
        "{told}"
    );
    assert!(
        !told.contains("undo"),
        "an older destination removed it: {told}"
    );
}

#[tokio::test]
async fn a_destination_gets_five_notices_a_day() {
    let (app, _) = alice_and_bob(&[]).await;
    let now = app.now() % 86_400_000;
    app.advance(Duration::from_millis(86_400_000 - now));
    let notices = || {
        let all = app.messages(ALICE).into_iter();
        all.filter(|it| it.code.is_none()).count()
    };
    let before = notices();
    for _ in 0..4 {
        let by_bob = app.log_in(BOB).await;
        add(&app, &by_bob, PHONE).await;
        app.advance(Duration::from_hours(1));
        let by_bob = app.log_in(BOB).await;
        assert_eq!(remove(&app, &by_bob, PHONE).await.status, 204);
        app.advance(Duration::from_hours(1));
    }
    assert_eq!(notices() - before, 5);
}

#[tokio::test]
async fn an_undo_gives_a_destination_back_once_and_logs_nobody_in() {
    let (app, by_bob) = alice_and_bob(&[]).await;
    assert_eq!(remove(&app, &by_bob, ALICE).await.status, 204);
    let token = undo_token(&app, ALICE).expect("an undo");
    add(&app, &by_bob, PHONE).await;
    assert!(
        !format!("{:?}", app.items().await).contains(&token),
        "the table has it"
    );
    // Somebody signs up with the destination meanwhile.
    let stranger = app.log_in(ALICE).await;
    assert_ne!(stranger["user_id"], by_bob["user_id"]);
    let undone = undo(&app, &token).await;
    assert_eq!(undone.status, 204);
    assert!(undone.bytes.is_empty());
    undo(&app, &token).await.assert_problem(400, "invalid-undo");
    for login in [&by_bob, &stranger] {
        let ended = app.refresh(&login["refresh_token"]).await;
        ended.assert_problem(400, "invalid-refresh-token");
    }
    assert_eq!(app.sessions().await, 0);
    app.advance(Duration::from_secs(1));
    let by_alice = app.log_in(ALICE).await;
    assert_eq!(by_alice["user_id"], by_bob["user_id"]);
    let profile = app.me(by_alice["token"].as_str().unwrap()).await;
    assert_eq!(listed(profile.assert_ok()), [ALICE, BOB]);
    // What was added since is off, and the user who was made meanwhile is gone.
    assert_ne!(app.log_in(PHONE).await["user_id"], by_bob["user_id"]);
    let gone = format!("user#{}", stranger["user_id"].as_str().unwrap());
    assert!(app.partition(&gone).await.is_empty());
    // It is as old as it was.
    assert_eq!(remove(&app, &by_alice, BOB).await.status, 204);
}

#[tokio::test]
async fn an_undo_is_over_after_three_days_and_needs_its_token() {
    let (app, by_bob) = alice_and_bob(&[]).await;
    assert_eq!(remove(&app, &by_bob, ALICE).await.status, 204);
    let token = undo_token(&app, ALICE).unwrap();
    let other = format!("{}A", &token[..21]);
    for wrong in ["", "x", &other, by_bob["token"].as_str().unwrap()] {
        if wrong != token {
            undo(&app, wrong).await.assert_problem(400, "invalid-undo");
        }
    }
    app.advance(DAY * 3);
    undo(&app, &token).await.assert_problem(400, "invalid-undo");
    app.advance(Duration::from_secs(1));
    assert_ne!(app.log_in(ALICE).await["user_id"], by_bob["user_id"]);
}

#[tokio::test]
async fn an_undo_takes_nothing_from_a_user_who_was_there_before() {
    let (app, by_bob) = alice_and_bob(&[]).await;
    let other = app.log_in(PHONE).await;
    app.advance(Duration::from_secs(1));
    assert_eq!(remove(&app, &by_bob, ALICE).await.status, 204);
    let token = undo_token(&app, ALICE).unwrap();
    add(&app, &other, ALICE).await;
    undo(&app, &token)
        .await
        .assert_problem(409, "destination-taken");
    assert_eq!(app.log_in(ALICE).await["user_id"], other["user_id"]);
}

#[tokio::test]
async fn a_lost_answer_of_a_removal_and_of_an_undo_can_be_repeated() {
    for fault in [CallFault::Http500, CallFault::ReplyReplacedBy500] {
        let (app, by_bob) = alice_and_bob(&[]).await;
        app.faults
            .inject(Call::RemoveDestination, fault, usize::MAX);
        remove(&app, &by_bob, ALICE).await.assert_unavailable();
        app.faults.stop();
        assert_eq!(remove(&app, &by_bob, ALICE).await.status, 204);
        let profile = app.me(by_bob["token"].as_str().unwrap()).await;
        assert_eq!(listed(profile.assert_ok()), [BOB], "{fault:?}");

        let (app, by_bob) = alice_and_bob(&[]).await;
        assert_eq!(remove(&app, &by_bob, ALICE).await.status, 204);
        let token = undo_token(&app, ALICE).unwrap();
        app.faults.inject(Call::UndoRemoval, fault, usize::MAX);
        undo(&app, &token).await.assert_unavailable();
        app.faults.stop();
        assert_eq!(undo(&app, &token).await.status, 204);
        assert_eq!(app.sessions().await, 0);
        app.advance(Duration::from_secs(1));
        assert_eq!(app.log_in(ALICE).await["user_id"], by_bob["user_id"]);
    }
}

#[tokio::test]
async fn two_destinations_never_remove_each_other_at_once() {
    let (app, by_bob) = alice_and_bob(&[]).await;
    let by_alice = app.log_in(ALICE).await;
    let gate = Gate::of(
        2,
        Call::RemoveDestination,
        by_bob["user_id"].as_str().unwrap(),
    );
    app.faults.hold(&gate);
    let (one, other) = tokio::join!(remove(&app, &by_bob, ALICE), remove(&app, &by_alice, BOB));
    gate.assert_met();
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
}
