//! Where the load goes: a loopback address, a port and a path.
//!
//! Used by every subcommand through clap. A target that is not on this machine cannot be expressed: parsing refuses it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// A parsed `http://` or `ws://` address on a loopback interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub address: SocketAddr,
    /// Path and query, starting with `/`.
    pub path: String,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = ["http://", "ws://"]
            .iter()
            .find_map(|scheme| text.strip_prefix(scheme))
            .ok_or_else(|| format!("`{text}` does not start with http:// or ws://"))?;
        let (authority, path) = match rest.find('/') {
            Some(slash) => (&rest[..slash], &rest[slash..]),
            None => (rest, "/"),
        };
        if path.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return Err(format!("`{path}` holds a space or a control character"));
        }
        Ok(Self { address: loopback(authority)?, path: path.to_owned() })
    }
}

fn loopback(authority: &str) -> Result<SocketAddr, String> {
    let address = match authority.strip_prefix("localhost:") {
        Some(port) => port.parse().map(|port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)).ok(),
        None => authority.parse().ok(),
    }
    .ok_or_else(|| format!("`{authority}` is not ADDRESS:PORT"))?;
    if !address.ip().is_loopback() {
        return Err(format!("`{authority}` is not a loopback address: load is sent to this machine only"));
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_and_query_are_kept() {
        let target: Target = "http://127.0.0.1:8000/items/3?q=a&limit=2".parse().unwrap();
        assert_eq!(target.address, "127.0.0.1:8000".parse().unwrap());
        assert_eq!(target.path, "/items/3?q=a&limit=2");
    }

    #[test]
    fn missing_path_is_the_root() {
        assert_eq!("ws://localhost:9/".parse::<Target>(), "ws://127.0.0.1:9".parse());
        assert_eq!("http://[::1]:80".parse::<Target>().unwrap().path, "/");
    }

    #[test]
    fn other_machines_are_refused() {
        for text in ["http://10.0.0.1:80/", "http://192.168.1.1:80/", "http://example.org:80/", "http://0.0.0.0:80/"] {
            assert!(text.parse::<Target>().is_err(), "{text} must be refused");
        }
    }

    #[test]
    fn a_path_cannot_smuggle_a_second_line() {
        assert!("http://127.0.0.1:80/a\r\nhost: b".parse::<Target>().is_err());
    }
}
