use std::{collections::VecDeque, ffi::OsString};

use lexopt::{Arg, Parser, ValueExt};
use otp_domain::Claims;

use crate::who;

/// What the options ask for.
pub enum Collected {
    Help,
    Version,
    Arguments(Box<Arguments>),
}

/// The arguments that no command has taken yet.
#[derive(Default)]
pub struct Arguments {
    pub stack: Option<String>,
    pub table: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub claims: Option<Claims>,
    pub csv: Option<OsString>,
    pub session: Option<String>,
    pub channel: Option<String>,
    pub locale: Option<String>,
    pub app: Option<String>,
    pub html: Option<OsString>,
    pub digest_key: Option<String>,
    pub is_json: bool,
    pub end_sessions: bool,
    pub is_confirmed: bool,
    pub parameters: Option<OsString>,
    pub positional: VecDeque<String>,
}

impl Arguments {
    pub fn collect(args: impl IntoIterator<Item = OsString>) -> Result<Collected, lexopt::Error> {
        let mut arguments = Self::default();
        let mut parser = Parser::from_args(args);
        loop {
            if let Some(id) = hyphenated_id(&mut parser) {
                arguments.positional.push_back(id);
                continue;
            }
            let Some(arg) = parser.next()? else {
                return Ok(Collected::Arguments(Box::new(arguments)));
            };
            match arg {
                Arg::Short('h') | Arg::Long("help") => return Ok(Collected::Help),
                Arg::Short('V') | Arg::Long("version") => return Ok(Collected::Version),
                Arg::Long("stack") => set(&mut arguments.stack, "--stack", string(&mut parser)?)?,
                Arg::Long("table") => set(&mut arguments.table, "--table", string(&mut parser)?)?,
                Arg::Long("email") => set(&mut arguments.email, "--email", string(&mut parser)?)?,
                Arg::Long("phone") => set(&mut arguments.phone, "--phone", string(&mut parser)?)?,
                Arg::Long("claims") => {
                    let claims = Claims::parse(&string(&mut parser)?);
                    let claims = claims.map_err(|mistake| mistake.to_string())?;
                    set(&mut arguments.claims, "--claims", claims)?;
                }
                Arg::Long("end-sessions") => arguments.end_sessions = true,
                Arg::Long("yes") => arguments.is_confirmed = true,
                Arg::Long("csv") => set(&mut arguments.csv, "--csv", parser.value()?)?,
                Arg::Long("session") => {
                    set(&mut arguments.session, "--session", string(&mut parser)?)?;
                }
                Arg::Long("channel") => {
                    set(&mut arguments.channel, "--channel", string(&mut parser)?)?;
                }
                Arg::Long("locale") => {
                    set(&mut arguments.locale, "--locale", string(&mut parser)?)?;
                }
                Arg::Long("app") => set(&mut arguments.app, "--app", string(&mut parser)?)?,
                Arg::Long("html") => set(&mut arguments.html, "--html", parser.value()?)?,
                Arg::Long("parameters") => {
                    set(&mut arguments.parameters, "--parameters", parser.value()?)?;
                }
                Arg::Long("digest-key") => {
                    let key = string(&mut parser)?;
                    set(&mut arguments.digest_key, "--digest-key", key)?;
                }
                Arg::Long("json") => arguments.is_json = true,
                Arg::Value(word) => arguments.positional.push_back(word.string()?),
                other => return Err(other.unexpected()),
            }
        }
    }

    pub fn refuse_the_rest(&self) -> Result<(), String> {
        let options = [
            ("--email", self.email.is_some()),
            ("--phone", self.phone.is_some()),
            ("--claims", self.claims.is_some()),
            ("--csv", self.csv.is_some()),
            ("--end-sessions", self.end_sessions),
            ("--yes", self.is_confirmed),
            ("--session", self.session.is_some()),
            ("--channel", self.channel.is_some()),
            ("--locale", self.locale.is_some()),
            ("--app", self.app.is_some()),
            ("--html", self.html.is_some()),
            ("--digest-key", self.digest_key.is_some()),
            ("--json", self.is_json),
            ("--parameters", self.parameters.is_some()),
        ];
        if let Some((option, _)) = options.iter().find(|(_, is_given)| *is_given) {
            return Err(format!("unexpected {option}"));
        }
        match self.positional.front() {
            Some(word) => Err(format!("unexpected {word:?}")),
            None => Ok(()),
        }
    }
}

/// Refuses a repeated option: the last value must not win silently.
fn set<T>(slot: &mut Option<T>, name: &str, value: T) -> Result<(), lexopt::Error> {
    if slot.replace(value).is_some() {
        return Err(format!("{name} is given twice").into());
    }
    Ok(())
}

/// The next argument, if it is a user id that begins like an option.
fn hyphenated_id(parser: &mut Parser) -> Option<String> {
    let mut rest = parser.try_raw_args()?;
    let word = rest.peek()?.to_str()?;
    let id = (word.starts_with('-') && who::is_id(word)).then(|| word.to_owned());
    if id.is_some() {
        rest.next();
    }
    id
}

fn string(parser: &mut Parser) -> Result<String, lexopt::Error> {
    parser.value()?.string()
}
