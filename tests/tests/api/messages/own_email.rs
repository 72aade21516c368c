//! An operator's own e-mail, by SES templates.

use axum::{
    body::Bytes,
    http::{Method, Request, header},
};
use http_body_util::Full;
use serde_json::{Value, json};
use tests::{ALICE, Call, CallFault, TestApp};

use super::{login, received};
use local::aws::clients;
use otp_domain::{ChallengeId, Passcode};
use otp_messages::{Confirms, EmailDetails, Language};
use otp_service::delivery::render_own_email;

const TEMPLATE: (&str, &str) = ("EMAIL_TEMPLATE", "login");
const BASE: &str = "{{brand}}: {{code}}, {{life}} {{locale}} {{direction}} {{link}}";

/// Stores a template in SES, in place of the one before.
pub async fn store(app: &TestApp, name: &str, text: &str) {
    let content = json!({ "Subject": "{{brand}}", "Text": text });
    let put = json!({ "TemplateName": name, "TemplateContent": content });
    for (method, path, body) in [
        (Method::DELETE, format!("/{name}"), Value::Null),
        (Method::POST, String::new(), put),
    ] {
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{}/v2/email/templates{path}", app.stack.aws))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())));
        assert_eq!(app.send(request.unwrap()).await.status, 200);
    }
}

#[tokio::test]
async fn a_language_gets_its_own_template_or_else_the_one_in_the_default_language() {
    let app = TestApp::with(&[TEMPLATE, ("SIGN_IN_URL", "https://www.example.com/")]).await;
    store(&app, "login", BASE).await;
    store(&app, "login-ar", "ar {{code}} {{life}} {{direction}}").await;
    let answer = login(&app, ALICE, json!({ "locale": "de" }), &[]).await;
    answer.assert_ok();
    let message = app.messages(ALICE).remove(0);
    let (code, id) = (message.code.unwrap(), answer.text("challenge_id"));
    let link = format!("https://www.example.com/#challenge_id={id}&otp={code}");
    let expected = format!("Example: {code}, 5 minutes en ltr {link}");
    assert_eq!(message.text, Some(expected));
    assert_eq!(message.subject.as_deref(), Some("Example"));
    assert_eq!(message.locale.as_deref(), Some("en"));

    let message = received(&app, "bob@example.com", json!({ "locale": "ar" }), &[]).await;
    let expected = format!("ar {} 5 دقائق rtl", message.code.unwrap());
    assert_eq!(message.text, Some(expected));
    assert_eq!(message.locale.as_deref(), Some("ar"));
}

#[tokio::test]
async fn a_template_that_is_missing_or_lacks_the_code_sends_nothing_and_says_so() {
    const TO: &str = "somebody@no-template.example";
    let app = TestApp::with(&[TEMPLATE]).await;
    let cause = || {
        let lines = app.log.lines_about("s***@n***.example");
        lines.last().map(|line| line["cause"].clone())
    };
    let refused = async || {
        let answer = login(&app, TO, json!({}), &[]).await;
        answer.assert_problem(502, "delivery-failed");
    };
    refused().await;
    assert_eq!(cause(), Some("there is no template login".into()));
    store(&app, "login", "{{brand}} sent you a code.").await;
    refused().await;
    assert_eq!(cause(), Some("the template login lacks {{code}}".into()));
    assert!(app.messages(TO).is_empty());

    // The login was withdrawn, and a repaired template is found without a new start.
    store(&app, "login", BASE).await;
    app.login(TO).await.assert_ok();
    assert_eq!(app.messages(TO).len(), 1);
}

#[tokio::test]
async fn an_email_is_sent_even_if_ses_does_not_show_its_template() {
    let faults = CallFault::NOTHING_DONE.into_iter();
    for fault in faults.chain(CallFault::REPLY_LOST) {
        let app = TestApp::with(&[TEMPLATE]).await;
        store(&app, "login", BASE).await;
        store(&app, "login-de", "de {{code}}").await;
        for (locale, start) in [("de", "de "), ("fr", "Example: ")] {
            let to = format!("{locale}@example.com");
            app.faults.inject(Call::LookAtTemplate, fault, usize::MAX);
            let message = received(&app, &to, json!({ "locale": locale }), &[]).await;
            assert!(message.text.unwrap().starts_with(start), "{fault:?}");
            app.faults.stop();
        }
    }
}

#[tokio::test]
async fn a_preview_shows_the_template_as_ses_renders_it_or_says_what_it_lacks() {
    let app = TestApp::with(&[TEMPLATE]).await;
    let (code, id) = (
        Passcode::parse("012345", 6).unwrap(),
        ChallengeId::parse("r5BuMb9vjKaMlD76sIa5SQ").unwrap(),
    );
    let details = EmailDetails {
        confirms: Confirms::Login,
        code: &code,
        challenge_id: &id,
        requested_at: "",
        requested_from: "",
    };
    let aws = clients(app.stack.aws);
    let delivery = &app.settings.login.as_ref().unwrap().delivery;
    let german = Language::lookup("de").unwrap();
    let shown = async || render_own_email(delivery, &aws, german, &details).await;
    let fault = shown().await.unwrap_err();
    assert_eq!(fault.cause.to_string(), "there is no template login");
    store(&app, "login-de", "Hallo").await;
    let fault = shown().await.unwrap_err();
    assert_eq!(
        fault.cause.to_string(),
        "the template login-de lacks {{code}}"
    );
    store(&app, "login-de", "{{code}} gilt {{life}}").await;
    let mail = shown().await.unwrap();
    assert!(mail.contains("012345 gilt 5 Minuten"), "{mail}");
}
