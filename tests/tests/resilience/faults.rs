//! Calls that fail.
//!
//! | module | content |
//! |---|---|
//! | [`outages`] | one dependency fails in a chosen way |
//! | [`deliveries`] | a message is refused, or nobody knows whether it was sent |
//! | [`each_call`] | each call fails in each way: a table of the outcomes |
//! | [`operator`] | the operator's tool stops after any of its calls |
//! | [`lost_validations`] | a client repeats a validation until it gets an answer |
//! | [`costs`] | no fault: the calls of a validation |
//! | [`random`] | any call may fail in any way |
//! | [`reports`] | a provider's report cannot be recorded |
//! | [`withdrawals`] | a withdrawal does not find the table as its login left it |

mod costs;
mod deliveries;
mod each_call;
mod lost_validations;
mod operator;
mod outages;
mod random;
mod reports;
mod withdrawals;
