//! Gives a restored table what the template gives its own, and ends the sessions that came back.

use std::{
    io::{BufRead as _, BufReader},
    time::Duration,
};

use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::{
        PointInTimeRecoverySpecification, PointInTimeRecoveryStatus, StreamSpecification,
        StreamViewType, TableDescription, TableStatus, TimeToLiveSpecification, TimeToLiveStatus,
    },
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use otp_domain::UnixTime;
use otp_service::{
    aws::Aws,
    fault::{Dependency, Fault},
    store::Events,
    table::Table,
    users::UserService,
};

use crate::{batch::CONCURRENCY, credentials::Tried, error::Error, exit::Exit, io::Io};

/// The attribute that holds the second at which an item may be deleted.
const EXPIRY: &str = "expires_at_seconds";

/// What the stream tells of a written item.
const VIEW: StreamViewType = StreamViewType::NewImage;

/// How often a table that is being changed is looked at again, and in which steps.
const LOOKS: u32 = 120;
const PAUSE: Duration = Duration::from_secs(1);

/// Prepares the table, and prints the parameters that name it. Each step may stand already, so
/// a run that stopped can be repeated.
pub async fn prepare(
    table: &str,
    is_confirmed: bool,
    aws: &Aws,
    now: UnixTime,
    io: &mut Io<'_>,
) -> Result<Exit, Error> {
    let tried = Tried::with(aws.sdk(), Some(&format!("table {table}"))).await?;
    // Its calls may take longer than those of a login, so the time limits are the SDK's.
    let client = Client::new(aws.sdk());
    let preparation = Preparation {
        table,
        client: &client,
        tried: &tried,
    };
    preparation.describe().await?;
    if !is_confirmed && io.stdin.is_person() && !is_wanted(table, io)? {
        writeln!(io.stderr, "nothing was done")?;
        return Ok(Exit::Failed);
    }
    let steps = [
        ("TTL", preparation.expire().await?),
        ("point-in-time recovery", preparation.recover().await?),
        ("deletion protection", preparation.protect().await?),
        ("stream", preparation.stream().await?),
    ];
    for (step, was_off) in steps {
        let state = if was_off {
            "turned on"
        } else {
            "is on already"
        };
        writeln!(io.stderr, "{table}: {step}: {state}")?;
    }
    // No pipe reads this table yet.
    let users = UserService::new(Table::new(aws.dynamodb(), table.to_owned()), Events::Off);
    let ended = end_sessions(&users, now)
        .await
        .map_err(|fault| tried.told(&fault))?;
    writeln!(io.stderr, "{table}: sessions ended: {ended}")?;
    let described = preparation.describe().await?;
    let stream = described.latest_stream_arn().unwrap_or_default();
    writeln!(io.stdout, "ExistingTable={table}")?;
    writeln!(io.stdout, "ExistingTableStreamArn={stream}")?;
    Ok(Exit::Done)
}

fn is_wanted(table: &str, io: &mut Io<'_>) -> Result<bool, Error> {
    write!(
        io.stderr,
        "this ends all sessions of the users in {table}: type yes to go on: "
    )?;
    io.stderr.flush()?;
    let mut answer = String::new();
    BufReader::new(&mut *io.stdin).read_line(&mut answer)?;
    Ok(answer.trim() == "yes")
}

async fn end_sessions(users: &UserService, now: UnixTime) -> Result<usize, Fault> {
    let mut ended = 0;
    let mut pages = users.all();
    while let Some(page) = pages.next().await? {
        let each = page.iter().map(|user| users.end_sessions(&user.id, now));
        let each = stream::iter(each).buffer_unordered(CONCURRENCY);
        ended += each.try_fold(0, async |sum, ended| Ok(sum + ended)).await?;
    }
    Ok(ended)
}

/// The steps, each of which returns whether it changed anything.
struct Preparation<'a> {
    table: &'a str,
    client: &'a Client,
    tried: &'a Tried,
}

impl Preparation<'_> {
    async fn expire(&self) -> Result<bool, Error> {
        let call = self.client.describe_time_to_live().table_name(self.table);
        let found = self.done("DescribeTimeToLive", call.send().await)?;
        let found = found.time_to_live_description;
        let is_on = |status: &TimeToLiveStatus| {
            matches!(
                status,
                TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling
            )
        };
        let found = found.filter(|ttl| ttl.time_to_live_status().is_some_and(is_on));
        if let Some(by) = found.and_then(|ttl| ttl.attribute_name) {
            return if by == EXPIRY {
                Ok(false)
            } else {
                Err(self.differs(&format!("its TTL goes by {by}, not by {EXPIRY}")))
            };
        }
        let ttl = TimeToLiveSpecification::builder()
            .enabled(true)
            .attribute_name(EXPIRY)
            .build()
            .map_err(|error| Error::Aws(error.to_string()))?;
        let call = self.client.update_time_to_live().table_name(self.table);
        let sent = call.time_to_live_specification(ttl).send().await;
        self.done("UpdateTimeToLive", sent).map(|_| true)
    }

    async fn recover(&self) -> Result<bool, Error> {
        let call = self.client.describe_continuous_backups();
        let sent = call.table_name(self.table).send().await;
        let found = self.done("DescribeContinuousBackups", sent)?;
        let found = found.continuous_backups_description;
        let found = found.and_then(|backups| backups.point_in_time_recovery_description);
        let status = found.and_then(|recovery| recovery.point_in_time_recovery_status);
        if status == Some(PointInTimeRecoveryStatus::Enabled) {
            return Ok(false);
        }
        let recovery = PointInTimeRecoverySpecification::builder()
            .point_in_time_recovery_enabled(true)
            .build()
            .map_err(|error| Error::Aws(error.to_string()))?;
        let call = self.client.update_continuous_backups();
        let call = call.table_name(self.table);
        let sent = call.point_in_time_recovery_specification(recovery).send();
        self.done("UpdateContinuousBackups", sent.await)
            .map(|_| true)
    }

    async fn protect(&self) -> Result<bool, Error> {
        let table = self.describe().await?;
        if table.deletion_protection_enabled() == Some(true) {
            return Ok(false);
        }
        let call = self.client.update_table().table_name(self.table);
        let sent = call.deletion_protection_enabled(true).send().await;
        self.done("UpdateTable", sent).map(|_| true)
    }

    async fn stream(&self) -> Result<bool, Error> {
        let table = self.describe().await?;
        let now = table.stream_specification();
        if let Some(stream) = now.filter(|stream| stream.stream_enabled()) {
            return match stream.stream_view_type() {
                Some(&VIEW) => Ok(false),
                _ => Err(self.differs("its stream shows something else than NEW_IMAGE")),
            };
        }
        let stream = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(VIEW)
            .build()
            .map_err(|error| Error::Aws(error.to_string()))?;
        let call = self.client.update_table().table_name(self.table);
        let sent = call.stream_specification(stream).send().await;
        self.done("UpdateTable", sent).map(|_| true)
    }

    /// The table, as soon as no change of it is on its way.
    async fn describe(&self) -> Result<TableDescription, Error> {
        for _ in 0..LOOKS {
            let call = self.client.describe_table().table_name(self.table);
            let found = self.done("DescribeTable", call.send().await)?.table;
            match found {
                Some(table) if table.table_status() == Some(&TableStatus::Active) => {
                    return Ok(table);
                }
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
        Err(self.differs("it is still being created or changed: run this again later"))
    }

    fn differs(&self, how: &str) -> Error {
        Error::Aws(format!("{}: {how}", self.table))
    }

    fn done<T, E, R>(
        &self,
        operation: &'static str,
        sent: Result<T, SdkError<E, R>>,
    ) -> Result<T, Error>
    where
        E: ProvideErrorMetadata,
    {
        sent.map_err(|error| {
            let fault = Fault::from_sdk(Dependency::Table, operation, &error);
            self.tried.told(&fault)
        })
    }
}
