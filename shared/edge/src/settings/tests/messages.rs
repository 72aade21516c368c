use super::*;

#[test]
fn the_default_language_must_fit_one_segment_and_others_are_a_warning() {
    let long = [
        ("BRAND", "A brand of thirty-two characters"),
        ("ORIGIN_HOST", "accounts.example.com"),
        ("SMS_PREFIXES", "US"),
    ];
    let warnings = read(&long).unwrap().warnings(NOW);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("ar: 7 units of UCS-2 too many; hi: 5"));
    let error = read(&[&long[..], &[("DEFAULT_LOCALE", "ar")]].concat()).unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("DEFAULT_LOCALE within one segment"),
        "{error}"
    );
    assert!(error.contains("(ar: 7 units of UCS-2 too many)"), "{error}");
    // Without text messages, there is nothing to fit.
    assert!(read(&[&long[..2], &[("DEFAULT_LOCALE", "ar")]].concat()).is_ok());
}

#[test]
fn the_texts_and_apps_of_messages_are_checked_at_the_start() {
    let india = ("SMS_SENDERS", "IN=EXMPLE;1101234;110712345");
    let long = format!(r#"{{"110712345":"{{code}}{}"}}"#, "x".repeat(160));
    let apps = "shop=FA+9qCX9VSu";
    for (changes, expected) in [
        (
            &[("SMS_TEXTS", "de: {code}")][..],
            "SMS_TEXTS must be a JSON object",
        ),
        (
            &[("SMS_TEXTS", r#"{"de":7}"#)],
            "SMS_TEXTS must be a JSON object",
        ),
        (
            &[("SMS_TEXTS", r#"{"de":"Code"}"#)],
            "SMS_TEXTS lacks {code} in de",
        ),
        (
            &[("SMS_TEXTS", r#"{"de":"{code}","de":"{code}"}"#)],
            "SMS_TEXTS names de twice",
        ),
        (
            &[("SMS_TEXTS", r#"{"110712345":"{code}"}"#)],
            "SMS_TEXTS names neither a language nor a template id",
        ),
        (
            &[india, ("SMS_PREFIXES", "IN"), ("SMS_TEXTS", &long)],
            "registered text message within one segment (110712345: 6 septets",
        ),
        (
            &[
                ("SMS_PREFIXES", "US"),
                ("ANDROID_APP_HASHES", apps),
                ("BRAND", "Ein Name mit zweiunddreißig Zeic"),
                ("DEFAULT_LOCALE", "sv"),
                ("OTP_TTL_SECONDS", "599"),
                (
                    "SMS_TEXTS",
                    r#"{"sv":"{code} {brand} {brand} {brand} {life}, {life}, {life}"}"#,
                ),
            ],
            "must leave a text message in DEFAULT_LOCALE within 140 bytes",
        ),
    ] {
        let error = read(changes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn each_setting_of_messages_says_what_it_must_be() {
    for (changes, expected) in [
        (&[("DEFAULT_LOCALE", "cs")][..], "DEFAULT_LOCALE must be"),
        (
            &[("SIGN_IN_URL", "http://www.example.com/")],
            "SIGN_IN_URL must be",
        ),
        (&[("EMAIL_TEMPLATE", "log in")], "EMAIL_TEMPLATE must be"),
        (
            &[("EMAIL_SUBJECT_CODE", "yes")],
            "EMAIL_SUBJECT_CODE must be",
        ),
    ] {
        let error = read(changes).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
    let good = [
        ("SMS_SENDERS", "IN=EXMPLE;1101234;110712345"),
        ("SMS_TEXTS", r#"{"110712345":"{code}","de":"{code}"}"#),
    ];
    assert!(read(&good).is_ok());
}
