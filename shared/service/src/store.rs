//! Users and sessions in the table. Each method is one call and its retries.

mod adding;
mod events;
mod item;
mod redeem;
mod removal;
mod sessions;
mod users;

use otp_domain::{Destination, User};

pub use adding::Adding;
pub use events::Events;
pub use redeem::{Redeeming, Redemption};
pub use removal::{Undo, Undoing};
pub use sessions::{Ending, Rotation};
pub use users::{Transition, UserPages, UserWritten};

use crate::{
    fault::Fault,
    table::{Item, Table},
};

/// Access to users and sessions.
pub struct Store {
    table: Table,
    events: Events,
}

impl Store {
    /// A store in this table, whose changes become events or not.
    #[must_use]
    pub const fn new(table: Table, events: Events) -> Self {
        Self { table, events }
    }

    /// The key of the item of a destination's user.
    pub(crate) fn key_of_user(destination: &Destination) -> Item {
        item::user_key(destination)
    }

    /// Reads the user in that item, if it has one.
    pub(crate) fn read_user(item: &Item) -> Result<Option<User>, Fault> {
        let user = Some(item).filter(|item| item::is_user(item));
        user.map(item::user).transpose()
    }

    /// The user of `destination`, if there is one.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn find_user(&self, destination: &Destination) -> Result<Option<User>, Fault> {
        let user = self.table.get(item::user_key(destination)).await?;
        user.map_or(Ok(None), |item| Self::read_user(&item))
    }
}
