//! Whom and what a request was about, for the log.

use otp_domain::{ChallengeId, Destination, Session, SessionId, UserId, WayName};

/// Whom and what a request was about, as far as it is known. The log finds lines
/// together by these ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct About {
    /// The destination, which the log masks.
    pub destination: Option<Destination>,
    /// The user. Never what a client claims.
    pub user: Option<UserId>,
    /// The challenge.
    pub challenge: Option<ChallengeId>,
    /// The session: the hash of what its refresh tokens share.
    pub session: Option<SessionId>,
    /// The way of the message.
    pub way: Option<WayName>,
    /// The message.
    pub message: Option<MessageId>,
}

/// The id that SES or SNS gave to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageId(String);

impl MessageId {
    /// The id, if there is one.
    #[must_use]
    pub fn new(id: Option<String>) -> Option<Self> {
        id.map(Self)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl About {
    /// The same, and what `more` knows in addition.
    #[must_use]
    pub fn and(self, more: impl Into<Self>) -> Self {
        let more = more.into();
        Self {
            destination: self.destination.or(more.destination),
            user: self.user.or(more.user),
            challenge: self.challenge.or(more.challenge),
            session: self.session.or(more.session),
            way: self.way.or(more.way),
            message: self.message.or(more.message),
        }
    }
}

impl From<&Destination> for About {
    fn from(destination: &Destination) -> Self {
        Self {
            destination: Some(destination.clone()),
            ..Self::default()
        }
    }
}

impl From<&UserId> for About {
    fn from(user: &UserId) -> Self {
        Self {
            user: Some(user.clone()),
            ..Self::default()
        }
    }
}

impl From<&ChallengeId> for About {
    fn from(challenge: &ChallengeId) -> Self {
        Self {
            challenge: Some(challenge.clone()),
            ..Self::default()
        }
    }
}

impl From<SessionId> for About {
    fn from(session: SessionId) -> Self {
        Self {
            session: Some(session),
            ..Self::default()
        }
    }
}

impl From<&Session> for About {
    fn from(session: &Session) -> Self {
        Self {
            destination: Some(session.destination.clone()),
            user: Some(session.user.clone()),
            session: Some(session.id.clone()),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_first_stays_and_the_rest_is_added() {
        let user = UserId::from_table("u".to_owned());
        let challenge = ChallengeId::parse("r5BuMb9vjKaMlD76sIa5SQ").unwrap();
        let destination: Destination = "alice@example.com".parse().unwrap();
        let other: Destination = "bob@example.com".parse().unwrap();
        let session = SessionId::new("s".to_owned());
        let message = MessageId::new(Some("m".to_owned())).unwrap();
        let way = WayName::parse("sms");
        let sent = About {
            way: way.clone(),
            message: Some(message.clone()),
            ..About::default()
        };
        let about = About::default()
            .and(&destination)
            .and(&other)
            .and(&user)
            .and(&challenge)
            .and(session.clone())
            .and(sent);
        let expected = About {
            destination: Some(destination),
            user: Some(user),
            challenge: Some(challenge),
            session: Some(session),
            way,
            message: Some(message),
        };
        assert_eq!(about, expected);
        let again = About::default().and(about.clone()).and(About::from(&other));
        assert_eq!(again, about);
        assert_eq!(MessageId::new(None), None);
    }
}
