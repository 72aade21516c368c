//! The command line.
//!
//! Parsed with `lexopt`: it has no dependencies and no macros, reports unknown
//! options, and accepts file names that are not UTF-8.

mod arguments;

use std::ffi::OsString;

use otp_domain::{Destination, DestinationKind, SessionId};
use otp_edge::mistakes::nearest;
use otp_service::users::Change;

use self::arguments::{Arguments, Collected};
use crate::{
    completion::Shell,
    deliveries::Deliveries,
    deployment::Named,
    destination::{self, email, number, phone},
    invitation::Invitation,
    preview::Preview,
    rows::Row,
    who::Who,
};

/// What `--help` prints.
pub const USAGE: &str = include_str!("args/usage.txt");

/// What `--version` prints.
pub const VERSION: &str = concat!("admin ", env!("CARGO_PKG_VERSION"), "\n");

/// A parsed command line.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Print the help.
    Help,
    /// Print the version.
    Version,
    /// Print what completes the commands.
    Completion(Shell),
    /// Print a message.
    Preview(Preview),
    /// Judge the settings in a file of parameters, or in the environment.
    CheckSettings(Option<OsString>),
    /// Print the pseudonym of a destination under a KMS key.
    Pseudonym {
        /// The destination.
        of: Destination,
        /// The KMS key that the digest key derives from, unless the stack names it.
        digest_key: Option<String>,
    },
    /// Ask the account what is wrong.
    Doctor {
        /// Whether a program reads the answer.
        is_json: bool,
    },
    /// Give a restored table what the template gives its own, and end the sessions in it.
    PrepareTable {
        /// Whether nobody is asked.
        is_confirmed: bool,
    },
    /// Send a person to the sign-in page.
    Invite(Invitation),
    /// Tell what became of codes, or let them arrive again.
    Deliveries(Deliveries),
    /// Read or change a table.
    Run(Action),
}

/// What to do with users or sessions.
#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    /// Print all users.
    ListUsers,
    /// Print the users whose id, destinations or claims contain a text.
    FindUsers(String),
    /// Print one user.
    ShowUser(Who),
    /// Print all that is stored of one user.
    ExportUser(Who),
    /// Create users.
    AddUsers(Source),
    /// Change existing users.
    ChangeUsers(Change, Source),
    /// Set the claims of existing users.
    SetClaims(Source),
    /// Put the second destination in the place of the first.
    ChangeDestination(Row, EndsSessions),
    /// Print the sessions of one user.
    ListSessions(Who),
    /// End one session of a user, or all without an id.
    EndSessions(Who, Option<SessionId>),
}

/// Whether a change of a destination ends the sessions of its user.
pub type EndsSessions = bool;

/// Where the users of a command come from.
#[derive(Debug, PartialEq, Eq)]
pub enum Source {
    /// One user, from the arguments.
    One(Row),
    /// A CSV file, or standard input if the name is `-`.
    Csv(OsString),
}

/// Parses the arguments. `default_table` applies if there is neither `--stack` nor `--table`.
pub fn parse(
    args: impl IntoIterator<Item = OsString>,
    default_table: Option<String>,
) -> Result<(Command, Named), String> {
    let collected = Arguments::collect(args).map_err(|error| error.to_string())?;
    let arguments = match collected {
        Collected::Help => return Ok((Command::Help, Named::Table(None))),
        Collected::Version => return Ok((Command::Version, Named::Table(None))),
        Collected::Arguments(arguments) => *arguments,
    };
    let named = match (&arguments.stack, &arguments.table) {
        (Some(_), Some(_)) => return Err("give either --stack NAME or --table NAME".to_owned()),
        (Some(stack), None) => Named::Stack(stack.clone()),
        (None, table) => Named::Table(table.clone().or(default_table)),
    };
    Ok((command(arguments)?, named))
}

fn command(mut arguments: Arguments) -> Result<Command, String> {
    if arguments
        .positional
        .front()
        .is_some_and(|group| group == "messages")
    {
        return arguments.preview().map(Command::Preview);
    }
    if arguments
        .positional
        .front()
        .is_some_and(|group| group == "settings")
    {
        return arguments.check_settings();
    }
    if let Some(shell) = arguments.completion()? {
        return Ok(Command::Completion(shell));
    }
    if let Some(command) = arguments.pseudonym()? {
        return Ok(command);
    }
    if let Some(is_json) = arguments.doctor()? {
        return Ok(Command::Doctor { is_json });
    }
    if let Some(is_confirmed) = arguments.prepare_table()? {
        return Ok(Command::PrepareTable { is_confirmed });
    }
    if let Some(invitation) = arguments.invitation()? {
        return Ok(Command::Invite(invitation));
    }
    if let Some(command) = arguments.deliveries()? {
        return Ok(Command::Deliveries(command));
    }
    arguments.action().map(Command::Run)
}

impl Arguments {
    fn action(mut self) -> Result<Action, String> {
        let group = self.positional.pop_front();
        let group = group.ok_or("no command: give users, sessions or messages, and a command")?;
        let verb = self.positional.pop_front().unwrap_or_default();
        let action = match (group.as_str(), verb.as_str()) {
            ("users", "list") => Ok(Action::ListUsers),
            ("users", "find") => self.text().map(Action::FindUsers),
            ("users", "export") => self.who().map(Action::ExportUser),
            ("users", "show") => self.who().map(Action::ShowUser),
            ("users", "add") => self.new_users().map(Action::AddUsers),
            ("users", "set") => self.set_claims(),
            ("users", "change") => self.change_destination(),
            ("users", "disable") => self.change(Change::Disable),
            ("users", "enable") => self.change(Change::Enable),
            ("users", "remove") => self.change(Change::Remove),
            ("sessions", "list") => self.who().map(Action::ListSessions),
            ("sessions", "end") => self.end_sessions(),
            ("users" | "sessions", "") => {
                return Err(format!("{group}: the command is missing"));
            }
            ("users" | "sessions", _) => {
                return Err(format!("{group}: {}", unknown(&verb)));
            }
            _ => {
                return Err(format!(
                    "{}: give users, sessions or messages",
                    unknown(&group)
                ));
            }
        };
        let whole = action.and_then(|action| self.refuse_the_rest().map(|()| action));
        whole.map_err(|mistake| format!("{group} {verb}: {mistake}"))
    }

    /// Whether a program reads the answer, if the doctor is asked.
    fn doctor(&mut self) -> Result<Option<bool>, String> {
        if self
            .positional
            .front()
            .is_none_or(|group| group != "doctor")
        {
            return Ok(None);
        }
        self.positional.pop_front();
        let is_json = std::mem::take(&mut self.is_json);
        let whole = self.refuse_the_rest().map(|()| Some(is_json));
        whole.map_err(|mistake| format!("doctor: {mistake}"))
    }

    /// Whether nobody is asked, if the table is prepared.
    fn prepare_table(&mut self) -> Result<Option<bool>, String> {
        let words: Vec<_> = self.positional.iter().map(String::as_str).collect();
        match words[..] {
            ["table", "prepare", ..] => self.positional.drain(..2),
            ["table"] => return Err("table: the command is missing".to_owned()),
            ["table", verb, ..] => return Err(format!("table: {}", unknown(verb))),
            _ => return Ok(None),
        };
        let is_confirmed = std::mem::take(&mut self.is_confirmed);
        self.whole("table prepare", Ok(Some(is_confirmed)))
    }

    /// The commands about deliveries.
    fn deliveries(&mut self) -> Result<Option<Deliveries>, String> {
        let words: Vec<_> = self.positional.iter().map(String::as_str).collect();
        let (name, known): (&str, fn(Who) -> Deliveries) = match words[..] {
            ["why", ..] => ("why", Deliveries::Why),
            ["deliveries", ..] => ("deliveries", Deliveries::List),
            ["destinations", "show", ..] => ("destinations show", Deliveries::ShowMarks),
            ["destinations", "clear", ..] => ("destinations clear", Deliveries::ClearMarks),
            ["limits", "clear", ..] => {
                self.positional.drain(..2);
                let cleared = self.destination().map(Deliveries::ClearLimits);
                return self.whole("limits clear", cleared).map(Some);
            }
            [group @ ("destinations" | "limits")] => {
                return Err(format!("{group}: the command is missing"));
            }
            [group @ ("destinations" | "limits"), verb, ..] => {
                return Err(format!("{group}: {}", unknown(verb)));
            }
            _ => return Ok(None),
        };
        let skipped = name.split(' ').count();
        self.positional.drain(..skipped);
        let command = self.who().map(known);
        self.whole(name, command).map(Some)
    }

    /// The command, if nothing is left over.
    fn whole<T>(&self, name: &str, command: Result<T, String>) -> Result<T, String> {
        let whole = command.and_then(|command| self.refuse_the_rest().map(|()| command));
        whole.map_err(|mistake| format!("{name}: {mistake}"))
    }

    fn preview(mut self) -> Result<Preview, String> {
        let words: Vec<_> = self.positional.drain(..).collect();
        let preview = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["messages", "preview"] => self.preview_options(),
            ["messages"] => Err("the command is missing".to_owned()),
            ["messages", "preview", ..] => Err(format!("unexpected {:?}", words[2])),
            _ => Err(unknown(&words[1])),
        };
        let whole = preview.and_then(|preview| self.refuse_the_rest().map(|()| preview));
        whole.map_err(|mistake| format!("messages: {mistake}"))
    }

    fn check_settings(mut self) -> Result<Command, String> {
        let words: Vec<_> = self.positional.drain(..).collect();
        let checked = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["settings", "check"] if self.parameters.is_some() && self.stack.is_some() => {
                Err("give either --stack NAME or --parameters FILE".to_owned())
            }
            ["settings", "check"] => Ok(Command::CheckSettings(self.parameters.take())),
            ["settings"] => Err("the command is missing".to_owned()),
            ["settings", "check", ..] => Err(format!("unexpected {:?}", words[2])),
            _ => Err(unknown(&words[1])),
        };
        let whole = checked.and_then(|command| self.refuse_the_rest().map(|()| command));
        whole.map_err(|mistake| format!("settings: {mistake}"))
    }

    fn preview_options(&mut self) -> Result<Preview, String> {
        let channel = match self.channel.take().as_deref() {
            Some("email") => DestinationKind::Email,
            Some("sms") => DestinationKind::Phone,
            _ => return Err("give --channel email or --channel sms".to_owned()),
        };
        let preview = Preview {
            channel,
            locale: self.locale.take(),
            app: self.app.take(),
            html: self.html.take(),
            number: self.phone.take().map(|text| number(&text)).transpose()?,
        };
        if channel == DestinationKind::Phone && preview.html.is_some() {
            return Err("a text message has no --html".to_owned());
        }
        if channel == DestinationKind::Email && (preview.app.is_some() || preview.number.is_some())
        {
            return Err("an e-mail has no --app and no --phone".to_owned());
        }
        Ok(preview)
    }

    /// The other command that needs no table.
    fn completion(&mut self) -> Result<Option<Shell>, String> {
        let mut words = self.positional.iter().map(String::as_str);
        if words.next() != Some("completion") {
            return Ok(None);
        }
        let shell = words.next().and_then(Shell::parse);
        let shell = shell.ok_or("completion: give bash, zsh or fish")?;
        self.positional.drain(..2);
        let whole = self.refuse_the_rest().map(|()| Some(shell));
        whole.map_err(|mistake| format!("completion: {mistake}"))
    }

    fn new_users(&mut self) -> Result<Source, String> {
        if let Some(file) = self.csv.take() {
            return Ok(Source::Csv(file));
        }
        let email = self.email.take().map(|text| email(&text)).transpose()?;
        let phone = self.phone.take().map(|text| phone(&text)).transpose()?;
        if email.is_none() && phone.is_none() {
            return Err("give --email, --phone or --csv FILE".to_owned());
        }
        Ok(Source::One(Row {
            destinations: email.into_iter().chain(phone).collect(),
            claims: self.claims.take(),
            ..Row::default()
        }))
    }

    fn set_claims(&mut self) -> Result<Action, String> {
        let source = match (self.csv.take(), self.claims.take()) {
            (Some(file), None) => Source::Csv(file),
            (None, Some(claims)) => Source::One(Row {
                claims: Some(claims),
                ..self.who()?.into_row()
            }),
            _ => return Err("give either a user and --claims JSON or --csv FILE".to_owned()),
        };
        Ok(Action::SetClaims(source))
    }

    fn change_destination(&mut self) -> Result<Action, String> {
        let old = self.destination()?;
        let new = match (self.email.take(), self.phone.take()) {
            (Some(text), None) => email(&text)?,
            (None, Some(text)) => phone(&text)?,
            _ => return Err("give either --email NEW or --phone NEW".to_owned()),
        };
        let row = Row {
            destinations: vec![old, new],
            ..Row::default()
        };
        Ok(Action::ChangeDestination(
            row,
            std::mem::take(&mut self.end_sessions),
        ))
    }

    fn change(&mut self, change: Change) -> Result<Action, String> {
        let source = match (self.csv.take(), self.positional.is_empty()) {
            (Some(file), true) => Source::Csv(file),
            (None, false) => Source::One(self.who()?.into_row()),
            _ => return Err("give either a user or --csv FILE".to_owned()),
        };
        Ok(Action::ChangeUsers(change, source))
    }

    fn end_sessions(&mut self) -> Result<Action, String> {
        let of = self.who()?;
        let session = self.session.take().map(SessionId::new);
        Ok(Action::EndSessions(of, session))
    }

    fn who(&mut self) -> Result<Who, String> {
        let text = self.positional.pop_front();
        Who::parse(&text.ok_or("give a destination")?)
    }

    fn text(&mut self) -> Result<String, String> {
        let text = self.positional.pop_front().filter(|text| !text.is_empty());
        text.ok_or_else(|| "give a part of an address, a user ID or a claim".to_owned())
    }

    fn destination(&mut self) -> Result<Destination, String> {
        let text = self.positional.pop_front();
        destination::parse(&text.ok_or("give a destination")?)
    }

    fn invitation(&mut self) -> Result<Option<Invitation>, String> {
        let mut words = self.positional.iter().map(String::as_str);
        if (words.next(), words.next()) != (Some("users"), Some("invite")) {
            return Ok(None);
        }
        self.positional.drain(..2);
        let to = self.destination();
        let locale = self.locale.take();
        let invitation = to.map(|to| Invitation { to, locale });
        let whole = invitation.and_then(|it| self.refuse_the_rest().map(|()| it));
        whole
            .map(Some)
            .map_err(|mistake| format!("users invite: {mistake}"))
    }

    /// The command that needs no table.
    fn pseudonym(&mut self) -> Result<Option<Command>, String> {
        let mut words = self.positional.iter().map(String::as_str);
        if (words.next(), words.next()) != (Some("users"), Some("pseudonym")) {
            return Ok(None);
        }
        self.positional.drain(..2);
        let command = self.pseudonym_of();
        let whole = command.and_then(|command| self.refuse_the_rest().map(|()| command));
        whole
            .map(Some)
            .map_err(|mistake| format!("users pseudonym: {mistake}"))
    }

    fn pseudonym_of(&mut self) -> Result<Command, String> {
        let of = self.destination()?;
        let digest_key = self.digest_key.take().filter(|key| !key.is_empty());
        if digest_key.is_none() && self.stack.is_none() {
            return Err("give --digest-key KEY or --stack NAME".to_owned());
        }
        Ok(Command::Pseudonym { of, digest_key })
    }
}

/// Names the command that was probably meant.
fn unknown(word: &str) -> String {
    let near = nearest(word, &COMMANDS);
    let near = near.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    format!("unknown command {word:?}{near}")
}

/// Those that are long enough for a near miss.
const COMMANDS: [&str; 14] = [
    "users",
    "sessions",
    "messages",
    "settings",
    "table",
    "destinations",
    "list",
    "show",
    "enable",
    "disable",
    "remove",
    "preview",
    "prepare",
    "check",
];

#[cfg(test)]
mod tests;
