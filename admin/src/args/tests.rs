use super::*;

fn read(line: &str, table: Option<&str>) -> Result<Command, String> {
    parse(
        line.split_whitespace().map(OsString::from),
        table.map(str::to_owned),
    )
}

fn read_action(line: &str) -> Action {
    match read(line, Some("table")) {
        Ok(Command::Do { action, table }) if table == "table" => action,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn each_command_is_read() {
    let alice = || email("alice@example.com").unwrap();
    let number = || phone("+14155550123").unwrap();
    let csv = || Source::Csv("users.csv".into());
    for (line, expected) in [
        ("users list", Action::List),
        (
            "users add --email Alice@Example.com",
            Action::Add(one([alice()])),
        ),
        (
            "users add --phone=+14155550123",
            Action::Add(one([number()])),
        ),
        (
            "users add --phone +14155550123 --email alice@example.com",
            Action::Add(one([alice(), number()])),
        ),
        ("users add --csv users.csv", Action::Add(csv())),
        ("users add --csv -", Action::Add(Source::Csv("-".into()))),
        (
            "users disable alice@example.com",
            Action::Change(Change::Disable, one([alice()])),
        ),
        (
            "users enable +14155550123",
            Action::Change(Change::Enable, one([number()])),
        ),
        (
            "users remove --csv users.csv",
            Action::Change(Change::Remove, csv()),
        ),
    ] {
        assert_eq!(read_action(line), expected, "{line}");
    }
}

#[test]
fn whatever_is_no_command_is_refused() {
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
        "users disable alice",
        "users disable --email alice@example.com",
        "users disable alice@example.com bob@example.com",
        "users disable alice@example.com --csv users.csv",
        "users list --verbose",
        "users list -v",
        "sessions",
        "sessions list",
        "sessions list alice@example.com --session x",
        "users list --session x",
    ] {
        assert!(read(line, Some("table")).is_err(), "accepted {line:?}");
    }
}

#[test]
fn the_table_is_the_argument_or_else_the_variable() {
    let table = |line, default| match read(line, default) {
        Ok(Command::Do { table, .. }) => Some(table),
        _ => None,
    };
    assert_eq!(
        table("users --table mine list", Some("theirs")).as_deref(),
        Some("mine")
    );
    assert_eq!(
        table("users list", Some("theirs")).as_deref(),
        Some("theirs")
    );
    assert_eq!(table("users list", Some("")), None);
    assert_eq!(table("users list", None), None);
}

#[test]
fn sessions_are_listed_and_ended_under_both_names() {
    let alice = || email("alice@example.com").unwrap();
    let id = || Some(SessionId::new("x".to_owned()));
    for (line, expected) in [
        ("sessions list alice@example.com", Action::Sessions(alice())),
        ("logins list alice@example.com", Action::Sessions(alice())),
        ("sessions end alice@example.com", Action::End(alice(), None)),
        (
            "sessions end alice@example.com --session x",
            Action::End(alice(), id()),
        ),
        (
            "logins end alice@example.com --login x",
            Action::End(alice(), id()),
        ),
    ] {
        assert_eq!(read_action(line), expected, "{line}");
    }
}

#[test]
fn help_and_version_need_no_table() {
    assert_eq!(read("--version", None), Ok(Command::Version));
    for line in ["--help", "-h", "users --help", "users add -h"] {
        assert_eq!(read(line, None), Ok(Command::Help), "{line}");
    }
}
