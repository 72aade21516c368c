//! The networks that strangers come from: what they share is shared out by network.
//!
//! docs/decisions/networks.md derives the rule.

use std::net::{IpAddr, Ipv6Addr};

use super::{ClientAddress, ClientAllowances};

/// A network of clients that are strangers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// What the network is counted by.
    pub client: ClientAddress,
    /// How many smaller networks it stands for: it may have as much as they.
    pub holds: u32,
    /// The messages that it may have beside its part.
    pub allowance: u32,
}

/// How many /56 and /64 networks' parts a network of IPv6 gets: a /48 may have 65536 of them.
const PARTS_OF_56: u32 = 2;
const PARTS_OF_48: u32 = 4;

impl Network {
    /// The networks of a client, by which strangers share: the /24 of IPv4; the /64, the /56
    /// and the /48 of IPv6, together; or the one that has an allowance. Clients of this machine
    /// and those without a readable address have none.
    #[must_use]
    pub fn of(client: &ClientAddress, allowances: &ClientAllowances) -> Vec<Self> {
        if let Some((client, allowance)) = allowances.of(client) {
            return vec![Self {
                client,
                holds: 1,
                allowance,
            }];
        }
        let network = |name: String, holds| Self {
            client: ClientAddress::of_network(name),
            holds,
            allowance: 0,
        };
        match client.address() {
            Some(address) if is_of_this_machine(address) => Vec::new(),
            Some(IpAddr::V4(address)) => {
                let [a, b, c, _] = address.octets();
                vec![network(format!("{a}.{b}.{c}.0/24"), 1)]
            }
            Some(IpAddr::V6(address)) => {
                let of = |length: u32, holds| {
                    let rest = 128 - length;
                    let first = Ipv6Addr::from_bits(address.to_bits() >> rest << rest);
                    network(format!("{first}/{length}"), holds)
                };
                vec![of(64, 1), of(56, PARTS_OF_56), of(48, PARTS_OF_48)]
            }
            None => Vec::new(),
        }
    }

    /// How many messages of the network hold others back: those whose codes did not come back,
    /// less those that did, and less what it may have.
    #[must_use]
    pub fn owes(&self, asked: i64, returned: i64) -> u32 {
        let owed = missing(asked, returned).max(0);
        let owed = u32::try_from(owed).unwrap_or(u32::MAX);
        owed.saturating_sub(self.allowance) / self.holds
    }

    /// How many messages more may be asked for until the network owes more.
    #[must_use]
    pub fn slack(&self, asked: i64, returned: i64) -> i64 {
        let parts = i64::from(self.owes(asked, returned)) + 1;
        let most = i64::from(self.allowance) + parts * i64::from(self.holds) - 1;
        most - missing(asked, returned)
    }
}

/// A client of IPv6 is a /64, and that of this machine is the first.
fn is_of_this_machine(address: IpAddr) -> bool {
    address.is_loopback() || address.is_unspecified()
}

/// The messages whose codes did not come back, less those whose codes did.
const fn missing(asked: i64, returned: i64) -> i64 {
    asked.saturating_sub(returned.saturating_mul(2))
}

/// How many messages a network leaves to others for each that it owes.
const LEFT_TO_OTHERS: u32 = 4;

/// How much room of so much a network has that owes so many messages: it may owe a quarter of
/// what it leaves to others.
#[must_use]
pub const fn room_beside(room: u32, owed: u32) -> u32 {
    room.saturating_sub(owed.saturating_mul(LEFT_TO_OTHERS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(client: &str, allowances: &str) -> Vec<(String, u32, u32)> {
        let allowances = allowances.parse().unwrap_or_default();
        let networks = Network::of(&ClientAddress::from_gateway(Some(client)), &allowances);
        let told = |it: Network| (it.client.as_str().to_owned(), it.holds, it.allowance);
        networks.into_iter().map(told).collect()
    }

    #[test]
    fn a_client_counts_for_the_networks_that_one_stranger_can_have() {
        let told = |name: &str, holds, allowance| (name.to_owned(), holds, allowance);
        assert_eq!(networks("203.0.113.7", ""), [told("203.0.113.0/24", 1, 0)]);
        assert_eq!(
            networks("2001:db8:1:2345::1", ""),
            [
                told("2001:db8:1:2345::/64", 1, 0),
                told("2001:db8:1:2300::/56", 2, 0),
                told("2001:db8:1::/48", 4, 0),
            ]
        );
        assert_eq!(
            networks("203.0.113.7", "203.0.0.0/16=500"),
            [told("203.0.0.0/16", 1, 500)]
        );
        for nobody in ["127.0.0.1", "::1", "nowhere"] {
            assert_eq!(networks(nobody, ""), []);
        }
    }

    #[test]
    fn codes_that_come_back_and_an_allowance_owe_nothing() {
        let network = Network {
            client: ClientAddress::from_gateway(None),
            holds: 1,
            allowance: 0,
        };
        assert_eq!(network.owes(9, 0), 9);
        assert_eq!(network.owes(9, 4), 1);
        assert_eq!(network.owes(9, 5), 0);
        let allowed = Network {
            allowance: 5,
            ..network.clone()
        };
        assert_eq!(allowed.owes(9, 0), 4);
        let of_many = Network {
            holds: 4,
            ..network
        };
        assert_eq!(of_many.owes(9, 0), 2);
        for (network, asked) in [(allowed, 9), (of_many.clone(), 9), (of_many, 12)] {
            let slack = network.slack(asked, 0);
            let owes = |more| network.owes(asked + more, 0);
            assert!(owes(slack) == owes(0) && owes(slack + 1) > owes(0));
        }
    }

    #[test]
    fn ten_networks_leave_room_to_one_that_owes_nothing_whoever_comes_first() {
        for (networks, most) in [(1, 10), (2, 18), (10, 46)] {
            // One after the other, and in turns.
            for at_once in [50, 1] {
                let mut owed = vec![0; networks];
                for network in (0..networks).cycle().take(50 * networks) {
                    for _ in 0..at_once {
                        if owed.iter().sum::<u32>() < room_beside(50, owed[network]) {
                            owed[network] += 1;
                        }
                    }
                }
                let all: u32 = owed.iter().sum();
                assert!(all <= most, "{networks}: {owed:?}");
            }
        }
    }
}
