//! The use cases of login by one-time code, and what they call on AWS.
//!
//! ```text
//! LoginService::request_code
//!     check -> issue -> admit -------------> deliver -> complete -> answer
//!                       `- one transaction   `- SES or SNS; else withdraw
//!
//! SessionService::validate
//!     spend an attempt -> judge -> mint ---> redeem ------------> answer
//!     `- the table                 `- KMS    `- one transaction, one winner
//! ```
//!
//! Both read top to bottom, in [`login`] and in [`session`]. The rules they
//! follow are in `otp_domain`. What the table holds, and which write decides a
//! race, is in [`store`]. No HTTP: a use case takes its request type and returns
//! its outcome or one [`Error`].

pub mod access_token;
pub mod ambient;
pub mod aws;
pub mod delivery;
mod error;
pub mod fault;
pub mod keys;
pub mod login;
pub mod session;
pub mod store;

pub use error::{Error, ErrorKind};
