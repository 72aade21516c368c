//! Settings for the tests of this crate.

use std::time::Duration;

use otp_domain::Passcode;

use crate::{AndroidApps, Brand, Language, OwnSmsTexts, Settings};

pub(crate) fn language(tag: &str) -> Language {
    Language::lookup(tag).unwrap()
}

pub(crate) fn settings() -> Settings {
    Settings {
        brand: Brand::parse("Example").unwrap(),
        default_language: language("en"),
        code_length: 6,
        life: Duration::from_mins(5),
        origin_host: None,
        sign_in_url: None,
        subject_code: false,
        request_details: false,
        own_sms_texts: OwnSmsTexts::default(),
        apps: AndroidApps::default(),
    }
}

pub(crate) fn code(settings: &Settings) -> Passcode {
    let digits = &"0123456789"[..usize::from(settings.code_length)];
    Passcode::parse(digits, settings.code_length).unwrap()
}
