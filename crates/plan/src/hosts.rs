//! The `Host` of a request and redirects made of it, as far as they need no thought.
//!
//! `starlette._utils.parse_host_header` takes much more, and `starlette.datastructures.URL` makes something of all of it.
//! What is unusual is not found here, and left to them.

/// A `Host` of lower case letters, digits, dots and hyphens, with or without a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlainHost<'a> {
    /// Without the port.
    pub name: &'a str,
    /// The port as it stands there, leading zeros included.
    pub port: Option<&'a str>,
    /// All of it.
    pub whole: &'a str,
}

impl<'a> PlainHost<'a> {
    /// `None`: it is not so plain, or no host at all.
    pub fn parse(value: &'a [u8]) -> Option<Self> {
        let whole = std::str::from_utf8(value).ok()?;
        let (name, port) = match whole.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (whole, None),
        };
        let is_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-');
        let plain = !name.is_empty() && name.bytes().all(is_name);
        (plain && port.is_none_or(is_port)).then_some(Self { name, port, whole })
    }

    /// The number of the port; `None`: it names none.
    pub fn port(&self) -> Option<u16> {
        self.port.and_then(|port| port.parse().ok())
    }
}

/// Whether it is the text of a port.
fn is_port(text: &str) -> bool {
    (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}

/// The URL of these parts, which no escaping would change; `None`: it is not so plain. `path`: decoded, `query`: as sent.
pub fn plain_url(scheme: &str, authority: &str, path: &str, query: &[u8]) -> Option<String> {
    let query = std::str::from_utf8(query).ok()?;
    // Two slashes would begin an authority of their own.
    let plain = path.starts_with('/') && !path.starts_with("//") && path.bytes().all(is_plain);
    if !plain || !query.bytes().all(|byte| is_plain(byte) || byte == b'?') {
        return None;
    }
    let mark = if query.is_empty() { "" } else { "?" };
    Some(format!("{scheme}://{authority}{path}{mark}{query}"))
}

/// Whether a byte stands for itself in the path and the query of a `RedirectResponse`.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-~:/%=@!$&'()*+,;".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_hosts_are_taken_apart() {
        let host = PlainHost::parse(b"a.example:080").expect("a plain host");
        assert_eq!(
            (host.name, host.port, host.port(), host.whole),
            ("a.example", Some("080"), Some(80), "a.example:080")
        );
        let host = PlainHost::parse(b"10.0.0.1").expect("a plain host");
        assert_eq!((host.name, host.port()), ("10.0.0.1", None));
    }

    #[test]
    fn unusual_hosts_are_left() {
        for value in
            ["", ":80", "A.example", "a_b", "[::1]", "a:", "a:x", "a:+1", "a:65536", "a:000080", "a:1:2", "a b"]
        {
            assert_eq!(PlainHost::parse(value.as_bytes()), None, "{value}");
        }
        assert_eq!(PlainHost::parse(b"\xe9"), None);
    }

    #[test]
    fn plain_urls_are_put_together() {
        assert_eq!(plain_url("https", "a", "/b;c/%41", b"d=e?f"), Some("https://a/b;c/%41?d=e?f".to_owned()));
        assert_eq!(plain_url("http", "a:8", "/", b""), Some("http://a:8/".to_owned()));
    }

    #[test]
    fn unusual_urls_are_left() {
        for path in ["", "a", "//a", "/a b", "/a?b", "/a#b", "/a\\b", "/[a]", "/\u{e9}", "/a\n"] {
            assert_eq!(plain_url("https", "a", path, b""), None, "{path}");
        }
        for query in [&b"#"[..], b" ", b"\xe9", b"[", b"\"", b"|"] {
            assert_eq!(plain_url("https", "a", "/", query), None, "{query:?}");
        }
    }
}
