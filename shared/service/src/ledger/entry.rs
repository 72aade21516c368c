//! The kinds of things that a page counts of a login.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use otp_domain::{
    Challenge, ConversionGuard, Destination, FullLimit, GuardCount, GuardVerdict, Limit, LimitKind,
    Scope, UnixTime,
};

use super::{
    challenge,
    page::MessagePage,
    shards::{Shard, shards_of},
};
use crate::{
    fault::Fault,
    table::{
        Clauses, Item,
        attributes::{count, malformed, millis, number},
    },
};

/// The name of the cooldown in the log, and of its item.
const COOLDOWN: &str = "cooldown";

/// How many windows back a page without an end still counts a late refund, and how
/// many it may be without a write before its counts are dropped.
const STALE: std::ops::Range<u32> = 2..10;

/// One thing that a page counts.
pub(super) enum Entry<'a> {
    /// Admissions within a window of the clock.
    Window(&'a Limit),
    /// The pause between two sends to a destination.
    Cooldown(&'a Destination, Duration),
    /// Messages whose codes have not come back.
    Guard(&'a ConversionGuard),
    /// The challenge itself, with its attempts.
    Code(&'a Challenge),
}

/// What an item was seen to hold of an entry.
pub(super) enum State {
    /// It has room for one more.
    Open,
    /// It has room, once it is eased: it held the first, and is to hold the second.
    Eased(GuardCount, GuardCount),
    /// It refuses.
    Full(FullLimit),
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

impl Entry<'_> {
    /// The item that keeps this entry: the scope and the sort key. Entries with the same
    /// home share an item.
    pub(super) fn home(&self, at: UnixTime) -> (Scope, String) {
        let messages = |scope: &Scope| (scope.clone(), MessagePage::SORT_KEY.to_owned());
        match self {
            Self::Window(limit) => match &limit.scope {
                Scope::Prefix(_) | Scope::Deployment(_) => messages(&limit.scope),
                Scope::Client(_) => (limit.scope.clone(), counter(limit, at)),
                Scope::Destination(_) => {
                    let day = at.utc_day().as_secs();
                    (limit.scope.clone(), format!("sends#{day}"))
                }
            },
            Self::Guard(guard) => messages(&guard.scope),
            Self::Cooldown(to, _) => (Scope::Destination((*to).clone()), COOLDOWN.to_owned()),
            Self::Code(challenge) => (
                Scope::Destination(challenge.destination.clone()),
                challenge::sort_key(&challenge.id),
            ),
        }
    }

    /// The scope and the name under which a refusal is remembered, if this entry can refuse.
    pub(super) fn name(&self) -> Option<(Scope, &'static str)> {
        match self {
            Self::Window(limit) => Some((limit.scope.clone(), limit.name)),
            Self::Cooldown(to, _) => Some((Scope::Destination((*to).clone()), COOLDOWN)),
            Self::Guard(guard) => Some((guard.scope.clone(), guard.name)),
            Self::Code(_) => None,
        }
    }

    /// The number of counters that share this entry.
    pub(super) fn shards(&self) -> u32 {
        match self {
            Self::Window(limit) if is_of_messages(limit) => shards_of(limit.max),
            Self::Guard(guard) => shards_of(guard.room),
            Self::Window(_) | Self::Cooldown(..) | Self::Code(_) => 1,
        }
    }

    /// When the table may forget this entry.
    pub(super) fn ends_at(&self, at: UnixTime) -> UnixTime {
        match self {
            // A guard that is switched off and on again finds what it knew.
            Self::Guard(_) => at.plus(ConversionGuard::MEMORY),
            Self::Window(limit) if is_of_messages(limit) => at.plus(ConversionGuard::MEMORY),
            Self::Window(limit) => limit.window_end(at),
            Self::Cooldown(_, length) => at.plus(*length),
            Self::Code(challenge) => challenge.expires_at,
        }
    }

    /// Counts one admission, on condition that there is room.
    pub(super) fn write(
        &self,
        seen: Option<&State>,
        at: UnixTime,
        shard: Shard,
        message_page: Option<&MessagePage>,
        update: &mut Clauses,
    ) {
        match self {
            Self::Window(limit) => {
                let count = update.name(counter(limit, at));
                add(update, &count, 1, shard.share(limit.max));
                if is_of_messages(limit) {
                    for back in STALE {
                        let stale = counter(limit, at.minus(limit.window * back));
                        let stale = update.name(stale);
                        update.remove.push(stale);
                    }
                }
            }
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
                    _ => add(update, "unproven", 1, shard.share(guard.room)),
                }
            }
            Self::Code(challenge) => {
                for (name, value) in challenge::attributes(challenge, message_page) {
                    update.set(name, value);
                }
            }
        }
    }

    /// Judges what an item holds.
    pub(super) fn judge(&self, item: &Item, at: UnixTime, shard: Shard) -> Result<State, Fault> {
        Ok(match self {
            Self::Window(limit) => {
                let full = count(item, &counter(limit, at))? >= i64::from(shard.share(limit.max));
                if full {
                    State::Full(limit.full(at))
                } else {
                    State::Open
                }
            }
            Self::Cooldown(to, _) => match optional_time(item, "cooling_until")? {
                Some(ends_at) if at < ends_at => State::Full(FullLimit {
                    scope: Scope::Destination((*to).clone()),
                    name: COOLDOWN,
                    kind: LimitKind::Cooldown,
                    ends_at,
                }),
                _ => State::Open,
            },
            Self::Guard(guard) => {
                let was = guard_count(item)?;
                match was.judge(shard.share(guard.room), at) {
                    GuardVerdict::Open => State::Open,
                    GuardVerdict::Eased(eased) => State::Eased(was, eased),
                    GuardVerdict::Closed(wait) => State::Full(guard.closed(at, wait)),
                }
            }
            Self::Code(_) => State::Open,
        })
    }

    /// Takes one admission back.
    pub(super) fn undo(&self, undo: Undo, at: UnixTime, update: &mut Clauses) {
        match self {
            Self::Window(limit) if limit.refundable && undo != Undo::Challenge => {
                let count = update.name(counter(limit, at));
                let minus_one = update.value(number(-1));
                let zero = update.value(number(0));
                update.add.push(format!("{count} {minus_one}"));
                update.conditions.push(format!("{count} > {zero}"));
            }
            Self::Guard(_) if undo != Undo::Challenge => {
                let minus_one = update.value(number(-1));
                update.add.push(format!("unproven {minus_one}"));
            }
            // Two sends that are admitted are never of the same instant.
            Self::Cooldown(_, length) if undo == Undo::All => {
                let own = update.value(millis(at.plus(*length)));
                update.conditions.push(format!("cooling_until = {own}"));
                update.deletes = true;
            }
            Self::Code(_) => {
                if undo != Undo::Challenge {
                    challenge::unguessed(update);
                }
                update.deletes = true;
            }
            _ => {}
        }
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

fn optional_time(item: &Item, name: &'static str) -> Result<Option<UnixTime>, Fault> {
    let number = item.get(name).map(AttributeValue::as_n).transpose();
    let number = number.map_err(|_| malformed(name))?;
    let time = number.map(|text| text.parse().map_err(|_| malformed(name)));
    Ok(time.transpose()?.map(UnixTime::from_millis))
}
