//! What the metadata says, and the client that tokens name.

use super::*;

const CONFIGURATION: &str = "/.well-known/openid-configuration";

#[tokio::test]
async fn the_metadata_says_what_is_so() {
    let app = TestApp::start().await;
    let issuer = app.settings.sessions.tokens.issuer.clone();
    let server = json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "token_endpoint": format!("{issuer}{TOKEN}"),
        "revocation_endpoint": format!("{issuer}{REVOKE}"),
        "response_types_supported": [],
        "grant_types_supported": ["refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
    });
    for slash in ["", "/"] {
        let answer = app.get(&format!("{METADATA}{slash}")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.headers[header::CACHE_CONTROL],
            "public, max-age=3600"
        );
        assert_eq!(answer.json, server);
    }
    // The other document says the same, and more.
    let configuration = app.get(CONFIGURATION).await.json;
    for (name, value) in server.as_object().unwrap() {
        assert_eq!(&configuration[name], value, "{name}");
    }
    assert_eq!(configuration["subject_types_supported"], json!(["public"]));
    assert_eq!(
        configuration["id_token_signing_alg_values_supported"],
        json!(["RS256"])
    );
    let login = app.log_in(ALICE).await;
    let claims = claims(&app, login["token"].as_str().unwrap()).await;
    let supported = configuration["claims_supported"].as_array().unwrap();
    for name in claims.as_object().unwrap().keys() {
        assert!(supported.contains(&json!(name)), "{name}");
    }
}

#[tokio::test]
async fn the_client_is_the_audience_unless_a_setting_names_it() {
    for (settings, expected) in [
        (&[][..], "example"),
        (&[("TOKEN_CLIENT_ID", "my-app")], "my-app"),
    ] {
        let app = TestApp::with(settings).await;
        let login = app.log_in(ALICE).await;
        let spoken = claims(&app, login["token"].as_str().unwrap()).await;
        assert_eq!(spoken["client_id"], expected);
        assert_eq!(spoken["aud"], "example");
        let ours = format!("client_id={expected}&token=x");
        assert_revoked(&post_form(&app, REVOKE, &ours).await);
        let other = if expected == "example" {
            "my-app"
        } else {
            "example"
        };
        for path in [TOKEN, REVOKE] {
            let theirs = format!("client_id={other}&grant_type=refresh_token&token=x");
            assert_error(&post_form(&app, path, &theirs).await, 400, "invalid_client");
        }
    }
}
