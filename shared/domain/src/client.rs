//! Client addresses, as far as limits distinguish them.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

/// The network address of a client: an IPv4 address, or the /64 network of an
/// IPv6 address, because one subscriber has the whole /64. All clients without
/// a readable address count as one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ClientAddress(String);

impl ClientAddress {
    /// Reads the source address that the gateway reports. Never pass a header:
    /// the client could have written it.
    #[must_use]
    pub fn from_gateway(source_ip: Option<&str>) -> Self {
        let address = source_ip.and_then(|text| text.parse::<IpAddr>().ok());
        Self(match address.map(|address| address.to_canonical()) {
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => {
                let network = Ipv6Addr::from_bits(address.to_bits() >> 64 << 64);
                format!("{network}/64")
            }
            None => "unknown".to_owned(),
        })
    }

    /// The address or network as text. It is personal data: never log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientAddress(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_that_one_subscriber_can_have_are_one() {
        for (text, expected) in [
            (Some("203.0.113.7"), "203.0.113.7"),
            (Some("::ffff:203.0.113.7"), "203.0.113.7"),
            (Some("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64"),
            (Some("2001:db8:1:2:ffff::1"), "2001:db8:1:2::/64"),
            (Some("2001:db8:1:3::1"), "2001:db8:1:3::/64"),
            (Some("test-invoke-source-ip"), "unknown"),
            (Some("203.0.113.7, 198.51.100.1"), "unknown"),
            (None, "unknown"),
        ] {
            assert_eq!(ClientAddress::from_gateway(text).as_str(), expected);
        }
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn an_address_is_no_more_than_an_address(
            text in fuzz::text(&["203.0.113.7", "2001:db8:1:2:3:4:5:6", "::ffff:203.0.113.7", "fe80::1%eth0"]),
        ) {
            let kept = ClientAddress::from_gateway(Some(&text));
            let is_address = |c: char| c.is_ascii_hexdigit() || ".:/".contains(c);
            prop_assert!(kept.as_str() == "unknown" || kept.as_str().chars().all(is_address));
        }
    }
}
