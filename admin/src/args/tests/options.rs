use super::*;

#[test]
fn the_table_is_the_argument_or_else_the_variable() {
    for (line, default, expected) in [
        ("users --table mine list", Some("theirs"), Some("mine")),
        ("users list", Some("theirs"), Some("theirs")),
        ("users list", None, None),
    ] {
        let (_, of) = named(line, default).unwrap();
        assert_eq!(of, Named::Table(expected.map(str::to_owned)), "{line}");
    }
}

#[test]
fn a_stack_is_named_anywhere_and_instead_of_a_table_and_of_a_file() {
    for line in [
        "--stack login users list",
        "users list --stack login",
        "doctor --stack=login",
        "settings check --stack login",
        "users pseudonym alice@example.com --stack login",
    ] {
        let (_, of) = named(line, Some("table")).unwrap();
        assert_eq!(of, Named::Stack("login".to_owned()), "{line}");
    }
    for line in [
        "users list --stack login --table users",
        "users list --stack",
        "users list --stack a --stack b",
        "settings check --stack login --parameters file",
    ] {
        assert!(read(line).is_err(), "{line}");
    }
}

#[test]
fn help_and_version_need_no_table() {
    for line in ["--help", "-h", "users --help", "users add -h"] {
        assert_eq!(read(line), Ok(Command::Help), "{line}");
    }
    for line in ["--version", "-V", "users list --version"] {
        assert_eq!(read(line), Ok(Command::Version), "{line}");
    }
}

#[test]
fn a_user_id_stands_wherever_an_existing_user_does() {
    // The last two look like options.
    for id in [
        "0Yb1uTQ1VZt9cJ7mXxk2Ew",
        "-Yb1uTQ1VZt9cJ7mXxk2Ew",
        "--b1uTQ1VZt9cJ7mXxk2Ew",
    ] {
        let user = || UserId::from_table(id.to_owned());
        let abc = || Some(SessionId::new("abc".to_owned()));
        for (line, expected) in [
            (
                format!("users show {id}"),
                Action::ShowUser(Who::Id(user())),
            ),
            (
                format!("users disable {id}"),
                Action::ChangeUsers(Change::Disable, Source::One(Who::Id(user()).into_row())),
            ),
            (
                format!("sessions list {id}"),
                Action::ListSessions(Who::Id(user())),
            ),
            (
                format!("sessions end {id} --session abc"),
                Action::EndSessions(Who::Id(user()), abc()),
            ),
        ] {
            assert_eq!(read_action(&line), expected, "{line}");
        }
        assert!(read(&format!("users add --email {id}")).is_err());
    }
    assert!(read("users show alice@").is_err());
}

#[test]
fn a_pseudonym_needs_a_key_and_no_table() {
    let expected = Command::Pseudonym {
        of: destination::parse("alice@example.com").unwrap(),
        digest_key: Some("key".to_owned()),
    };
    let line = "users pseudonym alice@example.com --digest-key key";
    assert_eq!(read(line), Ok(expected));
    for line in [
        "users pseudonym",
        "users pseudonym alice@example.com",
        "users pseudonym 0Yb1uTQ1VZt9cJ7mXxk2Ew --digest-key key",
        "users pseudonym alice@example.com --digest-key key --csv x",
        "users list --digest-key key",
    ] {
        assert!(read(line).is_err(), "{line}");
    }
}
