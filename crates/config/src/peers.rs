//! Networks on the command line: `127.0.0.0/8,::1,10.1.2.3`.

use std::{net::IpAddr, str::FromStr};

/// Clients that are trusted, by their address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedPeers(Vec<Network>);

/// The addresses that agree with one in their first bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    bits: u32,
}

impl TrustedPeers {
    /// Whether a client at this address is trusted. An IPv4 address counts as such in its IPv6 form, too.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(address))
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                agree(network.to_bits().into(), address.to_bits().into(), 96 + self.bits)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => agree(network.to_bits(), address.to_bits(), self.bits),
            _ => false,
        }
    }
}

/// Whether the first `bits` of 128 are the same.
fn agree(one: u128, other: u128, bits: u32) -> bool {
    let ignored = 128 - bits;
    (one ^ other).checked_shr(ignored).unwrap_or(0) == 0
}

impl FromStr for TrustedPeers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if matches!(text.trim(), "" | "none") {
            return Ok(Self::default());
        }
        text.split(',').map(|part| part.trim().parse()).collect::<Result<_, _>>().map(Self)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let wrong = || format!("`{text}` is neither an address nor a network such as 10.0.0.0/8");
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let address = address.to_canonical();
        let width = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(width), |bits| bits.parse().map_err(|_| wrong()))?;
        if bits > width {
            return Err(wrong());
        }
        Ok(Self { address, bits })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusts(peers: &str, address: &str) -> bool {
        peers.parse::<TrustedPeers>().unwrap().contains(address.parse().unwrap())
    }

    #[test]
    fn address_is_trusted_by_itself_or_with_its_network() {
        assert!(trusts("10.1.2.3", "10.1.2.3"));
        assert!(!trusts("10.1.2.3", "10.1.2.4"));
        assert!(trusts("127.0.0.0/8,::1", "127.3.2.1"));
        assert!(trusts("127.0.0.0/8, ::1", "::1"));
        assert!(!trusts("127.0.0.0/8,::1", "128.0.0.1"));
        assert!(trusts("fd00::/8", "fdab::1"));
        assert!(!trusts("fd00::/8", "fe00::1"));
    }

    #[test]
    fn families_do_not_mix_but_a_mapped_address_is_the_address() {
        assert!(trusts("0.0.0.0/0", "10.0.0.1"));
        assert!(!trusts("0.0.0.0/0", "2001:db8::1"));
        assert!(!trusts("::/0", "10.0.0.1"));
        assert!(trusts("127.0.0.1", "::ffff:127.0.0.1"));
    }

    #[test]
    fn nobody_is_trusted_where_none_is_said() {
        assert!(!trusts("none", "127.0.0.1"));
        assert!(!trusts("", "127.0.0.1"));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in ["localhost", "10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.1,,", "1.2.3"] {
            assert!(text.parse::<TrustedPeers>().is_err(), "{text}");
        }
    }
}
