use super::*;

/// The rows of a file, and the columns that are ignored.
fn read_for(need: Need, bytes: &[u8]) -> Result<(Vec<Row>, Vec<String>), Vec<String>> {
    let users = Users::check(Input::Read(bytes.to_vec()), need);
    let users = users.map_err(|why| match why {
        Unread::Malformed(mistakes) => mistakes,
        Unread::Io(error) => panic!("{error}"),
    })?;
    let rows: Vec<_> = users.rows().unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), users.total);
    Ok((rows, users.ignored))
}

fn read(bytes: &[u8]) -> Result<(Vec<Row>, Vec<String>), Vec<String>> {
    read_for(Need::Destination, bytes)
}

fn mistakes(text: &str) -> Vec<String> {
    read(text.as_bytes()).expect_err("a malformed file")
}

#[test]
fn columns_are_found_by_name_and_fields_may_be_quoted() {
    let text = "\u{feff}last_login_at,phone_number,\"email\",disabled\r\n\
                1,+14155550123,\"Alice@Example.com\",true\r\n\
                2,,bob@example.com,false\r\n\
                3,\"+14155550124\",,";
    let (rows, ignored) = read(text.as_bytes()).unwrap();
    assert_eq!(ignored, ["last_login_at"]);
    let alice = vec![
        email("alice@example.com").unwrap(),
        phone("+14155550123").unwrap(),
    ];
    let row = |line, destinations, disabled| Row {
        line: Some(line),
        destinations,
        disabled,
        ..Row::default()
    };
    assert_eq!(
        rows,
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
    assert_eq!(read(b"email,phone_number\n").unwrap().0, []);
}

#[test]
fn claims_are_objects_in_a_column_of_their_own() {
    let text = "email,phone_number,claims\n\
                a@example.com,,\"{\"\"a\"\":[1]}\"\n\
                b@example.com,,{}\n\
                c@example.com,,\n";
    let (rows, _) = read(text.as_bytes()).unwrap();
    let claims: Vec<_> = rows.into_iter().map(|row| row.claims).collect();
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

#[test]
fn what_spreadsheets_save_is_read() {
    let row = |line, to: &str| Row {
        line: Some(line),
        destinations: vec![to.parse().unwrap()],
        disabled: Some(false),
        ..Row::default()
    };
    for (text, line) in [
        (
            "Email;Phone_Number;Disabled\r\na@example.com;;FALSE\r\n;;\r\n",
            2,
        ),
        (
            "sep=;\r\nemail;phone_number;disabled\r\n\r\na@example.com;;False",
            4,
        ),
        (
            "SEP=|\nemail|phone_number|disabled\na@example.com||false\n",
            3,
        ),
        (
            "\u{feff} EMAIL \tphone_number\tdisabled\n\t\t\na@example.com\t\tfalse\n",
            3,
        ),
        (
            "email,phone_number,disabled\n\"a@example.com\",\"\",\"false\"\n,,\n",
            2,
        ),
    ] {
        let (rows, ignored) = read(text.as_bytes()).unwrap();
        assert_eq!(rows, [row(line, "a@example.com")], "{text}");
        assert!(ignored.is_empty(), "{text}");
    }
    let utf_16 = b"\xff\xfee\0m\0a\0i\0l\0\n\0";
    assert_eq!(
        read(utf_16).unwrap_err(),
        ["line 1: UTF-16; save the file as CSV in UTF-8"]
    );
}

#[test]
fn a_cell_that_was_marked_against_formulas_is_read_back() {
    let text = "user_id,email,phone_number\n-x,'=1+1@example.com,'+14155550123\n";
    let wrong = read(text.as_bytes()).unwrap_err();
    assert!(wrong[0].contains("'+14155550123"), "{wrong:?}");
    let text = "user_id,email,phone_number\n-x,'=1+1@example.com,+14155550123\n";
    let row = &read(text.as_bytes()).unwrap().0[0];
    assert_eq!(row.id, UserId::parse("-x"));
    assert_eq!(row.destinations[0].as_str(), "=1+1@example.com");
}

#[test]
fn a_row_may_bring_the_id_and_the_age_of_a_user() {
    let text = "user_id,email,phone_number,created_at\n\
                auth0|5f7c,a@example.com,,2020-02-03T04:05:06.789Z\n";
    let row = &read(text.as_bytes()).unwrap().0[0];
    assert_eq!(row.id, UserId::parse("auth0|5f7c"));
    let at = UnixTime::from_millis(1_580_702_706_789);
    assert_eq!(row.created_at, Some(at));
    assert_eq!(
        mistakes(
            "user_id,email,phone_number,created_at\n\
             a b,a@example.com,,\n\
             b,b@example.com,,yesterday\n\
             c,c@example.com,,\n\
             c,d@example.com,,\n"
        ),
        [
            "line 2: user_id must be 1 to 64 visible ASCII characters without # , ' and \", \
             not \"a b\"",
            "line 3: created_at must be like 2026-01-31T12:00:00Z, not \"yesterday\"",
            "line 5: c is already in line 4",
        ]
    );
}

#[test]
fn a_change_takes_ids_alone_and_a_change_of_claims_needs_claims() {
    let text = b"user_id,claims\nx,{}\n";
    let (rows, _) = read_for(Need::User, text).unwrap();
    assert_eq!(
        (&rows[0].id, rows[0].destinations.len()),
        (&UserId::parse("x"), 0)
    );
    assert!(read_for(Need::Claims, text).is_ok());
    assert!(read(text).unwrap_err()[0].contains("missing column email"));
    let without = read_for(Need::Claims, b"user_id,claims\nx,\n");
    assert_eq!(without.unwrap_err(), ["line 2: no claims; {} removes them"]);
    let empty = read_for(Need::User, b"user_id,email\n,\ny,\n,z\n");
    assert!(empty.unwrap_err()[0].starts_with("line 4: \"z\""));
}

#[test]
fn a_quote_that_nobody_closes_does_not_swallow_the_file() {
    let long = "a@example.com,\n".repeat(5000);
    let text = format!("email,phone_number\n\"{long}");
    assert_eq!(mistakes(&text), ["line 2: a quote is not closed"]);
}
