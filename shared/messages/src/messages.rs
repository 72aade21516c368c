//! The messages of one deployment.

use std::{collections::BTreeMap, fmt, sync::OnceLock, time::Duration};

use otp_domain::Passcode;

use crate::{
    AndroidApp, AndroidApps, Brand, Confirms, Email, EmailDetails, Language, OwnSmsTexts,
    SignInUrl, Sms, Unfit, Units,
    email::{self, EmailTemplate},
    notice::{self, Notice},
    sms::{self, Ending, Sentence},
};

/// What an operator decides about messages.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The product's name.
    pub brand: Brand,
    /// The language of whoever chooses none.
    pub default_language: Language,
    /// The number of digits of a code.
    pub code_length: u8,
    /// How long a code is valid.
    pub life: Duration,
    /// The only site on which browsers fill in the code of a text message.
    pub origin_host: Option<String>,
    /// The page that the link in an e-mail opens.
    pub sign_in_url: Option<SignInUrl>,
    /// Whether the subject of an e-mail has the code.
    pub subject_code: bool,
    /// Whether an e-mail tells when and from where the code was requested.
    pub request_details: bool,
    /// Sentences that replace the languages' own in text messages.
    pub own_sms_texts: OwnSmsTexts,
    /// The Android apps that read their own text messages.
    pub apps: AndroidApps,
}

/// The messages of one deployment. What a language needs is found at its first use,
/// and kept.
pub struct Messages {
    settings: Settings,
    emails: [OnceLock<EmailTemplate>; Language::COUNT],
    adding_emails: [OnceLock<EmailTemplate>; Language::COUNT],
    /// For each ending, one sentence for each language.
    texts: Vec<[OnceLock<Result<Sentence, Unfit>>; Language::COUNT]>,
}

impl Messages {
    /// The messages under these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let endings = 1 + settings.apps.all().count();
        Self {
            settings,
            emails: [const { OnceLock::new() }; Language::COUNT],
            adding_emails: [const { OnceLock::new() }; Language::COUNT],
            texts: (0..endings)
                .map(|_| [const { OnceLock::new() }; Language::COUNT])
                .collect(),
        }
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The e-mail in this language.
    #[must_use]
    pub fn email(&self, language: Language, details: &EmailDetails<'_>) -> Email {
        let confirms = details.confirms;
        let emails = match confirms {
            Confirms::Login => &self.emails,
            Confirms::Destination => &self.adding_emails,
        };
        let template = emails[language.index()]
            .get_or_init(|| EmailTemplate::new(language, confirms, &self.settings));
        template.fill(details)
    }

    /// The variables of an operator's own e-mail template, in this language.
    #[must_use]
    pub fn variables(
        &self,
        language: Language,
        details: &EmailDetails<'_>,
    ) -> BTreeMap<&'static str, String> {
        email::variables(language, &self.settings, details)
    }

    /// The text message in this language, or in the default language if it does not
    /// fit. With an app, it ends with the app's hash; else with the line of the site.
    #[must_use]
    pub fn sms(&self, language: Language, app: Option<AndroidApp>, code: &Passcode) -> Sms {
        let (settings, default) = (&self.settings, self.settings.default_language);
        let ending = app.map_or(Ending::Site, Ending::App);
        for language in [language, default] {
            if let Ok(sentence) = self.sentence(language, ending) {
                return sentence.send(language, ending, settings, code);
            }
        }
        self.default_sms(code)
    }

    /// The text message that a carrier has registered under this template id, whatever
    /// the client chooses: the operator's own, or else the default language's.
    #[must_use]
    pub fn registered_sms(&self, template_id: &str, code: &Passcode) -> Sms {
        match self.settings.own_sms_texts.of_template(template_id) {
            Some(wording) => Sms {
                language: self.settings.default_language,
                text: sms::registered(wording, &self.settings, code.expose_secret()),
            },
            None => self.default_sms(code),
        }
    }

    /// The text message in this language whose code adds the number to a user.
    #[must_use]
    pub fn adding_sms(&self, language: Language, code: &Passcode) -> Sms {
        let sentence = language.words().adding_sms;
        let code = code.expose_secret();
        let text = sms::write(sentence, language, Ending::Site, &self.settings, code);
        Sms { language, text }
    }

    /// A notice in this language. A text message is its text.
    #[must_use]
    pub fn notice(&self, language: Language, notice: Notice<'_>) -> Email {
        notice::write(language, notice, &self.settings)
    }

    fn default_sms(&self, code: &Passcode) -> Sms {
        let (settings, language) = (&self.settings, self.settings.default_language);
        let sentence = self.sentence(language, Ending::Site);
        // Settings whose default does not fit are refused at the start.
        let sentence = sentence.as_ref().unwrap_or(&Sentence::Whole);
        sentence.send(language, Ending::Site, settings, code)
    }

    /// The template ids whose own text does not fit one segment, and by how much.
    #[must_use]
    pub fn unfit_registered(&self) -> Vec<String> {
        let code = "0".repeat(usize::from(self.settings.code_length));
        let texts = self.settings.own_sms_texts.registered();
        let measured =
            texts.map(|(id, text)| (id, Units::of(&sms::registered(text, &self.settings, &code))));
        measured
            .filter(|(_, units)| units.excess() > 0)
            .map(|(id, units)| {
                format!(
                    "{id}: {} {} too many",
                    units.excess(),
                    units.encoding.unit()
                )
            })
            .collect()
    }

    /// Every language whose text message does not fit, for each ending.
    #[must_use]
    pub fn unfit(&self) -> Vec<&Unfit> {
        std::iter::once(Ending::Site)
            .chain(self.settings.apps.all().map(Ending::App))
            .flat_map(|ending| Language::all().map(move |language| (language, ending)))
            .filter_map(|(language, ending)| self.sentence(language, ending).as_ref().err())
            .collect()
    }

    fn sentence(&self, language: Language, ending: Ending) -> &Result<Sentence, Unfit> {
        let ending_index = match ending {
            Ending::Site => 0,
            Ending::App(app) => 1 + app.index(),
        };
        self.texts[ending_index][language.index()]
            .get_or_init(|| Sentence::choose(language, ending, &self.settings))
    }
}

impl fmt::Debug for Messages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Messages").field(&self.settings).finish()
    }
}
