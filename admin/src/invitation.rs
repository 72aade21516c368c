//! Invites a person: the user is there, and a message leads to the sign-in page.

use otp_domain::{Destination, UnixTime, UserId};
use otp_messages::LanguageChoice;
use otp_service::{
    ambient,
    aws::Aws,
    login::{LoginService, Told},
    table::Table,
    users::{Added, NewUser, UserService},
};
use otp_settings::Reader;

use crate::{credentials::Tried, deployment::Deployment, error::Error, exit::Exit, io::Io};

/// Whom to invite.
#[derive(Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Where the message goes.
    pub to: Destination,
    /// The language, as a client would name it; without it, the default language.
    pub locale: Option<String>,
}

impl Invitation {
    /// Adds the user unless there is one, and sends the message, which counts in the limits
    /// as a notice does. Inviting again sends it again.
    pub async fn run(
        self,
        deployment: &Deployment,
        aws: &Aws,
        now: UnixTime,
        io: &mut Io<'_>,
    ) -> Result<Exit, Error> {
        let table = deployment.table()?;
        let tried = Tried::with(aws.sdk(), Some(&format!("table {table}"))).await?;
        let settings = Reader::new(|name: &str| deployment.variable(name)).service(now);
        let settings = settings.login.map_err(|error| {
            let hint = "give --stack NAME, or set the variables of the functions";
            Error::Preview(format!("{error}\n{hint}"))
        })?;
        let page = &settings.delivery.messages.settings().sign_in_url;
        if page.is_none() {
            let why = "no page to lead to: set SignInUrl of the stack, or the variable SIGN_IN_URL";
            return Err(Error::Preview(why.to_owned()));
        }
        let language = match &self.locale {
            None => LanguageChoice::default(),
            Some(locale) => LanguageChoice::by_locale(locale)
                .map_err(|_| Error::Preview(format!("{locale:?} is no BCP 47 tag")))?,
        };
        let (to, rng) = (&self.to, &mut ambient::rng());
        let login = LoginService::new(&settings, aws);
        if !login.reaches(to) {
            return failed(to, "this deployment sends nothing there", io);
        }
        let invited = async {
            let table = Table::new(aws.dynamodb(), table);
            let events = deployment.events(&table).await?;
            let users = UserService::new(table, events);
            let user = match users.add(new_user(to), now, rng).await? {
                Added::Done(id) => id,
                Added::Exists(user) | Added::Differs(user) if !user.is_disabled() => user.id,
                _ => return Ok(None),
            };
            let told = login.invite(to, language, now, rng).await?;
            Ok(Some((user, told)))
        };
        match invited.await.map_err(|fault| tried.told(&fault))? {
            None => failed(to, "the user is disabled", io),
            Some((user, Told::Sent)) => {
                let user: &UserId = &user;
                writeln!(
                    io.stderr,
                    "{}: invited, user_id {}",
                    to.as_str(),
                    user.as_str()
                )?;
                Ok(Exit::Done)
            }
            Some((_, Told::Undeliverable)) => {
                failed(to, "the user is there, but no message arrives", io)
            }
            Some((_, Told::Limited)) => {
                failed(to, "the user is there, but a limit of messages is full", io)
            }
            Some((_, Told::NotServed)) => failed(to, "this deployment sends nothing there", io),
        }
    }
}

fn new_user(to: &Destination) -> NewUser {
    NewUser {
        id: None,
        created_at: None,
        destinations: vec![to.clone()],
        disabled: None,
        claims: None,
    }
}

fn failed(to: &Destination, why: &str, io: &mut Io<'_>) -> Result<Exit, Error> {
    writeln!(io.stderr, "{}: failed: {why}", to.as_str())?;
    Ok(Exit::Failed)
}
