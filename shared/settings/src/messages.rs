//! The settings of what messages say.

use std::{fmt, sync::Arc};

use otp_domain::{Policy, SmsSenders, is_host_name};
use otp_messages::{AndroidApps, Brand, Language, Messages, OwnSmsTexts, Settings, SignInUrl};
use otp_service::delivery;
use serde::de::{Deserializer, MapAccess, Visitor};

use crate::{Reader, SettingsError, table};

/// Reads the settings of delivery, and nothing else, through `lookup`.
///
/// # Errors
///
/// Names every setting of delivery that is missing or wrong.
pub fn delivery_from_lookup(
    lookup: impl Fn(&str) -> Option<String>,
) -> Result<delivery::Settings, SettingsError> {
    let mut reader = Reader::new(lookup);
    let policy = Policy {
        code_length: reader.number(&table::OTP_LENGTH),
        code_ttl: reader.seconds(&table::OTP_TTL_SECONDS),
        ..Policy::default()
    };
    let delivery = reader.delivery(&policy);
    reader.finish(delivery)
}

impl<L: Fn(&str) -> Option<String>> Reader<L> {
    pub(super) fn sms_senders(&mut self) -> SmsSenders {
        self.optional(&table::SMS_SENDERS, |text| SmsSenders::parse(text).ok())
            .unwrap_or_default()
    }

    pub(super) fn messages(
        &mut self,
        policy: &Policy,
        senders: &SmsSenders,
        sends_sms: bool,
    ) -> Arc<Messages> {
        let template_ids: Vec<_> = senders.template_ids().collect();
        let settings = Settings {
            brand: self.brand(),
            default_language: self
                .optional(&table::DEFAULT_LOCALE, Language::lookup)
                .unwrap_or_default(),
            code_length: policy.code_length,
            life: policy.code_ttl,
            origin_host: self.optional(&table::ORIGIN_HOST, |text| {
                is_host_name(text).then(|| text.to_ascii_lowercase())
            }),
            sign_in_url: self.optional(&table::SIGN_IN_URL, SignInUrl::parse),
            subject_code: self.switch(&table::EMAIL_SUBJECT_CODE),
            request_details: self.switch(&table::EMAIL_REQUEST_DETAILS),
            own_sms_texts: self.own_sms_texts(&template_ids),
            apps: self
                .optional(&table::ANDROID_APP_HASHES, AndroidApps::parse)
                .unwrap_or_default(),
        };
        let messages = Messages::new(settings);
        if sends_sms {
            self.check_segments(&messages);
        }
        Arc::new(messages)
    }

    /// Whoever gets no text that fits gets the default's, so that one must fit.
    fn check_segments(&mut self, messages: &Messages) {
        let default = messages.settings().default_language;
        let unfit = messages.unfit();
        for unfit in unfit.iter().filter(|unfit| unfit.language == default) {
            self.mistake(match &unfit.app {
                None => format!(
                    "BRAND, ORIGIN_HOST and SMS_TEXTS must leave a text message in \
                     DEFAULT_LOCALE within one segment: 160 characters of the GSM 03.38 \
                     alphabet, or 70 in languages with another ({unfit})"
                ),
                Some(_) => format!(
                    "ANDROID_APP_HASHES, BRAND and SMS_TEXTS must leave a text message in \
                     DEFAULT_LOCALE within 140 bytes ({unfit})"
                ),
            });
        }
        for unfit in messages.unfit_registered() {
            self.mistake(format!(
                "SMS_TEXTS must leave a registered text message within one segment ({unfit})"
            ));
        }
    }

    fn brand(&mut self) -> Brand {
        let brand = self.required(&table::BRAND);
        Brand::parse(&brand).unwrap_or_else(|| {
            if !brand.is_empty() {
                self.mistake("BRAND must be 1 to 32 characters, without control characters");
            }
            Brand::placeholder()
        })
    }

    fn own_sms_texts(&mut self, template_ids: &[&str]) -> OwnSmsTexts {
        let Some(texts) = self.optional(&table::SMS_TEXTS, json_texts) else {
            return OwnSmsTexts::default();
        };
        let texts = texts
            .iter()
            .map(|(tag, text)| (tag.as_str(), text.as_str()));
        OwnSmsTexts::new(texts, template_ids).unwrap_or_else(|mistake| {
            self.mistake(format!("SMS_TEXTS {mistake}"));
            OwnSmsTexts::default()
        })
    }
}

/// A JSON object of texts. Repeated names stay, so that they can be refused.
fn json_texts(text: &str) -> Option<Vec<(String, String)>> {
    struct Texts;

    impl<'de> Visitor<'de> for Texts {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object of texts")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut texts = Vec::new();
            while let Some(entry) = map.next_entry()? {
                texts.push(entry);
            }
            Ok(texts)
        }
    }

    let mut json = serde_json::Deserializer::from_str(text);
    let texts = json.deserialize_map(Texts).ok()?;
    json.end().ok().map(|()| texts)
}

/// The name of an SES template, short enough for the suffix of a language.
pub(super) fn template_name(text: &str) -> Option<String> {
    let name_like = |b: u8| b.is_ascii_alphanumeric() || b"_-".contains(&b);
    let fits = (1..=56).contains(&text.len()) && text.bytes().all(name_like);
    fits.then(|| text.to_owned())
}
