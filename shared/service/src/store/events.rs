//! What applications learn of users: an item for each change, in the change's own transaction.
//!
//! The item lies beside the user, and ends after a day. `EventPipe` in `template.yaml` takes it
//! from the table's stream to the bus, so no request makes a call more.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{Put, TransactWriteItem},
};
use aws_smithy_types::{DateTime, date_time::Format};
use otp_domain::{SessionId, UnixTime, UserId, UserRecord};

use super::{Store, Transition, item};
use crate::{
    fault::{Dependency, Fault},
    table::{
        Item, Table,
        attributes::{key_in, millis, sweep_after, text},
    },
};

/// How long an event stays, for whoever looks why an application did not learn of it.
const LIFE: Duration = Duration::from_hours(24);

/// Whether changes of users become events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Events {
    /// Nothing is written.
    Off,
    /// Each change writes its event.
    On,
}

impl Events {
    /// What the functions of a table do, for a tool beside them: events need the table's stream.
    ///
    /// # Errors
    ///
    /// The table cannot be described.
    pub async fn of(table: &Table) -> Result<Self, Fault> {
        let described = table.client.describe_table().table_name(&table.name);
        let described = described.send().await;
        let described = described
            .map_err(|error| Fault::from_sdk(Dependency::Table, "DescribeTable", &error))?;
        let stream = described.table().and_then(|it| it.stream_specification());
        Ok(match stream {
            Some(stream) if stream.stream_enabled() => Self::On,
            _ => Self::Off,
        })
    }
}

/// What happened to a user.
struct Event<'a> {
    user: &'a UserId,
    kind: &'static str,
    /// Orders the events of a user.
    sequence: u64,
    /// The session that ended.
    session: Option<&'a SessionId>,
    at: UnixTime,
}

impl Transition<'_> {
    /// What happens to the user. Nothing, if the user stays as before.
    fn kinds(&self) -> Vec<&'static str> {
        let (before, after) = match (self.before(), self.after()) {
            (Some(before), Some(after)) => (before, after),
            (None, _) => return vec!["created"],
            (_, None) => return vec!["removed"],
        };
        let has_more = |one: &UserRecord, than: &UserRecord| {
            let mut own = one.destinations.iter();
            own.any(|own| than.added_at(&own.destination).is_none())
        };
        let destinations = match (has_more(after, before), has_more(before, after)) {
            (true, false) => Some("destination-added"),
            (false, true) => Some("destination-removed"),
            (true, true) => Some("destination-changed"),
            (false, false) => None,
        };
        let claims = (before.claims != after.claims).then_some("claims-changed");
        let access = match (before.is_disabled(), after.is_disabled()) {
            (false, true) => Some("disabled"),
            (true, false) => Some("enabled"),
            _ => None,
        };
        let all = [destinations, claims, access];
        all.into_iter().flatten().collect()
    }
}

impl Store {
    /// Writes the events of a transition, if there are to be events.
    pub(super) fn tell(
        &self,
        change: Transition<'_>,
        now: UnixTime,
    ) -> Vec<Result<TransactWriteItem, BuildError>> {
        let user = change.before().or(change.after());
        let (Events::On, Some(user)) = (self.events, user) else {
            return Vec::new();
        };
        let sequence = change
            .before()
            .map_or(user.version, |before| before.next_version(now));
        let event = |kind| Event {
            user: &user.id,
            kind,
            sequence,
            session: None,
            at: now,
        };
        let kinds = change.kinds().into_iter();
        kinds.map(|kind| self.put_event(&event(kind))).collect()
    }

    /// Writes the event of a session's end, if there are to be events.
    pub(super) fn tell_of_end(
        &self,
        user: &UserId,
        session: &SessionId,
        now: UnixTime,
    ) -> Option<Result<TransactWriteItem, BuildError>> {
        (self.events == Events::On).then(|| {
            self.put_event(&Event {
                user,
                kind: "session-ended",
                sequence: now.as_millis(),
                session: Some(session),
                at: now,
            })
        })
    }

    fn put_event(&self, event: &Event<'_>) -> Result<TransactWriteItem, BuildError> {
        let put = Put::builder()
            .table_name(&self.table.name)
            .set_item(Some(from_event(event)))
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// The item of an event. All that the pipe takes is text, because its template cannot write
/// numbers and leaves nothing out.
fn from_event(event: &Event<'_>) -> Item {
    let session = event.session.map_or("", SessionId::as_str);
    // Until the year 2286, the texts sort as the numbers do.
    let sequence = format!("{:013}", event.sequence);
    let end = event.at.plus(LIFE);
    let time = i64::try_from(event.at.as_millis()).unwrap_or_default();
    let time = DateTime::from_millis(time).fmt(Format::DateTime);
    let sort = format!("event#{sequence}#{}#{session}", event.kind);
    let mut item = key_in(item::sessions(event.user), sort);
    let pairs = [
        ("owner", text(event.user.as_str())),
        ("kind", text(event.kind)),
        ("sequence", text(sequence)),
        ("session_id", text(session)),
        ("time", text(time.unwrap_or_default())),
        ("expires_at", millis(end)),
        ("expires_at_seconds", sweep_after(end)),
    ];
    item.extend(pairs.map(|(name, value)| (name.to_owned(), value)));
    item
}
