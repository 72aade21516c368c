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
