//! Shows a message as this deployment's settings make it, without sending it.

use std::{ffi::OsString, fs};

use otp_domain::{ChallengeId, DestinationKind, Passcode, PhoneNumber};
use otp_messages::{Confirms, EmailDetails, Language, LanguageChoice, Messages, Sms, Units};
use otp_service::{
    aws::Aws,
    delivery::{self, Settings},
};
use otp_settings::delivery_from_lookup;

use crate::{error::Error, exit::Exit, io::Io};

/// What to show.
#[derive(Debug, PartialEq, Eq)]
pub struct Preview {
    /// The channel of the message.
    pub channel: DestinationKind,
    /// What a client would send as `locale`; without it, the default language.
    pub locale: Option<String>,
    /// What a client would send as `app`.
    pub app: Option<String>,
    /// Where the HTML part of an e-mail goes.
    pub html: Option<OsString>,
    /// The number that a text message goes to, for its sender.
    pub number: Option<PhoneNumber>,
}

/// The product's name, if the settings have none.
const BRAND: &str = "Example";
const DIGITS: &str = "0123456789";
const CHALLENGE_ID: &str = "r5BuMb9vjKaMlD76sIa5SQ";
const REQUESTED_AT: &str = "2026-01-31 12:00 UTC";
const REQUESTED_FROM: &str = "203.0.113.7";

impl Preview {
    /// Prints the message. `lookup` reads the settings, as the functions name them.
    pub async fn run(
        self,
        lookup: impl Fn(&str) -> Option<String>,
        aws: impl AsyncFnOnce() -> Aws,
        io: &mut Io<'_>,
    ) -> Result<Exit, Error> {
        let has_brand = lookup("BRAND").is_some_and(|brand| !brand.trim().is_empty());
        if !has_brand {
            writeln!(io.stderr, "BRAND is not set: shown with the brand {BRAND}")?;
        }
        let lookup = |name: &str| match name {
            "BRAND" if !has_brand => Some(BRAND.to_owned()),
            name => lookup(name),
        };
        let settings = delivery_from_lookup(lookup).map_err(|error| {
            Error::Preview(format!(
                "{error}\nset the variables of the functions, such as BRAND"
            ))
        })?;
        let messages = &settings.messages;
        let length = messages.settings().code_length;
        let (Ok(code), Some(id)) = (
            Passcode::parse(&DIGITS[..usize::from(length)], length),
            ChallengeId::parse(CHALLENGE_ID),
        ) else {
            return Ok(Exit::Failed);
        };
        let language = self.language(messages)?;
        match self.channel {
            DestinationKind::Phone => self.sms(&settings, language, &code, io),
            DestinationKind::Email => {
                let details = EmailDetails {
                    confirms: Confirms::Login,
                    code: &code,
                    challenge_id: &id,
                    requested_at: REQUESTED_AT,
                    requested_from: REQUESTED_FROM,
                };
                self.email(&settings, language, &details, aws, io).await
            }
        }
    }

    fn language(&self, messages: &Messages) -> Result<Language, Error> {
        let default = messages.settings().default_language;
        let Some(locale) = &self.locale else {
            return Ok(default);
        };
        let choice = LanguageChoice::by_locale(locale);
        let choice = choice.map_err(|_| Error::Preview(format!("{locale:?} is no BCP 47 tag")))?;
        Ok(choice.or(default))
    }

    fn sms(
        self,
        settings: &Settings,
        language: Language,
        code: &Passcode,
        io: &mut Io<'_>,
    ) -> Result<Exit, Error> {
        let messages = &settings.messages;
        let find = |name: String| {
            let app = messages.settings().apps.find(&name);
            app.ok_or_else(|| Error::Preview(format!("ANDROID_APP_HASHES has no {name:?}")))
        };
        let app = self.app.map(find).transpose()?;
        let sender = self
            .number
            .as_ref()
            .and_then(|number| settings.sms_senders.of(number));
        let registered = sender.and_then(|sender| sender.registration.as_ref());
        let Sms { language, text } = match registered {
            Some(registered) => messages.registered_sms(&registered.template_id, code),
            None => messages.sms(language, app, code),
        };
        writeln!(io.stdout, "{text}")?;
        let units = Units::of(&text);
        let (encoding, segment) = (units.encoding, units.encoding.segment());
        let tag = language.tag();
        writeln!(
            io.stderr,
            "{tag}, {encoding}, {} of {segment} units",
            units.count
        )?;
        for unfit in messages.unfit() {
            writeln!(io.stderr, "in the default language instead: {unfit}")?;
        }
        Ok(Exit::Done)
    }

    async fn email(
        self,
        settings: &Settings,
        language: Language,
        details: &EmailDetails<'_>,
        aws: impl AsyncFnOnce() -> Aws,
        io: &mut Io<'_>,
    ) -> Result<Exit, Error> {
        if settings.email_template.is_some() {
            let own = delivery::render_own_email(settings, &aws().await, language, details).await;
            writeln!(
                io.stdout,
                "{}",
                own.map_err(|fault| Error::Preview(fault.to_string()))?
            )?;
            return Ok(Exit::Done);
        }
        let email = settings.messages.email(language, details);
        let tag = language.tag();
        writeln!(
            io.stdout,
            "Subject: {}\nContent-Language: {tag}\n\n{}",
            email.subject, email.text
        )?;
        if let Some(file) = self.html {
            let written = fs::write(&file, email.html);
            written.map_err(|error| Error::Stream(file.to_string_lossy().into_owned(), error))?;
        }
        Ok(Exit::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn shown(preview: Preview, settings: &[(&str, &str)]) -> Result<String, String> {
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let mut io = Io {
            stdin: &mut [].as_slice(),
            stdout: &mut stdout,
            stderr: &mut stderr,
        };
        let lookup = |name: &str| {
            let found = settings.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let aws = async || -> Aws { unreachable!("no setting names a template") };
        let result = preview.run(lookup, aws, &mut io).await;
        stdout.extend(stderr);
        let text = String::from_utf8(stdout).unwrap();
        result.map(|_| text).map_err(|error| error.to_string())
    }

    fn preview(channel: DestinationKind, locale: &str) -> Preview {
        Preview {
            channel,
            locale: Some(locale.to_owned()),
            app: None,
            html: None,
            number: None,
        }
    }

    const BRAND: (&str, &str) = ("BRAND", "Example");

    #[tokio::test]
    async fn a_text_message_is_shown_with_its_units() {
        let shown = shown(preview(DestinationKind::Phone, "de-AT"), &[BRAND])
            .await
            .unwrap();
        assert_eq!(
            shown,
            "012345 ist Ihr Login-Code für Example. Er gilt 5 Minuten. Geben Sie ihn nicht weiter.\n\
             de, GSM 03.38, 85 of 160 units\n"
        );
    }

    #[tokio::test]
    async fn a_language_that_does_not_fit_is_shown_as_it_is_sent() {
        let settings = [
            ("BRAND", "A brand of thirty-two characters"),
            ("ORIGIN_HOST", "accounts.example.com"),
        ];
        let shown = shown(preview(DestinationKind::Phone, "ar"), &settings)
            .await
            .unwrap();
        assert!(shown.starts_with("012345 is your A brand"), "{shown}");
        assert!(shown.contains("ar: 7 units of UCS-2 too many"), "{shown}");
    }

    #[tokio::test]
    async fn a_registered_number_gets_its_wording() {
        let mut preview = preview(DestinationKind::Phone, "de");
        preview.number = PhoneNumber::parse("+919876543210").ok();
        let settings = [
            BRAND,
            ("SMS_SENDERS", "+91=EXMPLE;1101234;110712345"),
            (
                "SMS_TEXTS",
                r#"{"110712345":"{code} is your OTP for {brand}. - EXMPLE"}"#,
            ),
        ];
        let shown = shown(preview, &settings).await.unwrap();
        assert!(
            shown.starts_with("012345 is your OTP for Example. - EXMPLE\n"),
            "{shown}"
        );
    }

    #[tokio::test]
    async fn an_email_is_shown_with_its_subject() {
        let shown = shown(preview(DestinationKind::Email, "tr"), &[BRAND])
            .await
            .unwrap();
        assert!(shown.starts_with("Subject: Example giriş kodunuz\nContent-Language: tr\n\n"));
        assert!(shown.contains("\n\n012345\n\n"), "{shown}");
    }

    #[tokio::test]
    async fn without_a_brand_the_example_is_shown() {
        let shown = shown(preview(DestinationKind::Phone, "en"), &[])
            .await
            .unwrap();
        assert!(shown.contains("is your Example sign-in code"), "{shown}");
        assert!(shown.contains("BRAND is not set"), "{shown}");
    }

    #[tokio::test]
    async fn a_mistake_is_named() {
        let app = Preview {
            app: Some("shop".to_owned()),
            ..preview(DestinationKind::Phone, "de")
        };
        for (preview, settings, expected) in [
            (
                preview(DestinationKind::Phone, "de"),
                &[("BRAND", "two\nlines")][..],
                "BRAND must",
            ),
            (
                preview(DestinationKind::Phone, "de_DE"),
                &[BRAND],
                "\"de_DE\" is no BCP 47 tag",
            ),
            (app, &[BRAND], "ANDROID_APP_HASHES has no \"shop\""),
        ] {
            let error = shown(preview, settings).await.unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
