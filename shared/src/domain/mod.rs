//! The rules, and nothing else.
//!
//! No AWS, HTTP, environment, clock or entropy in here: time and randomness
//! arrive as arguments, so every rule can be tested with a plain function call.

mod challenge;
mod client;
mod destination;
mod email;
mod family;
mod idempotency;
mod limit;
mod passcode;
mod phone;
mod policy;
mod prefixes;
mod refusal;
mod test_identity;
mod time;
mod user;

pub use challenge::{Challenge, ChallengeId, RequestId, Verdict, issue};
pub use client::ClientAddress;
pub use destination::{Channel, Destination};
pub(crate) use email::is_host_name;
pub use email::{EmailAddress, MalformedEmail};
pub use family::{Family, FamilyName, Lifetimes, Presented, RefreshDigest, RefreshToken, Salt};
pub use idempotency::IdempotencyKey;
pub use limit::{Limit, Scope};
pub use passcode::{DigestKey, DigestKeyId, MalformedPasscode, Passcode, PasscodeDigest};
pub use phone::{MalformedPhoneNumber, PhoneNumber};
pub use policy::{PROVEN_MAKES_UP_FOR, Policy, Sending, UNPROVEN_SMS_PER_PREFIX, UnknownUsers};
pub use prefixes::{MalformedPrefix, SmsPrefixes};
pub use refusal::{Refusal, Unauthorized};
pub use test_identity::TestIdentities;
pub use time::{UnixTime, seconds_to_wait};
pub use user::{Account, Profile, User, UserId};
