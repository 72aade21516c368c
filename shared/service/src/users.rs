//! The use cases of operators: users are added, changed, listed and removed, with
//! their sessions.

use otp_domain::{
    Claims, Destination, OperationId, Session, SessionId, UnixTime, UserId, UserRecord,
};
use rand::CryptoRng;

use crate::{
    fault::Fault,
    store::{AddUser, Ending, Store},
    table::Table,
};

pub use crate::store::{Change, UserPages};

/// A user to be added.
#[derive(Clone, Debug)]
pub struct NewUser {
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
    /// Users and sessions in this table.
    #[must_use]
    pub const fn new(table: Table) -> Self {
        Self {
            store: Store::new(table),
        }
    }

    /// All users, page by page.
    #[must_use]
    pub fn all(&self) -> UserPages<'_> {
        self.store.users()
    }

    /// The user of a destination.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn find(&self, destination: &Destination) -> Result<Option<UserRecord>, Fault> {
        self.store.find_user_record(destination).await
    }

    /// The user with this id. Without a session of the user, it reads the whole table.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn find_by_id(&self, id: &UserId) -> Result<Option<UserRecord>, Fault> {
        self.store.find_user_by_id(id).await
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
        let user = UserRecord {
            id: UserId::draw(rng),
            destinations: new.destinations,
            created_at: now,
            last_login_at: None,
            disabled: new.disabled.unwrap_or_default(),
            claims: new.claims.clone().unwrap_or_default(),
        };
        let taken = match self.store.add_user(&user).await? {
            AddUser::Added => return Ok(Added::Done(user.id)),
            AddUser::Taken(destinations) => destinations,
        };
        let holder = match taken.first() {
            Some(destination) => self.find(destination).await?,
            None => None,
        };
        let same = holder.filter(|holder| holder.destinations == user.destinations);
        Ok(match same {
            None => Added::Taken(taken),
            Some(holder) => {
                let disabled_differs = new.disabled.is_some_and(|it| it != holder.disabled);
                let claims_differ = new.claims.is_some_and(|it| it != holder.claims);
                if disabled_differs || claims_differ {
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
            Change::Disable => self.disable(&user, now, rng).await?,
            Change::Enable => self.enable(&user, now, rng).await?,
            Change::Remove => {
                self.disable(&user, now, rng).await? && self.remove(&user, now, rng).await?
            }
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
    ) -> Result<bool, Fault> {
        let is_done = self.write(user, Change::Disable, now, rng).await?;
        if is_done {
            self.end_sessions(&user.id).await?;
        }
        Ok(is_done)
    }

    /// Ends the sessions that an interrupted run left: they would come back with the
    /// user. A user who is not disabled keeps the sessions.
    async fn enable(
        &self,
        user: &UserRecord,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<bool, Fault> {
        if user.disabled {
            self.end_sessions(&user.id).await?;
        }
        self.write(user, Change::Enable, now, rng).await
    }

    /// Removes a user, and leaves the sessions, which can do nothing any more. Returns
    /// `false` if the user was removed before.
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
        self.write(user, Change::Remove, now, rng).await
    }

    async fn write(
        &self,
        user: &UserRecord,
        change: Change,
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Result<bool, Fault> {
        let operation = OperationId::draw(rng);
        self.store.change_user(user, change, &operation, now).await
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
        rng: &mut impl CryptoRng,
    ) -> Result<Changed, Fault> {
        let user = match self.owner(destinations).await? {
            Owner::One(user) => user,
            Owner::Nobody => return Ok(Changed::NoUser),
            Owner::Several => return Ok(Changed::SeveralUsers),
        };
        let operation = OperationId::draw(rng);
        let is_done = self.store.set_claims(&user, claims, &operation).await?;
        Ok(changed(user, is_done))
    }

    async fn owner(&self, destinations: &[Destination]) -> Result<Owner, Fault> {
        let mut found: Vec<Option<UserRecord>> = Vec::new();
        for destination in destinations {
            found.push(self.find(destination).await?);
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
    pub async fn end_session(&self, user: &UserId, id: &SessionId) -> Result<bool, Fault> {
        let is_known = self.store.find_session(user, id).await?.is_some();
        if is_known {
            self.store.end_session(user, id).await?;
        }
        Ok(is_known)
    }

    /// Ends every session of a user. Returns how many there were.
    ///
    /// # Errors
    ///
    /// The table is unreachable or too slow. Some sessions may have ended.
    pub async fn end_sessions(&self, user: &UserId) -> Result<usize, Fault> {
        self.store.end_sessions(user, Ending::All).await
    }
}

fn changed(user: UserRecord, is_done: bool) -> Changed {
    if is_done {
        Changed::Done(user.id)
    } else {
        Changed::RemovedMeanwhile
    }
}
