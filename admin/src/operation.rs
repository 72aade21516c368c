//! One operation on one user.

use otp_domain::{Destination, OperationId, UnixTime, UserId, UserRecord};
use otp_service::{
    ambient,
    fault::Fault,
    store::{AddUser, Change, Store},
};

use crate::rows::Row;

const NO_USER: &str = "no such user";
const SEVERAL_USERS: &str = "the destinations do not belong to the same user";
const REMOVED_MEANWHILE: &str = "the user was removed at the same time";

/// What to do with a user.
#[derive(Clone, Copy)]
pub enum Operation {
    /// Create the user.
    Add,
    /// Change the existing user.
    Change(Change),
    /// Set the claims of the existing user.
    SetClaims,
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
            Self::SetClaims => "changed",
        }
    }

    /// Runs the operation on the user of `row`.
    pub async fn run(self, store: &Store, row: &Row, now: UnixTime) -> Result<Outcome, Fault> {
        match self {
            Self::Add => add(store, row, now).await,
            Self::Change(change) => apply(store, change, row, now).await,
            Self::SetClaims => set_claims(store, row).await,
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
        claims: row.claims.clone().unwrap_or_default(),
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
            let disabled_differs = row.disabled.is_some_and(|it| it != holder.disabled);
            let claims_differ = row.claims.as_ref().is_some_and(|it| *it != holder.claims);
            if disabled_differs || claims_differ {
                Outcome::Failed(exists)
            } else {
                Outcome::Unchanged(exists)
            }
        }
    })
}

/// Whose the destinations of a row are.
enum Owner {
    One(UserRecord),
    Nobody,
    Several,
}

async fn owner(store: &Store, row: &Row) -> Result<Owner, Fault> {
    let mut found: Vec<Option<UserRecord>> = Vec::new();
    for destination in &row.destinations {
        found.push(store.find_user_record(destination).await?);
    }
    let id = |user: &Option<UserRecord>| user.as_ref().map(|user| user.id.clone());
    if found.windows(2).any(|pair| id(&pair[0]) != id(&pair[1])) {
        return Ok(Owner::Several);
    }
    Ok(found.pop().flatten().map_or(Owner::Nobody, Owner::One))
}

async fn apply(store: &Store, change: Change, row: &Row, now: UnixTime) -> Result<Outcome, Fault> {
    let user = match owner(store, row).await? {
        Owner::One(user) => user,
        Owner::Nobody if change == Change::Remove => {
            return Ok(Outcome::Unchanged(NO_USER.to_owned()));
        }
        Owner::Nobody => return Ok(Outcome::Failed(NO_USER.to_owned())),
        Owner::Several => return Ok(Outcome::Failed(SEVERAL_USERS.to_owned())),
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
        Outcome::Failed(REMOVED_MEANWHILE.to_owned())
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

async fn set_claims(store: &Store, row: &Row) -> Result<Outcome, Fault> {
    let user = match owner(store, row).await? {
        Owner::One(user) => user,
        Owner::Nobody => return Ok(Outcome::Failed(NO_USER.to_owned())),
        Owner::Several => return Ok(Outcome::Failed(SEVERAL_USERS.to_owned())),
    };
    let claims = row.claims.clone().unwrap_or_default();
    let request = OperationId::draw(&mut ambient::rng());
    Ok(if store.set_claims(&user, &claims, &request).await? {
        Outcome::Done(user.id)
    } else {
        Outcome::Failed(REMOVED_MEANWHILE.to_owned())
    })
}
