use std::collections::BTreeMap;

use otp_domain::ChallengeId;

use super::*;
use crate::{
    Brand, Messages, SignInUrl,
    fixture::{code, language, settings},
};

const CHALLENGE: &str = "r5BuMb9vjKaMlD76sIa5SQ";

fn email(settings: &Settings, language: Language) -> Email {
    let details = EmailDetails {
        confirms: Confirms::Login,
        code: &code(settings),
        challenge_id: &ChallengeId::parse(CHALLENGE).unwrap(),
        requested_at: "2026-01-31 12:00 UTC",
        requested_from: "203.0.113.7",
    };
    Messages::new(settings.clone()).email(language, &details)
}

/// With everything that an operator can switch on.
fn full() -> Settings {
    Settings {
        brand: Brand::parse("A&B's <i>\"Shop\"</i>").unwrap(),
        sign_in_url: SignInUrl::parse("https://www.example.com/login?a=1&b=2"),
        origin_host: Some("www.example.com".to_owned()),
        subject_code: true,
        request_details: true,
        ..settings()
    }
}

/// The words that a reader of the HTML sees.
fn visible(html: &str) -> Vec<String> {
    let (_, body) = html.split_once("<body").unwrap();
    let mut text = String::new();
    for part in format!("<body{body}").split('<').skip(1) {
        let (_, words) = part.split_once('>').unwrap();
        text += words;
        text.push(' ');
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
    words(&text)
}

fn words(text: &str) -> Vec<String> {
    let text = text.replace(['\u{2068}', '\u{2069}'], " ");
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn the_english_email_says_the_brand_the_code_its_life_and_that_nobody_will_ask() {
    let email = email(&settings(), language("en"));
    assert_eq!(email.subject, "Your Example sign-in code");
    assert_eq!(
        email.text,
        "Your Example sign-in code:\n\n012345\n\n\
         It expires in 5 minutes and can be used only once.\n\n\
         Example will never call, text or e-mail you to ask for this code. \
         Enter it only on the site or in the app where you requested it.\n\n\
         If you did not request it, you can ignore this e-mail.\n"
    );
}

#[test]
fn both_parts_say_the_same_in_every_language() {
    for settings in [settings(), full()] {
        for language in Language::all() {
            let email = email(&settings, language);
            let mut text = words(&email.text);
            // The HTML part hides the link's address behind its label.
            text.retain(|word| !word.starts_with("https://"));
            assert_eq!(visible(&email.html), text, "{language:?}");
            let brand = settings.brand.as_str();
            let subject = email.subject.replace(['\u{2068}', '\u{2069}'], "");
            assert!(subject.contains(brand), "{subject}");
            assert!(email.text.contains("012345") && email.text.contains(brand));
        }
    }
}

/// An inbox shows about this much of an e-mail, without its subject.
#[test]
fn the_code_is_in_the_preview_of_every_language_and_brand() {
    let brand = Brand::parse(&"W".repeat(32)).unwrap();
    for settings in [settings(), full()] {
        let brand = brand.clone();
        let settings = Settings { brand, ..settings };
        for language in Language::all() {
            let words = words(&email(&settings, language).text);
            let code = words.iter().position(|word| word == "012345").unwrap();
            let before = words[..=code].join(" ");
            assert!(before.chars().count() <= 90, "{before}");
        }
    }
}

#[test]
fn the_line_of_the_operators_host_is_the_last_of_both_parts() {
    for language in Language::all() {
        let email = email(&full(), language);
        assert!(email.text.ends_with("\n\n@www.example.com #012345\n"));
        assert!(
            email
                .html
                .contains("<p dir='ltr'>@www.example.com #012345</")
        );
    }
    let without = email(&settings(), language("en"));
    assert!(!without.text.contains('@') && !without.html.contains('@'));
}

#[test]
fn the_subject_has_the_code_only_if_the_operator_allows_it() {
    for language in Language::all() {
        for (settings, expected) in [(settings(), false), (full(), true)] {
            let subject = email(&settings, language).subject;
            assert_eq!(subject.contains("012345"), expected, "{subject}");
        }
    }
}

#[test]
fn the_html_names_its_language_and_direction_and_has_the_code_as_one_word() {
    for language in Language::all() {
        let html = email(&full(), language).html;
        let direction = if language.is_rtl() { "rtl" } else { "ltr" };
        let marks = format!(" lang='{}' dir='{direction}'", language.tag());
        assert_eq!(html.matches(&marks).count(), 2, "{html}");
        assert!(html.contains(">012345</p>"), "{html}");
    }
}

#[test]
fn the_html_loads_nothing_and_links_to_the_operators_page_only() {
    for language in Language::all() {
        for settings in [settings(), full()] {
            let html = email(&settings, language).html;
            for loading in [
                "src=",
                "url(",
                "@import",
                "<link",
                "<script",
                "<img",
                "background=",
            ] {
                assert!(!html.contains(loading), "{loading} in {html}");
            }
            let links = usize::from(settings.sign_in_url.is_some());
            assert_eq!(html.matches("href=").count(), links);
            assert_eq!(html.matches("://").count(), links);
        }
    }
}

#[test]
fn the_link_has_the_code_in_its_fragment_only() {
    let email = email(&full(), language("en"));
    let page = "https://www.example.com/login?a=1";
    let link = format!("{page}&b=2#challenge_id={CHALLENGE}&otp=012345");
    assert!(
        email.text.contains(&format!("\n{link}\n")),
        "{}",
        email.text
    );
    let escaped = link.replace('&', "&amp;");
    assert!(
        email.html.contains(&format!("href='{escaped}'")),
        "{}",
        email.html
    );
    assert!(
        !super::tests::email(&settings(), language("en"))
            .text
            .contains(CHALLENGE)
    );
}

#[test]
fn a_brand_cannot_write_html() {
    let html = email(&full(), language("en")).html;
    assert!(
        html.contains("A&amp;B&#39;s &lt;i&gt;&quot;Shop&quot;&lt;/i&gt;"),
        "{html}"
    );
    assert!(!html.contains("<i>"), "{html}");
}

#[test]
fn when_and_from_where_is_told_only_if_the_operator_allows_it() {
    for language in Language::all() {
        for (settings, expected) in [(settings(), false), (full(), true)] {
            let email = email(&settings, language);
            for part in [&email.text, &email.html] {
                assert_eq!(part.contains("2026-01-31 12:00 UTC"), expected, "{part}");
                assert_eq!(part.contains("203.0.113.7"), expected, "{part}");
            }
        }
    }
}

#[test]
fn the_html_stays_small_because_each_login_signs_it() {
    let html = email(&settings(), language("en")).html;
    assert!(html.len() < 1050, "{} bytes", html.len());
}

fn variables_of(settings: Settings, language: Language) -> BTreeMap<&'static str, String> {
    let details = EmailDetails {
        confirms: Confirms::Login,
        code: &code(&settings),
        challenge_id: &ChallengeId::parse(CHALLENGE).unwrap(),
        requested_at: "2026-01-31 12:00 UTC",
        requested_from: "203.0.113.7",
    };
    Messages::new(settings).variables(language, &details)
}

#[test]
fn an_operators_template_gets_every_variable_and_an_empty_one_for_what_is_switched_off() {
    let shop = "A&B's <i>\"Shop\"</i>";
    let link = format!("https://www.example.com/login?a=1&b=2#challenge_id={CHALLENGE}&otp=012345");
    let origin = "@www.example.com #012345";
    let told = [&*link, origin, "2026-01-31 12:00 UTC", "203.0.113.7"];
    for (settings, tag, brand, life, [link, origin, at, from]) in [
        (settings(), "en", "Example", "5 minutes", [""; 4]),
        (full(), "ar", shop, "5 دقائق", told),
    ] {
        let language = language(tag);
        let expected = [
            ("brand", brand),
            ("code", "012345"),
            ("direction", language.direction()),
            ("life", life),
            ("link", link),
            ("locale", tag),
            ("origin", origin),
            ("purpose", "login"),
            ("requested_at", at),
            ("requested_from", from),
        ];
        let expected = expected.map(|(name, value)| (name, value.to_owned()));
        assert_eq!(variables_of(settings, language), BTreeMap::from(expected));
    }
}

#[test]
fn a_template_has_the_code_if_it_writes_the_variable() {
    for template in [
        "{{code}}",
        "Your code: {{ code }}.",
        "{{{code}}}",
        "{{~code~}}",
        "{{brand}} {{code}}",
    ] {
        assert!(template_has_code(template), "{template}");
    }
    for template in [
        "",
        "code",
        "{code}",
        "{{code",
        "{{brand}} code",
        "{{barcode}}",
        "{{!code}}",
    ] {
        assert!(!template_has_code(template), "{template}");
    }
}
