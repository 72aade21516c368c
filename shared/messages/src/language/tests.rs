use super::*;
use proptest::prelude::*;

fn tag_of(text: &str) -> Option<&'static str> {
    Language::lookup(text).map(Language::tag)
}

fn preferred(values: &[&str]) -> &'static str {
    let choice = LanguageChoice::by_preference(values.iter().copied());
    choice.0.map_or("none", Language::tag)
}

#[test]
fn a_tag_gets_the_language_that_its_longest_known_part_names() {
    for (text, expected) in [
        ("de", Some("de")),
        ("DE-at", Some("de")),
        ("de-DE-u-co-phonebk", Some("de")),
        ("pt", Some("pt-BR")),
        ("pt-PT", Some("pt-BR")),
        ("zh", Some("zh-Hans")),
        ("zh-CN", Some("zh-Hans")),
        ("zh-TW", Some("zh-Hant")),
        ("zh-Hant-HK", Some("zh-Hant")),
        ("zh-Hans-TW", Some("zh-Hans")),
        ("zh-a-hant", Some("zh-Hans")),
        ("cs", None),
        ("ger", None),
        ("x-de", None),
        ("i-klingon", None),
        ("*", None),
    ] {
        assert_eq!(tag_of(text), expected, "{text}");
    }
}

#[test]
fn every_language_is_found_by_its_own_tag_and_has_a_name() {
    for language in Language::all() {
        assert_eq!(Language::lookup(language.tag()), Some(language));
        assert!(!language.name().is_empty());
    }
    assert_eq!(Language::all().count(), 17);
    let rtl: Vec<_> = Language::all().filter(|it| it.is_rtl()).collect();
    assert_eq!(format!("{rtl:?}"), "[ar]");
}

#[test]
fn a_malformed_locale_is_refused_and_an_unknown_one_chooses_nothing() {
    for text in [
        "",
        "d",
        "de_DE",
        "de-",
        "-de",
        "de--AT",
        "de DE",
        "{brand}",
        "de\n",
        "français",
        "en-US;q=1",
    ] {
        assert_eq!(
            LanguageChoice::by_locale(text),
            Err(MalformedLocale),
            "accepted {text:?}"
        );
    }
    let english = Language::lookup("en").unwrap();
    for text in ["cs", "x-whatever", "i-klingon", "tlh"] {
        let choice = LanguageChoice::by_locale(text).unwrap();
        assert_eq!(choice.or(english), english, "{text}");
    }
}

#[test]
fn a_preference_gets_the_known_language_of_the_highest_weight() {
    for (values, expected) in [
        (&["de"][..], "de"),
        (&["de-CH, fr;q=0.9, en;q=0.8"], "de"),
        (&["cs, fr;q=0.9, en;q=0.95"], "en"),
        (&["en;q=0.5, nl;q=0.5"], "en"),
        (&["cs", "it;q=0.2"], "it"),
        (&["en;q=0, de;q=0.001"], "de"),
        (&["*, ko;q=0.1"], "ko"),
        (&["sv ; q=0.3 , pl;Q=1.000"], "pl"),
        (
            &["de;q=2, de;q=0.1234, de;level=1, ;;, de_DE, uk;q=0.1"],
            "uk",
        ),
        (&["*"], "none"),
        (&[""], "none"),
        (&["en;q=0"], "none"),
    ] {
        assert_eq!(preferred(values), expected, "{values:?}");
    }
}

#[test]
fn of_a_long_preference_the_first_32_ranges_count() {
    for (unknown, expected) in [(31, "de"), (32, "none")] {
        let value = format!("{}de", "cs,".repeat(unknown));
        assert_eq!(preferred(&[&value]), expected);
    }
}

#[test]
fn a_choice_that_chooses_nothing_leaves_it_to_the_next_and_then_to_the_default() {
    let [de, fr, en] = ["de", "fr", "en"].map(|tag| Language::lookup(tag).unwrap());
    let choice = |tag| LanguageChoice::by_locale(tag).unwrap();
    assert_eq!(choice("de").or_else(|| choice("fr")).or(en), de);
    assert_eq!(choice("cs").or_else(|| choice("fr")).or(en), fr);
    assert_eq!(choice("cs").or_else(|| choice("cs")).or(en), en);
    assert_eq!(Language::default(), en);
}

#[test]
fn a_duration_takes_the_plural_form_and_the_unit_that_divides_it() {
    for (tag, secs, words) in [
        ("en", 1, "1 second"),
        ("en", 60, "1 minute"),
        ("en", 90, "90 seconds"),
        ("en", 600, "10 minutes"),
        ("fr", 61, "61 secondes"),
        ("pl", 60, "1 minucie"),
        ("pl", 300, "5 minutach"),
        ("uk", 60, "1 хвилину"),
        ("uk", 120, "2 хвилини"),
        ("uk", 300, "5 хвилин"),
        ("uk", 21, "21 секунду"),
        ("uk", 111, "111 секунд"),
        ("ar", 60, "دقيقة واحدة"),
        ("ar", 120, "دقيقتين"),
        ("ar", 300, "5 دقائق"),
        ("ar", 600, "10 دقائق"),
        ("ar", 11, "11 ثانية"),
        ("ar", 101, "101 ثانية"),
        ("ja", 300, "5分間"),
        ("en", 6000, "100 minutes"),
    ] {
        let language = Language::lookup(tag).unwrap();
        assert_eq!(
            language.duration(Duration::from_secs(secs)),
            words,
            "{tag} {secs}"
        );
    }
}

proptest! {
    #![proptest_config(fuzz::config())]

    #[test]
    fn any_text_chooses_a_language_or_nothing(
        text in fuzz::text(&["de-DE", "zh-Hant-TW", "en;q=0.5, de", "i-klingon", "x-a", "a-b-c-d"]),
    ) {
        let by_locale = LanguageChoice::by_locale(&text);
        if let Ok(LanguageChoice(Some(language))) = by_locale {
            // A language is only found by its own first subtag, or by that of an alias.
            let first = text.split('-').next().unwrap_or_default().to_ascii_lowercase();
            prop_assert!(language.words().serves.iter().any(|tag| tag.split('-').next() == Some(&first)));
        }
        let _ = LanguageChoice::by_preference([text.as_str()]);
    }

    #[test]
    fn weights_are_read_as_http_writes_them(thousandths in 0u16..=1000) {
        let value = format!("de;q={}.{:03}", thousandths / 1000, thousandths % 1000);
        let expected = (thousandths > 0).then_some(("de", thousandths));
        prop_assert_eq!(weighted(&value), expected);
    }
}
