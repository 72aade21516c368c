//! The room for e-mails that are lost: SES reviews an account at 5 % hard bounces.
//!
//! docs/decisions/networks.md derives the rule.

/// The e-mails of 30 days, as one counter has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailCount {
    /// All of them.
    pub sent: i64,
    /// Those to mailboxes that were not proven.
    pub unproven: i64,
    /// Of these, those whose codes came back.
    pub returned: i64,
    /// Of these, those that were sent so lately that their codes may still come back.
    pub recent: i64,
    /// Those that were reported as hard bounces.
    pub bounced: i64,
}

/// What may be lost in 30 days, whatever is sent.
pub const LEAST_ROOM: u32 = 20;

/// What may be lost of 100 e-mails.
const PERCENT: i64 = 4;

impl MailCount {
    /// The codes that may still come back.
    fn under_way(&self) -> i64 {
        self.recent.min(self.unproven - self.returned).max(0)
    }

    /// How many count as lost: those that were reported, or else those that did not come back,
    /// as far as those of other unproven mailboxes did not either.
    fn lost(&self, are_reported: bool) -> i64 {
        if are_reported {
            return self.bounced;
        }
        let missing = (self.unproven - self.returned).max(0);
        let over = missing - self.under_way();
        let weighted = over * missing / self.unproven.max(1);
        weighted.max(self.bounced)
    }

    /// Whether a counter that has this share of the least room has some for one more e-mail of
    /// a network that owes so many. To such a network, a code under way is as good as lost.
    #[must_use]
    pub fn has_room(&self, least: u32, owed: u32, are_reported: bool) -> bool {
        let by_mail = u32::try_from(self.sent.max(0) * PERCENT / 100).unwrap_or(u32::MAX);
        let room = least.max(by_mail).saturating_sub(owed.div_ceil(2));
        let held = match owed {
            0 => 0,
            _ => self.under_way(),
        };
        self.lost(are_reported) + held < i64::from(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has_room(count: MailCount) -> bool {
        count.has_room(LEAST_ROOM, 0, false)
    }

    #[test]
    fn twenty_may_be_lost_or_four_percent() {
        let lost = |unproven, sent| MailCount {
            sent,
            unproven,
            ..MailCount::default()
        };
        assert!(has_room(lost(19, 19)) && !has_room(lost(20, 20)));
        assert!(has_room(lost(39, 1000)) && !has_room(lost(40, 1000)));
    }

    #[test]
    fn a_code_is_not_lost_while_it_may_come_back() {
        let count = MailCount {
            unproven: 60,
            recent: 45,
            ..MailCount::default()
        };
        assert!(has_room(count));
        assert!(!has_room(MailCount {
            recent: 40,
            ..count
        }));
    }

    #[test]
    fn codes_that_come_back_lower_the_weight_of_those_that_do_not() {
        // One in five of 500 new users: a hundred, of which a fifth counts.
        let honest = MailCount {
            unproven: 500,
            returned: 400,
            ..MailCount::default()
        };
        assert!(!has_room(honest));
        assert!(has_room(MailCount {
            unproven: 490,
            returned: 392,
            ..honest
        }));
    }

    #[test]
    fn what_is_reported_counts_and_nothing_else_if_all_is_reported() {
        let reported = MailCount {
            unproven: 500,
            bounced: 19,
            ..MailCount::default()
        };
        assert!(reported.has_room(LEAST_ROOM, 0, true) && !has_room(reported));
        let bounced = MailCount {
            bounced: 20,
            ..MailCount::default()
        };
        assert!(!has_room(bounced) && !bounced.has_room(LEAST_ROOM, 0, true));
    }

    #[test]
    fn a_network_that_owes_leaves_room_to_others() {
        let count = MailCount {
            unproven: 16,
            recent: 16,
            ..MailCount::default()
        };
        assert!(count.has_room(LEAST_ROOM, 0, false));
        assert!(count.has_room(LEAST_ROOM, 6, false));
        assert!(!count.has_room(LEAST_ROOM, 8, false));
    }
}
