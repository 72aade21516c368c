//! One operation on one user.

use otp_domain::{OperationId, UnixTime, UserId, UserRecord};
use otp_service::{
    ambient,
    fault::Fault,
    store::{AddUser, Change, Store},
};

use crate::{destination::join, rows::Row};

/// An operation on a user.
#[derive(Clone, Copy)]
pub enum Operation {
    /// Create the user.
    Add,
    /// Change the user.
    Change(Change),
}

/// How an operation ended.
pub enum Outcome {
    /// It is done; the user's id.
    Done(UserId),
    /// Nothing to do: an earlier run did it.
    Already(String),
    /// It cannot be done; nothing changed.
    Failed(String),
    /// The table failed: it may be done or not.
    Broken(Fault),
}

impl Operation {
    /// The past participle, for reports.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Add => "added",
            Self::Change(Change::Disable) => "disabled",
            Self::Change(Change::Enable) => "enabled",
            Self::Change(Change::Remove) => "removed",
        }
    }

    /// Runs the operation on the user of this row.
    pub async fn run(self, store: &Store, row: &Row, now: UnixTime) -> Result<Outcome, Fault> {
        match self {
            Self::Add => add(store, row, now).await,
            Self::Change(change) => alter(store, change, row, now).await,
        }
    }
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
        AddUser::Taken(taken) => taken,
    };
    let holder = match taken.first() {
        Some(destination) => store.find_user_record(destination).await?,
        None => None,
    };
    let same = holder.filter(|holder| holder.destinations == user.destinations);
    Ok(match same {
        None => Outcome::Failed(format!("{} already belongs to a user", join(&taken))),
        Some(holder) => {
            let how = if holder.disabled { ", disabled" } else { "" };
            let exists = format!("exists already, user_id {}{how}", holder.id.as_str());
            match row.disabled {
                Some(disabled) if disabled != holder.disabled => Outcome::Failed(exists),
                _ => Outcome::Already(exists),
            }
        }
    })
}

async fn alter(store: &Store, change: Change, row: &Row, now: UnixTime) -> Result<Outcome, Fault> {
    let mut found: Vec<Option<UserRecord>> = Vec::new();
    for destination in &row.destinations {
        found.push(store.find_user_record(destination).await?);
    }
    let id = |user: &Option<UserRecord>| user.as_ref().map(|user| user.id.clone());
    if found.windows(2).any(|pair| id(&pair[0]) != id(&pair[1])) {
        return Ok(Outcome::Failed(
            "these destinations belong to different users".to_owned(),
        ));
    }
    let Some(user) = found.pop().flatten() else {
        return Ok(no_user(change));
    };
    let operation = OperationId::draw(&mut ambient::rng());
    if !store.change_user(&user, change, &operation, now).await? {
        let why = "this user changed meanwhile";
        return Ok(Outcome::Failed(why.to_owned()));
    }
    // A disabled user's sessions cannot be refreshed, but enabling the user must
    // not revive them.
    if change != Change::Enable {
        store.end_sessions(&user.id, None).await?;
    }
    Ok(Outcome::Done(user.id))
}

fn no_user(change: Change) -> Outcome {
    let why = "no such user".to_owned();
    match change {
        Change::Remove => Outcome::Already(why),
        Change::Disable | Change::Enable => Outcome::Failed(why),
    }
}
