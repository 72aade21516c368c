//! `admin doctor`: what it says of an account where all is well, and of one with faults.

use std::collections::HashMap;

use admin::{Exit, Io, doctor::examine};
use local::aws::clients;
use serde_json::Value;
use tests::TestApp;

type Settings = HashMap<&'static str, String>;

/// The settings of a deployment that sends both kinds of messages.
fn settings(app: &TestApp) -> Settings {
    [
        ("TABLE_NAME", app.settings.sessions.table_name.as_str()),
        (
            "DIGEST_KEY_ID",
            app.settings.sessions.digest_key_id.as_str(),
        ),
        ("SIGNING_KEY_ID", "local-signing-key"),
        ("EMAIL_FROM", "Example <login@example.com>"),
        ("SMS_PREFIXES", "US"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

/// What the doctor says: the check, its state, what it says and the cure.
async fn examined(app: &TestApp, settings: &Settings) -> (Exit, Vec<[String; 4]>) {
    let (exit, out) = printed(app, settings, true).await;
    let found: Vec<HashMap<String, String>> = serde_json::from_str(&out).unwrap();
    let rows = found.into_iter().map(|mut row| {
        ["check", "state", "says", "mend"].map(|member| row.remove(member).unwrap())
    });
    (exit, rows.collect())
}

async fn printed(app: &TestApp, settings: &Settings, is_json: bool) -> (Exit, String) {
    let (mut stdin, mut out, mut err) = (&b""[..], Vec::new(), Vec::new());
    let mut io = Io {
        stdin: &mut stdin,
        stdout: &mut out,
        stderr: &mut err,
    };
    let aws = clients(app.stack.aws);
    let lookup = |name: &str| settings.get(name).cloned();
    let exit = examine(lookup, is_json, &aws, &mut io).await.unwrap();
    (exit, String::from_utf8(out).unwrap())
}

fn wrong(rows: &[[String; 4]]) -> Vec<&str> {
    let wrong = rows.iter().filter(|row| row[1] != "ok");
    wrong.map(|row| row[0].as_str()).collect()
}

#[tokio::test]
async fn an_account_where_all_is_well_has_nothing_to_mend() {
    let app = TestApp::start().await;
    let settings = settings(&app);
    let (exit, rows) = examined(&app, &settings).await;
    assert_eq!((exit, wrong(&rows)), (Exit::Done, vec![]), "{rows:?}");
    assert!(rows.len() > 10 && rows.iter().all(|row| row[3].is_empty()));
    let (exit, text) = printed(&app, &settings, false).await;
    assert_eq!(exit, Exit::Done);
    assert_eq!(text.lines().count(), rows.len());
    assert!(text.lines().all(|line| line.starts_with("ok ")), "{text}");
}

#[tokio::test]
async fn each_fault_of_an_account_is_named_with_its_cure() {
    let app = TestApp::start().await;
    for (setting, value, check, state) in [
        ("TABLE_NAME", "", "table", "wrong"),
        ("TABLE_NAME", "no-such-table", "table", "unknown"),
        (
            "DIGEST_KEY_ID",
            "local-signing-key",
            "DIGEST_KEY_ID",
            "wrong",
        ),
        ("SIGNING_KEY_ID", "no-such-key", "SIGNING_KEY_ID", "unknown"),
        (
            "SECOND_DIGEST_KEY_ID",
            "local-signing-key",
            "SECOND_DIGEST_KEY_ID",
            "wrong",
        ),
    ] {
        let mut settings = settings(&app);
        settings.insert(setting, value.to_owned());
        let (exit, rows) = examined(&app, &settings).await;
        assert_eq!(
            (exit, wrong(&rows)),
            (Exit::Failed, vec![check]),
            "{setting} {value}"
        );
        let row = rows.iter().find(|row| row[0] == check).unwrap();
        assert_eq!(row[1], state, "{setting} {value}");
        assert!(state == "unknown" || !row[3].is_empty(), "{row:?}");
    }
    let mut settings = settings(&app);
    settings.remove("EMAIL_FROM");
    settings.remove("SMS_PREFIXES");
    let (exit, rows) = examined(&app, &settings).await;
    assert_eq!((exit, wrong(&rows)), (Exit::Failed, vec!["messages"]));
}

#[tokio::test]
async fn what_is_paused_and_what_cannot_be_asked_is_told() {
    let app = TestApp::start().await;
    app.stack.messages.refuse(vec!["email".into()]);
    let (exit, rows) = examined(&app, &settings(&app)).await;
    assert_eq!((exit, wrong(&rows)), (Exit::Failed, vec!["SES: sending"]));
    let (_, text) = printed(&app, &settings(&app), false).await;
    let line = text.lines().position(|line| line.starts_with("wrong "));
    let cure = text.lines().nth(line.unwrap() + 1).unwrap();
    assert!(cure.trim_start().starts_with("-> "), "{text}");
    // Nothing answers here.
    let nobody = clients(([127, 0, 0, 1], 9).into());
    let (mut stdin, mut out, mut err) = (&b""[..], Vec::new(), Vec::new());
    let mut io = Io {
        stdin: &mut stdin,
        stdout: &mut out,
        stderr: &mut err,
    };
    let all = settings(&app);
    let lookup = |name: &str| all.get(name).cloned();
    let exit = examine(lookup, true, &nobody, &mut io).await.unwrap();
    let found: Value = serde_json::from_slice(&out).unwrap();
    let states = found.as_array().unwrap().iter();
    assert_eq!(exit, Exit::Failed);
    assert!(states.clone().count() > 5);
    for one in states {
        assert_eq!(one["state"], "unknown", "{one}");
        assert!(
            one["mend"]
                .as_str()
                .unwrap()
                .starts_with("check the region")
        );
    }
}
