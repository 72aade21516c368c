//! The kinds of things that a page counts of a login.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use otp_domain::{
    Challenge, ConversionGuard, Destination, DestinationKind, Device, FullLimit, GUESSES_PER_STEP,
    GuardCount, GuardVerdict, Guesses, LEAST_ROOM, Limit, LimitKind, MailCount, Mark, Network,
    Scope, UnixTime, WayName, room_beside,
};

use super::{
    challenge,
    deliveries::{self, Deliveries, SentMessage},
    guesses::{self, PastGuesses},
    history::{self, History},
    networks::{self, NetworkPast},
    page::MESSAGES,
    shards::{Shard, shards_of},
};
use crate::{
    fault::Fault,
    table::{
        Clauses, Item,
        attributes::{count, malformed, millis, number},
    },
};

/// The name of the cooldown in the log.
pub(super) const COOLDOWN: &str = "cooldown";

/// The name of the room for lost e-mails in the log.
const LOST: &str = "email-lost";

/// How many windows back a page without an end still counts a late refund, and how
/// many it may be without a write before its counts are dropped.
const STALE: std::ops::Range<u32> = 2..10;

/// The same for the hours of a destination, which has a page for all of them.
const STALE_HOURS: std::ops::Range<u32> = 2..26;

/// One thing that a page counts.
pub(super) enum Entry<'a> {
    /// Admissions within a window of the clock.
    Window(&'a Limit),
    /// Admissions that come back one by one.
    Refill(&'a Limit),
    /// The pause between two sends to a destination, or between two that a known device
    /// asks for.
    Cooldown(Scope, Duration),
    /// Messages whose codes have not come back.
    Guard(&'a ConversionGuard),
    /// E-mails that are lost, beside their guard.
    Lost(&'a ConversionGuard, Lost),
    /// An e-mail that bounced, beside the guard of e-mail. It counts in a full counter too, if
    /// no other has room.
    Bounced(&'a ConversionGuard),
    /// What a network of strangers asked for, and whether this message counts for it.
    Turn(Scope, &'a Network, bool),
    /// The guesses at a destination or at the challenges of a known device, with the
    /// attempts at this challenge.
    Guesses(&'a Challenge, u8),
    /// The later end of the attempts at this challenge.
    Extended(&'a Challenge, UnixTime),
    /// The codes of a destination that did not come back, with this one for the client of
    /// this name.
    Asked(&'a Destination, &'a str),
    /// A message to a destination.
    Message(&'a Destination, SentMessage),
    /// A way to the destination that does not lose codes.
    Reachable(&'a Destination, &'a [WayName]),
    /// The challenge itself, with its attempts.
    Code(&'a Challenge),
    /// The challenge, whose code is sent again.
    Again(&'a Challenge, Renewal),
}

/// What sending a code again changes of its challenge.
#[derive(Clone, Copy)]
pub(super) struct Renewal {
    /// The new end of its life, if it gets a longer one.
    pub(super) until: Option<UnixTime>,
    /// The attempts at it.
    pub(super) attempts: u8,
}

/// What an e-mail is to the room for those that are lost.
#[derive(Clone, Copy)]
pub(super) struct Lost {
    /// Whether it is refused if the room is full.
    pub(super) closes: bool,
    /// Whether it takes room.
    pub(super) counts: bool,
}

/// What an item was seen to hold of an entry.
pub(super) enum State {
    /// It has room for one more.
    Open,
    /// It has room, once it is eased: it held the first, and is to hold the second.
    Eased(GuardCount, GuardCount),
    /// It has a past.
    Known(Box<History>),
    /// These guesses were made.
    Guessed(Box<PastGuesses>),
    /// It has room again since long: it was in use until then.
    Idle(UnixTime),
    /// It has room, and drops these counts, which are over.
    Mail(Vec<String>),
    /// A network has this past.
    Network(NetworkPast),
    /// It refuses.
    Full(FullLimit),
    /// No way is left: the first has this mark.
    Undeliverable(Mark),
    /// What the login brought counts for nothing now: the challenge, or the device.
    Outdated(super::Outdated),
}

/// How much of an admission is taken back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Undo {
    /// All of it, if nobody has guessed at the code and no later send has started
    /// another cooldown.
    All,
    /// All but the cooldown, if nobody has guessed at the code.
    Counts,
    /// The challenge. The counts stay.
    Challenge,
}

impl<'a> Entry<'a> {
    /// What counts a limit.
    pub(super) const fn of(limit: &'a Limit) -> Self {
        if limit.refills {
            Self::Refill(limit)
        } else {
            Self::Window(limit)
        }
    }

    /// The item that keeps this entry: the scope and the sort key. Entries with the same
    /// home share an item.
    pub(super) fn home(&self, at: UnixTime) -> (Scope, String) {
        let messages = |scope: &Scope| (scope.clone(), MESSAGES.to_owned());
        match self {
            Self::Window(limit) => match &limit.scope {
                Scope::Prefix(_) | Scope::Network(..) | Scope::Deployment(_) => {
                    messages(&limit.scope)
                }
                Scope::Client(_) => (limit.scope.clone(), counter(limit, at)),
                Scope::Destination(_) | Scope::Device(..) => sends(&limit.scope),
            },
            Self::Refill(limit) => sends(&limit.scope),
            Self::Guard(guard) | Self::Lost(guard, _) | Self::Bounced(guard) => {
                messages(&guard.scope)
            }
            Self::Turn(scope, ..) => messages(scope),
            Self::Cooldown(scope, _) => past(scope.clone()),
            Self::Guesses(challenge, _) | Self::Extended(challenge, _) => past(scope_of(challenge)),
            Self::Asked(to, _) | Self::Message(to, _) | Self::Reachable(to, _) => (
                Scope::Destination((*to).clone()),
                history::SORT_KEY.to_owned(),
            ),
            Self::Code(challenge) | Self::Again(challenge, _) => (
                Scope::Destination(challenge.destination.clone()),
                challenge::sort_key(&challenge.purpose, &challenge.id),
            ),
        }
    }

    /// The scope and the name under which a refusal is remembered, if this entry can refuse.
    pub(super) fn name(&self) -> Option<(Scope, &'static str)> {
        match self {
            Self::Window(limit) | Self::Refill(limit) => Some((limit.scope.clone(), limit.name)),
            Self::Cooldown(scope, _) => Some((scope.clone(), COOLDOWN)),
            Self::Guard(guard) => Some((guard.scope.clone(), guard.name)),
            _ => None,
        }
    }

    /// How much of it is kept from a login whose networks owe so much.
    pub(super) fn kept(&self, owed: Owed) -> u32 {
        match self {
            Self::Window(limit) => limit.max - open(limit, owed),
            _ => 0,
        }
    }

    /// The number of counters that share this entry.
    pub(super) fn shards(&self) -> u32 {
        match self {
            Self::Window(limit) if is_of_messages(limit) => shards_of(limit.spread),
            Self::Guard(guard) | Self::Lost(guard, _) | Self::Bounced(guard) => {
                shards_of(guard.room)
            }
            _ => 1,
        }
    }

    /// When the table may forget this entry.
    pub(super) fn ends_at(&self, at: UnixTime) -> UnixTime {
        match self {
            // A guard that is switched off and on again finds what it knew.
            Self::Guard(_) | Self::Lost(..) | Self::Bounced(_) | Self::Turn(..) => {
                at.plus(ConversionGuard::MEMORY)
            }
            Self::Refill(limit) => at.plus(limit.window),
            Self::Window(limit) if is_of_messages(limit) => at.plus(ConversionGuard::MEMORY),
            Self::Window(limit) => limit.window_end(at),
            // Wrong guesses count for that long.
            Self::Cooldown(..)
            | Self::Guesses(..)
            | Self::Extended(..)
            | Self::Asked(..)
            | Self::Message(..)
            | Self::Reachable(..) => at.plus(Guesses::MEMORY),
            Self::Code(challenge) => challenge.expires_at,
            Self::Again(challenge, renewal) => renewal.until.unwrap_or(challenge.expires_at),
        }
    }

    /// Counts one admission, on condition that there is room.
    pub(super) fn write(
        &self,
        seen: Option<&State>,
        at: UnixTime,
        shard: Shard,
        sent: &Sent,
        update: &mut Clauses,
    ) {
        match self {
            Self::Window(limit) => {
                let count = update.name(counter(limit, at));
                add(update, &count, 1, room(limit, shard, sent.owed));
                for back in stale(limit) {
                    let stale = counter(limit, at.minus(limit.window * back));
                    let stale = update.name(stale);
                    update.remove.push(stale);
                }
            }
            Self::Refill(limit) => refill(limit, seen, at, update),
            Self::Cooldown(_, length) => {
                update.set("cooling_until", millis(at.plus(*length)));
                let now = update.value(millis(at));
                update.conditions.push(format!(
                    "(attribute_not_exists(cooling_until) OR cooling_until <= {now})"
                ));
            }
            Self::Guard(guard) => {
                update.set("sent_at", millis(at));
                match seen {
                    Some(State::Eased(was, eased)) => ease(was, eased, update),
                    _ => add(
                        update,
                        "unproven",
                        1,
                        shard.share(room_of(guard, sent.owed)),
                    ),
                }
            }
            Self::Lost(_, lost) if lost.counts => networks::count_unproven(at, seen, update),
            Self::Turn(_, network, counts) => networks::ask(network, *counts, seen, at, update),
            Self::Lost(..) => {}
            Self::Bounced(_) => networks::count_bounce(at, update),
            Self::Guesses(challenge, attempts) => match seen {
                Some(State::Guessed(past)) => past.open(challenge, *attempts, update),
                _ => guesses::open_unseen(challenge, *attempts, update),
            },
            Self::Extended(challenge, until) => guesses::extend(&challenge.id, *until, update),
            Self::Asked(_, client) => match seen {
                Some(State::Known(history)) => history.ask(client, update),
                _ => History::default().ask(client, update),
            },
            Self::Message(_, message) => match seen {
                Some(State::Known(history)) => history.deliveries.ask(message, update),
                _ => Deliveries::default().ask(message, update),
            },
            Self::Reachable(_, ways) => deliveries::require_way(ways, at, update),
            Self::Code(challenge) => {
                for (name, value) in challenge::attributes(challenge, sent) {
                    update.set(name, value);
                }
            }
            Self::Again(_, renewal) => challenge::send_again(*renewal, at, sent, update),
        }
    }

    /// Judges what an item holds.
    pub(super) fn judge(
        &self,
        item: &Item,
        at: UnixTime,
        shard: Shard,
        owed: Owed,
    ) -> Result<State, Fault> {
        Ok(match self {
            Self::Window(limit) => {
                let room = room(limit, shard, owed);
                if count(item, &counter(limit, at))? < i64::from(room) {
                    State::Open
                } else {
                    State::Full(FullLimit {
                        kept: self.kept(owed),
                        ..limit.full(at)
                    })
                }
            }
            Self::Refill(limit) => judge_refill(limit, optional_time(item, SENDS_UNTIL)?, at),
            Self::Lost(guard, lost) => {
                let full = guard.closed(at, at.until(at.utc_day().plus(networks::DAY)));
                let full = FullLimit { name: LOST, ..full };
                judge_mail(item, at, full, |mail| {
                    let reported = guard.bounces_are_reported;
                    !lost.closes || mail.has_room(shard.share(LEAST_ROOM), owed.messages, reported)
                })?
            }
            Self::Bounced(guard) => {
                let full = guard.closed(at, Duration::ZERO);
                let least = shard.share(LEAST_ROOM);
                judge_mail(item, at, full, |mail| mail.has_room(least, 0, true))?
            }
            Self::Turn(_, network, _) => State::Network(NetworkPast::read(item, network, at)?),
            Self::Cooldown(scope, _) => match optional_time(item, "cooling_until")? {
                Some(ends_at) if at < ends_at => State::Full(FullLimit {
                    scope: scope.clone(),
                    name: COOLDOWN,
                    kind: LimitKind::Cooldown,
                    kept: 0,
                    ends_at,
                }),
                _ => State::Open,
            },
            Self::Guard(guard) => {
                let was = guard_count(item)?;
                match was.judge(shard.share(room_of(guard, owed)), at) {
                    GuardVerdict::Open => State::Open,
                    GuardVerdict::Eased(eased) => State::Eased(was, eased),
                    GuardVerdict::Closed(wait) => State::Full(guard.closed(at, wait)),
                }
            }
            Self::Guesses(challenge, attempts) => {
                judge_guesses(challenge, *attempts, PastGuesses::read(item)?, at)
            }
            Self::Asked(..) | Self::Message(..) => State::Known(Box::new(History::read(item)?)),
            Self::Reachable(_, ways) => {
                let deliveries = History::read(item)?.deliveries;
                let mark = deliveries.undeliverable(ways, at);
                mark.map_or(State::Open, State::Undeliverable)
            }
            Self::Extended(..) | Self::Code(_) => State::Open,
            Self::Again(..) => State::Outdated(super::Outdated::Challenge),
        })
    }

    /// Takes one admission back. `past` is what the admission knew of the destination.
    pub(super) fn undo(
        &self,
        undo: Undo,
        at: UnixTime,
        sent: &Sent,
        past: &History,
        update: &mut Clauses,
    ) {
        match self {
            Self::Window(limit) if limit.refundable && undo != Undo::Challenge => {
                let count = update.name(counter(limit, at));
                let minus_one = update.value(number(-1));
                let zero = update.value(number(0));
                update.add.push(format!("{count} {minus_one}"));
                update.conditions.push(format!("{count} > {zero}"));
            }
            Self::Refill(limit) if undo != Undo::Challenge => {
                let one = update.value(length(limit.refill()));
                update
                    .set
                    .push(format!("{SENDS_UNTIL} = {SENDS_UNTIL} - {one}"));
                update
                    .conditions
                    .push(format!("attribute_exists({SENDS_UNTIL})"));
            }
            Self::Guard(_) if undo != Undo::Challenge => {
                let minus_one = update.value(number(-1));
                update.add.push(format!("unproven {minus_one}"));
            }
            Self::Lost(_, Lost { counts: true, .. }) | Self::Turn(_, _, true)
                if undo != Undo::Challenge =>
            {
                networks::take_back(matches!(self, Self::Lost(..)), at, update);
            }
            // Two sends that are admitted are never of the same instant.
            Self::Cooldown(_, length) if undo == Undo::All => {
                let own = update.value(millis(at.plus(*length)));
                update.conditions.push(format!("cooling_until = {own}"));
                update.remove.push("cooling_until".to_owned());
            }
            Self::Guesses(challenge, attempts) if undo != Undo::Challenge => {
                guesses::close(&challenge.id, *attempts, update);
            }
            Self::Asked(_, client) if undo != Undo::Challenge => {
                past.take_back_ask(client, update);
            }
            Self::Message(_, message) if undo != Undo::Challenge => {
                deliveries::take_back(message, update);
            }
            Self::Code(_) => {
                if undo != Undo::Challenge {
                    challenge::unguessed(update);
                }
                update.deletes = true;
            }
            Self::Again(..) if undo != Undo::Challenge => challenge::not_sent(sent, update),
            _ => {}
        }
    }
}

/// What the parts of an admission tell each other.
#[derive(Default)]
pub(super) struct Sent {
    /// Where the message counts until its code comes back, told from all other messages of
    /// the challenge.
    pub(super) counted_at: Vec<String>,
    /// The number of digits of the code.
    pub(super) digits: u8,
    /// What the networks of the client owe.
    pub(super) owed: Owed,
    /// How the message travels, if one is due.
    pub(super) way: Option<WayName>,
}

/// What the networks of a client owe to others.
#[derive(Clone, Copy, Default)]
pub(super) struct Owed {
    /// So many messages, by the network that owes most.
    pub(super) messages: u32,
    /// So many it may have under way, whatever the room of others is.
    pub(super) allowance: u32,
}

/// The attribute that tells until when the sends of a destination are made up for.
const SENDS_UNTIL: &str = "sends_until";

/// Until when they may be, for one more.
fn latest(limit: &Limit, at: UnixTime) -> UnixTime {
    at.plus(limit.refill() * limit.max.saturating_sub(1))
}

fn length(of: Duration) -> AttributeValue {
    number(of.as_millis())
}

/// Counts one admission that comes back after its time. What was not used for a window is
/// forgotten.
fn refill(limit: &Limit, seen: Option<&State>, at: UnixTime, update: &mut Clauses) {
    let one = limit.refill();
    if let Some(State::Idle(until)) = seen {
        let was = update.value(millis(*until));
        update.conditions.push(format!("{SENDS_UNTIL} = {was}"));
        update.set(SENDS_UNTIL, millis(at.plus(one)));
        return;
    }
    let [now, one] = [millis(at), length(one)].map(|value| update.value(value));
    update.set.push(format!(
        "{SENDS_UNTIL} = if_not_exists({SENDS_UNTIL}, {now}) + {one}"
    ));
    let [least, most] =
        [at.minus(limit.window), latest(limit, at)].map(|time| update.value(millis(time)));
    update.conditions.push(format!(
        "(attribute_not_exists({SENDS_UNTIL}) OR {SENDS_UNTIL} BETWEEN {least} AND {most})"
    ));
}

/// Judges until when the sends of a destination are made up for.
fn judge_refill(limit: &Limit, until: Option<UnixTime>, at: UnixTime) -> State {
    match until {
        Some(until) if until > latest(limit, at) => State::Full(FullLimit {
            ends_at: at.plus(latest(limit, at).until(until)),
            ..limit.full(at)
        }),
        Some(until) if until < at.minus(limit.window) => State::Idle(until),
        _ => State::Open,
    }
}

/// Judges the e-mails of a counter.
fn judge_mail(
    item: &Item,
    at: UnixTime,
    full: FullLimit,
    has_room: impl FnOnce(&MailCount) -> bool,
) -> Result<State, Fault> {
    let (mail, over) = networks::mail(item, at)?;
    Ok(if has_room(&mail) {
        State::Mail(over)
    } else {
        State::Full(full)
    })
}

/// Judges the guesses that were made before a challenge with so many attempts.
fn judge_guesses(challenge: &Challenge, attempts: u8, past: PastGuesses, at: UnixTime) -> State {
    let risk = past.guesses.at_risk(at) + u32::from(attempts);
    if challenge.device.is_some() && risk > GUESSES_PER_STEP {
        State::Outdated(super::Outdated::Device)
    } else {
        State::Guessed(Box::new(past))
    }
}

/// The page of the sends to a destination, or of those that a device asks for.
fn sends(scope: &Scope) -> (Scope, String) {
    let sort = match scope {
        Scope::Device(_, device) => format!("{}#sends", guesses::of_device(device)),
        _ => "sends".to_owned(),
    };
    (scope.clone(), sort)
}

/// The page of the guesses.
fn past(scope: Scope) -> (Scope, String) {
    let sort = match &scope {
        Scope::Device(_, device) => guesses::of_device(device),
        _ => guesses::SORT_KEY.to_owned(),
    };
    (scope, sort)
}

/// What the guesses at a challenge count for.
fn scope_of(challenge: &Challenge) -> Scope {
    let to = challenge.destination.clone();
    let device = challenge.device.as_ref().map(Device::name);
    match device {
        Some(device) => Scope::Device(to, device),
        None => Scope::Destination(to),
    }
}

/// How many admissions a limit has for a login that is not trusted with those that are kept,
/// and whose networks owe so much.
const fn open(limit: &Limit, owed: Owed) -> u32 {
    let all = limit.max.saturating_sub(limit.kept);
    // Of a limit that is one pot for everybody, nothing is kept from strangers.
    if limit.kept == 0 {
        return all;
    }
    room_beside(all, owed.messages)
}

/// The part of one counter. The rooms of all counters add up to what is open.
const fn room(limit: &Limit, shard: Shard, owed: Owed) -> u32 {
    shard.share(open(limit, owed))
}

/// The room of a guard for a login whose networks owe so much.
fn room_of(guard: &ConversionGuard, owed: Owed) -> u32 {
    room_beside(guard.room, owed.messages).max(owed.allowance)
}

/// The windows whose counts are dropped, as far back from now.
fn stale(limit: &Limit) -> std::ops::Range<u32> {
    match limit.scope {
        Scope::Deployment(DestinationKind::Email) => networks::STALE,
        Scope::Prefix(_) | Scope::Network(..) | Scope::Deployment(_) => STALE,
        Scope::Destination(_) | Scope::Device(..) => STALE_HOURS,
        Scope::Client(_) => 0..0,
    }
}

/// Whether a limit counts messages of many people, in pages without an end.
const fn is_of_messages(limit: &Limit) -> bool {
    matches!(limit.scope, Scope::Prefix(_) | Scope::Deployment(_))
}

/// The attribute that counts a limit in the window of one instant.
pub(super) fn counter(limit: &Limit, at: UnixTime) -> String {
    format!("{}#{}", limit.name, limit.window_start(at).as_secs())
}

/// Adds to a counter, on condition that it is below `max`.
pub(super) fn add(update: &mut Clauses, counter: &str, by: u32, max: u32) {
    let (by, most) = (update.value(number(by)), update.value(number(max)));
    update.add.push(format!("{counter} {by}"));
    // A share may be nothing: then even a first count has no room.
    update.conditions.push(match max {
        0 => format!("{counter} < {most}"),
        _ => format!("(attribute_not_exists({counter}) OR {counter} < {most})"),
    });
}

/// Eases a guard and counts one message, on condition that the guard still is as it was.
fn ease(was: &GuardCount, eased: &GuardCount, update: &mut Clauses) {
    update.set("unproven", number(eased.unproven + 1));
    update.set("proven", number(eased.proven));
    let unproven = update.value(number(was.unproven));
    update.conditions.push(format!("unproven = {unproven}"));
    let had = update.value(number(was.proven));
    let zero = update.value(number(0));
    update.conditions.push(format!(
        "(proven = {had} OR ({had} = {zero} AND attribute_not_exists(proven)))"
    ));
    let sent_at = was.sent_at.unwrap_or(UnixTime::from_millis(0));
    let sent_at = update.value(millis(sent_at));
    update.conditions.push(format!(
        "(attribute_not_exists(sent_at) OR sent_at = {sent_at})"
    ));
}

pub(super) fn guard_count(item: &Item) -> Result<GuardCount, Fault> {
    Ok(GuardCount {
        unproven: count(item, "unproven")?,
        proven: count(item, "proven")?,
        sent_at: optional_time(item, "sent_at")?,
        proven_at: optional_time(item, "proven_at")?,
    })
}

pub(super) fn optional_time(item: &Item, name: &str) -> Result<Option<UnixTime>, Fault> {
    let number = item.get(name).map(AttributeValue::as_n).transpose();
    let number = number.map_err(|_| malformed(name))?;
    let time = number.map(|text| text.parse().map_err(|_| malformed(name)));
    Ok(time.transpose()?.map(UnixTime::from_millis))
}
