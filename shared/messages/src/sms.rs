//! Text messages: one segment each, with at most one of two endings.

use std::fmt;

use otp_domain::Passcode;

use crate::{
    AndroidApp, Encoding, Language, Settings, Units,
    rendered::{Constants, Format, Rendered, Values},
};

/// The longest message that the SMS Retriever API reads, in bytes.
const RETRIEVER_LIMIT: usize = 140;

/// A text message, ready to be sent.
// No `Debug`: it has the code.
pub struct Sms {
    /// The language that it is written in.
    pub language: Language,
    /// The text.
    pub text: String,
}

/// How a message ends. It has one ending at most: browsers and Android both want the
/// last line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The line that binds the code to a site, if the deployment has one (WICG
    /// "Origin-bound one-time codes delivered via SMS").
    Site,
    /// The hash of an Android app.
    App(AndroidApp),
}

/// A language whose text message does not fit, and gets the default language's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// The language.
    pub language: Language,
    /// The app whose message does not fit; `None` for messages without an app.
    pub app: Option<String>,
    /// How many units are too many.
    pub excess: usize,
    /// The units: of the encoding, or bytes.
    unit: &'static str,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            language,
            excess,
            unit,
            ..
        } = self;
        write!(f, "{}: {excess} {unit} too many", language.tag())?;
        match &self.app {
            Some(app) => write!(f, " for the app {app}"),
            None => Ok(()),
        }
    }
}

/// Which of a language's sentences is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sentence {
    /// The operator's own, or else the language's whole one.
    Whole,
    /// The short one.
    Short,
}

impl Sentence {
    /// The sentence that fits with this ending, or why none does.
    pub(crate) fn choose(
        language: Language,
        ending: Ending,
        settings: &Settings,
    ) -> Result<Self, Unfit> {
        let candidates: &[Self] = if keeps_whole(language, settings) {
            &[Self::Whole]
        } else {
            &[Self::Whole, Self::Short]
        };
        let code = "0".repeat(usize::from(settings.code_length));
        let mut last = Default::default();
        for sentence in candidates {
            let text = write(
                sentence.of(language, settings),
                language,
                ending,
                settings,
                &code,
            );
            last = measure(&text, ending);
            if last.0 == 0 {
                return Ok(*sentence);
            }
        }
        let (excess, unit) = last;
        let app = match ending {
            Ending::Site => None,
            Ending::App(app) => Some(settings.apps.name(app).to_owned()),
        };
        Err(Unfit {
            language,
            app,
            excess,
            unit,
        })
    }

    fn of(self, language: Language, settings: &Settings) -> &str {
        let words = language.words();
        match self {
            Self::Whole => settings
                .own_sms_texts
                .of_language(language)
                .unwrap_or(words.sms_whole),
            Self::Short => words.sms_short,
        }
    }

    pub(crate) fn send(
        self,
        language: Language,
        ending: Ending,
        settings: &Settings,
        code: &Passcode,
    ) -> Sms {
        let (sentence, code) = (self.of(language, settings), code.expose_secret());
        let text = write(sentence, language, ending, settings, code);
        Sms { language, text }
    }
}

/// Whether a language has no short sentence: the operator's own has none, and a default
/// language of the GSM alphabet keeps its warning, as long as the brand allows the start.
fn keeps_whole(language: Language, settings: &Settings) -> bool {
    let is_default = language == settings.default_language;
    settings.own_sms_texts.of_language(language).is_some()
        || is_default && Units::of(language.words().sms_whole).encoding == Encoding::Gsm
}

fn measure(text: &str, ending: Ending) -> (usize, &'static str) {
    let units = Units::of(text);
    match (units.excess(), ending) {
        (0, Ending::App(_)) => (text.len().saturating_sub(RETRIEVER_LIMIT), "bytes"),
        (excess, _) => (excess, units.encoding.unit()),
    }
}

/// The whole message with a registered wording: nothing is added to it, isolates
/// included.
pub(crate) fn registered(wording: &str, settings: &Settings, code: &str) -> String {
    let life = settings.default_language.duration(settings.life);
    fill(wording, settings.brand.as_str(), &life, false, code)
}

pub(crate) fn write(
    sentence: &str,
    language: Language,
    ending: Ending,
    settings: &Settings,
    code: &str,
) -> String {
    let life = language.duration(settings.life);
    let brand = settings.brand.as_str();
    let mut text = fill(sentence, brand, &life, language.is_rtl(), code);
    let lines = match (ending, &settings.origin_host) {
        (Ending::App(app), _) => ["\n", settings.apps.hash(app), "", ""],
        (Ending::Site, Some(host)) => ["\n\n@", host, " #", code],
        (Ending::Site, None) => [""; 4],
    };
    text.extend(lines);
    text
}

fn fill(sentence: &str, brand: &str, life: &str, rtl: bool, code: &str) -> String {
    let mut rendered = Rendered::default();
    Format::Plain.sentence(&mut rendered, sentence, &Constants { brand, life, rtl });
    rendered.fill(&Values {
        code,
        ..Values::default()
    })
}

#[cfg(test)]
mod tests;
