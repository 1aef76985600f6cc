//! Limits of the size of a request's body: whether a body can exceed the one that counts.

use serde::{Deserialize, Serialize};

/// Where a limit is (`fastapi._body_limit.wrap_app_with_body_limit`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Around all middleware of the application.
    Application,
    /// Around its router.
    Router,
    /// Around the route.
    Route,
}

/// A limit of the size of bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BodyLimit {
    /// Where it is.
    pub level: Level,
    /// In bytes.
    pub size: u64,
}

/// What is known of the size of a body before it is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct BodySize<'a> {
    /// The value of the first field `content-length`.
    pub content_length: Option<&'a [u8]>,
    /// It is sent in chunks.
    pub chunked: bool,
    /// How long it is, in bytes, if all of it is there.
    pub whole: Option<usize>,
}

impl BodySize<'_> {
    /// Whether it is certain that neither what is told of the body nor the body itself is larger than this many bytes.
    pub fn is_within(&self, limit: u64) -> bool {
        let told = match self.content_length.map(decimal) {
            Some(told) if told.is_none_or(|told| told > limit) => return false,
            told => told.is_some(),
        };
        match self.whole {
            Some(whole) => whole as u64 <= limit,
            // The front lets no more through than what was told.
            None => told && !self.chunked,
        }
    }
}

/// A number of plain digits; what else Python's `int` takes is for Python to say.
fn decimal(text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_within(content_length: Option<&str>, chunked: bool, whole: Option<usize>) -> bool {
        BodySize { content_length: content_length.map(str::as_bytes), chunked, whole }.is_within(5)
    }

    #[test]
    fn a_body_that_is_there_is_within_its_limit() {
        assert!(is_within(None, false, Some(0)));
        assert!(is_within(Some("5"), false, Some(5)));
        assert!(!is_within(None, false, Some(6)));
        assert!(!is_within(Some("2"), false, Some(6)));
    }

    #[test]
    fn a_body_that_is_still_to_come_is_as_long_as_it_says() {
        assert!(is_within(Some("5"), false, None));
        assert!(!is_within(Some("5"), true, None));
        assert!(!is_within(None, false, None));
        assert!(!is_within(None, true, None));
    }

    #[test]
    fn a_length_that_is_too_great_or_odd_is_not_within() {
        for told in ["6", "-1", "+5", " 5", "1_0", "", "x", "99999999999999999999999"] {
            assert!(!is_within(Some(told), false, Some(0)), "{told:?}");
        }
    }
}
