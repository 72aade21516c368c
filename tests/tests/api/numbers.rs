//! Numbers and addresses as people type and paste them.

use futures_util::{StreamExt, stream};
use otp_domain::Country;
use serde_json::json;
use tests::{Answer, LOGIN, TestApp, VALIDATE};

/// Country, number, as it is written there, as it is written abroad.
const WRITTEN: &str = include_str!("../../../shared/domain/src/countries/written.txt");

async fn app() -> TestApp {
    let countries = Country::codes().collect::<Vec<_>>().join(",");
    TestApp::with(&[
        ("SMS_PREFIXES", countries.as_str()),
        ("RESEND_COOLDOWN_SECONDS", "0"),
        ("SENDS_PER_HOUR", "1000"),
        ("SENDS_PER_DAY", "1000"),
        ("SMS_PER_DAY", "1000000"),
        ("SMS_PER_PREFIX_PER_DAY", "1000000"),
        ("REQUESTS_PER_IP_PER_HOUR", "1000000"),
        ("CONVERSION_GUARD", "0"),
    ])
    .await
}

async fn login(app: &TestApp, country: &str, typed: &str) -> Answer {
    let body = json!({ "phone_number": typed, "country": country });
    app.post(LOGIN, body.to_string()).await
}

#[tokio::test]
async fn an_example_in_three_is_understood_as_it_is_or_refused() {
    understand(3).await;
}

#[tokio::test]
#[ignore = "takes minutes"]
async fn examples_of_every_country_are_understood_as_they_are_or_refused() {
    understand(1).await;
}

/// Sends one in so many of the examples.
#[expect(clippy::print_stdout, reason = "the result, for its page")]
async fn understand(step: usize) {
    let app = &app().await;
    let lines = WRITTEN.lines().filter(|line| !line.starts_with('#'));
    // The emulated SNS refuses what is shorter, such as Niue's.
    let lines = lines.filter(|line| line.split('\t').nth(1).is_some_and(|it| it.len() > 8));
    let texts = lines.flat_map(|line| {
        let fields: Vec<_> = line.split('\t').collect();
        let (country, number) = (fields[0], fields[1]);
        let pasted = format!("\u{202a}Tel.: {}\u{202c}", fields[3].replace(' ', "\u{a0}"));
        [fields[2].to_owned(), fields[3].to_owned(), pasted].map(|typed| (country, number, typed))
    });
    let answers = stream::iter(texts.step_by(step)).map(async |(country, number, typed)| {
        let mut answer = login(app, country, &typed).await;
        while answer.status == 503 {
            answer = login(app, country, &typed).await;
        }
        if answer.status == 400 {
            answer.assert_problem(400, "invalid-request");
            return Some(format!("{country} {typed}"));
        }
        let understood = answer.assert_ok()["destination"].clone();
        assert_eq!(understood, number, "{country} {typed}");
        None
    });
    let refused: Vec<_> = answers.buffer_unordered(4).collect().await;
    let right = refused.iter().filter(|it| it.is_none()).count();
    let refused: Vec<_> = refused.into_iter().flatten().collect();
    println!("{right} right, {} refused: {refused:?}", refused.len());
    assert!(
        right > 1600 / step && refused.len() < 10,
        "{right} {refused:?}"
    );
}

#[tokio::test]
async fn a_code_is_validated_under_the_number_as_it_was_typed() {
    let app = app().await;
    let sent = login(&app, "DE", "Tel. 0170/1234567").await;
    let sent = sent.assert_ok();
    assert_eq!(sent["destination"], "+491701234567");
    let otp = app.newest_code("+491701234567");
    for (typed, status) in [("0170 1234567 ext. 1", 400), ("+49 (0)170 1234567", 200)] {
        let body = json!({ "phone_number": typed, "country": "DE", "otp": otp });
        assert_eq!(app.post(VALIDATE, body.to_string()).await.status, status);
    }
}

#[tokio::test]
async fn what_is_no_number_is_refused_with_what_is_missing() {
    let app = TestApp::with(&[("SMS_PREFIXES", "DE")]).await;
    for (country, typed, detail) in [
        (
            "XX",
            "0170 1234567",
            "`country` must be a country code of ISO 3166, such as DE.",
        ),
        (
            "DE",
            "+49 0170 1234567",
            "`phone_number` must be without the 0 behind the country code: it is dialled only \
             within the country.",
        ),
        (
            "de",
            "1234567",
            "`phone_number` must be a whole number of `country` with its area code, or begin \
             with `+` and another country code.",
        ),
        (
            "DE",
            "0170 1234567 ext. 12",
            "`phone_number` must be without an extension: no code reaches one.",
        ),
        (
            "DE",
            "49 170 1234567",
            "`phone_number` can be read as two numbers; it must begin with `+` and the country \
             code, without a 0 in parentheses.",
        ),
    ] {
        let answer = login(&app, country, typed).await;
        answer.assert_problem(400, "invalid-request");
        assert_eq!(answer.text("detail"), detail, "{typed}");
    }
    assert!(app.stack.messages.messages(None).is_empty());
}

#[tokio::test]
async fn a_trunk_zero_is_refused_before_the_allowed_countries() {
    let app = TestApp::with(&[("SMS_PREFIXES", "US")]).await;
    for typed in [
        "+49 0170 1234567",
        "+33 06 12 34 56 78",
        "+44 (0)7400 123456",
    ] {
        app.login(typed)
            .await
            .assert_problem(400, "invalid-request");
    }
    for typed in ["+39 06 1234 5678", "+225 01 23 45 67 89", "+49 170 1234567"] {
        let answer = app.login(typed).await;
        answer.assert_problem(403, "destination-not-allowed");
    }
    let answer = login(&app, "DE", "+49 0170 1234567").await;
    answer.assert_problem(400, "invalid-request");
}

#[tokio::test]
async fn an_address_that_looks_right_is_right() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0"), ("SENDS_PER_HOUR", "100")]).await;
    for typed in [
        "\u{a0}alice@example.com",
        "alice@example.com\u{3000}",
        "\u{200b}alice@example.com\u{200b}",
        "\u{202a}alice@example.com\u{202c}",
        "ａｌｉｃｅ＠ｅｘａｍｐｌｅ．ｃｏｍ",
    ] {
        let body = json!({ "email": typed }).to_string();
        let answer = app.post(LOGIN, body).await;
        assert_eq!(answer.assert_ok()["destination"], "alice@example.com");
    }
}
