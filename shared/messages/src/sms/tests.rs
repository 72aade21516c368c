use std::{fmt::Write, time::Duration};

use proptest::prelude::*;

use super::*;
use crate::{
    AndroidApps, Brand, Encoding, Messages, OwnSmsTexts,
    fixture::{code, language, settings},
};

/// The longest life in words, in every language.
const LONGEST_LIFE: Duration = Duration::from_secs(599);
const HOST: &str = "login.example.com";
const HASH: &str = "FA+9qCX9VSu";

fn sms(settings: &Settings, language: Language) -> Sms {
    Messages::new(settings.clone()).sms(language, None, &code(settings))
}

fn unfit(settings: &Settings) -> Vec<String> {
    let messages = Messages::new(settings.clone());
    messages.unfit().iter().map(ToString::to_string).collect()
}

fn is_gsm(language: Language) -> bool {
    Units::of(language.words().sms_whole).encoding == Encoding::Gsm
}

fn with_app(mut settings: Settings) -> Settings {
    settings.apps = AndroidApps::parse(&format!("app={HASH}")).unwrap();
    settings
}

#[test]
fn the_english_message_says_the_brand_the_code_its_life_and_not_to_share_it() {
    assert_eq!(
        sms(&settings(), language("en")).text,
        "012345 is your Example sign-in code. It expires in 5 minutes. \
         Don't share it with anyone."
    );
}

#[test]
fn an_origin_host_makes_the_last_line_in_every_language() {
    let mut settings = settings();
    settings.brand = Brand::parse("Ex").unwrap();
    settings.origin_host = Some("example.com".into());
    for language in Language::all() {
        let sms = sms(&settings, language);
        assert_eq!(sms.language, language);
        assert_eq!(
            sms.text.lines().last(),
            Some("@example.com #012345"),
            "{language:?}"
        );
    }
}

#[test]
fn an_app_makes_the_last_line_instead_and_leaves_140_bytes() {
    let mut settings = with_app(settings());
    settings.origin_host = Some(HOST.into());
    let app = settings.apps.find("app");
    let messages = Messages::new(settings.clone());
    for language in Language::all() {
        let text = messages.sms(language, app, &code(&settings)).text;
        assert_eq!(text.lines().last(), Some(HASH), "{language:?}");
        assert!(!text.contains(HOST) && text.contains("012345"), "{text}");
        assert!(
            text.len() <= 140 && Units::of(&text).excess() == 0,
            "{text}"
        );
    }
}

#[test]
fn the_latin_languages_fit_whole_with_the_longest_brand_host_code_and_life() {
    let mut settings = settings();
    settings.brand = Brand::parse(&"B".repeat(32)).unwrap();
    settings.origin_host = Some(format!("{}.example.com", "h".repeat(11)));
    settings.code_length = 10;
    let gsm: Vec<_> = Language::all().filter(|it| is_gsm(*it)).collect();
    assert_eq!(
        format!("{gsm:?}"),
        "[de, en, es, fr, it, nl, pl, pt-BR, sv, tr]"
    );
    for secs in 1..=600 {
        settings.life = Duration::from_secs(secs);
        for language in &gsm {
            settings.default_language = *language;
            assert_eq!(
                Sentence::choose(*language, Ending::Site, &settings),
                Ok(Sentence::Whole)
            );
            let units = Units::of(&sms(&settings, *language).text);
            assert_eq!((units.encoding, units.excess()), (Encoding::Gsm, 0));
        }
    }
}

/// The units that a sentence leaves for the brand, or for brand and host together, with
/// ten digits and the longest life.
fn left(language: Language, sentence: &str, ending: Ending, host: bool) -> String {
    let mut settings = with_app(settings());
    settings.brand = Brand::parse("B").unwrap();
    settings.life = LONGEST_LIFE;
    settings.origin_host = host.then(|| "h".to_owned());
    let text = write(sentence, language, ending, &settings, "0123456789");
    let units = Units::of(&text);
    let variable = 1 + usize::from(host);
    let segment = (units.encoding.segment() + variable).checked_sub(units.count);
    let bytes = (140 + variable).checked_sub(text.len());
    let room = match ending {
        Ending::App(_) => segment.min(bytes),
        Ending::Site => segment,
    };
    room.map_or("-".to_owned(), |room| room.to_string())
}

#[test]
fn the_page_about_messages_says_what_each_language_leaves_for_the_brand_and_the_host() {
    let page = include_str!("../../../../docs/evidence/segments.md");
    let app = with_app(settings())
        .apps
        .find("app")
        .map(Ending::App)
        .unwrap();
    let mut missing = Vec::new();
    for language in Language::all() {
        let words = language.words();
        let encoding = Units::of(words.sms_whole).encoding;
        let mut row = format!(
            "| {} | `{}` | {encoding} |",
            language.name(),
            language.tag()
        );
        for sentence in [words.sms_whole, words.sms_short] {
            for (ending, host) in [(Ending::Site, false), (Ending::Site, true), (app, false)] {
                let _ = write!(row, " {} |", left(language, sentence, ending, host));
            }
        }
        if !page.contains(&row) {
            missing.push(row);
        }
    }
    assert!(
        missing.is_empty(),
        "docs/evidence/segments.md lacks:\n{}",
        missing.join("\n")
    );
}

proptest! {
    #[test]
    fn what_the_page_says_is_left_fits_and_one_more_does_not(
        index in 0..Language::COUNT, host in any::<bool>(), share in 1usize..=32,
    ) {
        let language = Language::all().nth(index).unwrap();
        let mut settings = settings();
        settings.life = LONGEST_LIFE;
        settings.code_length = 10;
        let sentence = language.words().sms_short;
        let room: usize = left(language, sentence, Ending::Site, host).parse().unwrap();
        for (extra, fits) in [(0, true), (1, false)] {
            let total = room + extra;
            let brand = if host { share.min(total - 1) } else { total };
            // No brand is long enough to break it alone.
            prop_assume!(brand <= 32);
            settings.brand = Brand::parse(&"B".repeat(brand)).unwrap();
            settings.origin_host = host.then(|| "h".repeat(total - brand));
            let chosen = Sentence::choose(language, Ending::Site, &settings);
            if language != settings.default_language {
                prop_assert_eq!(chosen.is_ok(), fits, "{:?} {:?}", language, chosen);
            }
            let sms = sms(&settings, language);
            prop_assert_eq!(sms.language == language, fits || language == settings.default_language);
        }
    }

    #[test]
    fn every_message_of_any_deployment_that_starts_is_one_segment_or_140_bytes(
        brand in "[ -~]{1,32}|\\PC{1,12}",
        host in prop::option::of("[a-z]{1,20}\\.[a-z]{2,10}"),
        default in 0..Language::COUNT,
        code_length in 6u8..=10,
        secs in 1u64..=600,
    ) {
        let Some(brand) = Brand::parse(&brand) else { return Ok(()) };
        let mut settings = with_app(settings());
        settings.brand = brand;
        settings.origin_host = host;
        settings.default_language = Language::all().nth(default).unwrap();
        settings.code_length = code_length;
        settings.life = Duration::from_secs(secs);
        let messages = Messages::new(settings.clone());
        let unfit = messages.unfit();
        prop_assume!(unfit.iter().all(|it| it.language != settings.default_language));
        for language in Language::all() {
            for app in [None, settings.apps.find("app")] {
                let sms = messages.sms(language, app, &code(&settings));
                prop_assert_eq!(Units::of(&sms.text).excess(), 0, "{}", &sms.text);
                prop_assert!(app.is_none() || sms.text.len() <= 140);
                let named = unfit.iter().any(|it| it.language == language && it.app.is_some() == app.is_some());
                let expected = if named { settings.default_language } else { language };
                prop_assert_eq!(sms.language, expected);
            }
        }
    }
}

#[test]
fn a_language_that_does_not_fit_is_named_and_answered_in_the_default() {
    let mut settings = settings();
    settings.brand = Brand::parse("A brand of thirty-two characters").unwrap();
    settings.origin_host = Some("www.example.com".into());
    let long = [
        "ar: 2 units of UCS-2 too many",
        "ko: 1 units of UCS-2 too many",
    ];
    assert_eq!(unfit(&settings), long);
    assert_eq!(sms(&settings, language("ar")).language, language("en"));
    assert_eq!(sms(&settings, language("uk")).language, language("uk"));
    assert_eq!(sms(&settings, language("ja")).language, language("ja"));
    assert_eq!(sms(&settings, language("de")).language, language("de"));
}

#[test]
fn a_default_must_fit_and_a_latin_one_must_fit_whole() {
    let breaks = |brand: &str, host: Option<&str>, default: &str| {
        let mut settings = settings();
        settings.brand = Brand::parse(brand).unwrap();
        settings.origin_host = host.map(str::to_owned);
        settings.default_language = language(default);
        let messages = Messages::new(settings);
        messages
            .unfit()
            .iter()
            .any(|it| it.language == language(default))
    };
    let long = "h".repeat(63);
    assert!(breaks("Caffè ☕", None, "en"));
    assert!(breaks("Größe ☕", None, "de"));
    assert!(breaks(&"B".repeat(32), Some(&long), "en"));
    assert!(breaks(&"B".repeat(32), Some(&long), "ja"));
    assert!(!breaks("Caffè ☕", None, "ja"));
    assert!(!breaks("例え株式会社", Some("example.jp"), "ja"));
}

#[test]
fn under_a_japanese_brand_other_languages_use_their_short_sentence() {
    let mut settings = settings();
    settings.brand = Brand::parse("例え株式会社").unwrap();
    settings.default_language = language("ja");
    assert_eq!(
        sms(&settings, language("en")).text,
        "012345 is your 例え株式会社 sign-in code."
    );
    assert!(unfit(&settings).is_empty(), "{:?}", unfit(&settings));
}

#[test]
fn an_operators_own_sentence_replaces_both() {
    let mut settings = settings();
    let own = OwnSmsTexts::new([("de", "{brand}: {code} ({life})")], &[]);
    settings.own_sms_texts = own.unwrap();
    assert_eq!(
        sms(&settings, language("de")).text,
        "Example: 012345 (5 Minuten)"
    );
    let long = "{code} ☕ ist der Code. {life} {life} {life} {life} {life}";
    settings.own_sms_texts = OwnSmsTexts::new([("de", long)], &[]).unwrap();
    assert_eq!(unfit(&settings), ["de: 2 units of UCS-2 too many"]);
    assert_eq!(sms(&settings, language("de")).language, language("en"));
}

#[test]
fn a_registered_message_is_its_own_wording_or_the_default_languages_with_the_sites_line() {
    let mut settings = with_app(settings());
    settings.origin_host = Some(HOST.into());
    let wording = "{code} is the OTP for {brand}, valid {life}.\n\n@example.com #{code}";
    settings.own_sms_texts = OwnSmsTexts::new([("1107", wording)], &["1107"]).unwrap();
    let messages = Messages::new(settings.clone());
    let text = |id| messages.registered_sms(id, &code(&settings)).text;
    assert_eq!(
        text("1107"),
        "012345 is the OTP for Example, valid 5 minutes.\n\n@example.com #012345"
    );
    assert_eq!(text("1108"), sms(&settings, language("en")).text);
    assert!(messages.unfit_registered().is_empty());
}

#[test]
fn a_registered_message_that_does_not_fit_is_named() {
    let mut settings = settings();
    let long = format!("{{code}}{}", "x".repeat(157));
    settings.own_sms_texts = OwnSmsTexts::new([("1107", long.as_str())], &["1107"]).unwrap();
    let unfit = Messages::new(settings).unfit_registered();
    assert_eq!(unfit, ["1107: 3 septets of GSM 03.38 too many"]);
}

#[test]
fn a_language_that_does_not_fit_is_named_for_each_app() {
    let mut settings = settings();
    settings.apps = AndroidApps::parse("app=FA+9qCX9VSu,beta=0123456789a").unwrap();
    let long = "{code} ☕ ist der Code. {life} {life} {life} {life} {life}";
    settings.own_sms_texts = OwnSmsTexts::new([("de", long)], &[]).unwrap();
    let unfit = unfit(&settings);
    let of = |app: &str| {
        let end = format!("for the app {app}");
        unfit.iter().filter(|it| it.ends_with(&end)).count()
    };
    assert!(of("app") > 0, "{unfit:?}");
    assert_eq!(of("app"), of("beta"), "{unfit:?}");
}
