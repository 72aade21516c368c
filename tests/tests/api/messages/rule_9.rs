//! No client input ever stands in a message: each is one of the deployment's own texts.

use std::collections::HashSet;

use otp_domain::{ChallengeId, Passcode};
use otp_messages::{Confirms, EmailDetails, Language, Messages};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::json;
use tests::TestApp;

use super::{UNLIMITED, login};

const CASES: u32 = 150;

/// Every text that this deployment can send with this code.
fn own_texts(messages: &Messages, code: &str, id: &str) -> HashSet<String> {
    let code = Passcode::parse(code, 6).unwrap();
    let id = ChallengeId::parse(id).unwrap();
    let details = EmailDetails {
        confirms: Confirms::Login,
        code: &code,
        challenge_id: &id,
        requested_at: "2026-01-01 00:10 UTC",
        requested_from: "127.0.0.1",
    };
    let apps = messages.settings().apps.all().map(Some);
    let endings: Vec<_> = std::iter::once(None).chain(apps).collect();
    let mut own = HashSet::new();
    for language in Language::all() {
        let email = messages.email(language, &details);
        own.extend([email.subject, email.text, email.html]);
        own.extend(
            endings
                .iter()
                .map(|app| messages.sms(language, *app, &code).text),
        );
    }
    own
}

/// The members `locale` and `app`, the header `Accept-Language`, and other headers.
fn inputs() -> impl Strategy<Value = (Option<String>, Option<String>, String, String)> {
    let locales = &["de-x-c4n4ry", "zh-Hant-TW", "en-u-co-c4n4ry", "x-c4n4ry"];
    let apps = prop_oneof![Just("shop".to_owned()), fuzz::text(&["shop", "c4n4ry"])];
    let header = || "[ -~]{0,40}c4n4ry[ -~]{0,40}";
    let lists = prop_oneof![
        "de-x-c4n4ry(, fr;q=0\\.[0-9])?",
        "c4n4ry|\\*;q=0\\.1, ja",
        header()
    ];
    (
        prop::option::of(prop_oneof![
            prop::sample::select(locales.to_vec()).prop_map(str::to_owned),
            fuzz::text(locales),
        ]),
        prop::option::of(apps),
        lists,
        header(),
    )
}

#[tokio::test]
async fn every_message_is_one_of_the_deployments_own_whatever_a_client_sends() {
    let mut settings = UNLIMITED.to_vec();
    settings.extend([
        ("EMAIL_SUBJECT_CODE", "on"),
        ("EMAIL_REQUEST_DETAILS", "on"),
        ("SIGN_IN_URL", "https://www.example.com/sign-in"),
        ("ANDROID_APP_HASHES", "shop=FA+9qCX9VSu"),
        ("ORIGIN_HOST", "www.example.com"),
    ]);
    let app = TestApp::with(&settings).await;
    let messages = &app.settings.login.as_ref().unwrap().delivery.messages;
    let mut runner = TestRunner::new(fuzz::config());
    let mut sent = 0;
    for nth in 0..CASES {
        let (locale, named, accepted, other) = inputs().new_tree(&mut runner).unwrap().current();
        let mut more = json!({});
        for (member, value) in [("locale", locale), ("app", named)] {
            if let Some(value) = value {
                more[member] = value.into();
            }
        }
        let headers = [
            ("accept-language", accepted.as_str()),
            ("user-agent", &other),
            ("referer", &other),
            ("origin", &other),
            ("x-forwarded-for", &other),
            ("x-forwarded-host", &other),
            ("forwarded", &other),
            ("content-language", &other),
        ];
        for to in [
            format!("case{nth}@example.com"),
            format!("+1415555{nth:04}"),
        ] {
            let answer = login(&app, &to, more.clone(), &headers).await;
            let Some(message) = app.messages(&to).pop() else {
                answer.assert_problem(400, "invalid-request");
                continue;
            };
            sent += 1;
            let code = message.code.as_deref().unwrap();
            let id = answer.text("challenge_id");
            // Codes that come back keep the conversion guard open.
            app.validate(&to, Some(&id), code).await.assert_ok();
            let own = own_texts(messages, code, &id);
            for part in [&message.subject, &message.text, &message.html] {
                let is_own = part.as_ref().is_none_or(|part| own.contains(part));
                assert!(is_own, "a message is not one of the deployment's own");
            }
            let known = |tag: &String| Language::all().any(|language| language.tag() == tag);
            assert!(message.locale.as_ref().is_some_and(known));
            let from = message.from.as_deref();
            assert!(from.is_none_or(|from| from == "\"Example\" <login@example.com>"));
        }
    }
    assert!(sent > CASES / 4, "only {sent} messages were sent");
}
