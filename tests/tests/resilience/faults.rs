//! Calls that fail.
//!
//! | module | content |
//! |---|---|
//! | [`outages`] | one dependency fails in a chosen way |
//! | [`each_call`] | each call fails in each way: a table of the outcomes |
//! | [`operator`] | the operator's tool stops after any of its calls |
//! | [`random`] | any call may fail in any way |

mod each_call;
mod lost_validations;
mod operator;
mod outages;
mod random;
