use otp_domain::{OperationId, UnixTime, UserRecord};

use super::{Store, Transition, UserWritten};
use crate::{
    fault::Fault,
    ledger::ChargedGuess,
    table::{Written, condition_failed},
};

/// A destination that a right code adds to a user.
pub struct Adding<'a> {
    /// The right guess at the challenge.
    pub guess: &'a ChargedGuess<'a>,
    /// Whether the wrong guesses of the client are taken off.
    pub takes_off_guesses: bool,
    /// The user as it was read.
    pub before: &'a UserRecord,
    /// The user with the destination.
    pub after: &'a UserRecord,
}

impl Store {
    /// Adds a destination to a user, uses its code up, and tells the ledger that the code came
    /// back, in one transaction. `nth` counts the tries of one operation. Returns `None` if
    /// the code was used before.
    ///
    /// # Errors
    ///
    /// The table is unavailable.
    pub async fn add_destination(
        &self,
        adding: &Adding<'_>,
        operation: &OperationId,
        nth: u8,
        now: UnixTime,
    ) -> Result<Option<UserWritten>, Fault> {
        let change = Transition::Change(adding.before, adding.after);
        let writes = self.writes(change, now);
        let of_user = writes.len();
        let returned = adding.guess.returns(now, adding.takes_off_guesses);
        let token = format!("adding-{}-{nth}", operation.as_str());
        let actions = writes.into_iter().chain(returned);
        let Written::Cancelled(reasons) = self.table.transact(&token, actions).await? else {
            return Ok(Some(UserWritten::Done));
        };
        let failed: Vec<bool> = reasons.iter().map(condition_failed).collect();
        let (of_user, others) = failed.split_at(of_user.min(failed.len()));
        let is_used = others.contains(&true) && !of_user.contains(&true);
        Ok((!is_used).then(|| change.judge(of_user)))
    }
}
