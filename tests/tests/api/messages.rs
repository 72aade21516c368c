//! What messages say: languages, apps, senders, an operator's own words.

mod options;
mod own_email;
mod rule_9;

pub use own_email::store as store_template;

use local::inbox::Message;
use otp_domain::UnknownUsers;
use otp_messages::Language;
use serde_json::{Value, json};
use std::time::Duration;
use tests::{ALICE, Answer, LOGIN, PHONE, TestApp, destination};

/// A login with more members and headers.
pub async fn login(app: &TestApp, to: &str, more: Value, headers: &[(&str, &str)]) -> Answer {
    let mut body = destination(to);
    let more = more.as_object().unwrap().clone();
    body.as_object_mut().unwrap().extend(more);
    app.client.post(LOGIN, headers, body.to_string()).await
}

/// The message of such a login.
pub async fn received(app: &TestApp, to: &str, more: Value, headers: &[(&str, &str)]) -> Message {
    login(app, to, more, headers).await.assert_ok();
    app.messages(to).remove(0)
}

/// Limits that no test of many logins reaches.
pub const UNLIMITED: [(&str, &str); 3] = [
    ("REQUESTS_PER_IP_PER_HOUR", "1000000"),
    ("SMS_PER_DAY", "1000000"),
    ("SMS_PER_PREFIX_PER_DAY", "1000000"),
];

#[tokio::test]
async fn each_language_writes_both_channels_and_its_code_logs_in() {
    let app = TestApp::with(&UNLIMITED).await;
    for language in Language::all() {
        let (tag, index) = (language.tag(), language.index());
        for to in [
            format!("l{index}@example.com"),
            format!("+141555502{index:02}"),
        ] {
            let answer = login(&app, &to, json!({ "locale": tag }), &[]).await;
            answer.assert_ok();
            let message = app.messages(&to).remove(0);
            assert_eq!(message.locale.as_deref(), Some(tag), "{to}");
            assert!(message.text.unwrap().contains("Example"));
            if let Some(html) = message.html {
                let direction = if tag == "ar" { "rtl" } else { "ltr" };
                assert!(html.contains(&format!("<html lang='{tag}' dir='{direction}'>")));
            }
            let id = answer.text("challenge_id");
            let code = message.code.unwrap();
            app.validate(&to, Some(&id), &code).await.assert_ok();
        }
    }
}

#[tokio::test]
async fn the_member_decides_then_the_header_then_the_setting() {
    let app = TestApp::with(&[("DEFAULT_LOCALE", "nl"), UNLIMITED[0]]).await;
    for (nth, (more, header, expected)) in [
        (json!({ "locale": "de-AT" }), "fr", "de"),
        (json!({ "locale": "PT" }), "", "pt-BR"),
        (json!({ "locale": "zh-TW" }), "", "zh-Hant"),
        (json!({ "locale": "cs" }), "fr;q=0.1, sv", "sv"),
        (json!({ "locale": "cs" }), "cs", "nl"),
        (json!({ "locale": "x-private" }), "", "nl"),
        (json!({}), "cs, uk;q=0.8, en;q=0.7", "uk"),
        (json!({}), "*", "nl"),
        (json!({}), "en;q=0, ;;;q=x, de_DE", "nl"),
        (json!({}), "", "nl"),
    ]
    .into_iter()
    .enumerate()
    {
        let to = format!("order{nth}@example.com");
        let message = received(&app, &to, more, &[("accept-language", header)]).await;
        assert_eq!(message.locale.as_deref(), Some(expected), "{nth}");
    }
    let message = received(&app, ALICE, json!({}), &[]).await;
    assert_eq!(message.locale.as_deref(), Some("nl"));
}

#[tokio::test]
async fn a_malformed_locale_or_an_unknown_app_is_named_and_sends_nothing() {
    let app = TestApp::with(&[("ANDROID_APP_HASHES", "shop=FA+9qCX9VSu"), UNLIMITED[0]]).await;
    for (more, member) in [
        (json!({ "locale": "" }), "`locale`"),
        (json!({ "locale": "de_DE" }), "`locale`"),
        (json!({ "locale": "de-" }), "`locale`"),
        (json!({ "locale": "Deutsch bitte" }), "`locale`"),
        (json!({ "locale": 7 }), "`locale`"),
        (json!({ "locale": null }), "`locale`"),
        (json!({ "app": "Shop" }), "`app`"),
        (json!({ "app": "FA+9qCX9VSu" }), "`app`"),
        (json!({ "app": "" }), "`app`"),
        (json!({ "app": true }), "`app`"),
    ] {
        for to in [ALICE, PHONE] {
            let answer = login(&app, to, more.clone(), &[]).await;
            answer.assert_problem(400, "invalid-request");
            assert!(answer.text("detail").contains(member), "{more}");
        }
    }
    assert!(app.messages(ALICE).is_empty() && app.messages(PHONE).is_empty());
    // Nothing was counted, either: no cooldown has begun.
    app.login(ALICE).await.assert_ok();
}

#[tokio::test]
async fn an_app_gets_its_hash_as_the_last_line_instead_of_the_sites() {
    let app = TestApp::with(&[
        ("ANDROID_APP_HASHES", "shop=FA+9qCX9VSu,beta=0123456789a"),
        ("ORIGIN_HOST", "www.example.com"),
    ])
    .await;
    for (to, more, last) in [
        (
            "+14155550171",
            json!({ "app": "shop" }),
            Some("FA+9qCX9VSu"),
        ),
        (
            "+14155550172",
            json!({ "app": "beta", "locale": "ja" }),
            Some("0123456789a"),
        ),
        ("+14155550173", json!({}), None),
    ] {
        let message = received(&app, to, more, &[]).await;
        let (text, code) = (message.text.unwrap(), message.code.unwrap());
        let site = format!("@www.example.com #{code}");
        assert_eq!(text.lines().last(), Some(last.unwrap_or(&site)));
        assert_eq!(text.contains("www.example.com"), last.is_none());
        assert!(last.is_none() || text.len() <= 140);
    }
    let message = received(&app, ALICE, json!({ "app": "shop" }), &[]).await;
    assert!(!message.text.unwrap().contains("FA+9qCX9VSu"));
}

#[tokio::test]
async fn a_repeated_request_sends_nothing_in_another_language_either() {
    let app = TestApp::start().await;
    let key = [("idempotency-key", "8e03978e-40d5-43dd-bc93-6894a57f9324")];
    let first = login(&app, ALICE, json!({ "locale": "de" }), &key).await;
    let second = login(&app, ALICE, json!({ "locale": "fr" }), &key).await;
    assert_eq!(first.text("challenge_id"), second.text("challenge_id"));
    assert_eq!(app.messages(ALICE).len(), 1);
}

#[tokio::test]
async fn under_conceal_a_locale_and_an_app_tell_nobody_who_is_a_user() {
    const STRANGER: &str = "+14155550199";
    let settings = [("ANDROID_APP_HASHES", "shop=FA+9qCX9VSu")];
    let open = TestApp::with(&settings).await;
    open.log_in(PHONE).await;
    open.advance(Duration::from_mins(1));
    let app = open
        .deploy(|settings| {
            settings.login.as_mut().unwrap().policy.unknown_users = UnknownUsers::Conceal;
        })
        .await;
    for (more, status) in [
        (json!({ "locale": "ja_JP" }), 400),
        (json!({ "app": "other" }), 400),
        (json!({ "locale": "ja", "app": "shop" }), 200),
    ] {
        let answers = [STRANGER, PHONE].map(|to| login(&app, to, more.clone(), &[]));
        let [stranger, user] = answers;
        let (mut stranger, mut user) = (stranger.await, user.await);
        assert_eq!(stranger.status, status);
        assert_eq!(user.status, status);
        // An id is drawn for each login.
        for answer in [&mut stranger, &mut user] {
            let json = answer.json.as_object_mut().unwrap();
            json.remove("challenge_id");
            json.remove("destination");
        }
        assert_eq!(stranger.json, user.json);
    }
    assert!(app.messages(STRANGER).is_empty());
    let message = app.messages(PHONE).remove(0);
    assert_eq!(message.locale.as_deref(), Some("ja"));
}
