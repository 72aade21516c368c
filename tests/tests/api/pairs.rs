//! Every feature in every mode: one short story for each pair.
//!
//! A story is a login, a wrong code, the right one, its second use, a refresh, a logout, and a
//! login by a stranger. [`story`] has what must hold in each of them, and what a feature adds;
//! [`visitor`] sends the requests as the feature and the mode need them.

mod story;
mod visitor;

/// Without a conversion guard.
const UNGUARDED: (&str, &str) = ("CONVERSION_GUARD", "0");

/// What a deployment or a client may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Nothing more than a login by e-mail.
    Plain,
    TestIdentity,
    KeyOnLogin,
    KeyOnValidation,
    OwnTemplate,
    TextMessage,
    Claims,
    AppHash,
    Locale,
    SecondDigestKey,
    SecondSigningKey,
    TrustedProxy,
    /// Refreshes and revokes as an OAuth client does.
    FormBodies,
    RestApi,
    HttpApi,
    FunctionUrl,
}

/// How a deployment treats users and tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    SignUp,
    Reveal,
    Conceal,
    Cookies,
    Guard,
    /// Conceal, cookies and the guard.
    Everything,
}

impl Feature {
    const ALL: [Self; 16] = [
        Self::Plain,
        Self::TestIdentity,
        Self::KeyOnLogin,
        Self::KeyOnValidation,
        Self::OwnTemplate,
        Self::TextMessage,
        Self::Claims,
        Self::AppHash,
        Self::Locale,
        Self::SecondDigestKey,
        Self::SecondSigningKey,
        Self::TrustedProxy,
        Self::FormBodies,
        Self::RestApi,
        Self::HttpApi,
        Self::FunctionUrl,
    ];

    const fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::TestIdentity => &[
                ("TEST_IDENTITIES", "reviewer@example.com=012345"),
                ("TEST_IDENTITIES_UNTIL", "2026-01-02T00:00:00Z"),
            ],
            Self::OwnTemplate => &[("EMAIL_TEMPLATE", "login")],
            Self::AppHash => &[("ANDROID_APP_HASHES", "shop=FA+9qCX9VSu")],
            // A rotation of both keys at once.
            Self::SecondDigestKey | Self::SecondSigningKey => &[
                ("SECOND_DIGEST_KEY_ID", "next-digest-key"),
                ("SECOND_SIGNING_KEY_ID", "next-signing-key"),
            ],
            Self::TrustedProxy => &[("TRUSTED_PROXIES", "1"), ("REQUESTS_PER_IP_PER_HOUR", "2")],
            _ => &[],
        }
    }
}

impl Mode {
    const fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::SignUp => &[UNGUARDED],
            Self::Reveal => &[UNGUARDED, ("UNKNOWN_USERS", "reveal")],
            Self::Conceal => &[UNGUARDED, ("UNKNOWN_USERS", "conceal")],
            Self::Cookies => &[
                UNGUARDED,
                ("ALLOWED_ORIGINS", visitor::PAGE),
                ("REFRESH_COOKIE", "on"),
            ],
            Self::Guard => &[("CONVERSION_GUARD", "10")],
            Self::Everything => &[
                ("UNKNOWN_USERS", "conceal"),
                ("ALLOWED_ORIGINS", visitor::PAGE),
                ("REFRESH_COOKIE", "on"),
                ("CONVERSION_GUARD", "10"),
            ],
        }
    }

    const fn conceals(self) -> bool {
        matches!(self, Self::Conceal | Self::Everything)
    }

    const fn signs_up(self) -> bool {
        matches!(self, Self::SignUp | Self::Cookies | Self::Guard)
    }

    const fn has_cookies(self) -> bool {
        matches!(self, Self::Cookies | Self::Everything)
    }

    const fn has_guard(self) -> bool {
        matches!(self, Self::Guard | Self::Everything)
    }
}

/// Why a pair cannot exist.
const fn impossible(feature: Feature, mode: Mode) -> Option<&'static str> {
    match (feature, mode.has_cookies()) {
        (Feature::FormBodies, true) => {
            Some("the OAuth routes take the token in the form, never in a cookie")
        }
        _ => None,
    }
}

/// Runs every pair of a mode.
async fn every_feature(mode: Mode) {
    for feature in Feature::ALL {
        if impossible(feature, mode).is_none() {
            story::run(feature, mode).await;
        }
    }
}

#[tokio::test]
async fn every_feature_where_anyone_signs_up() {
    every_feature(Mode::SignUp).await;
}

#[tokio::test]
async fn every_feature_where_unknown_users_are_told() {
    every_feature(Mode::Reveal).await;
}

#[tokio::test]
async fn every_feature_where_users_are_concealed() {
    every_feature(Mode::Conceal).await;
}

#[tokio::test]
async fn every_feature_with_the_refresh_token_in_a_cookie() {
    every_feature(Mode::Cookies).await;
}

#[tokio::test]
async fn every_feature_under_the_conversion_guard() {
    every_feature(Mode::Guard).await;
}

#[tokio::test]
async fn every_feature_with_concealed_users_cookies_and_the_guard() {
    every_feature(Mode::Everything).await;
}

#[test]
fn two_of_the_pairs_cannot_exist() {
    let modes = [
        Mode::SignUp,
        Mode::Reveal,
        Mode::Conceal,
        Mode::Cookies,
        Mode::Guard,
        Mode::Everything,
    ];
    let pairs = Feature::ALL
        .iter()
        .flat_map(|feature| modes.map(|mode| impossible(*feature, mode)));
    let (without, with): (Vec<_>, Vec<_>) = pairs.partition(Option::is_some);
    assert_eq!((with.len(), without.len()), (94, 2));
}
