//! Calls that fail.
//!
//! | module | content |
//! |---|---|
//! | [`outages`] | one dependency fails in a chosen way |
//! | [`each_call`] | each call fails in each way: a table of the outcomes |
//! | [`random`] | any call may fail in any way |

mod each_call;
mod lost_validations;
mod outages;
mod random;
