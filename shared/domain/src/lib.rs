//! The rules of login by one-time code.
//!
//! No AWS, HTTP, environment, clock or entropy: time and randomness are
//! arguments, so a plain function call tests every rule.
//!
//! | to find | read |
//! |---|---|
//! | codes, and how a guess is compared | [`Passcode`], [`DigestKey`], [`Challenge::judge`] |
//! | limits, caps and their windows | [`Policy::own_limits`], [`Policy::caps`], [`Limit`] |
//! | guesses at a destination, and how long its codes are | [`Guesses`], [`Policy::digits`] |
//! | known devices, and proven destinations | [`Device`], [`Proof`], [`Trust`] |
//! | messages whose codes do not come back | [`GuardCount::judge`] |
//! | ways that lose codes, and what became of a message | [`WayRecord::mark`], [`MessageState`] |
//! | sessions, rotation, reuse detection | [`Session::judge`], [`RefreshToken`] |
//! | who may log in | [`UnknownUsers`] |
//! | what operators say of users in tokens | [`Claims`] |
//! | addresses and numbers | [`EmailAddress`], [`PhoneNumber`], [`SmsPrefixes`], [`NumberRange`], [`Country`] |
//! | on which ways codes travel | [`Ways`] |
//! | who text messages come from | [`SmsSenders`] |
//! | every rule that refuses a request | [`Refusal`] |

mod allowance;
mod bounces;
mod carried_user;
mod challenge;
mod claims;
mod client;
mod countries;
mod delivery;
mod destination;
mod device;
mod email;
mod guard;
mod guesses;
mod idempotency;
mod limit;
mod mark;
mod message_state;
mod network;
mod number_range;
mod passcode;
mod phone;
mod policy;
mod prefixes;
mod proof;
mod pseudonym;
mod purpose;
mod refresh_token;
mod refusal;
mod requester;
mod senders;
mod session;
mod sign_ups;
mod test_identity;
mod time;
mod typed;
mod undo;
mod unknown_users;
mod user;
mod way_record;
mod ways;

pub use allowance::{ClientAllowances, MalformedAllowance};
pub use bounces::{LEAST_ROOM, MailCount};
pub use carried_user::CarriedUser;
pub use challenge::{Challenge, ChallengeId, OperationId, Verdict, issue};
pub use claims::{Claims, InvalidClaims};
pub use client::{ClientAddress, TrustedProxies};
pub use countries::Country;
pub use delivery::Delivery;
pub use destination::{Destination, DestinationKind, MalformedDestination};
pub use device::{Asker, Device, Devices, Trust};
pub use email::{EmailAddress, MalformedEmail, is_host_name};
pub use guard::{ConversionGuard, GuardCount, GuardVerdict};
pub use guesses::{Guesses, OpenGuesses};
pub use idempotency::{IdempotencyKey, RepeatableGuess};
pub use limit::{FullLimit, Limit, LimitKind, Scope};
pub use mark::Mark;
pub use message_state::MessageState;
pub use network::{Network, room_beside};
pub use number_range::NumberRange;
pub use passcode::{DigestKey, DigestKeyId, MalformedPasscode, Passcode};
pub use phone::{MalformedPhoneNumber, PhoneNumber};
pub use policy::{GUESSES_PER_STEP, Policy};
pub use prefixes::{MalformedPrefix, SmsPrefixes};
pub use proof::Proof;
pub use pseudonym::Pseudonym;
pub use purpose::Purpose;
pub use refresh_token::{RefreshToken, RefreshTokenDigest, RotationSalt};
pub use refusal::{DestinationsRefusal, Refusal, Unauthorized};
pub use requester::Requester;
pub use senders::{MalformedSender, Registration, Sender, SenderIdentity, SmsSenders};
pub use session::{DeviceLabel, Presentation, Seal, Session, SessionId, SessionLifetimes};
pub use sign_ups::{SignUpDomains, SignUps};
pub use test_identity::TestIdentities;
pub use time::{UnixTime, seconds_to_wait};
pub use undo::UndoToken;
pub use unknown_users::{DeliveryDecision, UnknownUsers};
pub use user::{OwnDestination, Removal, ResolvedUser, User, UserId, UserRecord};
pub use way_record::WayRecord;
pub use ways::{ListedWay, Topic, WayName, Ways, WaysTo, is_region};
