//! The operators' command-line tool: it adds, lists, finds, exports, disables, enables and
//! removes users, sets their claims, lists and ends their sessions, and shows
//! messages. It tells what became of codes, and lets them arrive again.
//!
//! ```text
//! args::parse -> Deployment       what --stack names, or the environment
//!             -> Task::prepare -> Task::run
//!                `- rows::read     |- users::list ------------------> UserService::all
//!                                  |- Batch::run -> Operation::run -> UserService::add, change, set_claims
//!                                  |- users::show, Who::find -------> UserService::find, find_by_id
//!                                  `- sessions::list, end ----------> UserService::sessions, end_session
//!             Deliveries::run ---------------------------------------> Ledger
//!             Preview::run ------------------------------------------> Messages
//!             doctor::examine ---------------------------------------> the account
//!             preparation::prepare ----------------------------------> the table
//! ```
//!
//! Its output contains personal data: whole addresses and phone numbers. The
//! tool writes to its own streams only, and keeps no log.

mod args;
mod batch;
mod cell;
mod completion;
mod credentials;
mod deliveries;
mod deployment;
mod destination;
pub mod doctor;
mod error;
mod exit;
mod export;
mod invitation;
mod io;
mod operation;
mod preparation;
mod preview;
mod rows;
mod sessions;
mod settings;
mod task;
mod timestamp;
mod users;
mod who;

use std::ffi::OsString;

use otp_domain::{Destination, UnixTime};
use otp_service::{
    aws::Aws, keys::DigestKeys, ledger::Ledger, store::Events, table::Table, users::UserService,
};

use args::{Action, Command};
use credentials::Tried;
use deliveries::{Deliveries, Tools};
use deployment::{Deployment, Named};
use error::Error;
use task::Task;

pub use batch::CONCURRENCY;
pub use exit::Exit;
pub use io::{Input, Io};

/// Runs the command in `args`, which do not contain the program's name.
///
/// `default_table` applies if `args` has neither `--stack` nor `--table`. `aws` is called only
/// if the command calls AWS.
pub async fn run(
    args: impl IntoIterator<Item = OsString>,
    default_table: Option<String>,
    aws: impl AsyncFnOnce() -> Aws,
    now: UnixTime,
    io: &mut Io<'_>,
) -> Exit {
    let (command, named) = match args::parse(args, default_table) {
        Ok(parsed) => parsed,
        Err(mistake) => {
            // The exit code reports the mistake even if this write fails.
            let _ = writeln!(io.stderr, "{mistake}\nsee admin --help");
            return Exit::Usage;
        }
    };
    let result = start(command, named, aws, now, io).await;
    result.unwrap_or_else(|error| {
        let _ = writeln!(io.stderr, "{error}");
        match error {
            Error::NoTable => Exit::Usage,
            _ => Exit::Failed,
        }
    })
}

/// Finds the deployment, and does the command on it.
async fn start(
    command: Command,
    named: Named,
    aws: impl AsyncFnOnce() -> Aws,
    now: UnixTime,
    io: &mut Io<'_>,
) -> Result<Exit, Error> {
    match named {
        Named::Table(table) => {
            let deployment = Deployment::Environment { table };
            proceed(command, deployment, aws, now, io).await
        }
        Named::Stack(name) => {
            let aws = aws().await;
            let deployment = Deployment::of_stack(&name, &aws).await?;
            proceed(command, deployment, async || aws, now, io).await
        }
    }
}

async fn proceed(
    command: Command,
    deployment: Deployment,
    aws: impl AsyncFnOnce() -> Aws,
    now: UnixTime,
    io: &mut Io<'_>,
) -> Result<Exit, Error> {
    let lookup = |name: &str| deployment.variable(name);
    match command {
        Command::Help => print(args::USAGE, io),
        Command::Version => print(args::VERSION, io),
        Command::Completion(shell) => print(&shell.script(), io),
        Command::Preview(preview) => preview.run(lookup, aws, io).await,
        Command::CheckSettings(file) => settings::check(file.as_deref(), lookup, now, io),
        Command::Pseudonym { of, digest_key } => {
            let key = digest_key.or_else(|| lookup("DIGEST_KEY_ID"));
            pseudonym(&of, &key.unwrap_or_default(), aws, io).await
        }
        Command::Doctor { is_json } => doctor::examine(lookup, is_json, &aws().await, io).await,
        Command::Run(action) => execute(action, &deployment, aws, now, io).await,
        Command::Invite(invitation) => invitation.run(&deployment, &aws().await, now, io).await,
        Command::PrepareTable { is_confirmed } => {
            let table = deployment.table()?;
            preparation::prepare(&table, is_confirmed, &aws().await, now, io).await
        }
        Command::Deliveries(command) => deliveries(command, deployment, aws, now, io).await,
    }
}

fn print(text: &str, io: &mut Io<'_>) -> Result<Exit, Error> {
    io.stdout.write_all(text.as_bytes())?;
    Ok(Exit::Done)
}

async fn pseudonym(
    of: &Destination,
    digest_key: &str,
    aws: impl AsyncFnOnce() -> Aws,
    io: &mut Io<'_>,
) -> Result<Exit, Error> {
    let aws = aws().await;
    let tried = Tried::with(aws.sdk(), None).await?;
    let keys = DigestKeys::new(&aws.kms(), digest_key, None);
    let current = keys.current().await;
    let pseudonym = current.map_err(|fault| tried.told(&fault))?.pseudonym(of);
    writeln!(io.stdout, "{}", pseudonym.as_str())?;
    Ok(Exit::Done)
}

async fn deliveries(
    command: Deliveries,
    deployment: Deployment,
    aws: impl AsyncFnOnce() -> Aws,
    now: UnixTime,
    io: &mut Io<'_>,
) -> Result<Exit, Error> {
    let table = deployment.table()?;
    let aws = aws().await;
    let table = || Table::new(aws.dynamodb(), table.clone());
    let tools = Tools {
        users: UserService::new(table(), Events::Off),
        ledger: Ledger::new(table()),
        aws: aws.clone(),
        deployment,
    };
    command.run(&tools, now, io).await
}

async fn execute(
    action: Action,
    deployment: &Deployment,
    aws: impl AsyncFnOnce() -> Aws,
    now: UnixTime,
    io: &mut Io<'_>,
) -> Result<Exit, Error> {
    let table = deployment.table()?;
    let task = Task::prepare(action, io)?;
    let aws = aws().await;
    let tried = Tried::with(aws.sdk(), Some(&format!("table {table}"))).await?;
    let table = Table::new(aws.dynamodb(), table);
    let ran = async {
        let events = if task.may_change() {
            deployment.events(&table).await?
        } else {
            Events::Off
        };
        let users = UserService::new(table, events);
        task.run(&users, now, io).await
    };
    ran.await.map_err(|error| match error {
        Error::Table(fault) => tried.told(&fault),
        error => error,
    })
}
