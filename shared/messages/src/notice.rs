//! Notices: messages without a code, which say that an account has changed or is there.

use crate::{
    Email, Language, Settings,
    rendered::{Constants, Format, Rendered, Values},
};

/// What a notice tells.
#[derive(Clone, Copy)]
pub enum Notice<'a> {
    /// The destinations of the account have changed.
    Changed,
    /// This destination is removed. The token, if there is one, takes that back.
    Removed(Option<&'a str>),
    /// An operator invites the person to sign in.
    Invited,
}

/// The notice in this language. The link leads to the page of [`Settings::sign_in_url`];
/// without such a page, there is none.
pub(crate) fn write(language: Language, notice: Notice<'_>, settings: &Settings) -> Email {
    let words = language.words();
    let constants = Constants {
        brand: settings.brand.as_str(),
        life: "",
        rtl: language.is_rtl(),
    };
    let link = match (notice, &settings.sign_in_url) {
        (Notice::Removed(Some(token)), Some(url)) => Some(format!("{}undo={token}", url.stem())),
        (Notice::Invited, Some(url)) => Some(url.page().to_owned()),
        _ => None,
    };
    let (subject, sentence, lead) = match notice {
        Notice::Changed => (words.notice_subject, words.notice_changed, None),
        Notice::Removed(_) => (
            words.notice_subject,
            words.notice_removed,
            Some(words.notice_undo),
        ),
        Notice::Invited => (words.link, words.link, None),
    };
    let written = |format: Format, sentence: &str| {
        let mut out = Rendered::default();
        format.sentence(&mut out, sentence, &constants);
        out.fill(&Values::default())
    };
    let mut text = written(Format::Plain, sentence);
    let (lang, direction) = (language.tag(), language.direction());
    let sentence = written(Format::Html, sentence);
    let mut html = format!(
        "<!doctype html><html lang='{lang}' dir='{direction}'><meta charset='utf-8'><p>{sentence}</p>"
    );
    if let Some(link) = link {
        let plain = lead.map(|lead| written(Format::Plain, lead) + "\n");
        text = format!("{text}\n\n{}{link}", plain.unwrap_or_default());
        let mut escaped = Rendered::default();
        Format::Html.words(&mut escaped, &link);
        let link = escaped.fill(&Values::default());
        let lead = lead.map(|lead| written(Format::Html, lead) + "<br>");
        let lead = lead.unwrap_or_default();
        html = format!("{html}<p>{lead}<a href='{link}'>{link}</a></p>");
    }
    Email {
        subject: written(Format::Plain, subject),
        text: format!("{text}\n"),
        html: format!("{html}</html>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SignInUrl, fixture::settings};

    #[test]
    fn only_a_removal_and_an_invitation_have_a_link_and_only_to_a_page() {
        let mut settings = settings();
        let links = |notice, settings: &Settings| {
            let all = Language::all().map(|language| write(language, notice, settings));
            let with = all.filter(|it| it.text.contains("://") || it.html.contains("href"));
            with.count()
        };
        assert_eq!(links(Notice::Removed(Some("T")), &settings), 0);
        settings.sign_in_url = SignInUrl::parse("https://example.com/a?b=1&c=2");
        assert_eq!(links(Notice::Removed(None), &settings), 0);
        assert_eq!(links(Notice::Changed, &settings), 0);
        assert_eq!(
            links(Notice::Removed(Some("T")), &settings),
            Language::COUNT
        );
        let english = Language::lookup("en").unwrap();
        let notice = write(english, Notice::Removed(Some("T")), &settings);
        assert!(
            notice
                .text
                .ends_with("days:\nhttps://example.com/a?b=1&c=2#undo=T\n")
        );
        assert!(
            notice
                .html
                .contains("href='https://example.com/a?b=1&amp;c=2#undo=T'")
        );
        assert_eq!(notice.subject, "Your Example account has changed");
        assert_eq!(links(Notice::Invited, &settings), Language::COUNT);
        let invitation = write(english, Notice::Invited, &settings);
        assert_eq!(invitation.subject, "Sign in to Example");
        assert_eq!(
            invitation.text,
            "Sign in to Example\n\nhttps://example.com/a?b=1&c=2\n"
        );
    }
}
