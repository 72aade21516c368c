//! One operation on one user.

use otp_domain::{Destination, OperationId, UnixTime, UserId, UserRecord};
use otp_service::{
    ambient,
    fault::Fault,
    store::{AddUser, Change, Store},
};

use crate::rows::Row;

/// What to do with a user.
#[derive(Clone, Copy)]
pub enum Operation {
    /// Create the user.
    Add,
    /// Change the existing user.
    Change(Change),
}

/// How an operation on one user ended.
pub enum Outcome {
    /// The operation is done, on this user.
    Done(UserId),
    /// There was nothing to change, for this reason: for a file, an earlier run
    /// did it.
    Unchanged(String),
    /// The operation is impossible, for this reason. Nothing was changed.
    Failed(String),
    /// A call to the table failed. The operation may be done or not.
    Fault(Fault),
}

impl Operation {
    /// The past participle, for messages.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Add => "added",
            Self::Change(Change::Disable) => "disabled",
            Self::Change(Change::Enable) => "enabled",
            Self::Change(Change::Remove) => "removed",
        }
    }

    /// Runs the operation on the user of `row`.
    pub async fn run(self, store: &Store, row: &Row, now: UnixTime) -> Result<Outcome, Fault> {
        match self {
            Self::Add => add(store, row, now).await,
            Self::Change(change) => apply(store, change, row, now).await,
        }
    }
}

/// The destinations as one text.
pub fn join(destinations: &[Destination]) -> String {
    let texts: Vec<_> = destinations.iter().map(Destination::as_str).collect();
    texts.join(", ")
}

async fn add(store: &Store, row: &Row, now: UnixTime) -> Result<Outcome, Fault> {
    let user = UserRecord {
        id: UserId::draw(&mut ambient::rng()),
        destinations: row.destinations.clone(),
        created_at: now,
        last_login_at: None,
        disabled: row.disabled.unwrap_or_default(),
    };
    let taken = match store.add_user(&user).await? {
        AddUser::Added => return Ok(Outcome::Done(user.id)),
        AddUser::Taken(destinations) => destinations,
    };
    let holder = match taken.first() {
        Some(destination) => store.find_user_record(destination).await?,
        None => None,
    };
    let same = holder.filter(|holder| holder.destinations == user.destinations);
    Ok(match same {
        None => Outcome::Failed(format!("{} already belongs to a user", join(&taken))),
        Some(holder) => {
            let state = if holder.disabled { ", disabled" } else { "" };
            let exists = format!("already exists, user_id {}{state}", holder.id.as_str());
            match row.disabled {
                Some(disabled) if disabled != holder.disabled => Outcome::Failed(exists),
                _ => Outcome::Unchanged(exists),
            }
        }
    })
}

async fn apply(store: &Store, change: Change, row: &Row, now: UnixTime) -> Result<Outcome, Fault> {
    let mut found: Vec<Option<UserRecord>> = Vec::new();
    for destination in &row.destinations {
        found.push(store.find_user_record(destination).await?);
    }
    let id = |user: &Option<UserRecord>| user.as_ref().map(|user| user.id.clone());
    if found.windows(2).any(|pair| id(&pair[0]) != id(&pair[1])) {
        return Ok(Outcome::Failed(
            "the destinations do not belong to the same user".to_owned(),
        ));
    }
    let Some(user) = found.pop().flatten() else {
        return Ok(no_user(change));
    };
    let done = match change {
        Change::Disable => disable(store, &user, now).await?,
        Change::Enable => enable(store, &user, now).await?,
        Change::Remove => {
            disable(store, &user, now).await? && write(store, &user, change, now).await?
        }
    };
    Ok(if done {
        Outcome::Done(user.id)
    } else {
        Outcome::Failed("the user was removed at the same time".to_owned())
    })
}

/// A disabled user starts no session, so the ones that end here are the last.
///
/// A run that stops anywhere can be repeated, or followed by any other command:
/// the user stays disabled, and can be found, until the last session has ended.
async fn disable(store: &Store, user: &UserRecord, now: UnixTime) -> Result<bool, Fault> {
    let done = write(store, user, Change::Disable, now).await?;
    if done {
        store.end_sessions(&user.id, None).await?;
    }
    Ok(done)
}

/// Ends the sessions that an interrupted run left: they would come back with the
/// user. A user who is not disabled keeps the sessions.
async fn enable(store: &Store, user: &UserRecord, now: UnixTime) -> Result<bool, Fault> {
    if user.disabled {
        store.end_sessions(&user.id, None).await?;
    }
    write(store, user, Change::Enable, now).await
}

async fn write(
    store: &Store,
    user: &UserRecord,
    change: Change,
    now: UnixTime,
) -> Result<bool, Fault> {
    let operation = OperationId::draw(&mut ambient::rng());
    store.change_user(user, change, &operation, now).await
}

fn no_user(change: Change) -> Outcome {
    let why = "no such user".to_owned();
    match change {
        Change::Remove => Outcome::Unchanged(why),
        Change::Disable | Change::Enable => Outcome::Failed(why),
    }
}
