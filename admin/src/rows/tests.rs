use super::*;

fn mistakes(text: &str) -> Vec<String> {
    read(text.as_bytes()).expect_err("a malformed file")
}

#[test]
fn columns_are_found_by_name_and_fields_may_be_quoted() {
    let text = "\u{feff}user_id,phone_number,\"email\",disabled\r\n\
                1,+14155550123,\"Alice@Example.com\",true\r\n\
                2,,bob@example.com,false\r\n\
                3,\"+14155550124\",,";
    let file = read(text.as_bytes()).unwrap();
    assert_eq!(file.ignored, ["user_id"]);
    let alice = vec![
        email("alice@example.com").unwrap(),
        phone("+14155550123").unwrap(),
    ];
    let row = |line, destinations, disabled| Row {
        line: Some(line),
        destinations,
        disabled,
        claims: None,
    };
    assert_eq!(
        file.rows,
        [
            row(2, alice, Some(true)),
            row(3, vec![email("bob@example.com").unwrap()], Some(false)),
            row(4, vec![phone("+14155550124").unwrap()], None),
        ]
    );
}

#[test]
fn every_wrong_line_is_named_once() {
    let text = "email,phone_number,disabled\n\
                a@example.com,,\n\
                plain,,\n\
                \n\
                b@example.com,4155550123,\n\
                ,,true\n\
                c@example.com,,yes\n\
                A@example.com,,\n\
                d@example.com\n\
                \"two\nlines\",,\n\
                \r\n\
                e@example.com,\t+14155550123,\n\
                f@example.com,+14155550123,\n\
                g@example.com,+14155550123,\n";
    assert_eq!(
        mistakes(text),
        [
            "line 3: \"plain\" is not an e-mail address such as alice@example.com",
            "line 5: \"4155550123\" is not a phone number such as +14155550123",
            "line 6: email and phone_number are both empty",
            "line 7: disabled must be true or false, not \"yes\"",
            "line 8: a@example.com is already in line 2",
            "line 9: 1 fields, but the header has 3",
            "line 10: \"two\\nlines\" is not an e-mail address such as alice@example.com",
            "line 13: \"\\t+14155550123\" is not a phone number such as +14155550123",
            "line 15: +14155550123 is already in line 14",
        ]
    );
}

#[test]
fn a_line_that_is_not_utf_8_is_named_and_the_rest_is_still_read() {
    let bytes = b"email,phone_number\n\n\xff@example.com,\nplain,\n";
    assert_eq!(
        read(bytes).unwrap_err(),
        [
            "line 3: not UTF-8",
            "line 4: \"plain\" is not an e-mail address such as alice@example.com",
        ]
    );
}

#[test]
fn an_unclosed_quote_is_refused() {
    let text = "email,phone_number\n\"a@example.com,\nb@example.com,\n";
    assert_eq!(mistakes(text), ["line 2: 1 fields, but the header has 2"]);
}

#[test]
fn a_header_must_name_both_columns_once() {
    for text in [
        "",
        "email",
        "phone_number",
        "a@example.com,+14155550123",
        "E-mail,phone_number",
        "email,email,phone_number",
        "email,phone_number,disabled,disabled",
    ] {
        assert!(mistakes(text)[0].starts_with("line 1: "), "{text}");
    }
    assert_eq!(read(b"email,phone_number\n").unwrap().rows, []);
}

#[test]
fn claims_are_objects_in_a_column_of_their_own() {
    let text = "email,phone_number,claims\n\
                a@example.com,,\"{\"\"a\"\":[1]}\"\n\
                b@example.com,,{}\n\
                c@example.com,,\n";
    let file = read(text.as_bytes()).unwrap();
    let claims: Vec<_> = file.rows.into_iter().map(|row| row.claims).collect();
    let some = |text: &str| Some(Claims::parse(text).unwrap());
    assert_eq!(claims, [some(r#"{"a":[1]}"#), some("{}"), None]);
    assert_eq!(
        mistakes(
            "email,phone_number,claims\na@example.com,,[]\nb@example.com,,\"{\"\"sub\"\":1}\"\n"
        ),
        [
            "line 2: claims must be one JSON object",
            "line 3: the claim sub is reserved"
        ]
    );
}
