//! Users and sessions as items.

mod session;
#[cfg(test)]
mod tests;
mod user;

pub(super) use session::{
    SESSION_PREFIX, USER_PREFIX, from_session, seal_key, seal_mac, session, session_key, sessions,
};
pub(super) use user::{
    COPIED, SORT_KEY, copied, from_record, is_user, last_login, own_key, record, user, user_key,
};
