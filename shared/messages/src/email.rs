//! E-mail: a subject, and the same sentences as plain text and as HTML.

use std::collections::BTreeMap;

use otp_domain::{ChallengeId, Passcode};

use crate::{
    Language, Settings,
    rendered::{Constants, Format, Hole, Rendered, Values},
};

/// An e-mail, ready to be sent.
// No `Debug`: it has the code.
pub struct Email {
    /// The subject, without the code unless the operator allows it.
    pub subject: String,
    /// The plain-text body.
    pub text: String,
    /// The HTML body. It loads nothing.
    pub html: String,
}

/// What one e-mail is about.
pub struct EmailDetails<'a> {
    /// The code.
    pub code: &'a Passcode,
    /// What the code confirms.
    pub confirms: Confirms,
    /// The challenge that the code answers, for the link.
    pub challenge_id: &'a ChallengeId,
    /// When the code was requested: `2026-01-31 12:00 UTC`.
    pub requested_at: &'a str,
    /// The client's address, as the gateway reports it.
    pub requested_from: &'a str,
}

/// What a code confirms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirms {
    /// That somebody logs in.
    Login,
    /// That a destination belongs to a user who adds it.
    Destination,
}

impl Confirms {
    /// The word for operators' own templates and senders.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Destination => "add-destination",
        }
    }
}

impl<'a> EmailDetails<'a> {
    fn values(&self) -> Values<'a> {
        Values {
            code: self.code.expose_secret(),
            challenge_id: self.challenge_id.as_str(),
            time: self.requested_at,
            address: self.requested_from,
        }
    }
}

/// The e-mail of one language.
pub(crate) struct EmailTemplate {
    subject: Rendered,
    text: Rendered,
    html: Rendered,
}

impl EmailTemplate {
    pub(crate) fn new(language: Language, confirms: Confirms, settings: &Settings) -> Self {
        let words = language.words();
        let life = language.duration(settings.life);
        let constants = Constants {
            brand: settings.brand.as_str(),
            life: &life,
            rtl: language.is_rtl(),
        };
        let mut subject = Rendered::default();
        let sentence = match (confirms, settings.subject_code) {
            (Confirms::Destination, _) => words.adding_subject,
            (Confirms::Login, true) => words.subject_with_code,
            (Confirms::Login, false) => words.subject,
        };
        Format::Plain.sentence(&mut subject, sentence, &constants);
        let blocks = blocks(language, confirms, settings);
        Self {
            subject,
            text: text(&blocks, &constants),
            html: html(language, &blocks, &constants),
        }
    }

    pub(crate) fn fill(&self, details: &EmailDetails<'_>) -> Email {
        let values = details.values();
        Email {
            subject: self.subject.fill(&values),
            text: self.text.fill(&values),
            html: self.html.fill(&values),
        }
    }
}

/// One paragraph.
enum Block<'a> {
    Sentence(&'a str),
    Code,
    Link {
        label: &'a str,
        url: &'a str,
    },
    /// A fact about the request.
    Note(&'a str),
    /// The line by which a mail program fills in the code on this host only.
    Origin(&'a str),
}

fn blocks(language: Language, confirms: Confirms, settings: &Settings) -> Vec<Block<'_>> {
    let words = language.words();
    let intro = match confirms {
        Confirms::Login => words.intro,
        Confirms::Destination => words.adding_intro,
    };
    let mut blocks = vec![Block::Sentence(intro), Block::Code];
    // The link logs somebody in.
    if let Some(url) = &settings.sign_in_url
        && confirms == Confirms::Login
    {
        blocks.push(Block::Link {
            label: words.link,
            url: url.stem(),
        });
    }
    blocks.extend([words.life, words.warning, words.unasked].map(Block::Sentence));
    if settings.request_details {
        blocks.extend([words.requested_at, words.requested_from].map(Block::Note));
    }
    // Mail programs look for it at the end, as in text messages.
    blocks.extend(settings.origin_host.as_deref().map(Block::Origin));
    blocks
}

fn text(blocks: &[Block<'_>], constants: &Constants<'_>) -> Rendered {
    let mut out = Rendered::default();
    for (index, block) in blocks.iter().enumerate() {
        if index > 0 {
            out.push("\n");
        }
        match block {
            Block::Sentence(sentence) | Block::Note(sentence) => {
                Format::Plain.sentence(&mut out, sentence, constants);
            }
            Block::Code => out.hole(Hole::Code),
            Block::Link { label, url } => {
                Format::Plain.sentence(&mut out, label, constants);
                out.push("\n");
                out.push(url);
                out.push("challenge_id=");
                out.hole(Hole::ChallengeId);
                out.push("&otp=");
                out.hole(Hole::Code);
            }
            Block::Origin(host) => origin(&mut out, host),
        }
        out.push("\n");
    }
    out
}

const HEAD: &str = "<meta charset='utf-8'>\
    <meta name='viewport' content='width=device-width'>\
    <meta name='color-scheme' content='light dark'>";

/// One column of at most 440 pixels; without `max-width`, as in Outlook, it is as wide
/// as the window. Only the button has colours: a mail program takes its own for the
/// rest, light or dark. It is short because each login signs all of it.
fn html(language: Language, blocks: &[Block<'_>], constants: &Constants<'_>) -> Rendered {
    let mut out = Rendered::default();
    // Some clients remove `html` and `body`, so the table repeats language and direction.
    let language = format!("lang='{}' dir='{}'", language.tag(), language.direction());
    out.push(&format!(
        "<!doctype html><html {language}><head>{HEAD}<title>"
    ));
    Format::Html.words(&mut out, constants.brand);
    out.push(&format!(
        "</title></head><body style='margin:0'>\
         <table role='presentation' width='100%' cellpadding='12'><tr><td align='center'>\
         <table role='presentation' {language} width='100%' cellpadding='20' \
         style='max-width:440px;border:1px solid #888;border-radius:12px'><tr>\
         <td style='font:16px/1.5 sans-serif'>"
    ));
    for block in blocks {
        match block {
            Block::Sentence(sentence) => {
                out.push("<p>");
                Format::Html.sentence(&mut out, sentence, constants);
            }
            Block::Note(sentence) => {
                out.push("<p style='margin:0;font-size:14px'>");
                Format::Html.sentence(&mut out, sentence, constants);
            }
            Block::Code => {
                out.push("<p style='font:bold 32px monospace;letter-spacing:3px'>");
                out.hole(Hole::Code);
            }
            Block::Link { label, url } => {
                out.push(
                    "<p><a target='_blank' style='color:#fff;background:#4350c4;\
                    border-radius:8px;padding:10px 16px;display:inline-block;\
                    text-decoration:none' href='",
                );
                Format::Html.words(&mut out, url);
                out.push("challenge_id=");
                out.hole(Hole::ChallengeId);
                out.push("&amp;otp=");
                out.hole(Hole::Code);
                out.push("'>");
                Format::Html.sentence(&mut out, label, constants);
                out.push("</a>");
            }
            Block::Origin(host) => {
                out.push("<p dir='ltr'>");
                origin(&mut out, host);
            }
        }
        out.push("</p>");
    }
    out.push("</td></tr></table></td></tr></table></body></html>");
    out
}

/// `@login.example.com #012345`. A host name has no character that HTML escapes.
fn origin(out: &mut Rendered, host: &str) {
    out.push("@");
    out.push(host);
    out.push(" #");
    out.hole(Hole::Code);
}

/// The variables of an operator's own template, all of them always: a template that
/// names another one cannot be rendered.
pub(crate) fn variables(
    language: Language,
    settings: &Settings,
    details: &EmailDetails<'_>,
) -> BTreeMap<&'static str, String> {
    let code = details.code.expose_secret();
    let challenge_id = details.challenge_id.as_str();
    let url = settings.sign_in_url.as_ref();
    let url = url.filter(|_| details.confirms == Confirms::Login);
    let link = url.map(|url| format!("{}challenge_id={challenge_id}&otp={code}", url.stem()));
    let host = settings.origin_host.as_deref();
    let origin = host.map(|host| format!("@{host} #{code}"));
    let told = |text: &str| if settings.request_details { text } else { "" }.to_owned();
    BTreeMap::from([
        ("brand", settings.brand.as_str().to_owned()),
        ("code", code.to_owned()),
        ("direction", language.direction().to_owned()),
        ("life", language.duration(settings.life)),
        ("link", link.unwrap_or_default()),
        ("locale", language.tag().to_owned()),
        ("origin", origin.unwrap_or_default()),
        ("purpose", details.confirms.as_str().to_owned()),
        ("requested_at", told(details.requested_at)),
        ("requested_from", told(details.requested_from)),
    ])
}

/// Whether a Handlebars template writes the variable `code`.
#[must_use]
pub fn template_has_code(template: &str) -> bool {
    let expressions = template
        .split("{{")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}"));
    let mut names = expressions.map(|(name, _)| name.trim_matches(['{', ' ', '~']));
    names.any(|name| name == "code")
}

#[cfg(test)]
mod tests;
