//! What a client learns about its message.

/// Whether the provider confirmed that it took the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It did.
    Confirmed,
    /// The message may arrive or not. Its code is valid, and the send is counted.
    Unconfirmed,
}

impl Delivery {
    /// Its name in answers and in the table.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::Unconfirmed => "unconfirmed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_and_the_table_read_whether_a_delivery_is_confirmed() {
        assert_eq!(Delivery::Confirmed.as_str(), "confirmed");
        assert_eq!(Delivery::Unconfirmed.as_str(), "unconfirmed");
    }
}
