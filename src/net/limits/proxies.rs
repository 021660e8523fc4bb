//! The proxies whose word on a client's address is taken.

use std::net::IpAddr;

use ipnet::IpNet;

/// The networks of the host's own proxies. Empty unless the host names some.
#[derive(Debug, Clone, Default)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Reads a network, like `10.0.0.0/8`, or the address of one machine.
    pub(crate) fn read(text: &str) -> Option<IpNet> {
        text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(|address| IpNet::from(address.to_canonical())))
    }

    /// Returns whether an address is that of a proxy. IPv4 addresses may be written as IPv6.
    pub(crate) fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address.to_canonical()))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<IpNet> for TrustedProxies {
    fn from_iter<I: IntoIterator<Item = IpNet>>(networks: I) -> Self {
        Self(networks.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_networks_or_single_addresses() {
        let read = |text| TrustedProxies::read(text).unwrap_or_else(|| panic!("{text}"));
        let proxies: TrustedProxies = ["10.0.0.0/8", "192.0.2.7", "::1", "2001:db8::/32"].map(read).into_iter().collect();
        for inside in ["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "::1", "2001:db8:5::1"] {
            assert!(proxies.contain(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["11.0.0.1", "192.0.2.8", "127.0.0.1", "::2", "2001:db9::1"] {
            assert!(!proxies.contain(outside.parse().unwrap()), "{outside}");
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0", "proxy.example.org", "10.0.0.1:80", "*"] {
            assert_eq!(TrustedProxies::read(wrong), None, "{wrong}");
        }
    }
}
