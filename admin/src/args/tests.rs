use otp_domain::{Claims, UserId};

use super::*;

mod options;

fn one_user(destinations: impl IntoIterator<Item = Destination>, claims: Option<Claims>) -> Source {
    Source::One(Row {
        destinations: destinations.into_iter().collect(),
        claims,
        ..Row::default()
    })
}

fn read(line: &str) -> Result<Command, String> {
    named(line, None).map(|(command, _)| command)
}

fn named(line: &str, table: Option<&str>) -> Result<(Command, Named), String> {
    parse(
        line.split_whitespace().map(OsString::from),
        table.map(str::to_owned),
    )
}

fn read_action(line: &str) -> Action {
    match read(line) {
        Ok(Command::Run(action)) => action,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn settings_are_checked_without_a_table() {
    for (line, file) in [
        ("settings check", None),
        ("settings check --parameters f", Some("f".into())),
    ] {
        assert_eq!(read(line), Ok(Command::CheckSettings(file)), "{line}");
    }
}

#[test]
fn a_table_is_prepared_with_and_without_a_question() {
    for (line, is_confirmed) in [("table prepare", false), ("table prepare --yes", true)] {
        let expected = Command::PrepareTable { is_confirmed };
        assert_eq!(read(line), Ok(expected), "{line}");
    }
    for (line, mistake) in [
        ("table", "table: the command is missing"),
        (
            "table prepar",
            "table: unknown command \"prepar\"; did you mean prepare?",
        ),
        ("table prepare x", "table prepare: unexpected \"x\""),
        ("users list --yes", "users list: unexpected --yes"),
    ] {
        assert_eq!(read(line), Err(mistake.to_owned()), "{line}");
    }
}

#[test]
fn a_preview_needs_no_table() {
    let text = Preview {
        channel: DestinationKind::Phone,
        locale: Some("de".to_owned()),
        app: Some("shop".to_owned()),
        html: None,
        number: number("+14155550123").ok(),
    };
    let line = "messages preview --channel sms --locale de --app shop --phone +14155550123";
    assert_eq!(read(line), Ok(Command::Preview(text)));
    for (line, mistake) in [
        ("messages", "messages: the command is missing"),
        ("messages send", "messages: unknown command \"send\""),
        (
            "messages preview",
            "messages: give --channel email or --channel sms",
        ),
        (
            "messages preview x --channel sms",
            "messages: unexpected \"x\"",
        ),
        (
            "messages preview --channel sms --html f",
            "messages: a text message has no --html",
        ),
        (
            "messages preview --channel email --app a",
            "messages: an e-mail has no --app and no --phone",
        ),
        (
            "messages preview --channel sms --csv f",
            "messages: unexpected --csv",
        ),
        ("users list --locale de", "users list: unexpected --locale"),
    ] {
        assert_eq!(read(line), Err(mistake.to_owned()), "{line}");
    }
}

#[test]
fn each_command_is_read() {
    let alice = || destination::parse("alice@example.com").unwrap();
    let number = || destination::parse("+14155550123").unwrap();
    let abc = || Some(SessionId::new("abc".to_owned()));
    let csv = || Source::Csv("users.csv".into());
    for (line, expected) in [
        ("users list", Action::ListUsers),
        (
            "users add --email Alice@Example.com",
            Action::AddUsers(one_user([alice()], None)),
        ),
        (
            "users add --phone=+14155550123",
            Action::AddUsers(one_user([number()], None)),
        ),
        (
            "users add --phone +14155550123 --email alice@example.com",
            Action::AddUsers(one_user([alice(), number()], None)),
        ),
        ("users add --csv users.csv", Action::AddUsers(csv())),
        (
            "users add --csv -",
            Action::AddUsers(Source::Csv("-".into())),
        ),
        (
            "users disable alice@example.com",
            Action::ChangeUsers(Change::Disable, one_user([alice()], None)),
        ),
        (
            "users enable +14155550123",
            Action::ChangeUsers(Change::Enable, one_user([number()], None)),
        ),
        (
            "users remove --csv users.csv",
            Action::ChangeUsers(Change::Remove, csv()),
        ),
        (
            "sessions list alice@example.com",
            Action::ListSessions(alice().into()),
        ),
        (
            "sessions end +14155550123",
            Action::EndSessions(number().into(), None),
        ),
        (
            "sessions end alice@example.com --session abc",
            Action::EndSessions(alice().into(), abc()),
        ),
    ] {
        assert_eq!(read_action(line), expected, "{line}");
    }
}

#[test]
fn claims_are_read() {
    let alice = || destination::parse("alice@example.com").unwrap();
    let claims = || Some(Claims::parse(r#"{"a":1}"#).unwrap());
    for (line, expected) in [
        (
            "users add --email alice@example.com --claims {\"a\":1}",
            Action::AddUsers(one_user([alice()], claims())),
        ),
        (
            "users set alice@example.com --claims {\"a\":1}",
            Action::SetClaims(one_user([alice()], claims())),
        ),
        (
            "users set --csv users.csv",
            Action::SetClaims(Source::Csv("users.csv".into())),
        ),
    ] {
        assert_eq!(read_action(line), expected, "{line}");
    }
    let refused = |line: &str| read(line).expect_err(line);
    for (line, mistake) in [
        ("{\"sub\":\"x\"}", "the claim sub is reserved"),
        ("[]", "claims must be one JSON object"),
    ] {
        let line = format!("users set alice@example.com --claims {line}");
        assert_eq!(refused(&line), mistake);
    }
    for line in [
        "users set alice@example.com",
        "users set --claims {}",
        "users set --csv users.csv --claims {}",
        "users set alice@example.com --csv users.csv",
        "users disable alice@example.com --claims {}",
        "users list --claims {}",
    ] {
        refused(line);
    }
}

#[test]
fn wrong_usage_is_refused() {
    for line in [
        "",
        "list",
        "users",
        "users rename alice@example.com",
        "users list everything",
        "users list --csv users.csv",
        "users list --email alice@example.com",
        "users add",
        "users add alice@example.com",
        "users add --email alice",
        "users add --email",
        "users add --email a@example.com --email b@example.com",
        "users add --phone 4155550123",
        "users add --csv users.csv --email alice@example.com",
        "users disable",
        "users disable alice@",
        "users disable --email alice@example.com",
        "users disable alice@example.com bob@example.com",
        "users disable alice@example.com --csv users.csv",
        "users list --verbose",
        "users list -v",
        "users list --session abc",
        "sessions",
        "sessions list",
        "sessions list alice@example.com --session abc",
        "sessions end",
        "sessions end alice@example.com --session abc --session abc",
        "sessions end --csv users.csv",
        "sessions forget alice@example.com",
    ] {
        assert!(read(line).is_err(), "accepted {line:?}");
    }
}

#[test]
fn a_near_miss_of_a_command_is_told_what_was_meant() {
    for (line, expected) in [
        (
            "user list",
            "unknown command \"user\"; did you mean users?: give users, sessions or messages",
        ),
        (
            "users lst",
            "users: unknown command \"lst\"; did you mean list?",
        ),
        (
            "settings chek",
            "settings: unknown command \"chek\"; did you mean check?",
        ),
        ("settings", "settings: the command is missing"),
        ("settings check x", "settings: unexpected \"x\""),
        ("settings check --csv f", "settings: unexpected --csv"),
        (
            "users list --parameters f",
            "users list: unexpected --parameters",
        ),
    ] {
        assert_eq!(read(line), Err(expected.to_owned()), "{line}");
    }
}

#[test]
fn an_error_names_what_is_wrong() {
    for (line, expected) in [
        (
            "",
            "no command: give users, sessions or messages, and a command",
        ),
        ("users", "users: the command is missing"),
        ("users rename", "users: unknown command \"rename\""),
        (
            "users add",
            "users add: give --email, --phone or --csv FILE",
        ),
        (
            "users disable",
            "users disable: give either a user or --csv FILE",
        ),
        ("sessions end", "sessions end: give a destination"),
        ("users list --csv a.csv", "users list: unexpected --csv"),
        (
            "users remove a@example.com --csv a.csv",
            "users remove: give either a user or --csv FILE",
        ),
        (
            "users add --csv a.csv --phone +14155550123",
            "users add: unexpected --phone",
        ),
        (
            "users enable a@example.com b@example.com",
            "users enable: unexpected \"b@example.com\"",
        ),
        (
            "users enable a@",
            "users enable: \"a@\" is neither an e-mail address such as alice@example.com \
             nor a phone number such as +14155550123",
        ),
        (
            "users add --phone 4155550123",
            "users add: \"4155550123\" is not a phone number such as +14155550123",
        ),
        ("users list --table a --table b", "--table is given twice"),
    ] {
        assert_eq!(read(line), Err(expected.to_owned()), "{line}");
    }
}
