//! The settings, read once at start. The error names every mistake at once.
//!
//! `otp_settings` lists every setting, and reads those of the use cases. This
//! module adds the settings of HTTP.

use std::borrow::Cow;

use otp_domain::{TrustedProxies, UnixTime};
use otp_service::{ambient, aws::TrustRoots, login::LoginSettings, session::SessionSettings};
use otp_settings::{Reader, ServiceSettings, table, variable};

use crate::{
    cookie::RefreshCookie,
    cors::{AllowedHeaders, AllowedOrigins},
};

pub use otp_settings::SettingsError;

/// The log's warning of test identities that nobody has removed yet. The metric
/// filters in `template.yaml` match this text.
pub const TEST_IDENTITIES_ENDED: &str =
    "TEST_IDENTITIES_UNTIL has passed: there are no test identities";

/// All settings. docs/settings.md explains each one.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The settings of the login use case. If what it sends is set wrongly, logins are
    /// answered by a 503, and nothing else stops.
    pub login: Result<LoginSettings, SettingsError>,
    /// The settings of the session use cases.
    pub sessions: SessionSettings,
    /// The web origins whose pages may call the API.
    pub allowed_origins: AllowedOrigins,
    /// The proxies in front of the gateway.
    pub trusted_proxies: TrustedProxies,
    /// Whether pages may have the refresh token in a cookie.
    pub refresh_cookie: RefreshCookie,
    /// The certificate authorities to trust.
    pub trust_roots: TrustRoots,
}

impl Settings {
    /// Reads the settings from the environment.
    ///
    /// # Errors
    ///
    /// Names every setting that is missing or wrong, if one of them stops everything.
    pub fn from_env() -> Result<Self, SettingsError> {
        Self::from_lookup(variable, ambient::now())
    }

    /// Reads the settings through `lookup`. An empty value counts as unset.
    ///
    /// # Errors
    ///
    /// Names every setting that is missing or wrong, if one of them stops everything.
    pub fn from_lookup(
        lookup: impl Fn(&str) -> Option<String>,
        now: UnixTime,
    ) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(lookup);
        let ServiceSettings { login, sessions } = reader.service(now);
        let (allowed_origins, refresh_cookie) = origins(&mut reader);
        let mistakes = login.as_ref().err().cloned();
        let settings = Self {
            login,
            sessions,
            allowed_origins,
            refresh_cookie,
            trusted_proxies: TrustedProxies::new(reader.number(&table::TRUSTED_PROXIES)),
            trust_roots: reader
                .optional(&table::AWS_CA_BUNDLE, TrustRoots::from_file)
                .unwrap_or_default(),
        };
        reader.finish(settings).map_err(|error| error.and(mistakes))
    }
}

impl Settings {
    /// What stops logins, or is valid and probably not meant. The log of a start has it.
    #[must_use]
    pub fn warnings(&self, now: UnixTime) -> Vec<Cow<'static, str>> {
        let mut warnings: Vec<Cow<'static, str>> = Vec::new();
        if self.sessions.test_identities.have_ended(now) {
            warnings.push(TEST_IDENTITIES_ENDED.into());
        }
        let delivery = match &self.login {
            Ok(login) => &login.delivery,
            Err(error) => {
                warnings.push(format!("no code can be sent: {error}").into());
                return warnings;
            }
        };
        let prefixes = &delivery.sms_prefixes;
        if prefixes.allow_all_of_north_america() {
            warnings.push(
                "SMS_PREFIXES allows all of +1: 25 countries, and premium numbers. \
                 Name the countries instead, such as US,CA."
                    .into(),
            );
        }
        let unfit = delivery.messages.unfit();
        if !prefixes.is_empty() && !unfit.is_empty() {
            let unfit: Vec<String> = unfit.iter().map(ToString::to_string).collect();
            let list = unfit.join("; ");
            warnings.push(format!("Text messages in DEFAULT_LOCALE instead of {list}").into());
        }
        warnings
    }
}

fn origins<L>(reader: &mut Reader<L>) -> (AllowedOrigins, RefreshCookie)
where
    L: Fn(&str) -> Option<String>,
{
    let setting = &table::ALLOWED_ORIGINS;
    let parsed = reader
        .text(setting)
        .map(|text| AllowedOrigins::parse(&text));
    let origins = parsed.unwrap_or_else(|| Ok(AllowedOrigins::default()));
    let origins = origins.unwrap_or_else(|why| {
        reader.mistake(format!("{} {why}", setting.name));
        AllowedOrigins::default()
    });
    let headers = reader.optional(&table::ALLOWED_HEADERS, AllowedHeaders::parse);
    let origins = origins.with_headers(headers.unwrap_or_default());
    if !reader.switch(&table::REFRESH_COOKIE) {
        return (origins, RefreshCookie::default());
    }
    if !origins.name_one() {
        reader.mistake("REFRESH_COOKIE=on needs an origin without * in ALLOWED_ORIGINS");
    }
    let origins = origins.with_credentials();
    (origins.clone(), RefreshCookie::on(origins))
}

#[cfg(test)]
mod tests;
