//! A user as operators name one: by any destination, or by the id in the log.

use otp_domain::{Destination, UserId, UserRecord};
use otp_service::{fault::Fault, users::UserService};

use crate::{destination, rows::Row};

/// A user on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The user who owns this destination.
    Owner(Destination),
    /// The user with this id.
    Id(UserId),
}

/// The length of a user id: 128 bits in base64url.
const ID_LENGTH: usize = 22;

/// Whether the text has the form of a user id.
pub fn is_id(text: &str) -> bool {
    let in_base64url = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
    text.len() == ID_LENGTH && text.bytes().all(in_base64url)
}

impl Who {
    /// Parses an e-mail address, a phone number or a user id. What looks like one of the first
    /// two is no id.
    pub fn parse(text: &str) -> Result<Self, String> {
        let looks_like_a_destination = text.contains('@') || text.starts_with('+');
        match UserId::parse(text).filter(|_| !looks_like_a_destination) {
            Some(id) => Ok(Self::Id(id)),
            None => destination::parse(text).map(Self::Owner),
        }
    }

    /// The row of a command on this user.
    pub fn into_row(self) -> Row {
        let (id, destinations) = match self {
            Self::Owner(destination) => (None, vec![destination]),
            Self::Id(id) => (Some(id), Vec::new()),
        };
        Row {
            id,
            destinations,
            ..Row::default()
        }
    }

    /// The text that the operator gave.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Owner(destination) => destination.as_str(),
            Self::Id(id) => id.as_str(),
        }
    }

    /// Finds the user.
    pub async fn find(&self, users: &UserService) -> Result<Option<UserRecord>, Fault> {
        match self {
            Self::Owner(destination) => users.find(destination).await,
            Self::Id(id) => users.find_by_id(id).await,
        }
    }
}

impl From<Destination> for Who {
    fn from(destination: Destination) -> Self {
        Self::Owner(destination)
    }
}
