//! Which addresses a webhook may call: public ones, and those of the networks that the operator allows.
//!
//! The check is made on what a name resolves to, and the connection goes to the very address that was checked: nobody can
//! answer one thing to the check and another to the connection. One address that is refused refuses the name.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::config::Networks;

/// Which of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Rule {
    /// `PLUMBLINE_WEBHOOK_ALLOWED_NETWORKS`.
    pub allowed: Networks,
    /// Only the allowed ones: the call is not encrypted.
    pub allowed_only: bool,
}

impl Rule {
    /// Ok, or why this address is not called.
    pub fn check(&self, address: IpAddr) -> Result<(), String> {
        if self.allowed.contains(address) {
            return Ok(());
        }
        let setting = "PLUMBLINE_WEBHOOK_ALLOWED_NETWORKS";
        if let Some(what) = not_public(address) {
            return Err(format!("{address} is {what} and is not called; {setting} can allow it"));
        }
        if self.allowed_only {
            return Err(format!("only https is used outside of {setting}"));
        }
        Ok(())
    }
}

/// Looks names up and checks every answer.
pub(super) struct Resolver(pub Rule);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (rule, host) = (self.0.clone(), name.as_str().to_owned());
        Box::pin(async move {
            // Port 0: the address that is called names it.
            let found = tokio::net::lookup_host((host.as_str(), 0)).await;
            let found: Vec<SocketAddr> =
                found.map_err(|error| format!("the name {host} cannot be looked up: {error}"))?.collect();
            for address in &found {
                rule.check(address.ip())
                    .map_err(|why| Box::<dyn Error + Send + Sync>::from(format!("{host}: {why}")))?;
            }
            if found.is_empty() {
                return Err(format!("the name {host} has no address").into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// What an address is that does not lead to a public host: IANA's registries of special addresses, and the metadata
/// services of clouds that are not among them.
fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => not_public_v4(address),
        IpAddr::V6(address) => not_public_v6(address),
    }
}

fn not_public_v4(address: Ipv4Addr) -> Option<&'static str> {
    let what = match address.octets() {
        [127, ..] => "this machine",
        [0, ..] => "no host's address",
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => "a private address",
        [100, 64..=127, ..] => "a provider's inner address",
        [169, 254, ..] => "a link-local address, where clouds keep their metadata",
        [168, 63, 129, 16] => "a cloud's metadata service",
        [224..=239, ..] => "a multicast address",
        [240..=255, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18..=19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => "a reserved address",
        _ => return None,
    };
    Some(what)
}

fn not_public_v6(address: Ipv6Addr) -> Option<&'static str> {
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    let what = match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            return not_public_v4(embedded(high, low));
        }
        [0, 0, 0, 0, 0, 0, 0, 1] => "this machine",
        [0xfc00..=0xfdff, ..] => "a private address",
        [0xfe80..=0xfebf, ..] => "a link-local address",
        [0xfec0..=0xfeff, ..] => "a site-local address",
        [0xff00..=0xffff, ..] => "a multicast address",
        // Teredo, 6to4 and documentation lie among the global ones: the first two carry another address inside.
        [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => "a reserved address",
        [0x2000..=0x3fff, ..] => return None,
        _ => "a reserved address",
    };
    Some(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_called() {
        for inner in [
            "127.0.0.1",
            "127.255.255.254",
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "192.88.99.1",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
            "3fff::1",
            "100::1",
            "4000::1",
        ] {
            assert!(not_public(inner.parse().unwrap()).is_some(), "{inner}");
            assert!(Rule::default().check(inner.parse().unwrap()).is_err(), "{inner}");
        }
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "172.15.0.1",
            "172.32.0.1",
            "100.63.0.1",
            "100.128.0.1",
            "168.63.129.17",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "64:ff9b::8.8.8.8",
            "::ffff:8.8.8.8",
        ] {
            assert_eq!(Rule::default().check(public.parse().unwrap()), Ok(()), "{public}");
            let plain = Rule { allowed_only: true, ..Rule::default() };
            assert!(plain.check(public.parse().unwrap()).is_err(), "{public} over http");
        }
    }
}
