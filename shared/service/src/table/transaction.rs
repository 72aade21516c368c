//! Transactions, with retries that are safe to repeat.

use aws_sdk_dynamodb::{
    error::BuildError,
    operation::transact_write_items::TransactWriteItemsError,
    types::{CancellationReason, TransactWriteItem},
};

use super::{Table, fault, not_built, until_settled};
use crate::fault::{Cause, Dependency, Fault};

const OPERATION: &str = "TransactWriteItems";

/// The outcome of a transaction.
pub(crate) enum Written {
    /// All actions are written.
    Committed,
    /// No action is written: a condition failed. Holds one reason per action, in
    /// order.
    Cancelled(Vec<CancellationReason>),
}

impl Table {
    /// Writes all of `actions` or none. `token` identifies the write: every call
    /// with the same token must have the same actions.
    pub(crate) async fn transact(
        &self,
        token: &str,
        actions: impl IntoIterator<Item = Result<TransactWriteItem, BuildError>>,
    ) -> Result<Written, Fault> {
        let actions = actions.into_iter().collect::<Result<Vec<_>, _>>();
        let actions = actions.map_err(|_| not_built(OPERATION))?;
        let attempt = || async {
            let sent = self
                .client
                .transact_write_items()
                .client_request_token(token)
                .set_transact_items(Some(actions.clone()))
                .send()
                .await;
            let Err(error) = sent else {
                return Ok(Written::Committed);
            };
            let fault = Fault::from_sdk(Dependency::Table, OPERATION, &error);
            match error.into_service_error() {
                TransactWriteItemsError::TransactionCanceledException(cancelled) => {
                    judge_reasons(cancelled.cancellation_reasons.unwrap_or_default())
                }
                _ => Err(fault),
            }
        };
        until_settled(OPERATION, attempt).await
    }
}

/// A cancellation by a busy table is repeated, even if a condition failed as well:
/// only an answer without such a reason names every limit that refuses.
fn judge_reasons(reasons: Vec<CancellationReason>) -> Result<Written, Fault> {
    let causes = reasons.iter().filter_map(CancellationReason::code);
    let mut busy = causes
        .map(Cause::of_code)
        .filter(|cause| matches!(cause, Cause::Busy(_)));
    if let Some(cause) = busy.next() {
        return Err(fault(OPERATION, cause));
    }
    if reasons.iter().any(condition_failed) {
        Ok(Written::Cancelled(reasons))
    } else {
        Err(fault(OPERATION, "cancelled without a reason"))
    }
}

/// Whether this is the reason of an action whose condition failed.
pub(crate) fn condition_failed(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        let reason = |code: &&str| CancellationReason::builder().code(*code).build();
        codes.iter().map(reason).collect()
    }

    #[test]
    fn each_reason_that_passes_is_tried_again_even_beside_a_condition() {
        for code in [
            "TransactionConflict",
            "ThrottlingError",
            "ProvisionedThroughputExceeded",
            "RequestLimitExceeded",
        ] {
            for codes in [[code, "None"], ["ConditionalCheckFailed", code]] {
                let judged = judge_reasons(reasons(&codes)).err();
                assert_eq!(judged, Some(fault(OPERATION, Cause::Busy(code.to_owned()))));
            }
        }
    }

    #[test]
    fn a_condition_that_failed_cancels_for_good() {
        let codes = ["None", "ConditionalCheckFailed"];
        let Ok(Written::Cancelled(kept)) = judge_reasons(reasons(&codes)) else {
            panic!("not cancelled");
        };
        assert_eq!(
            kept.iter().map(condition_failed).collect::<Vec<_>>(),
            [false, true]
        );
        for codes in [
            &[][..],
            &["None"],
            &["ValidationError"],
            &["ItemCollectionSizeLimitExceeded"],
        ] {
            let judged = judge_reasons(reasons(codes)).err();
            let expected = fault(OPERATION, "cancelled without a reason");
            assert_eq!(judged, Some(expected), "{codes:?}");
        }
    }
}
