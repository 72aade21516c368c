//! What became of the codes of a destination, and what would become of the next one.

use otp_domain::{ChallengeId, Destination, FullLimit, Mark, Policy, UnixTime, WayName};
use otp_service::{
    aws::Aws,
    delivery::Region,
    keys::DigestKeys,
    ledger::{Ledger, Past},
    users::UserService,
};
use otp_settings::delivery_from_lookup;

use crate::{
    deployment::Deployment, error::Error, exit::Exit, io::Io, timestamp::rfc3339, who::Who,
};

/// What to do about deliveries.
#[derive(Debug, PartialEq, Eq)]
pub enum Deliveries {
    /// Say what happened to the last codes, and what would happen to the next one.
    Why(Who),
    /// List the last messages.
    List(Who),
    /// Print the marks of a destination.
    ShowMarks(Who),
    /// Lift the marks of a destination.
    ClearMarks(Who),
    /// Forget the cooldown and the sends of a destination.
    ClearLimits(Destination),
}

/// The table, the services and the settings.
pub struct Tools {
    pub users: UserService,
    pub ledger: Ledger,
    pub aws: Aws,
    pub deployment: Deployment,
}

impl Deliveries {
    pub async fn run(self, tools: &Tools, now: UnixTime, io: &mut Io<'_>) -> Result<Exit, Error> {
        let who = match &self {
            Self::ClearLimits(to) => {
                tools.ledger.forget_sends(to).await?;
                writeln!(io.stderr, "{}: cleared", to.as_str())?;
                return Ok(Exit::Done);
            }
            Self::Why(who) | Self::List(who) | Self::ShowMarks(who) | Self::ClearMarks(who) => who,
        };
        let destinations = tools.destinations(who).await?;
        if destinations.is_empty() {
            writeln!(
                io.stderr,
                "{}: no such user and no such challenge",
                who.as_str()
            )?;
            return Ok(Exit::Failed);
        }
        match self {
            Self::List(_) => writeln!(io.stdout, "destination,at,way,state,challenge_id")?,
            Self::ShowMarks(_) => writeln!(io.stdout, "destination,way,mark,since,until")?,
            _ => {}
        }
        for to in &destinations {
            match self {
                Self::Why(_) => why(tools, to, now, io).await?,
                Self::List(_) => list(tools, to, now, io).await?,
                Self::ShowMarks(_) => show(tools, to, now, io).await?,
                _ => clear(tools, to, now, io).await?,
            }
        }
        Ok(Exit::Done)
    }
}

impl Tools {
    /// The destination itself, those of a user, or that of a challenge.
    async fn destinations(&self, who: &Who) -> Result<Vec<Destination>, Error> {
        if let Who::Owner(to) = who {
            return Ok(vec![to.clone()]);
        }
        if let Some(user) = who.find(&self.users).await? {
            let own = user.destinations.into_iter();
            return Ok(own.map(|own| own.destination).collect());
        }
        let Some(id) = ChallengeId::parse(who.as_str()) else {
            return Ok(Vec::new());
        };
        let found = self.ledger.find_destination(&id).await?;
        Ok(found.into_iter().collect())
    }

    fn mode(&self) -> String {
        let mode = self.deployment.variable("UNKNOWN_USERS");
        let mode = mode.filter(|mode| !mode.is_empty());
        mode.unwrap_or_else(|| "sign-up".to_owned())
    }

    /// What counts the codes of a destination, as far as the settings say.
    fn policy(&self) -> Policy {
        let number = |name: &str| self.deployment.variable(name)?.parse().ok();
        let usual = Policy::default();
        Policy {
            sends_per_hour: number("SENDS_PER_HOUR").unwrap_or(usual.sends_per_hour),
            sends_per_day: number("SENDS_PER_DAY").unwrap_or(usual.sends_per_day),
            ..usual
        }
    }
}

async fn list(
    tools: &Tools,
    to: &Destination,
    now: UnixTime,
    io: &mut Io<'_>,
) -> Result<(), Error> {
    let past = tools.ledger.past(to).await?;
    for message in past.deliveries.known(now) {
        let (at, way) = (rfc3339(message.at), message.way.as_str());
        let (state, challenge) = (message.state.as_str(), message.challenge.as_str());
        writeln!(io.stdout, "{},{at},{way},{state},{challenge}", to.as_str())?;
    }
    Ok(())
}

async fn show(
    tools: &Tools,
    to: &Destination,
    now: UnixTime,
    io: &mut Io<'_>,
) -> Result<(), Error> {
    let past = tools.ledger.past(to).await?;
    for (way, mark) in past.deliveries.marks(now) {
        let since = past.deliveries.ways[&way].marked_at[&mark];
        let until = mark.lasts().map(|life| rfc3339(since.plus(life)));
        let (way, mark, since) = (way.as_str(), mark.as_str(), rfc3339(since));
        let until = until.unwrap_or_default();
        writeln!(io.stdout, "{},{way},{mark},{since},{until}", to.as_str())?;
    }
    Ok(())
}

async fn clear(
    tools: &Tools,
    to: &Destination,
    now: UnixTime,
    io: &mut Io<'_>,
) -> Result<(), Error> {
    let lifted = tools.ledger.lift(to, now).await?;
    for (way, mark) in &lifted {
        let (way, mark) = (way.as_str(), mark.as_str());
        writeln!(io.stderr, "{}: {way}: no longer {mark}", to.as_str())?;
    }
    let was_listed = match to {
        Destination::Email(_) => {
            let region = tools
                .deployment
                .variable("SES_REGION")
                .filter(|name| !name.is_empty());
            let aws = tools.aws.in_region(region.map(Region::new).as_ref());
            aws.unsuppress(to.as_str()).await?
        }
        Destination::Phone(_) => false,
    };
    if was_listed {
        writeln!(
            io.stderr,
            "{}: off the suppression list of SES",
            to.as_str()
        )?;
    }
    if lifted.is_empty() && !was_listed {
        writeln!(io.stderr, "{}: nothing to clear", to.as_str())?;
    }
    Ok(())
}

async fn why(tools: &Tools, to: &Destination, now: UnixTime, io: &mut Io<'_>) -> Result<(), Error> {
    let past = tools.ledger.past(to).await?;
    writeln!(io.stdout, "{}", to.as_str())?;
    let user = match &past.user {
        None => "none".to_owned(),
        Some(user) if user.disabled => format!("{}, disabled", user.id.as_str()),
        Some(user) => user.id.as_str().to_owned(),
    };
    writeln!(io.stdout, "  user        {user}")?;
    writeln!(io.stdout, "  pseudonym   {}", pseudonym(tools, to).await)?;
    writeln!(io.stdout, "  mode        UNKNOWN_USERS={}", tools.mode())?;
    let mut messages = past.deliveries.known(now).peekable();
    if messages.peek().is_none() {
        writeln!(io.stdout, "  message     none in seven days")?;
    }
    for message in messages {
        let (at, way) = (rfc3339(message.at), message.way.as_str());
        let (state, challenge) = (message.state.as_str(), message.challenge.as_str());
        writeln!(
            io.stdout,
            "  message     {at} {way} {state}, challenge {challenge}"
        )?;
    }
    for (way, mark) in past.deliveries.marks(now) {
        let since = past.deliveries.ways[&way].marked_at[&mark];
        let end = mark.lasts().map(|life| rfc3339(since.plus(life)));
        let end = end.map_or("lifted".to_owned(), |end| format!("{end} or lifted"));
        let (way, mark, since) = (way.as_str(), mark.as_str(), rfc3339(since));
        writeln!(
            io.stdout,
            "  mark        {way} {mark} since {since}, until {end}"
        )?;
    }
    let policy = tools.policy();
    let full = tools.ledger.refusing(to, &policy, now).await?;
    let next = next(tools, &past, full.as_ref(), to, now);
    writeln!(io.stdout, "  next login  {next}")?;
    Ok(())
}

/// What stands for the destination in the log, or what is missing to tell.
async fn pseudonym(tools: &Tools, to: &Destination) -> String {
    let key = tools.deployment.variable("DIGEST_KEY_ID");
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return "unknown: set DIGEST_KEY_ID".to_owned();
    };
    let keys = DigestKeys::new(&tools.aws.kms(), &key, None);
    match keys.current().await {
        Ok(key) => key.pseudonym(to).as_str().to_owned(),
        Err(fault) => format!("unknown: the permission kms:GenerateMac is missing? {fault}"),
    }
}

/// What would happen to the next login of a stranger.
fn next(
    tools: &Tools,
    past: &Past,
    full: Option<&FullLimit>,
    to: &Destination,
    now: UnixTime,
) -> String {
    let variable = |name: &str| tools.deployment.variable(name);
    let settings = delivery_from_lookup(|name: &str| match name {
        "BRAND" => variable(name).or_else(|| Some("Example".to_owned())),
        name => variable(name),
    });
    let mut ways = vec![WayName::built_in(to.kind())];
    if let Ok(settings) = &settings {
        let is_set = match to {
            Destination::Email(_) => settings.email_from.is_some(),
            Destination::Phone(_) => !settings.sms_prefixes.is_empty(),
        };
        if let (Destination::Phone(number), true) = (to, is_set)
            && settings.sms_prefixes.allowing(number).is_none()
        {
            return "403 destination-not-allowed: SMS_PREFIXES does not allow it".to_owned();
        }
        let listed = settings.ways.to(to.kind()).iter();
        let listed: Vec<_> = listed.map(|way| way.name.clone()).collect();
        if !listed.is_empty() {
            ways = listed;
        }
    }
    if past.user.as_ref().is_some_and(|user| user.disabled) {
        return "sends nothing: the user is disabled".to_owned();
    }
    let marks: Option<Vec<Mark>> = ways
        .iter()
        .map(|way| past.deliveries.mark(way, now))
        .collect();
    if let Some(mark) = marks.and_then(|marks| marks.first().copied()) {
        let conceals = if tools.mode() == "conceal" {
            "; a stranger is not told"
        } else {
            ""
        };
        return format!("409 destination-undeliverable: {}{conceals}", mark.as_str());
    }
    if let Some(full) = full {
        let policy = tools.policy();
        let name = match full.name {
            "sends-hour" => format!("SENDS_PER_HOUR is {},", policy.sends_per_hour),
            "sends-day" => format!("SENDS_PER_DAY is {},", policy.sends_per_day),
            name => name.to_owned(),
        };
        let end = rfc3339(full.ends_at);
        return format!("429 too-many-requests: {name} until {end}");
    }
    if past.user.is_none() && tools.mode() != "sign-up" {
        return "sends nothing: there is no such user".to_owned();
    }
    let open = ways
        .iter()
        .find(|way| past.deliveries.mark(way, now).is_none());
    format!("sends by {}", open.map_or("no way", WayName::as_str))
}
