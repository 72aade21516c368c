//! Transactions, with retries that are safe to repeat.

use std::time::Duration;

use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};
use rand::RngExt;

use super::Store;
use crate::{
    ambient,
    fault::{Dependency, Fault},
};

const OPERATION: &str = "TransactWriteItems";

/// Time limit for one step of a use case, with all its calls of the table.
pub(super) const BUDGET: Duration = Duration::from_secs(3);

/// Transient reasons: another write touched the same items, or the table was
/// busy. The write is retried.
const TRANSIENT: [&str; 4] = [
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "RequestLimitExceeded",
];

/// Transient errors of the whole call.
const TRANSIENT_ERRORS: [&str; 5] = [
    "TransactionInProgressException",
    "TransactionConflictException",
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
];

/// The outcome of a transaction.
pub(super) enum Written {
    /// All actions are written.
    Committed,
    /// No action is written: a condition failed. Holds one reason per action, in
    /// order.
    Cancelled(Vec<CancellationReason>),
}

impl Store {
    /// Writes all of `actions` or none. `token` identifies the write: every call
    /// with the same token must have the same actions.
    pub(super) async fn transact(
        &self,
        token: &str,
        actions: Vec<TransactWriteItem>,
    ) -> Result<Written, Fault> {
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
                aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError
                    ::TransactionCanceledException(cancelled) => {
                    judge_reasons(cancelled.cancellation_reasons.unwrap_or_default())
                }
                _ => Err(fault),
            }
        };
        until_settled(OPERATION, attempt).await
    }
}

/// A cancellation with a transient reason is retried, even if a condition failed
/// as well: only an answer without transient reasons names every limit that
/// refuses.
fn judge_reasons(reasons: Vec<CancellationReason>) -> Result<Written, Fault> {
    let transient = reasons
        .iter()
        .filter_map(CancellationReason::code)
        .find(|code| TRANSIENT.contains(code));
    if let Some(code) = transient {
        return Err(Fault::new(Dependency::Table, OPERATION, code));
    }
    if reasons.iter().any(condition_failed) {
        Ok(Written::Cancelled(reasons))
    } else {
        Err(Fault::new(
            Dependency::Table,
            OPERATION,
            "cancelled without a reason",
        ))
    }
}

/// Whether this is the reason of an action whose condition failed.
pub(super) fn condition_failed(reason: &CancellationReason) -> bool {
    reason.code() == Some("ConditionalCheckFailed")
}

/// Retries transient faults within the budget, with growing random pauses.
pub(super) async fn until_settled<T, F>(
    operation: &'static str,
    attempt: impl Fn() -> F,
) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let attempts = async {
        let mut longest_pause = 20;
        loop {
            match attempt().await {
                Err(fault) if is_transient(&fault) => {
                    let pause = ambient::rng().random_range(longest_pause / 2..=longest_pause);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                    longest_pause = (longest_pause * 2).min(500);
                }
                settled => return settled,
            }
        }
    };
    tokio::time::timeout(BUDGET, attempts)
        .await
        .unwrap_or_else(|_| Err(Fault::new(Dependency::Table, operation, "timeout")))
}

fn is_transient(fault: &Fault) -> bool {
    let cause = fault.cause.as_str();
    TRANSIENT.contains(&cause) || TRANSIENT_ERRORS.contains(&cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        let reason = |code: &&str| CancellationReason::builder().code(*code).build();
        codes.iter().map(reason).collect()
    }

    fn fault(cause: &str) -> Fault {
        Fault::new(Dependency::Table, OPERATION, cause)
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
                assert_eq!(judged, Some(fault(code)));
            }
            assert!(is_transient(&fault(code)), "{code}");
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
            let expected = fault("cancelled without a reason");
            assert!(!is_transient(&expected));
            assert_eq!(judged, Some(expected), "{codes:?}");
        }
    }

    #[test]
    fn of_the_errors_of_a_whole_call_those_that_pass_are_tried_again() {
        for (cause, passes) in [
            ("TransactionInProgressException", true),
            ("TransactionConflictException", true),
            ("ThrottlingException", true),
            ("ProvisionedThroughputExceededException", true),
            ("RequestLimitExceeded", true),
            ("IdempotentParameterMismatchException", false),
            ("ResourceNotFoundException", false),
            ("ValidationException", false),
            ("AccessDeniedException", false),
            ("timeout", false),
        ] {
            assert_eq!(is_transient(&fault(cause)), passes, "{cause}");
        }
    }
}
