//! Compares the table with the model at the end of a story.

use proptest::{prop_assert_eq, test_runner::TestCaseError};
use tests::table::{attempts, number, partition_key};

use super::{
    limits::{HELD, kept},
    operations::DESTINATIONS,
    rules::{COOLDOWN, DAY},
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
            let sent_at = self.model.sent_at.get(&to);
            let held = moment("guesses", "cooling_until");
            let sent_at = sent_at.map(|at| at + COOLDOWN);
            prop_assert_eq!(held, known(sent_at.as_ref()), "the cooldown");
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
        for (mailbox, until) in &self.model.sends_until {
            let items = self.app.partition(mailbox).await;
            let held = items.get("sends").and_then(|it| number(it, "sends_until"));
            prop_assert_eq!(held, Some(i64::try_from(*until).unwrap()), "{}", mailbox);
        }
        for ((scope, name), guard) in &self.model.guards {
            let item = &self.app.partition(scope).await["messages"];
            let held = ["unproven", "proven"].map(|name| number(item, name).unwrap_or_default());
            prop_assert_eq!(held, [guard.unproven, guard.proven], "{} {}", scope, name);
        }
        for ((scope, sort), count) in &self.model.counters {
            if is_dropped(sort, self.model.now) {
                continue;
            }
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

    /// The text messages of a day in all of their counters, without those that the story began
    /// with.
    async fn text_messages(&self, sort: &str) -> Option<i64> {
        let mut sum = 0;
        for (shard, held) in HELD.iter().enumerate() {
            let items = self
                .app
                .partition(&format!("deployment#phone#{shard}"))
                .await;
            let counted = number(&items["messages"], sort)?;
            sum += counted - i64::try_from(*held).unwrap();
        }
        Some(sum)
    }
}

/// Whether some counters of text messages may have dropped this day, and others not: each drops
/// what is two days old when it counts.
fn is_dropped(sort: &str, now: u64) -> bool {
    let start = sort.strip_prefix("sms-day#");
    let day = start.map(|start| start.parse::<u64>().expect("a start") * 1000 / DAY);
    day.is_some_and(|day| day < now / DAY)
}
