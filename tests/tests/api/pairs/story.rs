//! What must hold in every pair, and what a feature adds.

use tests::{ALICE, Answer, PHONE, TestApp, other_than, table::number};

use super::{Feature, Mode, visitor::Visitor};
use crate::{
    key_rotation::swap,
    messages::store_template,
    tokens::{claims, header, published},
};

const REVIEWER: &str = "reviewer@example.com";
const STRANGER: &str = "stranger@example.com";

/// Runs the story of a pair.
#[expect(clippy::too_many_lines, reason = "a story reads from top to bottom")]
pub async fn run(feature: Feature, mode: Mode) {
    let name = format!("{feature:?} in {mode:?}");
    let app = TestApp::with(&[feature.settings(), mode.settings()].concat()).await;
    if feature == Feature::OwnTemplate {
        store_template(&app, "login", "Ours: {{code}}").await;
    }
    let to = match feature {
        Feature::TestIdentity => REVIEWER,
        Feature::TextMessage | Feature::AppHash => PHONE,
        _ => ALICE,
    };
    let is_known = !mode.signs_up() || feature == Feature::Claims;
    if is_known {
        app.add_user(to, false).await;
    }
    if feature == Feature::Claims {
        assert!(app.set_claims(to, r#"{"plan":"gold"}"#).await, "{name}");
    }
    // The instance that validates. While keys rotate, it has the next ones.
    let later = match feature {
        Feature::SecondDigestKey | Feature::SecondSigningKey => app.deploy(swap).await,
        _ => app.cold_start().await,
    };
    let mut visitor = Visitor::new(feature, mode);

    let login = visitor.log_in(&app, to).await;
    let id = login.assert_ok()["challenge_id"].as_str().unwrap();
    let delivery = if mode.conceals() {
        "unconfirmed"
    } else {
        "confirmed"
    };
    assert_eq!(login.json["delivery"], delivery, "{name}");
    let code = check_message(&app, feature, to, &name);
    let is_uncounted = mode.conceals() && feature == Feature::TestIdentity;
    assert_eq!(
        guard(&app).await,
        // Where users are concealed, only a message that is due is counted.
        (mode.has_guard() && !is_uncounted).then_some((1, 0)),
        "{name}: the guard"
    );
    if feature == Feature::KeyOnLogin {
        let again = visitor.log_in(&app, to).await;
        assert_eq!(again.assert_ok(), &login.json, "{name}: the repeat");
        assert_eq!(app.messages(to).len(), 1, "{name}: messages");
    }

    let wrong = visitor.validate(&later, to, id, &other_than(&code)).await;
    wrong.assert_problem(400, "invalid-otp");
    assert_eq!(app.sessions().await, 0, "{name}: a session by a wrong code");
    let right = visitor.validate(&later, to, id, &code).await;
    assert_eq!(right.assert_ok()["new_user"], !is_known, "{name}");
    assert_eq!(app.attempts_at(to, id).await, 2, "{name}: attempts");
    assert_eq!(
        guard(&app).await,
        (mode.has_guard() && !is_uncounted).then_some((0, 1)),
        "{name}: the guard"
    );
    let first = visitor.token.clone();
    check_second_use(
        &later,
        &mut visitor,
        feature,
        (to, id, &code),
        &right,
        &name,
    )
    .await;
    assert_eq!(app.sessions().await, 1, "{name}: sessions");
    check_token(&app, feature, &right, &name).await;

    // Either instance refreshes.
    for instance in [&app, &later] {
        let before = visitor.token.clone();
        let refreshed = visitor.refresh(instance).await;
        assert_eq!(refreshed.status, 200, "{name}: the refresh");
        assert_ne!(visitor.token, before, "{name}: the token was not rotated");
    }
    let ended = visitor.log_out(&app).await;
    assert!(ended.status.is_success(), "{name}: the logout");
    assert_eq!(app.sessions().await, 0, "{name}: sessions after the logout");
    let late = visitor.refresh(&app).await;
    assert_eq!(late.status, 400, "{name}: the session goes on");
    check_stranger(&app, &mut visitor, &login, &name).await;
    app.log.assert_lacks(&first);
}

/// The second use of a code: the same session under its key, and otherwise none.
async fn check_second_use(
    later: &TestApp,
    visitor: &mut Visitor,
    feature: Feature,
    (to, id, code): (&str, &str, &str),
    right: &Answer,
    name: &str,
) {
    let first = visitor.token.clone();
    let second = visitor.validate(later, to, id, code).await;
    if feature == Feature::KeyOnValidation {
        let user = &second.assert_ok()["user_id"];
        assert_eq!(*user, right.json["user_id"], "{name}");
        assert_eq!(
            visitor.token, first,
            "{name}: the repeat has another session"
        );
    } else {
        second.assert_problem(400, "invalid-otp");
    }
}

/// The message of a login; returns its code.
fn check_message(app: &TestApp, feature: Feature, to: &str, name: &str) -> String {
    let mut messages = app.messages(to);
    if feature == Feature::TestIdentity {
        assert!(messages.is_empty(), "{name}: a fixed code was sent");
        return "012345".to_owned();
    }
    assert_eq!(messages.len(), 1, "{name}: messages");
    let message = messages.remove(0);
    let (code, text) = (message.code.expect("a code"), message.text.expect("a text"));
    match feature {
        Feature::OwnTemplate => assert_eq!(text, format!("Ours: {code}"), "{name}"),
        Feature::AppHash => assert!(text.ends_with("FA+9qCX9VSu"), "{name}: no app hash"),
        Feature::Locale => assert_eq!(message.locale.as_deref(), Some("de"), "{name}"),
        _ => {}
    }
    code
}

/// The access token of a login.
async fn check_token(app: &TestApp, feature: Feature, login: &Answer, name: &str) {
    let token = login.text("token");
    let profile = app.me(&token).await;
    assert_eq!(
        profile.assert_ok()["user_id"],
        login.json["user_id"],
        "{name}"
    );
    let plan = claims(app, &token).await["plan"].clone();
    match feature {
        Feature::Claims => assert_eq!(plan, "gold", "{name}"),
        _ => assert!(plan.is_null(), "{name}: claims of nobody"),
    }
    if feature == Feature::SecondSigningKey {
        let keys = published(app).await.keys;
        let second = keys[1].common.key_id.as_ref().unwrap();
        assert_eq!(header(&token)["kid"], *second, "{name}: the signing key");
    }
    if feature == Feature::TestIdentity {
        // Its sessions end with it: the clock starts ten minutes into the day before.
        let left = login.json["refresh_expires_in"].as_u64();
        assert!(
            left.is_none_or(|left| left == 86_400 - 600),
            "{name}: {left:?} s"
        );
    }
}

/// A login by somebody without an account.
async fn check_stranger(app: &TestApp, visitor: &mut Visitor, known: &Answer, name: &str) {
    // Another request than the first one's, so not under its key.
    let answer = visitor.log_in(app, STRANGER).await;
    let mode = visitor.mode;
    let messages = app.messages(STRANGER).len();
    if mode == Mode::Reveal {
        answer.assert_problem(404, "user-not-found");
        assert_eq!(messages, 0, "{name}");
    } else {
        let members = |answer: &Answer| {
            let members = answer.json.as_object().expect("an object");
            members.keys().cloned().collect::<Vec<_>>()
        };
        answer.assert_ok();
        assert_eq!(
            members(&answer),
            members(known),
            "{name}: the stranger's answer"
        );
        assert_eq!(
            messages,
            usize::from(mode.signs_up()),
            "{name}: messages to a stranger"
        );
    }
    if visitor.feature == Feature::TrustedProxy {
        visitor
            .log_in(app, "third@example.com")
            .await
            .assert_too_many();
        visitor.address = "203.0.113.8";
        let other = visitor.log_in(app, "third@example.com").await;
        assert_ne!(other.status, 429, "{name}: one limit for all viewers");
    }
}

/// What the conversion guard holds, if there is one.
async fn guard(app: &TestApp) -> Option<(i64, i64)> {
    let items = app.items().await;
    let mut guards = items.iter().filter_map(|item| {
        Some((
            number(item, "unproven")?,
            number(item, "proven").unwrap_or_default(),
        ))
    });
    guards.next()
}
