//! Networks whose clients share an allowance of their own: a school, an office, a carrier.

use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;

use super::ClientAddress;

/// How many logins an hour the clients of some networks share.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientAllowances(Vec<(IpNet, u32)>);

/// The text is not a list of networks with their allowances.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MalformedAllowance;

/// The most logins that an allowance may have.
const MOST: u32 = 1_000_000;

impl ClientAllowances {
    /// The network that the limit of this client counts by, and its allowance, if it has
    /// one. Of several networks, the smallest counts.
    #[must_use]
    pub fn of(&self, client: &ClientAddress) -> Option<(ClientAddress, u32)> {
        let address = client.address()?;
        let networks = self.0.iter();
        let networks = networks.filter(|(network, _)| network.contains(&address));
        let (network, most) = networks.max_by_key(|(network, _)| network.prefix_len())?;
        Some((ClientAddress::of_network(network.to_string()), *most))
    }
}

impl FromStr for ClientAllowances {
    type Err = MalformedAllowance;

    /// Reads a list such as `203.0.113.0/24=2000,2001:db8::/32=500`: each network once,
    /// by its first address, and no network smaller than one client.
    fn from_str(text: &str) -> Result<Self, MalformedAllowance> {
        let mut allowances = Vec::<(IpNet, u32)>::new();
        for entry in text.split(',').map(str::trim) {
            let (network, most) = entry.split_once('=').ok_or(MalformedAllowance)?;
            let network: IpNet = network.trim().parse().map_err(|_| MalformedAllowance)?;
            let most = most.trim().parse().map_err(|_| MalformedAllowance)?;
            let is_fit = network == network.trunc() && !is_part_of_a_client(&network);
            let is_new = allowances.iter().all(|(known, _)| *known != network);
            if !is_fit || !is_new || !(1..=MOST).contains(&most) {
                return Err(MalformedAllowance);
            }
            allowances.push((network, most));
        }
        Ok(Self(allowances))
    }
}

/// Clients of IPv6 count by /64.
fn is_part_of_a_client(network: &IpNet) -> bool {
    matches!(network.addr(), IpAddr::V6(_)) && network.prefix_len() > 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(list: &str, client: &str) -> Option<(String, u32)> {
        let allowances: ClientAllowances = list.parse().unwrap();
        let found = allowances.of(&ClientAddress::from_gateway(Some(client)));
        found.map(|(network, most)| (network.as_str().to_owned(), most))
    }

    #[test]
    fn the_smallest_network_of_a_client_counts() {
        let list = "203.0.113.0/24=2000, 203.0.113.7/32=5,2001:db8::/32=500";
        let allowed = |network: &str, most| Some((network.to_owned(), most));
        assert_eq!(of(list, "203.0.113.8"), allowed("203.0.113.0/24", 2000));
        assert_eq!(of(list, "203.0.113.7"), allowed("203.0.113.7/32", 5));
        assert_eq!(of(list, "2001:db8:1:2:3::4"), allowed("2001:db8::/32", 500));
        assert_eq!(of(list, "203.0.114.8"), None);
        assert_eq!(of(list, "2001:db9::1"), None);
        assert_eq!(of(list, "nowhere"), None);
    }

    #[test]
    fn what_is_no_list_of_networks_is_refused() {
        for text in [
            "",
            "203.0.113.0/24",
            "203.0.113.0=5",
            "203.0.113.1/24=5",
            "203.0.113.0/33=5",
            "203.0.113.0/24=0",
            "203.0.113.0/24=1000001",
            "203.0.113.0/24=-1",
            "203.0.113.0/24=5,",
            "203.0.113.0/24=5,203.0.113.0/24=6",
            "2001:db8::/65=5",
        ] {
            assert!(text.parse::<ClientAllowances>().is_err(), "{text}");
        }
    }
}
