use lambda_http::{
    Body,
    http::{HeaderName, HeaderValue},
};
use otp_domain::{DestinationKind, WaysTo};
use otp_messages::Language;
use secrecy::ExposeSecret;

use super::*;
use crate::cors::AllowedOrigins;

const PAGE: &str = "https://www.example.com";

fn json(body: &str, headers: &[(&str, &str)]) -> Request {
    let mut request = Request::new(Body::Text(body.to_owned()));
    for (name, value) in [&[("content-type", "application/json")], headers].concat() {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        request.headers_mut().append(name, value);
    }
    request
}

fn detail<T>(read: Result<T, Rejection>) -> String {
    match read.err() {
        Some(Rejection::InvalidRequest(why)) => why.detail().to_owned(),
        other => panic!("{other:?}"),
    }
}

fn on() -> RefreshCookie {
    RefreshCookie::on(AllowedOrigins::parse(PAGE).unwrap().with_credentials())
}

const OFF: fn() -> RefreshCookie = RefreshCookie::default;

#[test]
fn a_login_has_one_destination() {
    let read = |body| {
        login(&json(body, &[]), &OFF(), &Ways::default())
            .map(|it| it.destination.as_str().to_owned())
    };
    assert_eq!(read(r#"{"email":"A@b.example"}"#).unwrap(), "a@b.example");
    assert_eq!(
        read(r#"{"phone_number":"+1 415 5550123"}"#).unwrap(),
        "+14155550123"
    );
    let one = "The body must hold exactly one of `email` and `phone_number`";
    let both = r#"{"email":"a@b.example","phone_number":"+14155550123"}"#;
    assert_eq!(detail(read(both)), format!("{one}, not both."));
    assert_eq!(detail(read("{}")), format!("{one}; it has none."));
    for (body, expected) in [
        (
            r#"{"email":"a"}"#,
            "`email` must be a plain e-mail address in ASCII.",
        ),
        (
            r#"{"phone_number":"1"}"#,
            "`phone_number` must be a string of `+` and 7 to 15 digits, the country code first \
             (E.164).",
        ),
        (
            r#"{"email":"a@b.example","country":"DE"}"#,
            "`country` says how `phone_number` is written; send it with one.",
        ),
        (
            r#"{"email":"a@b.example","locale":"de_DE"}"#,
            "`locale` must be a BCP 47 language tag such as de or pt-BR.",
        ),
        (
            r#"{"email":"a@b.example","app":1}"#,
            "`app` must be a string, not a number.",
        ),
    ] {
        assert_eq!(detail(read(body)), expected, "{body}");
    }
}

#[test]
fn a_client_chooses_among_the_ways_to_its_destination() {
    let own = "whatsapp=arn:aws:sns:eu-west-1:123456789012:codes";
    let ways = Ways {
        phone: WaysTo::parse(DestinationKind::Phone, &format!("sms,{own}")).unwrap(),
        email: WaysTo::parse(DestinationKind::Email, "email").unwrap(),
    };
    let read = |body| login(&json(body, &[]), &OFF(), &ways);
    let via = |body| read(body).unwrap().via.map(|via| via.as_str().to_owned());
    let chosen = r#"{"phone_number":"+14155550123","via":"whatsapp"}"#;
    assert_eq!(via(chosen).as_deref(), Some("whatsapp"));
    assert_eq!(via(r#"{"phone_number":"+14155550123"}"#), None);
    for (body, known) in [
        (
            r#"{"phone_number":"+14155550123","via":"email"}"#,
            "`sms` or `whatsapp`",
        ),
        (
            r#"{"phone_number":"+14155550123","via":"WhatsApp"}"#,
            "`sms` or `whatsapp`",
        ),
        (r#"{"email":"a@b.example","via":"sms"}"#, "`email`"),
    ] {
        let expected = format!("`via` must be {known} for this destination.");
        assert_eq!(detail(read(body)), expected, "{body}");
    }
    // The destination is what is refused.
    let none = login(&json(chosen, &[]), &OFF(), &Ways::default());
    assert_eq!(none.unwrap().via, None);
}

#[test]
fn a_login_names_its_language_in_the_body_or_else_in_the_header() {
    let [de, fr, en] = ["de", "fr", "en"].map(|tag| Language::lookup(tag).unwrap());
    let body = r#"{"email":"a@b.example","app":"x","locale":"de"}"#;
    let plain = r#"{"email":"a@b.example"}"#;
    let french = [("accept-language", "cs"), ("accept-language", "fr")];
    let odd = [("accept-language", "é")];
    for (body, headers, language, app) in [
        (body, &french[..], de, Some("x")),
        (plain, &french, fr, None),
        (plain, &odd, en, None),
        (plain, &[], en, None),
    ] {
        let read = login(&json(body, headers), &OFF(), &Ways::default()).unwrap();
        assert_eq!(read.language.or(en), language);
        assert_eq!(read.app.as_deref(), app);
    }
}

#[test]
fn an_idempotency_key_is_read_from_its_header_or_refused() {
    let body = r#"{"email":"a@b.example","otp":"123456"}"#;
    let keys = |headers: &[_]| {
        let request = json(body, headers);
        let (login, validate) = (
            login(
                &json(r#"{"email":"a@b.example"}"#, headers),
                &OFF(),
                &Ways::default(),
            ),
            validate(&request, &OFF()),
        );
        (
            login.map(|it| it.idempotency_key),
            validate.map(|it| it.0.idempotency_key),
        )
    };
    let key = "8e03978e-40d5-43dd-bc93-6894a57f9324";
    let known = IdempotencyKey::parse(key);
    assert_eq!(
        keys(&[("idempotency-key", key)]),
        (Ok(known.clone()), Ok(known))
    );
    assert_eq!(keys(&[]), (Ok(None), Ok(None)));
    let must = "`Idempotency-Key` must be 16 to 128 visible ASCII characters.";
    for value in ["short", "é-is-no-ascii-at-all"] {
        let (login, validate) = keys(&[("idempotency-key", value)]);
        assert_eq!(
            (detail(login), detail(validate)),
            (must.into(), must.into())
        );
    }
}

#[test]
fn a_validation_has_a_code_of_digits_and_may_name_its_challenge() {
    let read = |more: &str| {
        let body = format!(r#"{{"email":"a@b.example"{more}}}"#);
        validate(&json(&body, &[]), &OFF())
    };
    let id = r#","otp":"012345","challenge_id":"r5BuMb9vjKaMlD76sIa5SQ""#;
    let (validation, carrier) = read(id).unwrap();
    assert_eq!(validation.otp.expose_secret(), "012345");
    assert_eq!(
        validation.challenge_id.unwrap().as_str(),
        "r5BuMb9vjKaMlD76sIa5SQ"
    );
    assert_eq!(carrier, Carrier::Body);
    assert!(read(r#","otp":"1""#).unwrap().0.challenge_id.is_none());
    for (more, expected) in [
        ("", "`otp` is missing; it must be a string of digits."),
        (r#","otp":"""#, "`otp` must be a string of digits."),
        (r#","otp":"12345x""#, "`otp` must be a string of digits."),
        (
            r#","otp":"1","challenge_id":"x""#,
            "`challenge_id` must be the `challenge_id` of a login: 22 letters, digits, `-` or `_`.",
        ),
        (
            r#","otp":"1","cookie":true"#,
            "`cookie` must be false: this service sets no refresh cookie.",
        ),
    ] {
        assert_eq!(detail(read(more)), expected, "{more}");
    }
}

#[test]
fn a_page_may_ask_for_the_cookie_where_there_is_one() {
    let read = |origin, cookie: &str| {
        let body = format!(r#"{{"email":"a@b.example","otp":"1","cookie":{cookie}}}"#);
        let carrier = validate(&json(&body, &[("origin", origin)]), &on());
        carrier.map(|(_, carrier)| carrier)
    };
    assert_eq!(read(PAGE, "true").unwrap(), Carrier::Cookie);
    assert_eq!(read(PAGE, "false").unwrap(), Carrier::Body);
    let refused = read("https://evil.example", "true").err();
    assert_eq!(refused, Some(Rejection::OriginNotAllowed));
}

#[test]
fn a_refresh_and_a_logout_need_a_token_unless_a_cookie_may_have_it() {
    let missing = "`refresh_token` is missing; it must be a string.";
    let empty = json("{}", &[]);
    assert_eq!(detail(refresh(&empty, &OFF())), missing);
    assert_eq!(detail(logout(&empty, &OFF())), missing);
    assert!(refresh(&empty, &on()).unwrap().0.refresh_token.is_none());
    assert!(logout(&empty, &on()).unwrap().0.refresh_token.is_none());

    let token = "BwcH".repeat(20);
    let body = |more: &str| json(&format!(r#"{{"refresh_token":"{token}"{more}}}"#), &[]);
    for cookie in [on(), OFF()] {
        let (read, carrier) = refresh(&body(""), &cookie).unwrap();
        let text = read.refresh_token.unwrap().expose_secret();
        assert_eq!((text, carrier), (token.clone(), Carrier::Body));
        for (more, all) in [
            ("", false),
            (r#","all":false"#, false),
            (r#","all":true"#, true),
        ] {
            let (read, _, _) = logout(&body(more), &cookie).unwrap();
            assert!(read.refresh_token.is_some());
            assert_eq!(read.all, all, "{more}");
        }
    }
}

#[test]
fn a_bearer_token_is_one_header_with_one_scheme() {
    let read = |values: &[&str]| {
        let headers: Vec<_> = values.iter().map(|it| ("authorization", *it)).collect();
        bearer(&json("", &headers)).map(|token| token.expose_secret().to_owned())
    };
    for value in ["Bearer x.y.z", "bearer   x.y.z ", "BEARER x.y.z"] {
        assert_eq!(read(&[value]), Ok("x.y.z".to_owned()), "{value}");
    }
    assert_eq!(read(&[]), Err(Refusal::Unauthorized(Unauthorized::NoToken)));
    let invalid = Refusal::Unauthorized(Unauthorized::InvalidToken("not one bearer token"));
    for values in [
        &["Bearer"][..],
        &["Basic x"],
        &["x.y.z"],
        &["Bearer x", "Bearer x"],
        &["Bearer é"],
    ] {
        assert_eq!(read(values), Err(invalid), "{values:?}");
    }
}

#[test]
fn the_gateways_id_is_that_of_its_context() {
    let id = |context: &str| {
        let event = format!(r#"{{"httpMethod":"GET","requestContext":{context}}}"#);
        gateway_id(&crate::event::request(&event).unwrap())
    };
    assert_eq!(id(r#"{"requestId":"r"}"#).as_deref(), Some("r"));
    assert_eq!(
        id(r#"{"requestId":"r","http":{"method":"GET"}}"#).as_deref(),
        Some("r")
    );
    assert_eq!(id("{}"), None);
    assert_eq!(gateway_id(&Request::new(Body::Empty)), None);
}
