//! Access tokens: published keys, verification, forgeries, and the principal of a token.

use std::time::Duration;

use axum::http::{HeaderMap, Method, Request, header};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http_body_util::Full;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode,
    jwk::{JwkSet, ThumbprintHash},
};
use serde_json::{Value, json};
use tests::{ALICE, Answer, ME, PHONE, TestApp};

const INVALID: &str = "Bearer error=\"invalid_token\"";
const CONFIGURATION: &str = "/.well-known/openid-configuration";

/// The published keys, found as a verifier finds them: from the issuer's configuration.
pub async fn published(app: &TestApp) -> JwkSet {
    let configuration = app.get(CONFIGURATION).await.json;
    let uri = configuration["jwks_uri"].as_str().expect("an address");
    let issuer = app.settings.sessions.tokens.issuer.as_str();
    let path = uri.strip_prefix(issuer).expect("an address of the issuer");
    serde_json::from_value(app.get(path).await.json).expect("keys")
}

/// The claims of a token, after a verifier has checked it.
pub async fn claims(app: &TestApp, token: &str) -> Value {
    verify(app, token).await.expect("the token verifies")
}

/// Checks a token with the published keys alone.
async fn verify(app: &TestApp, token: &str) -> Result<Value, jsonwebtoken::errors::Error> {
    let keys = published(app).await;
    let kid = header(token)["kid"].as_str().unwrap_or_default().to_owned();
    let Some(key) = keys.find(&kid) else {
        return Err(jsonwebtoken::errors::ErrorKind::InvalidToken.into());
    };
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_audience(&["example"]);
    validation.set_issuer(&[&app.settings.sessions.tokens.issuer]);
    // The library cannot be told the app's time.
    validation.validate_exp = false;
    let key = DecodingKey::from_jwk(key).expect("a key");
    decode::<Value>(token, &key, &validation).map(|token| token.claims)
}

/// The header of a token.
pub fn header(token: &str) -> Value {
    part(token, 0)
}

fn part(token: &str, n: usize) -> Value {
    let part = token.split('.').nth(n).expect("three parts");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
}

fn unsigned(header: &Value, claims: &Value) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}", part(header), part(claims))
}

#[tokio::test]
async fn a_verifier_finds_the_keys_by_the_issuer_alone() {
    let app = TestApp::start().await;
    for path in [CONFIGURATION, "/.well-known/jwks.json"] {
        for path in [path.to_owned(), format!("{path}/")] {
            let answer = app.get(&path).await;
            assert_eq!(answer.status, 200);
            assert_eq!(
                answer.headers[header::CACHE_CONTROL],
                "public, max-age=3600"
            );
            assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
            let posted = app.post(&path, "{}").await;
            posted.assert_problem(405, "method-not-allowed");
            assert_eq!(posted.headers[header::ALLOW], "GET");
        }
    }
    assert_eq!(
        app.get(CONFIGURATION).await.json["issuer"],
        app.settings.sessions.tokens.issuer
    );

    let keys = published(&app).await;
    let [key] = keys.keys.as_slice() else {
        panic!("one key is published");
    };
    let thumbprint = key.thumbprint(ThumbprintHash::SHA256).unwrap();
    assert_eq!(key.common.key_id, Some(thumbprint.clone()));
    let login = app.log_in(ALICE).await;
    let token = login["token"].as_str().unwrap();
    assert_eq!(header(token)["kid"], thumbprint);
    assert_eq!(claims(&app, token).await["sub"], login["user_id"]);
}

#[tokio::test]
async fn a_token_gets_the_user_that_it_belongs_to() {
    let app = TestApp::start().await;
    for (to, destination) in [
        (ALICE, json!({ "channel": "email", "email": ALICE })),
        (PHONE, json!({ "channel": "sms", "phone_number": PHONE })),
    ] {
        let login = app.log_in(to).await;
        let answer = app.me(login["token"].as_str().unwrap()).await;
        assert_eq!(
            *answer.assert_ok(),
            json!({
                "user_id": login["user_id"], "destinations": [destination],
                "created_at": "2026-01-01T00:10:00Z",
            })
        );
    }
}

/// What an attacker can make of a valid token, of a token with another issuer's key, and of the
/// published key.
fn forgeries(token: &str, foreign: &str, public: &[u8]) -> Vec<(&'static str, String)> {
    let (ours, spoken) = (header(token), part(token, 1));
    let signature = token.rsplit('.').next().unwrap();
    let changed = |name: &str, value: Value| {
        let mut spoken = spoken.clone();
        spoken[name] = value;
        format!("{}.{signature}", unsigned(&ours, &spoken))
    };
    let mut flipped = token.to_owned().into_bytes();
    let middle = flipped.len() - 100;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    let mut swapped = header(foreign);
    swapped["kid"] = ours["kid"].clone();
    let swapped = URL_SAFE_NO_PAD.encode(swapped.to_string());
    let mut hs256 = Header::new(Algorithm::HS256);
    hs256.kid = ours["kid"].as_str().map(ToOwned::to_owned);
    hs256.typ = Some("at+jwt".into());
    let hs256 = encode(&hs256, &spoken, &EncodingKey::from_secret(public)).unwrap();
    let none = json!({ "alg": "none", "typ": "at+jwt", "kid": ours["kid"] });
    let none = unsigned(&none, &spoken);
    vec![
        ("alg none", format!("{none}.")),
        ("alg none, signed", format!("{none}.{signature}")),
        ("HS256 keyed with the public key", hs256),
        (
            "another issuer's key under our kid",
            format!("{swapped}.{}", foreign.split_once('.').unwrap().1),
        ),
        ("another issuer's key", foreign.to_owned()),
        ("one flipped bit", String::from_utf8(flipped).unwrap()),
        ("another user", changed("sub", json!("eve"))),
        ("another audience", changed("aud", json!("eve"))),
        ("a longer life", changed("exp", json!(9_999_999_999_u64))),
        (
            "no signature",
            format!("{}.", token.rsplit_once('.').unwrap().0),
        ),
    ]
}

#[tokio::test]
async fn a_forged_token_is_refused_by_the_functions_and_by_a_verifier() {
    let app = TestApp::start().await;
    let token = app.log_in(ALICE).await["token"].clone();
    let issuer = &app.settings.sessions.tokens.issuer;
    // The stacks of one process share the key of a name.
    let other = [
        ("TOKEN_ISSUER", issuer.as_str()),
        ("SIGNING_KEY_ID", "another"),
    ];
    let other = TestApp::with(&other).await;
    let foreign = other.log_in(ALICE).await["token"].clone();
    let (token, foreign) = (token.as_str().unwrap(), foreign.as_str().unwrap());
    let public = serde_json::to_vec(&published(&app).await.keys[0]).unwrap();
    for (why, forged) in forgeries(token, foreign, &public) {
        assert!(
            verify(&app, &forged).await.is_err(),
            "a verifier accepts: {why}"
        );
        assert_unauthorized(&app.me(&forged).await, INVALID, why);
    }
    app.me(token).await.assert_ok();
}

#[tokio::test]
async fn an_expired_token_and_one_for_another_audience_are_refused() {
    let app = TestApp::with(&[("TOKEN_TTL_SECONDS", "60")]).await;
    let token = app.log_in(ALICE).await["token"]
        .as_str()
        .unwrap()
        .to_owned();
    app.advance(Duration::from_secs(59));
    app.me(&token).await.assert_ok();
    app.advance(Duration::from_secs(1));
    assert_unauthorized(&app.me(&token).await, INVALID, "expired");

    let app = TestApp::start().await;
    let other = app.deploy(|settings| settings.sessions.tokens.audience = "another".into());
    let token = other.await.log_in(ALICE).await["token"].clone();
    let answer = app.me(token.as_str().unwrap()).await;
    assert_unauthorized(&answer, INVALID, "another audience");
}

#[tokio::test]
async fn a_request_without_one_bearer_token_is_unauthorized() {
    let app = TestApp::start().await;
    assert_unauthorized(&app.get(ME).await, "Bearer", "no header");
    let token = app.log_in(ALICE).await["token"]
        .as_str()
        .unwrap()
        .to_owned();
    for value in [
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Basic {token}"),
        token.clone(),
        format!("Bearer {token} {token}"),
        format!("Bearer {token}, Bearer {token}"),
        format!("Bearer {token}\nBearer {token}"),
    ] {
        let mut request = Request::get(app.client.url(ME));
        for line in value.lines() {
            request = request.header(header::AUTHORIZATION, line);
        }
        let answer = app.send(request.body(Full::default()).unwrap()).await;
        assert_unauthorized(&answer, INVALID, "not one bearer token");
    }
    let request =
        Request::get(app.client.url(ME)).header(header::AUTHORIZATION, format!("bEARER  {token}"));
    app.send(request.body(Full::default()).unwrap())
        .await
        .assert_ok();
    let posted = app.request(Method::POST, ME, None, "").await;
    posted.assert_problem(405, "method-not-allowed");
}

#[tokio::test]
async fn the_token_of_a_disabled_or_removed_user_is_refused() {
    let app = TestApp::start().await;
    let token = app.log_in(ALICE).await["token"]
        .as_str()
        .unwrap()
        .to_owned();
    app.disable_user(ALICE).await;
    assert_unauthorized(&app.me(&token).await, INVALID, "disabled");
    app.remove_user(ALICE).await;
    assert_unauthorized(&app.me(&token).await, INVALID, "removed");
}

#[track_caller]
fn assert_unauthorized(answer: &Answer, challenge: &str, why: &str) {
    assert_eq!(answer.status, 401, "{why}");
    answer.assert_problem(401, "unauthorized");
    let headers: &HeaderMap = &answer.headers;
    assert_eq!(headers[header::WWW_AUTHENTICATE], challenge, "{why}");
}
