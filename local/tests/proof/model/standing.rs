//! What stands in the table when a story ends.

use proptest::{prop_assert_eq, test_runner::TestCaseError};

use super::{driver::Telling, operations::DESTINATIONS};
use crate::service::{number, partition_name, spent};

impl Telling<'_> {
    /// Everything that the model knows of must stand, and no other challenge or
    /// family.
    pub async fn compare_table(&self) -> Result<(), TestCaseError> {
        for to in (0..DESTINATIONS).map(|to| self.destination(to)) {
            let items = self.service.partition(&partition_name(&to)).await;
            let mut stand: Vec<_> = items
                .iter()
                .filter(|(sort, _)| sort.starts_with("challenge#"))
                .map(|(_, item)| (number(item, "issued_at").unwrap(), spent(item)))
                .collect();
            stand.sort_unstable();
            let expected = self.model.challenges.iter();
            let expected: Vec<_> = expected
                .filter(|it| it.to == to && it.stands)
                .map(|it| (i64::try_from(it.issued_at).unwrap(), it.spent))
                .collect();
            prop_assert_eq!(stand, expected, "challenges and their attempts");
            let moment =
                |sort: &str, name: &str| items.get(sort).and_then(|item| number(item, name));
            let known = |at: Option<&u64>| at.map(|at| i64::try_from(*at).unwrap());
            let sent_at = moment("cooldown", "sent_at");
            prop_assert_eq!(sent_at, known(self.model.sent_at.get(&to)), "the last send");
            let last = moment("user", "last_login_at");
            prop_assert_eq!(
                last,
                known(self.model.last_login.get(&to)),
                "the last login"
            );
            let families = self.model.families.iter();
            let families = families.filter(|it| it.to == to && it.stands).count();
            prop_assert_eq!(self.service.families(&to).await, families, "families");
        }
        for ((scope, sort), count) in &self.model.counters {
            let items = self.service.partition(scope).await;
            let admitted = items.get(sort).and_then(|item| number(item, "admitted"));
            prop_assert_eq!(admitted, Some(i64::from(*count)), "{} {}", scope, sort);
        }
        Ok(())
    }
}
