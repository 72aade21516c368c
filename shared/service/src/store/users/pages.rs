use otp_domain::UserRecord;

use super::super::{Store, item};
use crate::{
    fault::{Dependency, Fault},
    table::{Item, attributes::text},
};

/// Items per call: few enough to arrive within the timeout over a slow line.
const PAGE: i32 = 500;

impl Store {
    /// All users, page by page.
    #[must_use]
    pub const fn users(&self) -> UserPages<'_> {
        UserPages {
            store: self,
            from: None,
            ended: false,
        }
    }
}

/// The pages of a scan for all users.
pub struct UserPages<'a> {
    store: &'a Store,
    from: Option<Item>,
    ended: bool,
}

impl UserPages<'_> {
    /// The next users in any order, with their last logins; a page may be empty. `None` after
    /// the last page.
    ///
    /// # Errors
    ///
    /// The table is unreachable, or an item in it is malformed.
    pub async fn next(&mut self) -> Result<Option<Vec<UserRecord>>, Fault> {
        if self.ended {
            return Ok(None);
        }
        let output = self
            .store
            .table
            .client
            .scan()
            .table_name(&self.store.table.name)
            .filter_expression("sk = :sort AND begins_with(pk, :prefix)")
            .expression_attribute_values(":sort", text(item::SORT_KEY))
            .expression_attribute_values(":prefix", text(item::USER_PREFIX))
            .set_exclusive_start_key(self.from.take())
            .limit(PAGE)
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Fault::from_sdk(Dependency::Table, "Scan", &error))?;
        let users = output.items().iter().map(item::record);
        let users = self
            .store
            .with_last_logins(users.collect::<Result<_, _>>()?);
        let users = users.await?;
        self.from = output.last_evaluated_key;
        self.ended = self.from.is_none();
        Ok(Some(users))
    }
}
