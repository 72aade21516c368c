//! The refresh token in a cookie, which no script can read (docs/decisions/web-client.md).

use std::time::Duration;

use lambda_http::{
    Request,
    http::header::{COOKIE, HeaderValue},
};
use otp_domain::{Device, RefreshToken};
use otp_service::session::DeviceToken;
use secrecy::{ExposeSecret, SecretString};

use crate::{cors::AllowedOrigins, rejection::Rejection};

/// The cookie's name. With the prefix `__Host-`, browsers take the cookie only
/// with `Secure` and `Path=/` and without `Domain`, so no other host can set it.
const NAME: &str = "__Host-refresh_token";

/// The name of the cookie with the tokens of known devices, one for each destination.
const DEVICES: &str = "__Host-device_token";

/// The value of `Set-Cookie` that removes the tokens of known devices.
pub(crate) const DEVICES_REMOVED: &str =
    "__Host-device_token=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0";

/// The most tokens of known devices in one cookie. The oldest goes first.
const MOST_DEVICES: usize = 5;

/// What separates two tokens. It is no letter of theirs.
const BETWEEN_DEVICES: char = '.';

/// The value of `Set-Cookie` that removes the cookie.
pub(crate) const REMOVED: &str =
    "__Host-refresh_token=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0";

/// How a refresh token travels between a client and this API. An answer uses the
/// carrier of its request, so a token in a cookie never reaches a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The member `refresh_token` of the body.
    Body,
    /// The cookie.
    Cookie,
}

impl Carrier {
    /// A refresh token for the client: a member of the body, or the value of
    /// `Set-Cookie`.
    pub(crate) fn hand_out(
        self,
        token: &RefreshToken,
        lifetime: Duration,
    ) -> (Option<String>, Option<HeaderValue>) {
        let text = token.expose_secret();
        if self == Self::Body {
            return (Some(text), None);
        }
        let seconds = lifetime.as_secs();
        let cookie =
            format!("{NAME}={text}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}");
        // Tokens are base64url, so every one of them is a header value.
        let mut cookie = HeaderValue::try_from(cookie).ok();
        if let Some(cookie) = &mut cookie {
            cookie.set_sensitive(true);
        }
        (None, cookie)
    }
}

/// The value of `Set-Cookie` that keeps this token of a known device beside those that the
/// browser has, newest first.
pub(crate) fn keep_device(device: &DeviceToken, kept: &[SecretString]) -> Option<HeaderValue> {
    let new = device.token.expose_secret();
    let others = kept.iter().map(ExposeSecret::expose_secret);
    let others = others.filter(|other| !Device::is_same(other, new));
    let tokens: Vec<&str> = std::iter::once(new)
        .chain(others)
        .take(MOST_DEVICES)
        .collect();
    let tokens = tokens.join(&BETWEEN_DEVICES.to_string());
    let seconds = device.expires_in.as_secs();
    let cookie =
        format!("{DEVICES}={tokens}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}");
    let mut cookie = HeaderValue::try_from(cookie).ok()?;
    cookie.set_sensitive(true);
    Some(cookie)
}

/// The setting `REFRESH_COOKIE`: off, or on for pages of these origins.
#[derive(Clone, Debug, Default)]
pub struct RefreshCookie(Option<AllowedOrigins>);

impl RefreshCookie {
    pub(crate) const fn on(origins: AllowedOrigins) -> Self {
        Self(Some(origins))
    }

    pub(crate) const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// The tokens of known devices that the browser has, newest first.
    pub fn device_tokens(&self, request: &Request) -> Vec<SecretString> {
        let tokens = self.is_on().then(|| value(request, DEVICES)).flatten();
        let tokens = tokens.unwrap_or_default().split(BETWEEN_DEVICES);
        let tokens = tokens.filter(|token| !token.is_empty());
        tokens.take(MOST_DEVICES).map(SecretString::from).collect()
    }

    /// The carrier of a new session. A page asks for the cookie.
    pub(crate) fn asked(&self, request: &Request, asked: bool) -> Result<Carrier, Rejection> {
        if asked {
            self.check_origin(request)?;
            Ok(Carrier::Cookie)
        } else {
            Ok(Carrier::Body)
        }
    }

    /// The refresh token of a request, and its carrier: the member of the body, or
    /// the cookie if the body has no such member. The token is `None` if the text
    /// is not the form of one.
    pub(crate) fn presented(
        &self,
        request: &Request,
        member: Option<SecretString>,
    ) -> Result<(Option<RefreshToken>, Carrier), Rejection> {
        match (member, value(request, NAME)) {
            (Some(text), _) => Ok((RefreshToken::parse(text.expose_secret()), Carrier::Body)),
            (None, None) => Ok((None, Carrier::Body)),
            (None, Some(text)) => {
                self.check_origin(request)?;
                Ok((RefreshToken::parse(text), Carrier::Cookie))
            }
        }
    }

    fn check_origin(&self, request: &Request) -> Result<(), Rejection> {
        let origins = self.0.as_ref();
        let is_allowed = origins.is_some_and(|origins| origins.admit_cookies(request));
        is_allowed.then_some(()).ok_or(Rejection::OriginNotAllowed)
    }
}

/// The cookie's value. HTTP/2 may split the cookies over several headers
/// (RFC 9113 section 8.2.3).
fn value<'a>(request: &'a Request, wanted: &str) -> Option<&'a str> {
    let headers = request.headers().get_all(COOKIE).iter();
    let mut pairs = headers
        .filter_map(|header| header.to_str().ok())
        .flat_map(|header| header.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use lambda_http::Body;
    use proptest::prelude::*;

    fn with_cookies(headers: &[&str]) -> Request {
        let mut request = Request::new(Body::Empty);
        for header in headers {
            let value = HeaderValue::from_str(header).unwrap();
            request.headers_mut().append(COOKIE, value);
        }
        request
    }

    #[test]
    fn the_cookie_is_found_among_others_by_its_whole_name() {
        for headers in [
            &["__Host-refresh_token=x"][..],
            &["a=b; __Host-refresh_token=x; c=d"],
            &["a=b", "__Host-refresh_token=x"],
            &["__Host-refresh_token=x;__Host-refresh_token=y"],
        ] {
            assert_eq!(
                value(&with_cookies(headers), NAME),
                Some("x"),
                "{headers:?}"
            );
        }
        for headers in [
            &[][..],
            &["refresh_token=x"],
            &["__host-refresh_token=x"],
            &["__Host-refresh_token"],
            &["a=__Host-refresh_token=x"],
            &["__Host-refresh_token2=x"],
        ] {
            assert_eq!(value(&with_cookies(headers), NAME), None, "{headers:?}");
        }
    }

    fn refresh_cookie(origins: &str) -> RefreshCookie {
        RefreshCookie::on(AllowedOrigins::parse(origins).unwrap().with_credentials())
    }

    fn from(origin: Option<&str>, cookies: &[&str]) -> Request {
        let mut request = with_cookies(cookies);
        if let Some(origin) = origin {
            let origin = HeaderValue::from_str(origin).unwrap();
            request.headers_mut().insert("origin", origin);
        }
        request
    }

    const PAGE: &str = "https://www.example.com";

    #[test]
    fn a_page_of_an_allowed_origin_gets_the_cookie_if_it_asks() {
        let cookie = refresh_cookie(PAGE);
        assert!(cookie.is_on() && !RefreshCookie::default().is_on());
        let refused = Err(Rejection::OriginNotAllowed);
        for (origin, asked, carrier) in [
            (Some(PAGE), true, Ok(Carrier::Cookie)),
            (Some(PAGE), false, Ok(Carrier::Body)),
            (Some("https://evil.example"), true, refused.clone()),
            (None, true, refused.clone()),
            (None, false, Ok(Carrier::Body)),
        ] {
            assert_eq!(cookie.asked(&from(origin, &[]), asked), carrier);
        }
        let off = RefreshCookie::default();
        assert_eq!(off.asked(&from(Some(PAGE), &[]), true), refused);
    }

    #[test]
    fn a_token_of_the_body_counts_before_the_cookie_which_only_an_allowed_page_may_send() {
        let token = URL_SAFE_NO_PAD.encode([7; 60]);
        let pair = format!("{NAME}={token}");
        let cookie = refresh_cookie(PAGE);
        let presented = |origin, cookies: &[&str], member: Option<&str>| {
            let request = from(origin, cookies);
            let presented = cookie.presented(&request, member.map(Into::into));
            presented.map(|(token, carrier)| (token.is_some(), carrier))
        };
        let cookies = [pair.as_str()];
        let in_cookie = Ok((true, Carrier::Cookie));
        assert_eq!(presented(Some(PAGE), &cookies, None), in_cookie);
        let refused = Err(Rejection::OriginNotAllowed);
        assert_eq!(presented(None, &cookies, None), refused);
        let in_body = Ok((true, Carrier::Body));
        assert_eq!(presented(None, &cookies, Some(&token)), in_body);
        for member in [None, Some("x")] {
            let none = Ok((false, Carrier::Body));
            assert_eq!(presented(None, &[], member), none);
        }
    }

    proptest! {
        #[test]
        fn a_token_is_in_the_body_or_in_the_cookie_and_comes_back_as_it_was(
            secrets: [u8; 48],
            user in "[A-Za-z0-9_-]{1,128}",
            seconds in 0u64..40_000_000,
        ) {
            let bytes = [&secrets, user.as_bytes()].concat();
            let token = RefreshToken::parse(&URL_SAFE_NO_PAD.encode(bytes)).unwrap();
            let lifetime = Duration::from_secs(seconds);
            let (member, cookie) = Carrier::Body.hand_out(&token, lifetime);
            prop_assert!(member == Some(token.expose_secret()) && cookie.is_none());

            let (member, cookie) = Carrier::Cookie.hand_out(&token, lifetime);
            prop_assert!(member.is_none());
            let cookie = cookie.unwrap();
            let shown = format!("{cookie:?}");
            prop_assert!(!shown.contains(&token.expose_secret()));
            let (pair, attributes) = cookie.to_str().unwrap().split_once("; ").unwrap();
            let expected = format!("Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age={seconds}");
            prop_assert_eq!(attributes, expected);
            let request = with_cookies(&[pair]);
            prop_assert!(value(&request, NAME) == Some(token.expose_secret().as_str()));
        }
    }
}
