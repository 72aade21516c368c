//! Users and sessions as items.

mod session;
#[cfg(test)]
mod tests;
mod user;

pub(super) use session::{
    SESSION_PREFIX, claims_key, from_session, seal_key, seal_mac, session, session_key, sessions,
};
pub(super) use user::{is_user, partitions, user, user_key, user_record};
