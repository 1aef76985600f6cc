//! The convertors of path parameters: which text each one takes. Used by [`crate::pattern`] and [`crate::shape`].
//!
//! The regular expressions are those of `starlette/convertors.py`, over bytes: a path that reaches the matching is
//! printable ASCII.

use serde::{Deserialize, Serialize};

/// What a path parameter takes and is converted to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Convertor {
    /// `[^/]+`, a `str`.
    #[default]
    Str,
    /// `.*`, a `str`.
    Path,
    /// `[0-9]+`, an `int`.
    Int,
    /// `[0-9]+(\.[0-9]+)?`, a `float`.
    Float,
    /// `[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}`, a `uuid.UUID`.
    Uuid,
}

/// Hexadecimal digits between the optional hyphens of a UUID.
const UUID_GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

impl Convertor {
    /// The convertor of this name in `starlette.convertors.CONVERTOR_TYPES`, as that is without registrations.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "str" => Convertor::Str,
            "path" => Convertor::Path,
            "int" => Convertor::Int,
            "float" => Convertor::Float,
            "uuid" => Convertor::Uuid,
            _ => return None,
        })
    }

    /// Its name in a path template.
    pub fn as_str(self) -> &'static str {
        match self {
            Convertor::Str => "str",
            Convertor::Path => "path",
            Convertor::Int => "int",
            Convertor::Float => "float",
            Convertor::Uuid => "uuid",
        }
    }

    /// Whether it takes exactly this text, which holds no slash.
    pub(crate) fn takes(self, text: &[u8]) -> bool {
        match self {
            Convertor::Str => !text.is_empty(),
            Convertor::Path => true,
            Convertor::Int => !text.is_empty() && digits(text) == text.len(),
            Convertor::Float => takes_float(text),
            Convertor::Uuid => uuid(text) == Some(text.len()),
        }
    }
}

fn takes_float(text: &[u8]) -> bool {
    let whole = digits(text);
    if whole == 0 || whole == text.len() {
        return whole > 0;
    }
    text[whole] == b'.' && whole + 1 < text.len() && whole + 1 + digits(&text[whole + 1..]) == text.len()
}

/// How many decimal digits the text begins with.
pub(crate) fn digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// How long the UUID is with which the text begins. There is never a choice: a hyphen is no digit.
pub(crate) fn uuid(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    for (number, digits) in UUID_GROUPS.into_iter().enumerate() {
        if number > 0 && text.get(at) == Some(&b'-') {
            at += 1;
        }
        if !text.get(at..at + digits)?.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        at += digits;
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_convertor_takes_what_its_expression_takes() {
        for (convertor, taken, refused) in [
            (Convertor::Str, &["a", "0", " ", "{"][..], &[""][..]),
            (Convertor::Int, &["0", "007", "12345678901234567890123"], &["", "-1", "+1", "1a", "1.0", " 1"]),
            (Convertor::Float, &["0", "1.5", "007.500"], &["", ".", "1.", ".5", "1.5.2", "1e5", "-1", "1.5a"]),
            (
                Convertor::Uuid,
                &[
                    "0123456789abcdef0123456789ABCDEF",
                    "01234567-89ab-cdef-0123-456789abcdef",
                    "0123456789ab-cdef-0123456789abcdef",
                ],
                &[
                    "",
                    "0123456789abcdef0123456789abcde",
                    "01234567--89abcdef0123456789abcdef",
                    "g123456789abcdef0123456789abcdef",
                ],
            ),
        ] {
            for text in taken {
                assert!(convertor.takes(text.as_bytes()), "{convertor:?} takes {text:?}");
            }
            for text in refused {
                assert!(!convertor.takes(text.as_bytes()), "{convertor:?} refuses {text:?}");
            }
        }
    }
}
