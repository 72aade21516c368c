//! The use cases of operators: users are added, changed, listed and removed, with
//! their sessions.

use otp_domain::{
    Claims, Destination, OperationId, OwnDestination, Session, SessionId, UnixTime, UserId,
    UserRecord,
};
use rand::CryptoRng;
use serde_json::{Value, json};

use crate::{
    fault::Fault,
    store::{Ending, Events, Store, Transition, UserWritten},
    table::{self, Table},
};

pub use crate::store::UserPages;

/// How often a change is tried while other changes of the same user come first.
const TRIES: u8 = 5;

/// A change to an existing user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The user gets no codes and no tokens.
    Disable,
    /// The user may log in again.
    Enable,
    /// The destinations are free again. The id is never reused, so no code can
    /// log this user in.
    Remove,
}

/// A user to be added.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The user's id, if another service has given one; `None` draws one.
    pub id: Option<UserId>,
    /// When the user was created; `None` is now.
    pub created_at: Option<UnixTime>,
    /// At least one.
    pub destinations: Vec<Destination>,
    /// Whether the user is disabled; `None` if that does not matter.
    pub disabled: Option<bool>,
    /// The user's claims; `None` if they do not matter.
    pub claims: Option<Claims>,
}

/// How an addition ended.
pub enum Added {
    /// There is a new user with this id.
    Done(UserId),
    /// Nothing was written: these destinations are those of this user, who is as the
    /// new one was to be.
    Exists(UserRecord),
    /// The same, but the user differs.
    Differs(UserRecord),
    /// Nothing was written: these destinations belong to other users.
    Taken(Vec<Destination>),
    /// Nothing was written: another user has this id.
    IdTaken(UserId),
}

/// How a change to a user ended.
pub enum Changed {
    /// The change is done, on this user.
    Done(UserId),
    /// The destinations belong to nobody.
    NoUser,
    /// The destinations do not belong to the same user. Nothing was changed.
    SeveralUsers,
    /// The user was removed at the same time. Nothing was changed.
    RemovedMeanwhile,
    /// The new destination belongs to another user. Nothing was changed.
    Taken,
}

/// Whose some destinations are.
enum Owner {
    One(UserRecord),
    Nobody,
    Several,
}

/// The use cases of operators.
pub struct UserService {
    store: Store,
}

impl UserService {
    /// Users and sessions in this table. Their changes become events, or not.
    #[must_use]
    pub const fn new(table: Table, events: Events) -> Self {
        Self {
            store: Store::new(table, events),
        }
    }

    /// All users, page by page.
    #[must_use]
    pub fn all(&self) -> UserPages<'_> {
        self.store.users()
    }

    /// The user of a destination, with the last login.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn find(&self, destination: &Destination) -> Result<Option<UserRecord>, Fault> {
        self.with_last_login(self.store.find_user_record(destination).await?)
            .await
    }

    /// The user with this id, with the last login.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn find_by_id(&self, id: &UserId) -> Result<Option<UserRecord>, Fault> {
        self.with_last_login(self.store.find_user_by_id(id).await?)
            .await
    }

    async fn with_last_login(&self, user: Option<UserRecord>) -> Result<Option<UserRecord>, Fault> {
        let user = user.into_iter().collect();
        Ok(self.store.with_last_logins(user).await?.pop())
    }

    /// All that is stored of a user, as JSON. Times are milliseconds since 1970.
    ///
    /// # Errors
    ///
    /// The table is unreachable or too slow.
    pub async fn export(&self, user: &UserRecord) -> Result<Value, Fault> {
        let own = user.destinations.iter();
        let destinations: Vec<_> = own.map(|own| own.destination.as_str()).collect();
        Ok(json!({
            "user_id": user.id.as_str(),
            "destinations": destinations,
            "created_at": user.created_at.as_millis(),
            "disabled": user.is_disabled(),
            "claims": user.claims.members(),
            "items": self.store.stored(user).await?,
        }))
    }

    /// Adds a user. Adding the same user again changes nothing.
    ///
    /// # Errors
    ///
    /// The table is unreachable. The user may have been added.
    pub async fn add(
        &self,
        new: NewUser,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Added, Fault> {
        let id = new.id.clone().unwrap_or_else(|| UserId::draw(rng));
        let created_at = new.created_at.unwrap_or(now);
        let own = new.destinations.iter().map(|destination| OwnDestination {
            destination: destination.clone(),
            added_at: created_at,
        });
        let user = UserRecord {
            destinations: own.collect(),
            created_at,
            last_login_at: None,
            disabled_at: new.disabled.unwrap_or_default().then_some(now),
            claims: new.claims.clone().unwrap_or_default(),
            version: now.as_millis(),
            id,
        };
        let operation = OperationId::draw(rng);
        let create = Transition::Create(&user);
        let taken = match self
            .store
            .write_user(create, "add", &operation, now)
            .await?
        {
            UserWritten::Done => return Ok(Added::Done(user.id)),
            UserWritten::Outdated => return Ok(Added::IdTaken(user.id)),
            UserWritten::Taken(destinations) => destinations,
        };
        let holder = match taken.first() {
            Some(destination) => self.store.find_user_record(destination).await?,
            None => None,
        };
        let same = holder.filter(|holder| {
            let has = |own: &OwnDestination| holder.added_at(&own.destination).is_some();
            holder.destinations.len() == user.destinations.len()
                && user.destinations.iter().all(has)
        });
        Ok(match same {
            None => Added::Taken(taken),
            Some(holder) => {
                let disabled_differs = new.disabled.is_some_and(|it| it != holder.is_disabled());
                let claims_differ = new.claims.is_some_and(|it| it != holder.claims);
                let id_differs = new.id.is_some_and(|it| it != holder.id);
                if disabled_differs || claims_differ || id_differs {
                    Added::Differs(holder)
                } else {
                    Added::Exists(holder)
                }
            }
        })
    }

    /// Changes the user who has these destinations. Changing again changes nothing.
    ///
    /// # Errors
    ///
    /// The table is unreachable. The change may be done, or a part of it.
    pub async fn change(
        &self,
        destinations: &[Destination],
        change: Change,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Changed, Fault> {
        let user = match self.owner(destinations).await? {
            Owner::One(user) => user,
            Owner::Nobody => return Ok(Changed::NoUser),
            Owner::Several => return Ok(Changed::SeveralUsers),
        };
        let is_done = match change {
            Change::Disable => self.disable(&user, now, rng).await?.is_some(),
            Change::Enable => self.enable(&user, now, rng).await?,
            Change::Remove => match self.disable(&user, now, rng).await? {
                Some(disabled) => self.remove(&disabled, now, rng).await?,
                None => false,
            },
        };
        Ok(changed(user, is_done))
    }

    /// A disabled user starts no session, so the ones that end here are the last.
    ///
    /// A run that stops anywhere can be repeated, or followed by any other change:
    /// the user stays disabled, and can be found, until the last session has ended.
    async fn disable(
        &self,
        user: &UserRecord,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<UserRecord>, Fault> {
        let disabled = |user: &UserRecord| {
            Some(UserRecord {
                disabled_at: user.disabled_at.or(Some(now)),
                ..user.clone()
            })
        };
        let disabled = self.write(user, "change", disabled, now, rng).await?;
        if disabled.is_some() {
            self.end_sessions(&user.id, now).await?;
        }
        Ok(disabled)
    }

    /// Ends the sessions that an interrupted run left: they would come back with the
    /// user. A user who is not disabled keeps the sessions.
    async fn enable(
        &self,
        user: &UserRecord,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<bool, Fault> {
        if user.is_disabled() {
            self.end_sessions(&user.id, now).await?;
        }
        let enabled = |user: &UserRecord| {
            Some(UserRecord {
                disabled_at: None,
                ..user.clone()
            })
        };
        let enabled = self.write(user, "change", enabled, now, rng);
        Ok(enabled.await?.is_some())
    }

    /// Removes a user, and leaves the sessions, which can do nothing any more. Returns
    /// `false` if the user was removed before.
    ///
    /// Challenges stay until they expire. With `UNKNOWN_USERS=sign-up`, a code that was
    /// issued before the removal can create a new user.
    ///
    /// # Errors
    ///
    /// The table is unreachable. The user may be removed.
    pub async fn remove(
        &self,
        user: &UserRecord,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<bool, Fault> {
        let removed = self.write(user, "change", |_| None, now, rng);
        Ok(removed.await?.is_some())
    }

    /// Turns a user into what the user is to be, however often another change comes first.
    /// Returns the user as it is now or, of a removed one, was; `None` if another change
    /// removed the user.
    async fn write(
        &self,
        user: &UserRecord,
        what: &str,
        change: impl Fn(&UserRecord) -> Option<UserRecord>,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Option<UserRecord>, Fault> {
        let mut found = Some(user.clone());
        for _ in 0..TRIES {
            let Some(before) = found else {
                return Ok(None);
            };
            let after = change(&before);
            let transition = match &after {
                Some(after) => Transition::Change(&before, after),
                None => Transition::Remove(&before),
            };
            let operation = OperationId::draw(rng);
            let written = self.store.write_user(transition, what, &operation, now);
            if written.await? == UserWritten::Done {
                return Ok(Some(UserRecord {
                    version: before.next_version(now),
                    ..after.unwrap_or(before)
                }));
            }
            found = self.store.find_user_by_id(&before.id).await?;
        }
        Err(table::fault("change user", "changed too often meanwhile"))
    }

    /// Sets the claims of the user who has these destinations.
    ///
    /// # Errors
    ///
    /// The table is unreachable. The claims may be set.
    pub async fn set_claims(
        &self,
        destinations: &[Destination],
        claims: &Claims,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Changed, Fault> {
        let user = match self.owner(destinations).await? {
            Owner::One(user) => user,
            Owner::Nobody => return Ok(Changed::NoUser),
            Owner::Several => return Ok(Changed::SeveralUsers),
        };
        let set = |user: &UserRecord| {
            Some(UserRecord {
                claims: claims.clone(),
                ..user.clone()
            })
        };
        let set = self.write(&user, "claims", set, now, rng).await?;
        Ok(changed(user, set.is_some()))
    }

    /// Puts a new destination in the place of one that a user has. The sessions go on.
    ///
    /// # Errors
    ///
    /// The table is unreachable. The destination may be changed.
    pub async fn change_destination(
        &self,
        old: &Destination,
        new: &Destination,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<Changed, Fault> {
        for _ in 0..TRIES {
            let Some(before) = self.store.find_user_record(old).await? else {
                return Ok(Changed::NoUser);
            };
            let mut after = before.clone();
            after.destinations.retain(|own| own.destination != *new);
            for own in &mut after.destinations {
                if own.destination == *old {
                    own.destination = new.clone();
                    own.added_at = now;
                }
            }
            let operation = OperationId::draw(rng);
            let change = Transition::Change(&before, &after);
            let written = self.store.write_user(change, "change", &operation, now);
            match written.await? {
                UserWritten::Done => return Ok(Changed::Done(before.id)),
                UserWritten::Taken(_) => return Ok(Changed::Taken),
                UserWritten::Outdated => {}
            }
        }
        Err(table::fault("change user", "changed too often meanwhile"))
    }

    async fn owner(&self, destinations: &[Destination]) -> Result<Owner, Fault> {
        let mut found: Vec<Option<UserRecord>> = Vec::new();
        for destination in destinations {
            found.push(self.store.find_user_record(destination).await?);
        }
        let id = |user: &Option<UserRecord>| user.as_ref().map(|user| user.id.clone());
        if found.windows(2).any(|pair| id(&pair[0]) != id(&pair[1])) {
            return Ok(Owner::Several);
        }
        Ok(found.pop().flatten().map_or(Owner::Nobody, Owner::One))
    }

    /// The active sessions of a user, the oldest first.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn sessions(&self, user: &UserId, now: UnixTime) -> Result<Vec<Session>, Fault> {
        let mut sessions = self.store.sessions(user).await?;
        sessions.retain(|session| session.expires_at > now);
        sessions.sort_by_key(|session| session.created_at);
        Ok(sessions)
    }

    /// Ends a session. Returns whether there was one with this id.
    ///
    /// # Errors
    ///
    /// The table is unreachable.
    pub async fn end_session(
        &self,
        user: &UserId,
        id: &SessionId,
        now: UnixTime,
    ) -> Result<bool, Fault> {
        let is_known = self.store.find_session(user, id).await?.is_some();
        if is_known {
            self.store.end_session(user, id, now).await?;
        }
        Ok(is_known)
    }

    /// Ends every session of a user. Returns how many there were.
    ///
    /// # Errors
    ///
    /// The table is unreachable or too slow. Some sessions may have ended.
    pub async fn end_sessions(&self, user: &UserId, now: UnixTime) -> Result<usize, Fault> {
        self.store.end_sessions(user, Ending::All, now).await
    }
}

fn changed(user: UserRecord, is_done: bool) -> Changed {
    if is_done {
        Changed::Done(user.id)
    } else {
        Changed::RemovedMeanwhile
    }
}
