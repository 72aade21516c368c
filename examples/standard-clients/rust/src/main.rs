//! renew ISSUER CLIENT_ID < refresh token
//!
//! Refreshes twice by discovery, revokes the session, and shows that it is over. Prints the last
//! access token.

use std::{error::Error, io::stdin};

use oauth2::{
    AccessToken, ClientId, HttpRequest, HttpResponse, RefreshToken, RequestTokenError,
    RevocationErrorResponseType, RevocationUrl, StandardRevocableToken, TokenResponse, TokenUrl,
    basic::{BasicClient, BasicErrorResponseType},
    http,
};
use serde_json::Value;
use ureq::Agent;

fn agent() -> Agent {
    let config = Agent::config_builder().http_status_as_error(false);
    config.build().into()
}

/// The crate revokes at https addresses only, and the local stack is at http on loopback.
fn on_loopback(url: &str, from: &str, to: &str) -> String {
    url.replacen(
        &format!("{from}://127.0.0.1:"),
        &format!("{to}://127.0.0.1:"),
        1,
    )
}

fn send(mut request: HttpRequest) -> Result<HttpResponse, ureq::Error> {
    let url = on_loopback(&request.uri().to_string(), "https", "http");
    *request.uri_mut() = url.parse().map_err(http::Error::from)?;
    let (head, mut body) = agent().run(request)?.into_parts();
    let body = body.read_to_vec()?;
    Ok(http::Response::from_parts(head, body))
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let issuer = arguments.next().ok_or("no issuer")?;
    let client_id = arguments.next().ok_or("no client")?;
    let mut first = String::new();
    stdin().read_line(&mut first)?;
    let first = RefreshToken::new(first.trim().to_owned());

    let url = format!("{issuer}/.well-known/oauth-authorization-server");
    let metadata = agent().get(&url).call()?.body_mut().read_to_string()?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    assert_eq!(metadata["issuer"], issuer);
    let endpoint = |name: &str| metadata[name].as_str().unwrap_or_default().to_owned();
    let client = BasicClient::new(ClientId::new(client_id))
        .set_token_uri(TokenUrl::new(endpoint("token_endpoint"))?)
        .set_revocation_url(RevocationUrl::new(on_loopback(
            &endpoint("revocation_endpoint"),
            "http",
            "https",
        ))?);

    let refresh = |token: &RefreshToken| client.exchange_refresh_token(token).request(&send);
    let revoke = |token: StandardRevocableToken| {
        let request = client.revoke_token(token);
        request.expect("an https address").request(&send)
    };
    let one = refresh(&first)?;
    let next = one.refresh_token().ok_or("no refresh token")?;
    assert_ne!(next.secret(), first.secret());
    let two = refresh(next)?;
    assert!(two.expires_in().is_some());
    let last = two.refresh_token().ok_or("no refresh token")?;

    let access = AccessToken::new(two.access_token().secret().clone());
    let refused = revoke(access.into())
        .err()
        .ok_or("an access token is revoked")?;
    assert!(
        matches!(refused, RequestTokenError::ServerResponse(response)
        if *response.error() == RevocationErrorResponseType::UnsupportedTokenType)
    );
    for _ in 0..2 {
        revoke(last.clone().into())?;
    }
    let over = refresh(last).err().ok_or("the session is not over")?;
    assert!(matches!(over, RequestTokenError::ServerResponse(response)
        if *response.error() == BasicErrorResponseType::InvalidGrant));
    println!("{}", two.access_token().secret());
    Ok(())
}
