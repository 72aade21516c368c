//! One operation on one user.

use otp_domain::{Destination, UnixTime, UserId, UserRecord};
use otp_service::{
    ambient,
    fault::Fault,
    users::{Added, Change, Changed, NewUser, UserService},
};

use crate::rows::{Need, Row};

const NO_USER: &str = "no such user";
const SEVERAL_USERS: &str = "the destinations do not belong to the same user";
const TAKEN: &str = "the new destination already belongs to a user";
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
    /// Put the second destination of the row in the place of the first.
    ChangeDestination,
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
            Self::SetClaims | Self::ChangeDestination => "changed",
        }
    }

    /// Runs the operation on the user of `row`.
    pub async fn run(
        self,
        users: &UserService,
        row: &Row,
        now: UnixTime,
    ) -> Result<Outcome, Fault> {
        let rng = &mut ambient::rng();
        let to = match &row.id {
            Some(id) if row.destinations.is_empty() => match users.find_by_id(id).await? {
                Some(user) => user
                    .destinations
                    .into_iter()
                    .map(|own| own.destination)
                    .collect(),
                None => Vec::new(),
            },
            _ => row.destinations.clone(),
        };
        let changed = match self {
            _ if to.is_empty() => Changed::NoUser,
            Self::Add => {
                let new = NewUser {
                    id: row.id.clone(),
                    destinations: to,
                    created_at: row.created_at,
                    disabled: row.disabled,
                    claims: row.claims.clone(),
                };
                return users.add(new, now, rng).await.map(added);
            }
            Self::ChangeDestination => match &to[..] {
                [old, new] => users.change_destination(old, new, now, rng).await?,
                _ => Changed::NoUser,
            },
            Self::Change(change) => users.change(&to, change, now, rng).await?,
            Self::SetClaims => {
                let claims = row.claims.clone().unwrap_or_default();
                users.set_claims(&to, &claims, now, rng).await?
            }
        };
        Ok(match changed {
            Changed::Done(id) => Outcome::Done(id),
            Changed::NoUser if self.removes() => Outcome::Unchanged(NO_USER.to_owned()),
            Changed::NoUser => Outcome::Failed(NO_USER.to_owned()),
            Changed::SeveralUsers => Outcome::Failed(SEVERAL_USERS.to_owned()),
            Changed::RemovedMeanwhile => Outcome::Failed(REMOVED_MEANWHILE.to_owned()),
            Changed::Taken => Outcome::Failed(TAKEN.to_owned()),
        })
    }

    /// What its rows need.
    pub const fn need(self) -> Need {
        match self {
            Self::Add => Need::Destination,
            Self::Change(_) | Self::ChangeDestination => Need::User,
            Self::SetClaims => Need::Claims,
        }
    }

    const fn removes(self) -> bool {
        matches!(self, Self::Change(Change::Remove))
    }
}

/// The destinations as one text.
pub fn join(destinations: &[Destination]) -> String {
    let texts: Vec<_> = destinations.iter().map(Destination::as_str).collect();
    texts.join(", ")
}

fn added(added: Added) -> Outcome {
    let exists = |holder: &UserRecord| {
        let state = if holder.is_disabled() {
            ", disabled"
        } else {
            ""
        };
        format!("already exists, user_id {}{state}", holder.id.as_str())
    };
    match added {
        Added::Done(id) => Outcome::Done(id),
        Added::Exists(holder) => Outcome::Unchanged(exists(&holder)),
        Added::Differs(holder) => Outcome::Failed(exists(&holder)),
        Added::IdTaken(id) => {
            Outcome::Failed(format!("user_id {} already belongs to a user", id.as_str()))
        }
        Added::Taken(taken) => {
            Outcome::Failed(format!("{} already belongs to a user", join(&taken)))
        }
    }
}
