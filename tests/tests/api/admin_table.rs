//! The operator's tool prepares a restored table.

use std::{
    collections::HashMap,
    ffi::OsString,
    io::{self, Read},
    time::Duration,
};

use admin::{Exit, Input, Io, run};
use aws_sdk_dynamodb::{
    Client,
    types::{
        AttributeValue, PointInTimeRecoverySpecification, PointInTimeRecoveryStatus,
        TableDescription, TimeToLiveSpecification, TimeToLiveStatus,
    },
};
use local::aws::clients;
use otp_domain::UnixTime;
use tests::{ALICE, PHONE, TestApp};

const RESTORED: &str = "restored@table.example.net";

/// A person who types this.
struct Person<'a>(&'a [u8]);

impl Read for Person<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Input for Person<'_> {
    fn is_person(&self) -> bool {
        true
    }
}

/// How a command on the table ends, and what it prints.
async fn prepare(app: &TestApp, line: &str, stdin: &mut dyn Input) -> (Exit, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut io = Io {
        stdin,
        stdout: &mut out,
        stderr: &mut err,
    };
    let args = line.split_whitespace().map(OsString::from);
    let table = Some(app.settings.sessions.table_name.clone());
    let aws = async || clients(app.stack.aws);
    let exit = run(args, table, aws, UnixTime::from_millis(app.now()), &mut io).await;
    let [out, err] = [out, err].map(|text| String::from_utf8(text).unwrap());
    (exit, out, err)
}

/// The app's table, as `DynamoDB` knows it.
struct Table {
    client: Client,
    name: String,
}

impl Table {
    fn of(app: &TestApp) -> Self {
        Self {
            client: clients(app.stack.aws).dynamodb(),
            name: app.settings.sessions.table_name.clone(),
        }
    }

    /// What a restore leaves: none of the settings.
    async fn restored(app: &TestApp) -> Self {
        let table = Self::of(app);
        table.set_expiry(false, "expires_at_seconds").await;
        let off = PointInTimeRecoverySpecification::builder()
            .point_in_time_recovery_enabled(false)
            .build();
        let call = table.client.update_continuous_backups();
        let call = call.table_name(&table.name);
        let call = call.point_in_time_recovery_specification(off.unwrap());
        call.send().await.unwrap();
        table
    }

    /// Puts items back as they were.
    async fn restore(&self, items: Vec<HashMap<String, AttributeValue>>) {
        for item in items {
            let call = self.client.put_item().table_name(&self.name);
            call.set_item(Some(item)).send().await.unwrap();
        }
    }

    async fn set_expiry(&self, is_on: bool, by: &str) {
        let ttl = TimeToLiveSpecification::builder()
            .enabled(is_on)
            .attribute_name(by)
            .build();
        let call = self.client.update_time_to_live().table_name(&self.name);
        let call = call.time_to_live_specification(ttl.unwrap());
        call.send().await.unwrap();
    }

    async fn described(&self) -> TableDescription {
        let call = self.client.describe_table().table_name(&self.name);
        call.send().await.unwrap().table.unwrap()
    }

    async fn expires(&self) -> bool {
        let call = self.client.describe_time_to_live();
        let found = call.table_name(&self.name).send().await.unwrap();
        let found = found.time_to_live_description.unwrap();
        found.time_to_live_status() == Some(&TimeToLiveStatus::Enabled)
    }

    async fn is_recoverable(&self) -> bool {
        let call = self.client.describe_continuous_backups();
        let found = call.table_name(&self.name).send().await.unwrap();
        let found = found.continuous_backups_description.unwrap();
        let recovery = found.point_in_time_recovery_description.unwrap();
        recovery.point_in_time_recovery_status() == Some(&PointInTimeRecoveryStatus::Enabled)
    }
}

#[tokio::test]
async fn a_restored_table_is_prepared_once_and_no_session_comes_back() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    let table = Table::restored(&app).await;
    assert!(!table.expires().await && !table.is_recoverable().await);
    let first = app.log_in(RESTORED).await["refresh_token"].clone();
    app.log_in(PHONE).await;
    let items = app.items().await;
    let second = app.refresh(&first).await.assert_ok()["refresh_token"].clone();
    let third = app.refresh(&second).await.assert_ok()["refresh_token"].clone();
    table.restore(items).await;
    for (turned, ended) in [("turned on", 2), ("is on already", 0)] {
        let (exit, out, err) = prepare(&app, "table prepare", &mut [].as_slice()).await;
        assert_eq!(exit, Exit::Done, "{err}");
        let name = &table.name;
        let steps = [
            format!("{name}: TTL: {turned}"),
            format!("{name}: point-in-time recovery: {turned}"),
            format!("{name}: deletion protection: {turned}"),
            format!("{name}: stream: {turned}"),
            format!("{name}: sessions ended: {ended}"),
        ];
        assert_eq!(err.lines().collect::<Vec<_>>(), steps);
        let described = table.described().await;
        let stream = described.latest_stream_arn().unwrap();
        let parameters = [
            format!("ExistingTable={name}"),
            format!("ExistingTableStreamArn={stream}"),
        ];
        assert_eq!(out.lines().collect::<Vec<_>>(), parameters);
        assert_eq!(described.deletion_protection_enabled(), Some(true));
        let view = described.stream_specification().unwrap();
        let view = view.stream_view_type().unwrap();
        assert_eq!(view.as_str(), "NEW_IMAGE");
        assert!(table.expires().await && table.is_recoverable().await);
    }
    // The table has forgotten both refreshes, and yet nobody is taken for a thief.
    for token in [third, second, first] {
        app.refresh(&token)
            .await
            .assert_problem(400, "invalid-refresh-token");
    }
    let mut lines = app.log.lines_about("r***@t***.net");
    lines.retain(|line| line["reason"] == otp_service::session::REUSED);
    assert_eq!(lines, [] as [serde_json::Value; 0]);
    app.advance(Duration::from_millis(1));
    app.log_in(RESTORED).await;
}

#[tokio::test]
async fn a_person_is_asked_before_sessions_end() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    let table = Table::restored(&app).await;
    app.log_in(ALICE).await;
    for answer in ["", "no\n", "y\n"] {
        let mut person = Person(answer.as_bytes());
        let (exit, out, err) = prepare(&app, "table prepare", &mut person).await;
        assert_eq!((exit, out.as_str()), (Exit::Failed, ""), "{answer}");
        assert!(err.ends_with("nothing was done\n"), "{err}");
        assert!(!table.expires().await && app.sessions().await == 1);
    }
    let (exit, _, err) = prepare(&app, "table prepare", &mut Person(b"yes\n")).await;
    assert_eq!(exit, Exit::Done, "{err}");
    assert_eq!(app.sessions().await, 0);
    app.advance(Duration::from_millis(1));
    app.log_in(ALICE).await;
    let (exit, _, err) = prepare(&app, "table prepare --yes", &mut Person(b"")).await;
    assert_eq!(exit, Exit::Done, "{err}");
    assert_eq!(app.sessions().await, 0);
}

#[tokio::test]
async fn a_table_that_is_none_of_the_service_is_left_alone() {
    let app = TestApp::with(&[("RESEND_COOLDOWN_SECONDS", "0")]).await;
    app.log_in(ALICE).await;
    let line = "table prepare --table no-such-table";
    let (exit, out, err) = prepare(&app, line, &mut [].as_slice()).await;
    assert_eq!((exit, out.as_str()), (Exit::Failed, ""));
    assert!(err.contains("there is no such table"), "{err}");
    let table = Table::restored(&app).await;
    table.set_expiry(true, "ends_at").await;
    let (exit, out, err) = prepare(&app, "table prepare", &mut [].as_slice()).await;
    assert_eq!((exit, out.as_str()), (Exit::Failed, ""));
    assert!(err.contains("its TTL goes by ends_at"), "{err}");
    assert_eq!(app.sessions().await, 1);
}
