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

/// How many proxies in front of the gateway are trusted to append the address
/// that they saw to `X-Forwarded-For`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(usize);

impl TrustedProxies {
    /// This many proxies.
    #[must_use]
    pub const fn new(count: u8) -> Self {
        Self(count as usize)
    }

    /// The address that the outermost trusted proxy saw; `None` if no proxy is
    /// trusted, or if the request did not come through all of them.
    ///
    /// REST APIs and HTTP APIs append their source address, which is the innermost
    /// proxy. That entry does not count; without it, no other is what it seems.
    fn seen(self, source: IpAddr, forwarded: &[&str]) -> Option<IpAddr> {
        let (last, by_proxies) = forwarded.split_last()?;
        if address(last) != Some(source) {
            return None;
        }
        let at = by_proxies.len().checked_sub(self.0)?;
        address(by_proxies.get(at)?)
    }
}

impl ClientAddress {
    /// Reads the source address that the gateway reports. Never pass a header:
    /// the client could have written it.
    #[must_use]
    pub fn from_gateway(source_ip: Option<&str>) -> Self {
        Self::of(source_ip.and_then(address))
    }

    /// The client of a gateway that has trusted proxies in front. `forwarded` are
    /// the entries of `X-Forwarded-For`, as the function gets them. Without an
    /// entry that can be trusted, it is the gateway's source address: then all
    /// clients of one proxy share their limits.
    #[must_use]
    pub fn behind(proxies: TrustedProxies, source_ip: Option<&str>, forwarded: &[&str]) -> Self {
        let source = source_ip.and_then(address);
        let seen = source.and_then(|source| proxies.seen(source, forwarded));
        Self::of(seen.or(source))
    }

    fn of(address: Option<IpAddr>) -> Self {
        Self(match address {
            Some(IpAddr::V4(address)) => address.to_string(),
            Some(IpAddr::V6(address)) => {
                let network = Ipv6Addr::from_bits(address.to_bits() >> 64 << 64);
                format!("{network}/64")
            }
            None => "unknown".to_owned(),
        })
    }

    /// A network whose clients count as one.
    pub(super) const fn of_network(network: String) -> Self {
        Self(network)
    }

    /// An address of this client, if it has a readable one.
    pub(super) fn address(&self) -> Option<IpAddr> {
        let address = self.0.split_once('/').map_or(&*self.0, |(first, _)| first);
        address.parse().ok()
    }

    /// The address or network as text. It is personal data: never log it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn address(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.trim().parse().ok()?;
    Some(address.to_canonical())
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

    const VIEWER: &str = "203.0.113.7";
    const EDGE: &str = "198.51.100.1";
    const INNER: &str = "192.0.2.1";

    #[test]
    fn the_client_is_what_the_outermost_trusted_proxy_saw() {
        for (proxies, source, forwarded, expected) in [
            (0, EDGE, &[VIEWER, EDGE][..], EDGE),
            (1, EDGE, &[VIEWER, EDGE], VIEWER),
            (1, EDGE, &["1.1.1.1", "2.2.2.2", VIEWER, EDGE], VIEWER),
            (2, INNER, &["1.1.1.1", VIEWER, EDGE, INNER], VIEWER),
            (3, INNER, &[VIEWER, EDGE, EDGE, INNER], VIEWER),
            (
                1,
                EDGE,
                &["2001:db8:1:2::5", "::ffff:198.51.100.1"],
                "2001:db8:1:2::/64",
            ),
        ] {
            let client =
                ClientAddress::behind(TrustedProxies::new(proxies), Some(source), forwarded);
            assert_eq!(client.as_str(), expected, "{proxies} {forwarded:?}");
        }
    }

    #[test]
    fn without_an_entry_that_can_be_trusted_the_client_is_the_gateways_source() {
        for (proxies, forwarded) in [
            (1, &[][..]),
            (1, &[EDGE]),
            // This gateway appends nothing, or did not get what it should.
            (1, &[VIEWER]),
            (1, &["1.1.1.1", VIEWER]),
            (2, &[VIEWER, EDGE]),
            (3, &[VIEWER, EDGE]),
            (1, &["unknown", EDGE]),
            (1, &["203.0.113.7:443", EDGE]),
            (1, &["", EDGE]),
        ] {
            let client = ClientAddress::behind(TrustedProxies::new(proxies), Some(EDGE), forwarded);
            assert_eq!(client.as_str(), EDGE, "{proxies} {forwarded:?}");
        }
        let client = ClientAddress::behind(TrustedProxies::new(1), None, &[VIEWER, EDGE]);
        assert_eq!(client.as_str(), "unknown");
    }

    proptest! {
        #![proptest_config(fuzz::config())]

        #[test]
        fn nothing_that_a_client_writes_changes_its_address(
            written in prop::collection::vec(fuzz::text(&["198.51.100.1", "203.0.113.7"]), 0..5),
            proxies in 0u8..=3,
        ) {
            let chain = [VIEWER, EDGE, INNER, "192.0.2.2"];
            let by_proxies = &chain[..=usize::from(proxies)];
            let all: Vec<&str> = written.iter().map(String::as_str).chain(by_proxies.iter().copied()).collect();
            let source = by_proxies.last().copied();
            let client = ClientAddress::behind(TrustedProxies::new(proxies), source, &all);
            prop_assert_eq!(client.as_str(), VIEWER);
        }

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
