//! The rules, and nothing else.
//!
//! No AWS, HTTP, environment, clock or entropy in here: time and randomness
//! arrive as arguments, so every rule can be tested with a plain function call.

mod challenge;
mod destination;
mod email;
mod passcode;
mod phone;
mod policy;
mod prefixes;
mod refusal;
mod time;

pub use challenge::{Challenge, ChallengeId, RequestId, UserId, Verdict, issue};
pub use destination::{Channel, Destination};
pub(crate) use email::is_host_name;
pub use email::{EmailAddress, MalformedEmail};
pub use passcode::{DigestKey, DigestKeyId, MalformedPasscode, Passcode, PasscodeDigest};
pub use phone::{MalformedPhoneNumber, PhoneNumber};
pub use policy::{Limit, Policy};
pub use prefixes::{MalformedPrefix, SmsPrefixes};
pub use refusal::Refusal;
pub use time::UnixTime;
