use MalformedPhoneNumber::{Ambiguous, Extension, NotUnderstood, TrunkZero};

use super::*;

fn read(country: &str, typed: &str) -> Result<String, MalformedPhoneNumber> {
    let number = Country::parse(country).unwrap().read_number(typed)?;
    Ok(number.as_str().to_owned())
}

/// Country, number, ways to type it.
const TYPED: &[(&str, &str, &[&str])] = &[
    (
        "DE",
        "+491701234567",
        &[
            "\u{202a}+49 170 1234567\u{202c}",
            "\u{2066}+49\u{a0}170\u{a0}1234567\u{2069}",
            "(+49) 170 1234567",
            "tel:+49-170-1234567",
            "Tel.: +49 170 1234567",
            "Tel.-Nr. 0170 1234567",
            "☎ 0170 1234567",
            "＋４９ 170 1234567",
            "0049 170 1234567",
            "0170/1234567",
            "0170 1234567",
            "(0170) 1234567",
            "(0)170 1234567",
            "170 1234567",
            "٠١٧٠١٢٣٤٥٦٧",
            "+49\u{2011}170\u{2011}1234567",
            "+49 (0)170 1234567",
            "+49 ( 0 ) 170 1234567",
            "+49 [0] 170 1234567",
            "0049 (0)170 1234567",
        ],
    ),
    (
        "DE",
        "+14155550123",
        &["+1 (415) 555-0123", "001 415 555 0123"],
    ),
    (
        "US",
        "+14155550123",
        &[
            "(415) 555-0123",
            "1 415 555 0123",
            "+1.415.555.0123",
            "415.555.0123",
            "1-415-555-0123",
        ],
    ),
    (
        "US",
        "+491701234567",
        &[
            "011 49 170 1234567",
            "00 49 170 1234567",
            "+49 170 1234567",
            "+49 (0)170 1234567",
        ],
    ),
    ("NO", "+4740612345", &["40612345", "47 406 12 345"]),
    (
        "IT",
        "+390212345678",
        &["02 1234 5678", "+39 02 1234 5678", "0039 02 1234 5678"],
    ),
    (
        "IT",
        "+393931234567",
        &["393 123 4567", "39 393 123 4567", "+39 393 123 4567"],
    ),
    (
        "GB",
        "+447400123456",
        &["07400 123456", "+44 (0)7400 123456", "44 7400 123456"],
    ),
    (
        "FR",
        "+33612345678",
        &["06 12 34 56 78", "33 6 12 34 56 78", "06.12.34.56.78"],
    ),
    (
        "CI",
        "+2250123456789",
        &["01 23 45 67 89", "+225 01 23 45 67 89"],
    ),
    (
        "RU",
        "+79161234567",
        &["8 (916) 123-45-67", "+7 916 123 45 67"],
    ),
    ("HU", "+36201234567", &["06 20 123 4567", "20 123 4567"]),
    (
        "AR",
        "+5491123456789",
        &[
            "011 15-2345-6789",
            "11 15 2345 6789",
            "9 11 2345-6789",
            "+54 9 11 2345-6789",
            "+54 11 15 2345-6789",
            "54 9 11 2345 6789",
        ],
    ),
    (
        "AR",
        "+541123456789",
        &["011 2345-6789", "+54 11 2345-6789"],
    ),
    (
        "BR",
        "+5511961234567",
        &["(11) 96123-4567", "0 15 11 96123-4567"],
    ),
    (
        "JP",
        "+819012345678",
        &["090ー1234ー5678", "０９０－１２３４－５６７８"],
    ),
    (
        "HK",
        "+14155550123",
        &["001 1 415 555 0123", "00 1 415 555 0123"],
    ),
];

#[test]
fn a_number_is_read_as_a_person_of_its_country_types_it() {
    for (country, number, typed) in TYPED {
        for typed in *typed {
            let read = read(country, typed);
            assert_eq!(read.as_deref(), Ok(*number), "{country} {typed}");
        }
    }
}

#[test]
fn what_is_no_number_of_a_person_is_refused_with_its_reason() {
    for (country, typed, why) in [
        ("DE", "", NotUnderstood),
        ("DE", "0", NotUnderstood),
        ("DE", "12", NotUnderstood),
        ("DE", "+", NotUnderstood),
        ("DE", "call me", NotUnderstood),
        ("DE", "0170 123456789012", NotUnderstood),
        ("DE", "+49 170", NotUnderstood),
        // Without its area code.
        ("DE", "1234567", NotUnderstood),
        ("US", "555 0123", NotUnderstood),
        ("DE", "0170 1234567, 0171 1234567", NotUnderstood),
        ("DE", "+49 170 1234567 +49 171 1234567", NotUnderstood),
        ("DE", "0170\t1234567", NotUnderstood),
        ("DE", "a@example.com", NotUnderstood),
        ("US", "415-FLOWERS", NotUnderstood),
        ("DE", "0170 1234567 ext. 12", Extension),
        ("DE", "0170 1234567 x12", Extension),
        ("DE", "0170 1234567 #12", Extension),
        ("DE", "+49 170 1234567;ext=12", Extension),
        ("US", "(415) 555-0123 ext 4", Extension),
        ("US", "(415) 555-0123,,4", Extension),
        ("RU", "8 916 123-45-67 доб. 12", Extension),
        ("DE", "+49 0170 1234567", TrunkZero),
        ("DE", "0049 0170 1234567", TrunkZero),
        ("US", "+44 07400 123456", TrunkZero),
        ("US", "+1 0415 555 0123", TrunkZero),
        ("ES", "+34 (0)612 345 678", TrunkZero),
        // With the calling code, or a longer number that begins alike.
        ("DE", "49 170 1234567", Ambiguous),
        // With its zero, or without.
        ("IT", "+39 (0)347 1234567", Ambiguous),
        ("DE", "+39 (0)6 1234 5678", Ambiguous),
    ] {
        assert_eq!(read(country, typed), Err(why), "{country} {typed}");
    }
}

#[test]
fn a_number_of_any_country_in_any_writing_is_that_number_or_none() {
    let (mut right, mut refused, mut others) = (0, Vec::new(), 0);
    let lines = include_str!("../written.txt").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let fields: Vec<_> = line.split('\t').collect();
        let [country, number, national, international] = fields[..] else {
            panic!("{line}");
        };
        let country = Country::parse(country).unwrap();
        let rest = &number[1 + country.calling_code.len()..];
        // Written as in the country or abroad, and what may be less than a whole number.
        let whole = [
            national,
            international,
            number,
            &format!("Tel.: {national}"),
            &format!("\u{202a}{international}\u{202c}"),
            &format!("(+{}) {rest}", country.calling_code),
            &format!("00{}", &number[1..]),
        ];
        let bare = [
            &number[1..],
            rest,
            &format!("+{} (0){rest}", country.calling_code),
        ];
        for typed in whole.iter().chain(&bare) {
            match country.read_number(typed) {
                Ok(read) => {
                    let name = country.code;
                    assert_eq!(read.as_str(), number, "{name} {typed}");
                    right += 1;
                }
                Err(_) if whole.contains(typed) => refused.push(typed.to_string()),
                Err(_) => others += 1,
            }
        }
    }
    let few = refused.len() < 10 && others < 400;
    assert!(right > 5000 && few, "{right}, {refused:?}, {others}");
}
