use std::collections::HashMap;

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
    pub fn users(&self) -> UserPages<'_> {
        UserPages {
            store: self,
            from: None,
            ended: false,
            partial: HashMap::new(),
        }
    }
}

/// The pages of a scan for all users.
pub struct UserPages<'a> {
    store: &'a Store,
    from: Option<Item>,
    ended: bool,
    /// Incomplete users, with the number of items found: a user's items may be
    /// anywhere in the table.
    partial: HashMap<String, (UserRecord, usize)>,
}

impl UserPages<'_> {
    /// The next users in any order; a page may be empty. `None` after the last
    /// page.
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
            .filter_expression("sk = :user AND attribute_exists(user_id)")
            .expression_attribute_values(":user", text("user"))
            .set_exclusive_start_key(self.from.take())
            .limit(PAGE)
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Fault::from_sdk(Dependency::Table, "Scan", &error))?;
        let mut users = Vec::new();
        for item in output.items() {
            users.extend(self.join(item::user_record(item)?));
        }
        self.from = output.last_evaluated_key;
        self.ended = self.from.is_none();
        if self.ended {
            // Users removed during the scan, as far as their items were found.
            users.extend(self.partial.drain().map(|(_, (user, _))| user));
        }
        Ok(Some(users))
    }

    /// Adds one item to its user. Returns the user if it is complete.
    fn join(&mut self, part: UserRecord) -> Option<UserRecord> {
        let (id, items) = (part.id.as_str().to_owned(), part.destinations.len());
        let Some((mut user, seen)) = self.partial.remove(&id) else {
            if items == 1 {
                return Some(part);
            }
            self.partial.insert(id, (part, 1));
            return None;
        };
        user.last_login_at = user.last_login_at.max(part.last_login_at);
        user.disabled |= part.disabled;
        if seen + 1 == items {
            return Some(user);
        }
        self.partial.insert(id, (user, seen + 1));
        None
    }
}
