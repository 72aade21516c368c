//! How a login treats a destination without a user.

use rand::CryptoRng;

use super::{Destination, Refusal, ResolvedUser, User, UserId};

/// The setting `UNKNOWN_USERS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownUsers {
    /// The first correct code creates the user.
    SignUp,
    /// No message is sent. The answer and its time are the same as for a user.
    Conceal,
    /// The client learns that the user is unknown.
    Reveal,
}

/// Whether the code of an admitted login is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryDecision {
    /// Send the message.
    Send,
    /// Send no message, and answer as if one was sent.
    Suppress,
}

impl UnknownUsers {
    /// Reads the setting's value.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "sign-up" => Some(Self::SignUp),
            "conceal" => Some(Self::Conceal),
            "reveal" => Some(Self::Reveal),
            _ => None,
        }
    }

    /// Decides whether to send a code. A disabled user counts as unknown, but
    /// cannot sign up.
    ///
    /// # Errors
    ///
    /// [`Refusal::UserNotFound`] under [`UnknownUsers::Reveal`].
    pub fn delivery(
        self,
        to: &Destination,
        user: Option<&User>,
    ) -> Result<DeliveryDecision, Refusal> {
        let is_active = user.is_some_and(|user| !user.disabled);
        match (self, user) {
            _ if is_active => Ok(DeliveryDecision::Send),
            (Self::SignUp, None) => Ok(DeliveryDecision::Send),
            (Self::SignUp, Some(_)) | (Self::Conceal, _) => Ok(DeliveryDecision::Suppress),
            (Self::Reveal, _) => Err(Refusal::UserNotFound(to.kind())),
        }
    }

    /// The user that a correct code logs in.
    ///
    /// # Errors
    ///
    /// [`Refusal::InvalidOtp`] if the user is disabled, or unknown and may not
    /// sign up.
    pub fn resolve(
        self,
        user: Option<User>,
        rng: &mut impl CryptoRng,
    ) -> Result<ResolvedUser, Refusal> {
        match (self, user) {
            (_, Some(user)) if user.disabled => Err(Refusal::InvalidOtp("disabled user")),
            (_, Some(user)) => Ok(ResolvedUser::Existing(user.id)),
            (Self::SignUp, None) => Ok(ResolvedUser::New(UserId::draw(rng))),
            (Self::Conceal | Self::Reveal, None) => Err(Refusal::InvalidOtp("unknown user")),
        }
    }
}

#[cfg(test)]
mod tests {
    use DeliveryDecision::{Send, Suppress};
    use UnknownUsers::{Conceal, Reveal, SignUp};
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;
    use crate::{Claims, DestinationKind, Devices};

    fn user(disabled: bool) -> User {
        User {
            id: UserId::from_table("u".to_owned()),
            disabled,
            last_login_at: None,
            claims: Claims::default(),
            devices: Devices::default(),
        }
    }

    #[test]
    fn each_policy_has_its_name_in_the_settings() {
        for (text, policy) in [
            ("sign-up", Some(SignUp)),
            ("conceal", Some(Conceal)),
            ("reveal", Some(Reveal)),
            ("", None),
            ("Conceal", None),
        ] {
            assert_eq!(UnknownUsers::parse(text), policy, "{text}");
        }
    }

    #[test]
    fn a_code_is_sent_to_active_users_and_to_nobody_only_where_people_sign_up() {
        let to: Destination = "alice@example.com".parse().unwrap();
        let revealed = Err(Refusal::UserNotFound(DestinationKind::Email));
        for (policy, nobody, disabled) in [
            (SignUp, Ok(Send), Ok(Suppress)),
            (Conceal, Ok(Suppress), Ok(Suppress)),
            (Reveal, revealed, revealed),
        ] {
            assert_eq!(policy.delivery(&to, Some(&user(false))), Ok(Send));
            assert_eq!(policy.delivery(&to, None), nobody, "{policy:?}");
            assert_eq!(policy.delivery(&to, Some(&user(true))), disabled);
        }
    }

    #[test]
    fn a_right_code_logs_active_users_in_and_makes_a_user_only_where_people_sign_up() {
        let rng = &mut StdRng::seed_from_u64(1);
        for (policy, signs_up) in [(SignUp, true), (Conceal, false), (Reveal, false)] {
            let active = policy.resolve(Some(user(false)), rng).unwrap();
            assert!(!active.is_new() && active.id().as_str() == "u");
            let disabled = policy.resolve(Some(user(true)), rng);
            assert_eq!(disabled, Err(Refusal::InvalidOtp("disabled user")));
            match policy.resolve(None, rng) {
                Ok(new) => assert!(signs_up && new.is_new() && new.id().as_str().len() == 22),
                Err(refusal) => {
                    assert!(!signs_up, "{policy:?}");
                    assert_eq!(refusal, Refusal::InvalidOtp("unknown user"));
                }
            }
        }
    }

    #[test]
    fn no_two_new_users_have_one_id() {
        let rng = &mut StdRng::seed_from_u64(1);
        let new = [(); 2].map(|()| SignUp.resolve(None, rng).unwrap());
        assert_ne!(new[0], new[1]);
    }
}
