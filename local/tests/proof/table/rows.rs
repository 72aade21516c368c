//! What comes of it.

use super::scenes::Request::{
    self, Copied, Keys, Login, LoginBySms, LoginCold, LoginUndelivered, LoginWithKey, Logout,
    LogoutAll, Me, MeCold, Refresh, RefreshCold, Validate, ValidateBySms, ValidateCold,
    ValidateUnnamed,
};
use crate::faults::Call;

pub struct Row {
    pub request: Request,
    pub call: Call,
    /// The longest that the request takes on account of it, in seconds.
    pub within: u64,
    /// As it ends without a fault, with a late answer, and where one attempt
    /// fails that is repeated.
    pub fine: End,
    /// One attempt fails, and nothing is done by it; unless as `fine`.
    pub once_refused: Option<End>,
    /// The answer to one attempt is lost; unless as `fine`.
    pub once_lost: Option<End>,
    /// Every attempt fails, and nothing is done.
    pub refused: End,
    /// The call is done, and no answer arrives.
    pub lost: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// The status that the client sees.
    pub answer: u16,
    pub messages: usize,
    pub stands: &'static str,
    /// The status of the same request once more, when nothing fails any longer.
    pub again: u16,
}

const fn end(answer: u16, messages: usize, stands: &'static str, again: u16) -> End {
    End {
        answer,
        messages,
        stands,
        again,
    }
}

/// A row whose repeated attempts leave no trace, and to whose caller it is the
/// same whether the call was done.
const fn row(request: Request, call: Call, within: u64, fine: End, failed: End) -> Row {
    Row {
        request,
        call,
        within,
        fine,
        once_refused: None,
        once_lost: None,
        refused: failed,
        lost: failed,
    }
}

impl Row {
    const fn but_lost(self, lost: End) -> Self {
        Self { lost, ..self }
    }

    const fn but_once(self, refused: End, lost: End) -> Self {
        Self {
            once_refused: Some(refused),
            once_lost: Some(lost),
            ..self
        }
    }

    /// The row as lines of a Markdown table. That all is `fine` goes without
    /// saying.
    pub fn lines(&self) -> Vec<String> {
        let once = [
            ("refused once", self.once_refused),
            ("lost once", self.once_lost),
        ];
        let always = if self.refused == self.lost {
            vec![("refused or lost", self.refused)]
        } else {
            vec![("refused", self.refused), ("lost", self.lost)]
        };
        let once = once
            .into_iter()
            .filter_map(|(what, end)| Some((what, end?)));
        let ends = once.filter(|(_, end)| *end != self.fine).chain(always);
        ends.map(|(what, end)| {
            format!(
                "| {} | {:?} | {what} | {} | {} | {} | {} | {} s |",
                self.request.words(),
                self.call,
                end.answer,
                end.messages,
                end.stands,
                end.again,
                self.within
            )
        })
        .collect()
    }
}

pub const NOTHING: &str = "nothing";
pub const CHALLENGE: &str = "challenge, counted";
pub const UNSPENT: &str = "challenge";
pub const SPENT: &str = "challenge, attempt";
pub const REDEEMED: &str = "attempt, login";
pub const FAMILY: &str = "login";
pub const RENEWED: &str = "login, renewed";
pub const ENDED: &str = "no login";

const SENT: End = end(200, 1, CHALLENGE, 429);
const NOT_SENT: End = end(503, 0, NOTHING, 200);
const STUCK: End = end(503, 0, CHALLENGE, 429);
const REPEATABLE: End = end(200, 1, CHALLENGE, 200);
const LOGGED_IN: End = end(200, 0, REDEEMED, 400);
const COSTS_NOTHING: End = end(503, 0, UNSPENT, 200);
const COSTS_AN_ATTEMPT: End = end(503, 0, SPENT, 200);
const REFRESHED: End = end(200, 0, RENEWED, 200);
const NOT_REFRESHED: End = end(503, 0, FAMILY, 200);
const LEFT: End = end(204, 0, ENDED, 204);
const NOT_LEFT: End = end(503, 0, FAMILY, 204);
const KNOWN: End = end(200, 0, "", 200);
const UNKNOWN: End = end(503, 0, "", 200);

pub const ROWS: [Row; 29] = [
    row(LoginCold, Call::DigestKey, 3, SENT, NOT_SENT),
    row(Login, Call::Admit, 4, SENT, NOT_SENT).but_lost(STUCK),
    row(Login, Call::User, 3, SENT, STUCK),
    row(Login, Call::Email, 6, SENT, end(502, 0, NOTHING, 200))
        .but_lost(end(502, 2, NOTHING, 200))
        .but_once(SENT, end(200, 2, CHALLENGE, 429)),
    row(LoginBySms, Call::Sms, 4, SENT, end(502, 0, NOTHING, 200))
        .but_lost(end(502, 1, NOTHING, 200))
        .but_once(end(502, 0, NOTHING, 200), end(502, 1, NOTHING, 200)),
    row(
        LoginUndelivered,
        Call::Withdraw,
        4,
        end(502, 0, NOTHING, 200),
        STUCK,
    )
    .but_lost(NOT_SENT),
    row(LoginWithKey, Call::Remember, 3, REPEATABLE, REPEATABLE),
    row(ValidateCold, Call::DigestKey, 3, LOGGED_IN, COSTS_NOTHING),
    row(
        Validate,
        Call::CountValidation,
        4,
        LOGGED_IN,
        COSTS_AN_ATTEMPT,
    ),
    row(ValidateUnnamed, Call::Newest, 3, LOGGED_IN, COSTS_NOTHING),
    row(Validate, Call::Spend, 4, LOGGED_IN, COSTS_NOTHING).but_lost(COSTS_AN_ATTEMPT),
    row(Validate, Call::User, 3, LOGGED_IN, COSTS_AN_ATTEMPT),
    row(ValidateCold, Call::PublicKey, 3, LOGGED_IN, COSTS_NOTHING),
    row(Validate, Call::Sign, 3, LOGGED_IN, COSTS_AN_ATTEMPT),
    row(Validate, Call::Redeem, 4, LOGGED_IN, COSTS_AN_ATTEMPT)
        .but_lost(end(503, 0, REDEEMED, 400)),
    row(ValidateBySms, Call::Prove, 1, LOGGED_IN, LOGGED_IN),
    row(Refresh, Call::Family, 3, REFRESHED, NOT_REFRESHED),
    row(Refresh, Call::User, 3, REFRESHED, NOT_REFRESHED),
    row(RefreshCold, Call::PublicKey, 3, REFRESHED, NOT_REFRESHED),
    row(Refresh, Call::Sign, 3, REFRESHED, NOT_REFRESHED),
    row(Refresh, Call::Rotate, 4, REFRESHED, NOT_REFRESHED).but_lost(end(503, 0, RENEWED, 200)),
    row(
        Copied,
        Call::EndFamily,
        4,
        end(400, 0, ENDED, 400),
        end(503, 0, RENEWED, 400),
    )
    .but_lost(end(503, 0, ENDED, 400)),
    row(Logout, Call::Family, 3, LEFT, NOT_LEFT),
    row(Logout, Call::EndFamily, 4, LEFT, NOT_LEFT).but_lost(end(503, 0, ENDED, 204)),
    row(LogoutAll, Call::Families, 3, LEFT, NOT_LEFT),
    row(LogoutAll, Call::EndFamily, 4, LEFT, NOT_LEFT).but_lost(end(503, 0, ENDED, 204)),
    row(MeCold, Call::PublicKey, 3, KNOWN, UNKNOWN),
    row(Me, Call::User, 3, KNOWN, UNKNOWN),
    row(Keys, Call::PublicKey, 3, KNOWN, UNKNOWN),
];
