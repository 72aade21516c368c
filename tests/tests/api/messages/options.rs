//! What an operator decides: brand, senders, wordings, and what else an e-mail says.

use otp_domain::UnixTime;
use serde_json::json;
use tests::{ALICE, PHONE, TestApp};

use super::{login, received};

#[tokio::test]
async fn a_language_that_the_brand_breaks_is_logged_and_answered_in_the_default() {
    let app = TestApp::with(&[
        ("BRAND", "A brand of thirty-two characters"),
        ("ORIGIN_HOST", "accounts.example.com"),
        ("DEFAULT_LOCALE", "fr"),
    ])
    .await;
    let warnings = app
        .settings
        .warnings(UnixTime::from_millis(app.now()))
        .join("\n");
    let expected = "ar: 7 units of UCS-2 too many; hi: 5 units";
    assert!(warnings.contains(expected), "{warnings}");
    assert!(!warnings.contains("de:"), "{warnings}");
    for (nth, (locale, expected)) in [("ar", "fr"), ("ja", "fr"), ("de", "de")]
        .into_iter()
        .enumerate()
    {
        let number = format!("+1415555018{nth}");
        let message = received(&app, &number, json!({ "locale": locale }), &[]).await;
        assert_eq!(message.locale.as_deref(), Some(expected));
    }
    // An e-mail has room.
    let message = received(&app, ALICE, json!({ "locale": "ar" }), &[]).await;
    assert_eq!(message.locale.as_deref(), Some("ar"));
}

#[tokio::test]
async fn a_number_gets_the_sender_and_the_wording_that_its_carriers_know() {
    let texts =
        r#"{"110712345":"{code} is your OTP for {brand}. - EXMPLE","de":"{brand}: {code}"}"#;
    let app = TestApp::with(&[
        ("SMS_PREFIXES", "US,+44,IN"),
        (
            "SMS_SENDERS",
            "+44=Example,US=+18005550100,IN=EXMPLE;1101234;110712345",
        ),
        ("SMS_TEXTS", texts),
        ("ANDROID_APP_HASHES", "shop=FA+9qCX9VSu"),
        ("ORIGIN_HOST", "www.example.com"),
    ])
    .await;
    let german = json!({ "locale": "de" });
    let message = received(&app, "+447911123456", german.clone(), &[]).await;
    assert_eq!(message.from.as_deref(), Some("Example"));
    assert!(message.text.unwrap().starts_with("Example: "));
    let message = received(&app, PHONE, german, &[]).await;
    assert_eq!(message.from.as_deref(), Some("+18005550100"));
    for (number, more) in [
        ("+919876543210", json!({})),
        ("+919876543211", json!({ "locale": "hi" })),
        ("+919876543212", json!({ "locale": "de", "app": "shop" })),
    ] {
        let message = received(&app, number, more, &[("accept-language", "fr")]).await;
        assert_eq!(message.from.as_deref(), Some("EXMPLE"));
        let registered = format!(
            "{} is your OTP for Example. - EXMPLE",
            message.code.unwrap()
        );
        assert_eq!(message.text, Some(registered));
    }
}

#[tokio::test]
async fn an_operator_may_add_the_code_to_the_subject_a_link_and_the_origin_of_the_request() {
    let plain = TestApp::start().await;
    let message = received(&plain, ALICE, json!({}), &[]).await;
    let text = message.text.unwrap();
    assert_eq!(
        message.subject.as_deref(),
        Some("Your Example sign-in code")
    );
    assert!(!text.contains("http") && !text.contains("UTC"));

    let app = TestApp::with(&[
        ("EMAIL_SUBJECT_CODE", "on"),
        ("EMAIL_REQUEST_DETAILS", "on"),
        ("SIGN_IN_URL", "https://www.example.com/sign-in"),
    ])
    .await;
    let answer = login(&app, ALICE, json!({ "locale": "de" }), &[]).await;
    let message = app.messages(ALICE).remove(0);
    let (code, id) = (message.code.unwrap(), answer.text("challenge_id"));
    let subject = format!("{code} ist Ihr Login-Code für Example");
    assert_eq!(message.subject, Some(subject));
    let link = format!("https://www.example.com/sign-in#challenge_id={id}&otp={code}");
    let text = message.text.unwrap();
    for part in [
        link.as_str(),
        "Angefordert: 2026-01-01 00:10 UTC",
        "IP-Adresse: 127.0.0.1",
    ] {
        assert!(text.contains(part), "{part} is missing");
    }
    let html = message.html.unwrap();
    assert!(html.contains(&format!("href='{}'", link.replace('&', "&amp;"))));
}
