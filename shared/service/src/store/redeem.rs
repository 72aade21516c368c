use aws_sdk_dynamodb::{
    error::BuildError,
    types::{Put, ReturnValuesOnConditionCheckFailure as OnFailure, TransactWriteItem, Update},
};

use otp_domain::{
    Challenge, Claims, OperationId, ResolvedUser, Session, UnixTime, User, UserRecord,
};

use super::{Store, Transition, item};
use crate::{
    fault::Fault,
    ledger::ChargedGuess,
    table::{
        Item, Written,
        attributes::{millis, number, text, time},
        condition_failed, fault,
    },
};

/// The user has not logged in since the challenge was issued.
const UNUSED: &str = "(attribute_not_exists(last_login_at) OR last_login_at < :issued_at)";

/// The outcome of a redemption.
pub enum Redemption {
    /// The session has started.
    Won,
    /// The user has logged in since the challenge was issued. Holds the user as it
    /// is now, or `None` if it was removed.
    Lost(Option<User>),
    /// Nothing is used, but the user is no longer the one that the token names, or
    /// has other claims, or is disabled. Holds the user as it is now, or `None` if
    /// there is none.
    Changed(Option<User>),
    /// Nothing is used: the challenge is withdrawn, because its code was not sent.
    Withdrawn,
}

/// What a redemption writes, if the user is still as the access token says.
pub struct Redeeming<'a> {
    /// The right guess at the challenge.
    pub guess: &'a ChargedGuess<'a>,
    /// The user of the token.
    pub user: &'a ResolvedUser,
    /// The claims of the token.
    pub claims: &'a Claims,
    /// The session that the token belongs to.
    pub session: &'a Session,
    /// Whether the user gets to know a new device.
    pub adds_device: bool,
    /// Whether the wrong guesses of the client or device are taken off.
    pub takes_off_guesses: bool,
}

impl Store {
    /// Records the login of the destination's user, starts the session, and tells the
    /// ledger that the code came back, in one transaction with one winner.
    ///
    /// The conditions are that the user has not logged in since the challenge was
    /// issued, and is still the active user, or nobody, whom the token names with
    /// these claims. The write therefore uses this challenge and voids every earlier
    /// one of the destination. `nth` counts the redemptions of one operation.
    ///
    /// # Errors
    ///
    /// The table is unavailable.
    pub async fn redeem(
        &self,
        redeeming: &Redeeming<'_>,
        operation: &OperationId,
        nth: u8,
        now: UnixTime,
    ) -> Result<Redemption, Fault> {
        let challenge = &redeeming.guess.challenge;
        // A login is never earlier than its challenge, even if the clock of the
        // issuing instance is ahead.
        let at = now.max(challenge.issued_at);
        let actions = [
            self.log_in(redeeming, operation, at),
            self.start_session(redeeming.session),
        ];
        let returned = redeeming.guess.returns(now, redeeming.takes_off_guesses);
        let token = format!("redeem-{}-{nth}", operation.as_str());
        let new = self.create_user(redeeming, at).into_iter().flatten();
        let actions = actions.into_iter().chain(returned).chain(new);
        let reasons = match self.table.transact(&token, actions).await? {
            Written::Committed => return Ok(Redemption::Won),
            Written::Cancelled(reasons) => reasons,
        };
        let failed = |nth: usize| reasons.get(nth).filter(|reason| condition_failed(reason));
        match (failed(0), failed(2)) {
            (Some(of_user), _) => stands(of_user.item(), challenge),
            (None, Some(_)) => Ok(Redemption::Withdrawn),
            (None, None) => Err(fault("redeem", "cancelled by another item than the user")),
        }
    }

    /// The own item of a user whom the login creates, beside the copy, and its event.
    fn create_user(
        &self,
        redeeming: &Redeeming<'_>,
        at: UnixTime,
    ) -> Option<impl Iterator<Item = Result<TransactWriteItem, BuildError>>> {
        let ResolvedUser::New(id) = redeeming.user else {
            return None;
        };
        let destination = &redeeming.guess.challenge.destination;
        let user = UserRecord::signed_up(id.clone(), destination, at);
        let written: Vec<_> = self.write_own(Transition::Create(&user), at).collect();
        Some(written.into_iter())
    }

    fn log_in(
        &self,
        redeeming: &Redeeming<'_>,
        operation: &OperationId,
        at: UnixTime,
    ) -> Result<TransactWriteItem, BuildError> {
        let (challenge, user) = (&redeeming.guess.challenge, redeeming.user);
        let update = Update::builder()
            .table_name(&self.table.name)
            .set_key(Some(item::user_key(&challenge.destination)))
            .expression_attribute_values(":user", text(user.id().as_str()))
            .expression_attribute_values(":at", millis(at))
            .expression_attribute_values(":request", text(operation.as_str()))
            .expression_attribute_values(":issued_at", millis(challenge.issued_at))
            .expression_attribute_values(":new", number(u8::from(redeeming.adds_device)))
            .return_values_on_condition_check_failure(OnFailure::AllOld);
        let update = match user {
            ResolvedUser::New(_) => update
                .update_expression(
                    "SET user_id = :user, last_login_at = :at, last_login_by = :request, \
                     devices = :new REMOVE expires_at_seconds",
                )
                // The tombstone of a removed user has a last login.
                .condition_expression(format!("attribute_not_exists(user_id) AND {UNUSED}")),
            ResolvedUser::Existing(_) => {
                let written = redeeming.claims.written();
                let (claims, update) = if written.is_empty() {
                    ("attribute_not_exists(claims)", update)
                } else {
                    let value = text(written);
                    let update = update.expression_attribute_values(":claims", value);
                    ("claims = :claims", update)
                };
                update
                    .update_expression(
                        "SET last_login_at = :at, last_login_by = :request ADD devices :new",
                    )
                    .condition_expression(format!(
                        "user_id = :user AND attribute_not_exists(disabled_at) \
                         AND {claims} AND {UNUSED}"
                    ))
            }
        };
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    fn start_session(&self, session: &Session) -> Result<TransactWriteItem, BuildError> {
        let put = Put::builder()
            .table_name(&self.table.name)
            .set_item(Some(item::from_session(session)))
            .build()?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

/// Distinguishes a lost race from a user who changed since the token was minted.
fn stands(item: Option<&Item>, challenge: &Challenge) -> Result<Redemption, Fault> {
    let last_login = item.and_then(|item| time(item, "last_login_at").ok());
    let user = item.filter(|item| item::is_user(item));
    let user = user.map(item::user).transpose()?;
    Ok(match last_login {
        Some(at) if at >= challenge.issued_at => Redemption::Lost(user),
        _ => Redemption::Changed(user),
    })
}
