//! The user that a login found, as its challenge carries it to the validation.

use super::{Claims, Devices, UnknownUsers, User, UserId};

/// Claims that take more bytes of JSON are not carried: a challenge stays small.
const MAX_CLAIMS: usize = 384;

/// The user that a login found.
///
/// It may have changed since: whoever believes it must check it before a token leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CarriedUser {
    /// The login did not look, or found what is not carried.
    Unread,
    /// The destination had no user.
    Nobody,
    /// The user, who was not disabled.
    Known {
        /// The user's id.
        id: UserId,
        /// The user's claims.
        claims: Claims,
        /// The user's known devices at the destination.
        devices: Devices,
    },
}

impl CarriedUser {
    /// What a login carries of the user that it found. A disabled user is left to
    /// the validation, because an operator may enable the user meanwhile.
    #[must_use]
    pub fn of(user: Option<&User>) -> Self {
        match user {
            None => Self::Nobody,
            Some(user) if user.disabled || user.claims.written().len() > MAX_CLAIMS => Self::Unread,
            Some(user) => Self::Known {
                id: user.id.clone(),
                claims: user.claims.clone(),
                devices: user.devices,
            },
        }
    }

    /// Whether a validation may believe this until the redemption checks it, which
    /// spares a look. Where nobody can sign up, an absent user is looked for: there is no
    /// redemption that would check the absence.
    #[must_use]
    pub fn is_believed(&self, policy: UnknownUsers) -> bool {
        match self {
            Self::Known { .. } => true,
            Self::Nobody => policy == UnknownUsers::SignUp,
            Self::Unread => false,
        }
    }

    /// The user, if the login found one.
    #[must_use]
    pub fn user(&self) -> Option<User> {
        match self {
            Self::Known {
                id,
                claims,
                devices,
            } => Some(User {
                id: id.clone(),
                disabled: false,
                last_login_at: None,
                claims: claims.clone(),
                devices: *devices,
            }),
            Self::Nobody | Self::Unread => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(disabled: bool, claims: &str) -> User {
        User {
            id: UserId::from_table("u".to_owned()),
            disabled,
            last_login_at: None,
            claims: Claims::from_table(claims).expect("an object"),
            devices: Devices::default(),
        }
    }

    #[test]
    fn an_active_user_is_carried_and_believed_under_each_policy() {
        let user = user(false, r#"{"plan":"gold"}"#);
        let carried = CarriedUser::of(Some(&user));
        for policy in [
            UnknownUsers::SignUp,
            UnknownUsers::Conceal,
            UnknownUsers::Reveal,
        ] {
            assert!(carried.is_believed(policy));
            assert_eq!(carried.user(), Some(user.clone()));
        }
    }

    #[test]
    fn a_disabled_user_and_large_claims_are_looked_for() {
        let claims = |len: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(len - 8));
        for (user, is_carried) in [
            (user(true, "{}"), false),
            (user(false, &claims(MAX_CLAIMS)), true),
            (user(false, &claims(MAX_CLAIMS + 1)), false),
        ] {
            let carried = CarriedUser::of(Some(&user));
            assert_eq!(carried.is_believed(UnknownUsers::SignUp), is_carried);
            assert_eq!(carried.user().is_some(), is_carried);
        }
    }

    #[test]
    fn nobody_is_believed_only_where_people_sign_up() {
        let nobody = CarriedUser::of(None);
        assert!(nobody.is_believed(UnknownUsers::SignUp));
        assert_eq!(nobody.user(), None);
        for policy in [UnknownUsers::Conceal, UnknownUsers::Reveal] {
            assert!(!nobody.is_believed(policy));
            assert!(!CarriedUser::Unread.is_believed(policy));
        }
    }
}
