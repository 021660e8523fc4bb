//! The words of a program that listens: where other machines find it, and what it hosts.

use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
};

use qrcode::{QrCode, render::unicode::Dense1x2};

/// The most addresses of the network that are told.
const MOST: usize = 4;

/// Returns the addresses by which other machines of the network reach a server that listens on `address`: those of the interfaces of
/// this machine if it listens on all of them, and none if it listens for this machine alone.
pub(super) fn reached_by(address: SocketAddr, interfaces: impl IntoIterator<Item = IpAddr>) -> Vec<SocketAddr> {
    let of_kind = |ip: &IpAddr| address.is_ipv6() || ip.is_ipv4();
    let is_wide = |ip: &IpAddr| match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_link_local(),
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unicast_link_local(),
    };
    let all = || interfaces.into_iter().filter(of_kind).collect();
    let mut ips: Vec<IpAddr> = if address.ip().is_unspecified() { all() } else { vec![address.ip()] };
    ips.retain(is_wide);
    // People type the shorter ones more easily.
    ips.sort_by_key(|ip| (ip.is_ipv6(), *ip));
    ips.dedup();
    ips.truncate(MOST);
    ips.into_iter().map(|ip| SocketAddr::new(ip, address.port())).collect()
}

/// Returns the addresses of this machine's interfaces; none if the system does not tell them.
pub(super) fn interfaces() -> Vec<IpAddr> {
    if_addrs::get_if_addrs().into_iter().flatten().map(|interface| interface.ip()).collect()
}

/// Returns the lines after `Listening on ..`. `draws` adds a QR code with the first address, for a phone.
pub(super) fn greeting(network: &[SocketAddr], games: &[String], draws: bool) -> String {
    let mut text = String::new();
    for address in network {
        let _ = writeln!(text, "On the network: http://{address}");
    }
    if !games.is_empty() {
        let _ = writeln!(text, "Hosting {}", games.join(", "));
    }
    let code = network.first().filter(|_| draws).and_then(|address| QrCode::new(format!("http://{address}")).ok());
    if let Some(code) = code {
        // Most terminals are dark, and a code must be dark on a light ground.
        let code = code.render::<Dense1x2>().dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
        let _ = writeln!(text, "{code}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reached(listens: &str) -> Vec<String> {
        let interfaces = ["127.0.0.1", "fe80::1", "2001:db8::7", "192.168.1.5", "::1", "169.254.3.4", "10.0.0.9", "10.0.0.9"];
        let interfaces = interfaces.iter().map(|ip| ip.parse().unwrap());
        reached_by(listens.parse().unwrap(), interfaces).iter().map(SocketAddr::to_string).collect()
    }

    #[test]
    fn a_server_is_told_by_the_addresses_that_others_reach() {
        assert_eq!(reached("0.0.0.0:3000"), ["10.0.0.9:3000", "192.168.1.5:3000"]);
        assert_eq!(reached("[::]:80"), ["10.0.0.9:80", "192.168.1.5:80", "[2001:db8::7]:80"]);
        assert_eq!(reached("192.168.1.5:3000"), ["192.168.1.5:3000"]);
        assert_eq!((reached("127.0.0.1:3000"), reached("[::1]:3000")), (vec![], vec![]));
    }

    #[test]
    fn a_greeting_names_the_games_and_draws_for_terminals_alone() {
        let network = ["10.0.0.9:3000".parse().unwrap()];
        let games = ["arena".to_owned(), "swarm".to_owned()];
        let plain = "On the network: http://10.0.0.9:3000\nHosting arena, swarm\n";
        assert_eq!(greeting(&network, &games, false), plain);
        let drawn = greeting(&network, &games, true);
        let code = drawn.strip_prefix(plain).unwrap();
        assert!(code.lines().count() > 10 && code.contains('█'), "{code}");
        assert_eq!(greeting(&[], &games, true), "Hosting arena, swarm\n", "a phone does not reach this machine");
    }
}
