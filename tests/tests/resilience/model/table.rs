//! Compares the table with the model at the end of a story.

use std::collections::BTreeMap;

use proptest::{prop_assert, prop_assert_eq, test_runner::TestCaseError};
use tests::table::{attempts, number, partition_key};

use super::{
    limits::{HELD, kept, mailbox_key},
    operations::DESTINATIONS,
    rules::DAY,
    runner::StoryRun,
};

impl StoryRun<'_> {
    /// The table must hold everything that the model knows, and no other challenge or session.
    pub async fn compare_table(&self) -> Result<(), TestCaseError> {
        for to in (0..DESTINATIONS).map(|to| self.destination(to)) {
            let items = self.app.partition(&partition_key(&to)).await;
            let challenges = self.app.challenges(&to).await;
            let mut challenges: Vec<_> = challenges
                .values()
                .map(|item| (number(item, "issued_at").unwrap(), attempts(item)))
                .collect();
            challenges.sort_unstable();
            let expected = self.model.challenges.iter();
            let mut expected: Vec<_> = expected
                .filter(|it| it.to == to && it.in_table)
                .map(|it| (i64::try_from(it.issued_at).unwrap(), it.attempts.len()))
                .collect();
            // The second instance may issue before the first.
            expected.sort_unstable();
            prop_assert_eq!(challenges, expected, "challenges and their attempts");
            let moment =
                |sort: &str, name: &str| items.get(sort).and_then(|item| number(item, name));
            let known = |at: Option<&u64>| at.map(|at| i64::try_from(*at).unwrap());
            self.compare_sends(&to).await?;
            let last = moment("user", "last_login_at");
            prop_assert_eq!(
                last,
                known(self.model.last_login.get(&to)),
                "the last login"
            );
            let sessions = self.model.sessions.iter();
            let sessions = sessions.filter(|it| it.to == to && it.in_table).count();
            prop_assert_eq!(self.app.sessions_of(&to).await, sessions, "sessions");
        }
        for ((scope, sort), guard) in &self.model.guards {
            let item = &self.app.partition(scope).await[*sort];
            let held = ["unproven", "proven"].map(|name| number(item, name).unwrap_or_default());
            prop_assert_eq!(held, [guard.unproven, guard.proven], "{} {}", scope, sort);
        }
        for ((scope, sort), count) in &self.model.counters {
            let admitted = if sort.starts_with("sms-day") {
                self.text_messages(sort).await
            } else {
                let items = self.app.partition(scope).await;
                let (sort, name) = kept(sort);
                items.get(&sort).and_then(|item| number(item, &name))
            };
            prop_assert_eq!(admitted, Some(i64::from(*count)), "{} {}", scope, sort);
        }
        Ok(())
    }

    /// The last send of each day, and whether the table keeps each code as long as it may live.
    async fn compare_sends(&self, to: &str) -> Result<(), TestCaseError> {
        let mailbox = self.app.partition(&mailbox_key(to)).await;
        let days = mailbox.iter().filter_map(|(sort, item)| {
            let day = sort.strip_prefix("sends#")?.parse::<u64>().ok()?;
            Some((day * 1000 / DAY, item))
        });
        let mut held = BTreeMap::new();
        for (day, item) in days {
            let sent_at = number(item, &format!("sent_at#{to}"));
            held.extend(sent_at.map(|at| (day, at.unsigned_abs())));
            let sweep = number(item, "expires_at_seconds").unwrap().unsigned_abs() * 1000;
            for challenge in &self.model.challenges {
                let is_here = challenge.in_table
                    && mailbox_key(&challenge.to) == mailbox_key(to)
                    && challenge.issued_at / DAY == day;
                // The table sweeps by whole seconds.
                let lives = challenge.expires_at / 1000 * 1000;
                prop_assert!(!is_here || sweep >= lives, "swept while a code lives");
            }
        }
        let sends = self.model.sent_at.iter();
        let sends = sends.filter(|((of, _), _)| of == to);
        let expected: BTreeMap<u64, u64> = sends.map(|((_, day), at)| (*day, *at)).collect();
        prop_assert_eq!(held, expected, "the last send of each day");
        Ok(())
    }

    /// The text messages of a day in all of their counters, without those that the story began
    /// with.
    async fn text_messages(&self, sort: &str) -> Option<i64> {
        let mut sum = 0;
        for (shard, held) in HELD.iter().enumerate() {
            let items = self.app.partition(&format!("deployment#{shard}")).await;
            let counted = number(&items[sort], "admitted")?;
            sum += counted - i64::try_from(*held).unwrap();
        }
        Some(sum)
    }
}
