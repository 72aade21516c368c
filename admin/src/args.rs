//! The command line.
//!
//! `lexopt` reads it: no dependencies, no macros, unknown options are refused, and
//! arguments need not be UTF-8.

use std::ffi::OsString;

use lexopt::{Arg, Parser, ValueExt};
use otp_domain::{Destination, SessionId};
use otp_service::store::Change;

use crate::{
    destination::{either, email, phone},
    rows::Row,
};

/// The manual.
pub const USAGE: &str = "\
Usage: admin [--table NAME] users|sessions COMMAND

users
  add [--email ADDRESS] [--phone NUMBER]   create a user; with both, either logs the user in
  add --csv FILE                           create a user for each line
  list                                     print all users as CSV
  disable DESTINATION | --csv FILE         send no codes, issue no tokens, end all sessions
  enable DESTINATION | --csv FILE          allow logins again
  remove DESTINATION | --csv FILE          delete the user with all destinations

sessions (or logins, its former name)
  list DESTINATION                         print the user's live sessions as CSV
  end DESTINATION [--session ID]           end every session, or the one with this id of the
                                           list; access tokens stay valid until they expire

--help prints this text, --version the version.

A DESTINATION is an e-mail address or a phone number such as +14155550123, and stands
for its user. FILE has a header line with email and phone_number; - is standard input.
The table is NAME or $TABLE_NAME; region, credentials and endpoint are the AWS SDK's.

Exit code: 0 all done, 1 some failed, 2 wrong usage.
";

/// One call of the tool.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Print the manual.
    Help,
    /// Print the version.
    Version,
    /// Act on the users in a table, or on their sessions.
    Do {
        /// The action.
        action: Action,
        /// The table's name.
        table: String,
    },
}

/// An action on users or sessions.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Print all users.
    List,
    /// Create users.
    Add(Source),
    /// Change existing users.
    Change(Change, Source),
    /// Print the sessions of one user.
    Sessions(Destination),
    /// End the sessions of one user: all, or the one with this id.
    End(Destination, Option<SessionId>),
}

/// Which users.
#[derive(Debug, PartialEq, Eq)]
pub enum Source {
    /// One user, given as arguments.
    One(Row),
    /// The users in a file; `-` is standard input.
    Csv(OsString),
}

/// What the arguments hold.
enum Collected {
    Options(Options),
    /// A command that needs no options.
    Command(Command),
}

#[derive(Default)]
struct Options {
    table: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    csv: Option<OsString>,
    session: Option<String>,
    words: Vec<String>,
}

/// Reads the arguments. `default_table` counts if there is no `--table`.
pub fn parse(
    args: impl IntoIterator<Item = OsString>,
    default_table: Option<String>,
) -> Result<Command, String> {
    let mut options = match collect(args).map_err(|error| error.to_string())? {
        Collected::Options(options) => options,
        Collected::Command(command) => return Ok(command),
    };
    let table = options.table.take().or(default_table);
    let action = action(options)?;
    let table = table
        .filter(|table| !table.is_empty())
        .ok_or("which table? give --table or set TABLE_NAME")?;
    Ok(Command::Do { action, table })
}

/// Collects the options, or finds a command that needs none.
fn collect(args: impl IntoIterator<Item = OsString>) -> Result<Collected, lexopt::Error> {
    let mut options = Options::default();
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(Collected::Command(Command::Help)),
            Arg::Short('V') | Arg::Long("version") => {
                return Ok(Collected::Command(Command::Version));
            }
            Arg::Long("table") => once(&mut options.table, parser.value()?.string()?)?,
            Arg::Long("email") => once(&mut options.email, parser.value()?.string()?)?,
            Arg::Long("phone") => once(&mut options.phone, parser.value()?.string()?)?,
            Arg::Long("session" | "login") => {
                once(&mut options.session, parser.value()?.string()?)?;
            }
            Arg::Long("csv") => once(&mut options.csv, parser.value()?)?,
            Arg::Value(word) => options.words.push(word.string()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Collected::Options(options))
}

/// Otherwise the second value would silently win.
fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), lexopt::Error> {
    if slot.replace(value).is_some() {
        return Err("an option is given twice".into());
    }
    Ok(())
}

fn action(options: Options) -> Result<Action, String> {
    let words: Vec<&str> = options.words.iter().map(String::as_str).collect();
    let named = options.email.is_some() || options.phone.is_some();
    if let ["sessions" | "logins", verb, to] = words.as_slice()
        && !named
        && options.csv.is_none()
    {
        return sessions(verb, either(to)?, options.session);
    }
    if options.session.is_some() {
        return Err("--session belongs to `sessions end DESTINATION`".to_owned());
    }
    match (words.as_slice(), options.csv) {
        (["users", "list"], None) if !named => Ok(Action::List),
        (["users", "add"], Some(file)) if !named => Ok(Action::Add(Source::Csv(file))),
        (["users", "add"], None) if named => {
            let email = options.email.as_deref().map(email).transpose()?;
            let phone = options.phone.as_deref().map(phone).transpose()?;
            Ok(Action::Add(one(email.into_iter().chain(phone))))
        }
        (["users", verb, to @ ..], csv) if !named => {
            let change = change(verb).ok_or_else(|| format!("users {verb}: no such command"))?;
            match (to, csv) {
                ([to], None) => Ok(Action::Change(change, one([either(to)?]))),
                ([], Some(file)) => Ok(Action::Change(change, Source::Csv(file))),
                _ => Err(format!(
                    "users {verb}: expected one destination or --csv FILE"
                )),
            }
        }
        _ => Err("these arguments do not go together".to_owned()),
    }
}

fn sessions(verb: &str, of: Destination, session: Option<String>) -> Result<Action, String> {
    match (verb, session) {
        ("list", None) => Ok(Action::Sessions(of)),
        ("end", session) => Ok(Action::End(of, session.map(SessionId::new))),
        _ => Err(format!("sessions {verb}: no such command")),
    }
}

fn change(verb: &str) -> Option<Change> {
    match verb {
        "disable" => Some(Change::Disable),
        "enable" => Some(Change::Enable),
        "remove" => Some(Change::Remove),
        _ => None,
    }
}

fn one(destinations: impl IntoIterator<Item = Destination>) -> Source {
    Source::One(Row {
        line: None,
        destinations: destinations.into_iter().collect(),
        disabled: None,
    })
}

#[cfg(test)]
mod tests;
