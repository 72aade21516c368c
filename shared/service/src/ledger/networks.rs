//! The messages that strangers ask for: by network, and the e-mails of 30 days that are lost.

use std::{ops::Range, time::Duration};

use otp_domain::{MailCount, Network, UnixTime};

use super::entry::State;
use crate::{
    fault::Fault,
    table::{
        Clauses, Item,
        attributes::{count, number},
    },
};

/// The unit by which messages are kept apart.
pub(super) const DAY: Duration = Duration::from_hours(24);

/// The days, back from today, whose counts are dropped.
pub(super) const STALE: Range<u32> = 31..41;

/// No code lives longer, so one of an earlier span than the last is lost or came back.
const SPAN: Duration = Duration::from_mins(10);

/// The messages to destinations that are not proven.
const ASKED: &str = "asked-day";
/// Those whose codes came back, by the day when they did.
const RETURNED: &str = "returned-day";
/// The e-mails that were reported as hard bounces.
const BOUNCED: &str = "bounced-day";
/// All e-mails: the counter of their cap.
const SENT: &str = "emails-day";
/// The messages of a short span, which may still be under way.
const RECENT: &str = "recent#";

fn of_day(name: &str, at: UnixTime) -> String {
    format!("{name}#{}", at.utc_day().as_secs())
}

fn of_span(at: UnixTime) -> String {
    format!("{RECENT}{}", at.window_start(SPAN).as_secs())
}

/// What stands of a count in the last thirty days.
fn sum(item: &Item, name: &str, at: UnixTime) -> Result<i64, Fault> {
    let days = (0..STALE.start).map(|back| count(item, &of_day(name, at.minus(DAY * back))));
    days.sum()
}

fn add(name: String, by: i64, update: &mut Clauses) {
    let (name, by) = (update.name(name), update.value(number(by)));
    update.add.push(format!("{name} {by}"));
}

/// Drops what counts for nothing any more.
fn drop_stale(names: &[&str], at: UnixTime, update: &mut Clauses) {
    for name in names {
        for back in STALE {
            let stale = update.name(of_day(name, at.minus(DAY * back)));
            update.remove.push(stale);
        }
    }
}

/// What a network of strangers asked for.
#[derive(Clone, Copy)]
pub(super) struct NetworkPast {
    /// The messages that hold others back.
    pub(super) owed: u32,
    /// Those that it may have beside.
    pub(super) allowance: u32,
    /// As long as no more were asked for today, it owes no more.
    most_today: i64,
}

impl NetworkPast {
    pub(super) fn read(item: &Item, network: &Network, at: UnixTime) -> Result<Self, Fault> {
        let (asked, returned) = (sum(item, ASKED, at)?, sum(item, RETURNED, at)?);
        Ok(Self {
            owed: network.owes(asked, returned),
            allowance: network.allowance,
            most_today: count(item, &of_day(ASKED, at))? + network.slack(asked, returned),
        })
    }
}

/// Counts a message for a network, on condition that it owes no more than was seen.
/// One that does not count has to meet the condition too.
pub(super) fn ask(
    network: &Network,
    counts: bool,
    seen: Option<&State>,
    at: UnixTime,
    update: &mut Clauses,
) {
    let today = of_day(ASKED, at);
    let most = match seen {
        Some(State::Network(past)) => past.most_today,
        _ => network.slack(0, 0),
    };
    let (name, most) = (update.name(today.clone()), update.value(number(most)));
    update.conditions.push(format!(
        "(attribute_not_exists({name}) OR {name} <= {most})"
    ));
    add(today, i64::from(counts), update);
    drop_stale(&[ASKED, RETURNED], at, update);
}

/// Counts an e-mail to a mailbox that is not proven, and drops what is over.
pub(super) fn count_unproven(at: UnixTime, seen: Option<&State>, update: &mut Clauses) {
    add(of_day(ASKED, at), 1, update);
    add(of_span(at), 1, update);
    let over = match seen {
        Some(State::Mail(over)) => over.as_slice(),
        _ => &[],
    };
    for name in over {
        let name = update.name(name.clone());
        update.remove.push(name);
    }
    drop_stale(&[ASKED, RETURNED, BOUNCED], at, update);
}

/// Takes a message back that was not sent.
pub(super) fn take_back(is_email: bool, at: UnixTime, update: &mut Clauses) {
    add(of_day(ASKED, at), -1, update);
    if is_email {
        add(of_span(at), -1, update);
    }
}

/// What the page of a network or of a guard counts when codes come back.
pub(super) fn returned(messages: i64, at: UnixTime, update: &mut Clauses) {
    add(of_day(RETURNED, at), messages, update);
}

/// The e-mails of a counter, and the names of short spans that are over.
pub(super) fn mail(item: &Item, at: UnixTime) -> Result<(MailCount, Vec<String>), Fault> {
    let spans = [of_span(at), of_span(at.minus(SPAN))];
    let recent = spans.iter().map(|span| count(item, span));
    let over = item.keys().filter(|name| name.starts_with(RECENT));
    let over = over.filter(|name| !spans.contains(name)).cloned();
    Ok((
        MailCount {
            sent: sum(item, SENT, at)?,
            unproven: sum(item, ASKED, at)?,
            returned: sum(item, RETURNED, at)?,
            recent: recent.sum::<Result<_, _>>()?,
            bounced: sum(item, BOUNCED, at)?,
        },
        over.collect(),
    ))
}

/// Counts an e-mail that was reported as a hard bounce.
pub(super) fn count_bounce(at: UnixTime, update: &mut Clauses) {
    add(of_day(BOUNCED, at), 1, update);
    drop_stale(&[BOUNCED], at, update);
}
