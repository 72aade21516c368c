//! Reads the requests of OAuth clients, which are forms (RFC 6749 appendix B).

use std::collections::HashMap;

use lambda_http::{Request, http::header::AUTHORIZATION};
use otp_domain::RefreshToken;
use otp_service::session::{RefreshRequest, RevokeRequest};

use crate::{
    body, media_type,
    mistakes::Explanation,
    rejection::{FormRejection, Rejection},
};

/// The scopes of every login: a token that says who the user is, and one that renews
/// it. A refresh may ask for these again and for no others.
const GRANTED: [&str; 2] = ["openid", "offline_access"];

/// Reads `POST /oauth2/token` (RFC 6749 section 6).
///
/// # Errors
///
/// The request is malformed, of another client, or asks for another grant.
pub fn token(request: &Request, client_id: &str) -> Result<RefreshRequest, Rejection> {
    let form = Form::of_client(request, client_id)?;
    if form.need("grant_type", "`grant_type` is missing.")? != "refresh_token" {
        return Err(Rejection::Form(FormRejection::UnsupportedGrantType));
    }
    let asked = form.get("scope").unwrap_or_default().split(' ');
    if asked
        .filter(|scope| !scope.is_empty())
        .any(|scope| !GRANTED.contains(&scope))
    {
        return Err(Rejection::Form(FormRejection::InvalidScope));
    }
    let token = form.need("refresh_token", "`refresh_token` is missing.")?;
    Ok(RefreshRequest {
        refresh_token: RefreshToken::parse(token),
    })
}

/// Reads `POST /oauth2/revoke` (RFC 7009 section 2.1). The hint makes no
/// difference: a token's form says what it is.
///
/// # Errors
///
/// The request is malformed, or of another client.
pub fn revocation(request: &Request, client_id: &str) -> Result<RevokeRequest, Rejection> {
    let form = Form::of_client(request, client_id)?;
    let token = form.need("token", "`token` is missing.")?;
    Ok(RevokeRequest {
        token: token.into(),
    })
}

/// The parameters of a form.
#[derive(Debug)]
struct Form(HashMap<String, String>);

impl Form {
    /// Reads the form of the client with this id. A public client may name itself
    /// (RFC 6749 section 3.2.1), and has no credentials.
    fn of_client(request: &Request, client_id: &str) -> Result<Self, Rejection> {
        if request.headers().contains_key(AUTHORIZATION) {
            return Err(Rejection::Form(FormRejection::Authenticates));
        }
        if !media_type::is(request, media_type::FORM) {
            return Err(invalid(
                "The body must be application/x-www-form-urlencoded in UTF-8.",
            ));
        }
        let form = Self::parse(body::bytes(request)?)?;
        match form.get("client_id") {
            Some(other) if other != client_id => Err(Rejection::Form(FormRejection::OtherClient)),
            _ => Ok(form),
        }
    }

    /// No parameter may occur twice (RFC 6749 section 3.2).
    fn parse(body: &[u8]) -> Result<Self, Rejection> {
        let mut parameters = HashMap::new();
        for (name, value) in form_urlencoded::parse(body) {
            if parameters.insert(name.into(), value.into()).is_some() {
                return Err(invalid("A parameter occurs twice."));
            }
        }
        Ok(Self(parameters))
    }

    /// A parameter without a value counts as left out (RFC 6749 section 3.2).
    fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.get(name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    fn need(&self, name: &str, missing: &'static str) -> Result<&str, Rejection> {
        self.get(name).ok_or_else(|| invalid(missing))
    }
}

fn invalid(sentence: &'static str) -> Rejection {
    Rejection::InvalidRequest(Explanation::new(sentence))
}

#[cfg(test)]
mod tests {
    use lambda_http::{
        Body,
        http::header::{CONTENT_TYPE, HeaderValue},
    };

    use super::*;

    fn form(body: &str) -> Request {
        let mut request = Request::new(Body::Text(body.to_owned()));
        let value = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, value);
        request
    }

    #[test]
    fn a_refresh_names_its_grant_its_token_no_more_scope_and_no_other_client() {
        let refused = |body: &str| token(&form(body), "us").err();
        let grant = "grant_type=refresh_token";
        for more in [
            "",
            "&client_id=us",
            "&client_id=",
            "&scope=",
            "&scope=openid",
            "&scope=offline_access+openid",
        ] {
            let request = form(&format!("{grant}&refresh_token=x{more}"));
            assert!(token(&request, "us").unwrap().refresh_token.is_none());
        }
        for (body, why) in [
            (
                "grant_type=password&refresh_token=x".to_owned(),
                FormRejection::UnsupportedGrantType,
            ),
            (
                format!("{grant}&refresh_token=x&scope=a"),
                FormRejection::InvalidScope,
            ),
            (
                format!("{grant}&refresh_token=x&scope=openid+email"),
                FormRejection::InvalidScope,
            ),
            (
                format!("{grant}&refresh_token=x&client_id=them"),
                FormRejection::OtherClient,
            ),
        ] {
            assert_eq!(refused(&body), Some(Rejection::Form(why)), "{body}");
        }
        let missing = "`refresh_token` is missing.";
        assert_eq!(refused(grant), Some(invalid(missing)));
        assert_eq!(
            refused("refresh_token=x"),
            Some(invalid("`grant_type` is missing."))
        );
    }

    #[test]
    fn a_client_is_public_and_sends_a_form() {
        let revoked = |request: &Request| revocation(request, "us").map(|_| ());
        assert_eq!(revoked(&form("token=x")), Ok(()));
        assert_eq!(revoked(&form("")), Err(invalid("`token` is missing.")));
        let mut known = form("token=x");
        known
            .headers_mut()
            .insert(AUTHORIZATION, HeaderValue::from_static("Basic x"));
        let why = Rejection::Form(FormRejection::Authenticates);
        assert_eq!(revoked(&known), Err(why));
        let plain = Request::new(Body::Text("token=x".to_owned()));
        let why = invalid("The body must be application/x-www-form-urlencoded in UTF-8.");
        assert_eq!(revoked(&plain), Err(why));
    }

    #[test]
    fn values_are_decoded_and_an_empty_one_counts_as_left_out() {
        let form = Form::parse(b"token=a%2Bb%20c+d%3D%3d&scope=&x").unwrap();
        assert_eq!(form.get("token"), Some("a+b c d=="));
        for name in ["scope", "x", "y"] {
            assert_eq!(form.get(name), None, "{name}");
        }
    }

    #[test]
    fn a_repeated_parameter_is_refused_however_it_is_spelt() {
        let twice = invalid("A parameter occurs twice.");
        for body in ["a=1&a=1", "a=1&%61=2", "a&a=", "b=1&a=1&b="] {
            assert_eq!(
                Form::parse(body.as_bytes()).err().as_ref(),
                Some(&twice),
                "{body}"
            );
        }
    }
}
