//! Limits: how they count, and what the functions remember of them.

use tests::table::partition_key;

use super::rules::{COOLDOWN, DAY, HOUR, Model};

/// A limit: its partition, its name, its window, and how many it admits.
pub type Limit = (String, &'static str, u64, u32);

/// What the counters of text messages hold at the start of each day: their shares, except four
/// places.
pub const HELD: [u64; 3] = [26, 25, 25];

/// What the conversion guard of each prefix and of e-mail has room for.
const ROOM: i64 = 4;

/// The limit whose room comes back one by one.
const REFILLS: &str = "sends-day";

fn refill(limit: &Limit) -> u64 {
    limit.2 / u64::from(limit.3)
}

/// A conversion guard.
#[derive(Clone, Copy, Default)]
pub struct Guard {
    pub unproven: i64,
    pub proven: i64,
    pub sent_at: u64,
    pub proven_at: Option<u64>,
}

/// A limit that refuses.
#[derive(Clone)]
pub struct Refusing {
    pub scope: String,
    pub name: &'static str,
    pub ends_at: u64,
    /// Until when the functions take it for granted.
    pub until: u64,
}

/// The limits that a failed delivery refunds.
pub fn refundable(to: &str) -> Vec<Limit> {
    let mailbox = mailbox_key(to);
    let mut limits = vec![
        (mailbox.clone(), "sends-hour", HOUR, 3),
        (mailbox, "sends-day", DAY, 5),
    ];
    if let Some(prefix) = prefix(to) {
        limits.push((prefix, "sms-prefix-day", DAY, 3));
        limits.push(("deployment#phone#0".to_owned(), "sms-day", DAY, 4));
    } else {
        limits.push(("deployment#email#0".to_owned(), "emails-day", DAY, 8));
    }
    limits
}

/// The partition key of a destination's mailbox.
pub fn mailbox_key(to: &str) -> String {
    partition_key(&to.replace("+spam", ""))
}

/// The sort key and the attribute that keep a counter.
pub fn kept(counter: &str) -> (String, String) {
    let (name, _) = counter.split_once('#').expect("a counter");
    match name {
        "sends-hour" => ("sends".to_owned(), counter.to_owned()),
        "emails-day" | "sms-prefix-day" | "sms-day" => ("messages".to_owned(), counter.to_owned()),
        _ => (counter.to_owned(), counter.to_owned()),
    }
}

pub fn of_client(client: &str) -> Limit {
    (format!("client#{client}"), "logins-hour", HOUR, 3)
}

pub fn guard_of(to: &str) -> (String, &'static str) {
    prefix(to).map_or_else(
        || ("deployment#email#0".to_owned(), "email-unproven"),
        |prefix| (prefix, "sms-unproven"),
    )
}

fn prefix(to: &str) -> Option<String> {
    let prefixes = ["+1", "+44"].into_iter();
    let mut prefixes = prefixes.filter(|prefix| to.starts_with(prefix));
    prefixes.next().map(|prefix| format!("prefix#{prefix}#0"))
}

impl Guard {
    /// Makes room for a message if it can; otherwise returns how long it cannot.
    pub fn ease(&mut self, now: u64) -> Result<(), u64> {
        if self.unproven < ROOM {
            return Ok(());
        }
        let slot = DAY / ROOM.unsigned_abs();
        let idle = now.saturating_sub(self.sent_at);
        let by_time = i64::try_from(idle / slot).unwrap().min(self.unproven);
        let trusted = self
            .proven_at
            .is_some_and(|at| now.saturating_sub(at) <= 7 * DAY);
        let proven = if trusted {
            self.proven.min(3 * ROOM)
        } else {
            0
        };
        let by_proof = proven.min(self.unproven - by_time);
        if self.unproven - by_time - by_proof < ROOM {
            self.unproven -= by_time + by_proof;
            self.proven = proven - by_proof;
            return Ok(());
        }
        Err(if idle < 120_000 { 5000 } else { slot - idle })
    }
}

impl Model {
    fn counter(&self, limit: &Limit) -> (String, String) {
        let start = (self.now - self.now % limit.2) / 1000;
        (limit.0.clone(), format!("{}#{start}", limit.1))
    }

    pub fn count(&mut self, limit: &Limit) {
        if limit.1 == REFILLS {
            let now = self.now;
            let until = self.sends_until.entry(limit.0.clone()).or_insert(now);
            if *until + DAY < now {
                *until = now;
            }
            *until += refill(limit);
            return;
        }
        *self.counters.entry(self.counter(limit)).or_default() += 1;
        // They stand in an item without an end, which keeps two windows.
        let dropped = match limit.1 {
            "sms-prefix-day" => 9,
            "sends-hour" => 25,
            _ => return,
        };
        let this = self.now / limit.2;
        for window in this.saturating_sub(dropped)..this - 1 {
            let old = format!("{}#{}", limit.1, window * limit.2 / 1000);
            self.counters.remove(&(limit.0.clone(), old));
        }
    }

    pub fn refund(&mut self, limit: &Limit) {
        if limit.1 == REFILLS {
            *self.sends_until.get_mut(&limit.0).unwrap() -= refill(limit);
            return;
        }
        *self.counters.get_mut(&self.counter(limit)).unwrap() -= 1;
    }

    /// The limit, if it is full.
    pub fn full(&self, limit: &Limit) -> Option<Refusing> {
        if limit.1 == REFILLS {
            let until = self.sends_until.get(&limit.0).copied().unwrap_or_default();
            let free_at = until.saturating_sub(refill(limit) * u64::from(limit.3 - 1));
            return (self.now < free_at).then(|| self.refusing(&limit.0, limit.1, free_at));
        }
        let count = self.counters.get(&self.counter(limit)).copied();
        let ends_at = self.now - self.now % limit.2 + limit.2;
        (count.unwrap_or_default() >= limit.3).then(|| self.refusing(&limit.0, limit.1, ends_at))
    }

    pub fn refusing(&self, scope: &str, name: &'static str, ends_at: u64) -> Refusing {
        let until = if name == "logins-hour" || name == "validations-hour" {
            ends_at
        } else {
            ends_at.min(self.now + 10_000)
        };
        Refusing {
            scope: scope.to_owned(),
            name,
            ends_at,
            until,
        }
    }

    /// The limits of who asks and of the destination that are known to refuse.
    pub fn known_of_its_own(&self, to: &str, client: &str) -> Vec<Refusing> {
        let mut limits = refundable(to);
        limits.truncate(2);
        limits.push(of_client(client));
        limits.push((partition_key(to), "cooldown", COOLDOWN, 1));
        let limits = limits.into_iter();
        limits
            .filter_map(|limit| self.recall(&limit.0, limit.1))
            .collect()
    }

    /// What the functions know to refuse a login without asking the table.
    pub fn known(&self, to: &str, client: &str) -> Vec<Refusing> {
        let mut limits = refundable(to);
        limits.push(of_client(client));
        limits.push((partition_key(to), "cooldown", COOLDOWN, 1));
        let known = limits
            .into_iter()
            .filter_map(|limit| self.recall(&limit.0, limit.1));
        let known: Vec<Refusing> = known.collect();
        let (scope, name) = guard_of(to);
        let is_open = self.is_proven(to, client) || self.recall(&scope, name).is_none();
        if !known.is_empty() || is_open {
            return known;
        }
        self.closed_guard(to).into_iter().collect()
    }

    pub fn closed_guard(&self, to: &str) -> Option<Refusing> {
        let key = guard_of(to);
        let mut guard = self.guards.get(&key).copied().unwrap_or_default();
        let wait = guard.ease(self.now).err()?;
        Some(self.refusing(&key.0, key.1, self.now + wait))
    }

    pub fn recall(&self, scope: &str, name: &str) -> Option<Refusing> {
        let known = self.memories[self.instance].refusals.iter().rev();
        let mut known = known.filter(|it| it.scope == scope && it.name == name);
        known.next().filter(|it| self.now < it.until).cloned()
    }

    pub fn forget(&mut self, scope: &str, name: &str) {
        self.memory()
            .refusals
            .retain(|it| it.scope != scope || it.name != name);
    }
}
