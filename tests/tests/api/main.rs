//! The shipped handlers on emulated AWS services, feature by feature: requests come over HTTP as
//! a client sends them, codes come out of the inbox as a person reads them.

// Of a whole application, which awaits what the shipped functions await.
#![recursion_limit = "256"]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on panics"
)]

mod abuse;
mod account;
mod admin;
mod admin_by_id;
mod admin_deliveries;
mod admin_stack;
mod admin_table;
mod alarms;
mod carried_users;
mod claims;
mod conversion_guard;
mod cookie;
mod cors;
mod counted_guesses;
mod deliveries;
mod destinations;
mod devices;
mod doctor;
mod documents;
mod events;
mod expiry;
mod forgotten_connections;
mod guessing;
mod idempotency;
mod inbox;
mod key_rotation;
mod limits;
mod log;
mod login;
mod logout;
mod malformed_events;
mod many_counters;
mod messages;
mod mistakes;
mod numbers;
mod oauth;
mod openapi;
mod pairs;
mod permissions;
mod problems;
mod programs;
mod proven;
mod proxies;
mod refresh;
mod refused_destinations;
mod repeated_validations;
mod resends;
mod routes;
mod seals;
mod sends;
mod sessions;
mod sign_ups;
mod strangers;
mod strict_table;
mod table;
mod template;
mod test_identities;
mod tokens;
mod trust_roots;
mod user_events;
mod users;
mod ways;
mod write_units;
mod wrong_settings;
