//! What the operator asks for.
//!
//! By `lexopt`: it has no dependencies and no macros to compile, refuses what
//! nobody asked about, and takes arguments that are no UTF-8. A handful of
//! options needs no more.

use std::ffi::OsString;

use lexopt::{Arg, Parser, ValueExt};
use otp::{
    domain::{Destination, EmailAddress, SessionId, PhoneNumber},
    store::Change,
};

use crate::rows::Row;

/// The whole manual.
pub const USAGE: &str = "\
Usage: admin [--table NAME] users|logins COMMAND

users
  add [--email ADDRESS] [--phone NUMBER]   make a user; with both, either logs them in
  add --csv FILE                           make a user of each line
  list                                     print all users as CSV
  disable DESTINATION | --csv FILE         no codes and no tokens from now on; ends all logins
  enable DESTINATION | --csv FILE          as before
  remove DESTINATION | --csv FILE          forget the user, with all their destinations

logins
  list DESTINATION                         print the user's logins that last, as CSV
  end DESTINATION [--login LOGIN]          end all of them, or the one that the list so names;
                                           tokens already given out are good until they expire

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
    /// Do something with the users in a table, or with their logins.
    Do {
        /// What.
        action: Action,
        /// Where.
        table: String,
    },
}

/// What to do with users and their logins.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Print all.
    List,
    /// Make new ones.
    Add(Source),
    /// Change those that exist.
    Change(Change, Source),
    /// Print the logins of one.
    Logins(Destination),
    /// End the logins of one: all, or that of this name.
    End(Destination, Option<SessionId>),
}

/// Which users.
#[derive(Debug, PartialEq, Eq)]
pub enum Source {
    /// One, given as arguments.
    One(Row),
    /// Those in a file, or on standard input if it is `-`.
    Csv(OsString),
}

#[derive(Default)]
struct Options {
    table: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    csv: Option<OsString>,
    login: Option<String>,
    words: Vec<String>,
}

/// Reads the arguments; `default_table` stands in for `--table`.
pub fn parse(
    args: impl IntoIterator<Item = OsString>,
    default_table: Option<String>,
) -> Result<Command, String> {
    let Some(mut options) = collect(args).map_err(|error| error.to_string())? else {
        return Ok(Command::Help);
    };
    let table = options.table.take().or(default_table);
    let action = action(options)?;
    let table = table
        .filter(|table| !table.is_empty())
        .ok_or("which table? give --table or set TABLE_NAME")?;
    Ok(Command::Do { action, table })
}

/// `None` if help is asked for.
fn collect(args: impl IntoIterator<Item = OsString>) -> Result<Option<Options>, lexopt::Error> {
    let mut options = Options::default();
    let mut parser = Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Long("table") => once(&mut options.table, parser.value()?.string()?)?,
            Arg::Long("email") => once(&mut options.email, parser.value()?.string()?)?,
            Arg::Long("phone") => once(&mut options.phone, parser.value()?.string()?)?,
            Arg::Long("login") => once(&mut options.login, parser.value()?.string()?)?,
            Arg::Long("csv") => once(&mut options.csv, parser.value()?)?,
            Arg::Value(word) => options.words.push(word.string()?),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

/// The second of two would silently win.
fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), lexopt::Error> {
    if slot.replace(value).is_some() {
        return Err("an option is given twice".into());
    }
    Ok(())
}

fn action(options: Options) -> Result<Action, String> {
    let words: Vec<&str> = options.words.iter().map(String::as_str).collect();
    let named = options.email.is_some() || options.phone.is_some();
    if let ["logins", verb, to] = words.as_slice()
        && !named
        && options.csv.is_none()
    {
        return logins(verb, destination(to)?, options.login);
    }
    if options.login.is_some() {
        return Err("--login goes with `logins end DESTINATION`".to_owned());
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
                ([to], None) => Ok(Action::Change(change, one([destination(to)?]))),
                ([], Some(file)) => Ok(Action::Change(change, Source::Csv(file))),
                _ => Err(format!("users {verb}: one destination, or --csv")),
            }
        }
        _ => Err("these arguments do not go together".to_owned()),
    }
}

fn logins(verb: &str, of: Destination, login: Option<String>) -> Result<Action, String> {
    match (verb, login) {
        ("list", None) => Ok(Action::Logins(of)),
        ("end", login) => Ok(Action::End(of, login.map(SessionId::new))),
        _ => Err(format!("logins {verb}: no such command")),
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

fn destination(text: &str) -> Result<Destination, String> {
    if text.starts_with('+') {
        phone(text)
    } else {
        email(text)
    }
}

/// Reads an e-mail address, or says that it is none.
pub fn email(text: &str) -> Result<Destination, String> {
    let parsed = EmailAddress::parse(text).map(Destination::Email);
    parsed.map_err(|_| format!("{text:?} is no plain e-mail address"))
}

/// Reads a phone number, or says that it is none.
pub fn phone(text: &str) -> Result<Destination, String> {
    let parsed = PhoneNumber::parse(text).map(Destination::Phone);
    parsed.map_err(|_| format!("{text:?} is no phone number such as +14155550123"))
}

#[cfg(test)]
mod tests;
