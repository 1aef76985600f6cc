//! Negotiating permessage-deflate (RFC 7692 section 7.1): from the client's offers to what is agreed.
//!
//! Windows of 4 KiB are asked for on both sides, as under uvicorn. With zlib's full window a connection would hold
//! about 300 KiB, and most messages are shorter than 4 KiB anyway.

use std::fmt;

use http::{HeaderMap, header::SEC_WEBSOCKET_EXTENSIONS};

/// Window bits that are asked for.
const WINDOW_BITS: u8 = 12;

/// The least that zlib can compress with; an offer of less is declined.
const LEAST_SERVER_BITS: u8 = 9;

/// What was agreed; its text is the value of the answer's `sec-websocket-extensions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Agreement {
    /// Window of what we compress.
    pub(crate) server_bits: u8,
    /// Window of what the client compresses, where it can be told.
    pub(crate) client_bits: Option<u8>,
    /// We forget our window after each message.
    pub(crate) server_no_takeover: bool,
    /// The client forgets its window after each message.
    pub(crate) client_no_takeover: bool,
}

impl fmt::Display for Agreement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("permessage-deflate")?;
        if self.server_no_takeover {
            formatter.write_str("; server_no_context_takeover")?;
        }
        if self.client_no_takeover {
            formatter.write_str("; client_no_context_takeover")?;
        }
        write!(formatter, "; server_max_window_bits={}", self.server_bits)?;
        if let Some(bits) = self.client_bits {
            write!(formatter, "; client_max_window_bits={bits}")?;
        }
        Ok(())
    }
}

/// The first offer that can be agreed to.
pub(crate) fn agree(fields: &HeaderMap) -> Option<Agreement> {
    let values = fields.get_all(SEC_WEBSOCKET_EXTENSIONS).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).find_map(accept)
}

/// Agrees to one offer. One with a parameter that is unknown, given twice or wrongly valued must be declined.
fn accept(offer: &str) -> Option<Agreement> {
    let mut parts = offer.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case("permessage-deflate") {
        return None;
    }
    let mut agreement =
        Agreement { server_bits: WINDOW_BITS, client_bits: None, server_no_takeover: false, client_no_takeover: false };
    let mut server_bits = None;
    for part in parts {
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim().trim_matches('"'))),
            None => (part, None),
        };
        match (name, value) {
            ("server_no_context_takeover", None) if !agreement.server_no_takeover => {
                agreement.server_no_takeover = true;
            }
            ("client_no_context_takeover", None) if !agreement.client_no_takeover => {
                agreement.client_no_takeover = true;
            }
            ("server_max_window_bits", Some(value)) if server_bits.is_none() => server_bits = Some(bits(value)?),
            // Without a value: the client can be told any window.
            ("client_max_window_bits", value) if agreement.client_bits.is_none() => {
                agreement.client_bits = Some(value.map_or(Some(15), bits)?.min(WINDOW_BITS));
            }
            _ => return None,
        }
    }
    agreement.server_bits = server_bits.unwrap_or(15).min(WINDOW_BITS);
    (agreement.server_bits >= LEAST_SERVER_BITS).then_some(agreement)
}

/// RFC 7692 section 7.1.2: a decimal number from 8 to 15 without leading zeros.
fn bits(value: &str) -> Option<u8> {
    let bits = value.parse().ok().filter(|bits| (8..=15).contains(bits))?;
    (!value.starts_with(['0', '+'])).then_some(bits)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn agreed(offer: &str) -> Option<String> {
        let mut fields = HeaderMap::new();
        fields.insert(SEC_WEBSOCKET_EXTENSIONS, offer.parse().ok()?);
        agree(&fields).map(|agreement| agreement.to_string())
    }

    #[test]
    fn offers_are_answered_with_small_windows() {
        for (offer, expected) in [
            ("permessage-deflate", "permessage-deflate; server_max_window_bits=12"),
            (
                "permessage-deflate; client_max_window_bits",
                "permessage-deflate; server_max_window_bits=12; client_max_window_bits=12",
            ),
            (
                "permessage-deflate; client_max_window_bits=10; server_max_window_bits=\"9\"",
                "permessage-deflate; server_max_window_bits=9; client_max_window_bits=10",
            ),
            (
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12",
            ),
        ] {
            assert_eq!(agreed(offer).as_deref(), Some(expected), "{offer}");
        }
    }

    #[test]
    fn first_offer_that_can_be_agreed_to_is_taken() {
        let offer =
            "x-webkit, permessage-deflate; server_max_window_bits=8, permessage-deflate; client_max_window_bits=9";
        assert_eq!(
            agreed(offer).as_deref(),
            Some("permessage-deflate; server_max_window_bits=12; client_max_window_bits=9")
        );
    }

    #[test]
    fn unknown_repeated_and_invalid_parameters_are_declined() {
        for parameters in [
            "unknown",
            "server_max_window_bits",
            "server_max_window_bits=8",
            "server_max_window_bits=16",
            "server_max_window_bits=012",
            "client_max_window_bits=7",
            "client_max_window_bits=x",
            "server_no_context_takeover=1",
            "server_no_context_takeover; server_no_context_takeover",
            "client_max_window_bits; client_max_window_bits",
            "",
        ] {
            assert_eq!(agreed(&format!("permessage-deflate; {parameters}")), None, "{parameters}");
        }
    }

    proptest! {
        #[test]
        fn any_offer_is_answered_or_declined_without_a_panic(offer in "[ -~]{0,80}") {
            agreed(&offer);
            agreed(&format!("permessage-deflate; {offer}"));
        }
    }
}
