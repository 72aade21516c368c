//! One operation on one user.

use otp::{
    ambient,
    domain::{Destination, UserRecord, OperationId, UnixTime, UserId},
    fault::Fault,
    store::{Change, Store},
};

use crate::rows::Row;

/// What to do with a user.
#[derive(Clone, Copy)]
pub enum Operation {
    /// Make them.
    Add,
    /// Change them.
    Change(Change),
}

/// What became of it.
pub enum Outcome {
    /// It is done, to this user.
    Done(UserId),
    /// It was so before: done by an earlier run, if this one repeats it.
    Already(String),
    /// It cannot be done, and nothing was changed.
    Failed(String),
    /// The table failed. It may be done or not.
    Broken(Fault),
}

impl Operation {
    /// The word for it when it is done.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Add => "added",
            Self::Change(Change::Disable) => "disabled",
            Self::Change(Change::Enable) => "enabled",
            Self::Change(Change::Remove) => "removed",
        }
    }

    /// Does it to the user that this row means.
    pub async fn run(self, store: &Store, row: &Row, now: UnixTime) -> Result<Outcome, Fault> {
        match self {
            Self::Add => add(store, row, now).await,
            Self::Change(change) => alter(store, change, row, now).await,
        }
    }
}

/// The addresses and numbers as one text.
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
    let Err(taken) = store.add_user(&user).await? else {
        return Ok(Outcome::Done(user.id));
    };
    let holder = match taken.first() {
        Some(destination) => store.find_user_record(destination).await?,
        None => None,
    };
    let same = holder.filter(|holder| holder.destinations == user.destinations);
    Ok(match same {
        None => Outcome::Failed(format!("{} is a user's already", join(&taken))),
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
        return Ok(Outcome::Failed("not of one user".to_owned()));
    }
    let Some(user) = found.pop().flatten() else {
        return Ok(no_user(change));
    };
    let request = OperationId::draw(&mut ambient::rng());
    if !store.change_user(&user, change, &request, now).await? {
        let why = "somebody else changed this user meanwhile";
        return Ok(Outcome::Failed(why.to_owned()));
    }
    // They could not be refreshed any more; but enabling must not revive them.
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
