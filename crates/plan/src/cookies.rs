//! `Cookie` header fields as `starlette.requests.cookie_parser` reads them, which is more than RFC 6265 allows. Used by
//! the executor, through [`gather`]. Of several cookies with one name, also in several fields, the last one counts.

use std::borrow::Cow;

use crate::{Gathered, Names};

/// Puts the values of the named cookies of one header field into `gathered`.
pub fn gather(field: &[u8], names: &Names, gathered: &mut Gathered) {
    if names.is_empty() {
        return;
    }
    for (name, value) in parts(field) {
        if let Some(number) = names.find(latin1(name).as_bytes()) {
            gathered.push_latin1(number, &unquote(value));
        }
    }
}

/// All names and values of one header field in their order.
pub fn pairs(field: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    parts(field).map(|(name, value)| {
        let value = match unquote(value) {
            Cow::Borrowed(bytes) => latin1(bytes),
            Cow::Owned(bytes) => Cow::Owned(latin1(&bytes).into_owned()),
        };
        (latin1(name), value)
    })
}

/// Names and values as they were sent. A part without `=` is a value without a name.
fn parts(field: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let split = |part: &'_ [u8]| part.iter().position(|byte| *byte == b'=');
    let parts = field.split(|byte| *byte == b';').map(move |part| match split(part) {
        Some(at) => (strip(&part[..at]), strip(&part[at + 1..])),
        None => (&b""[..], strip(part)),
    });
    parts.filter(|(name, value)| !name.is_empty() || !value.is_empty())
}

/// Python's `str.strip` for Latin-1.
fn strip(mut text: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, 0x09..=0x0d | 0x1c..=0x20 | 0x85 | 0xa0);
    while let Some((_, rest)) = text.split_first().filter(|(first, _)| is_space(first)) {
        text = rest;
    }
    while let Some((_, rest)) = text.split_last().filter(|(last, _)| is_space(last)) {
        text = rest;
    }
    text
}

fn latin1(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Cow::Borrowed(text),
        _ => Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect()),
    }
}

/// Python's `http.cookies._unquote`: within quotation marks a backslash stands before three octal digits of a character,
/// or before any character that is meant as it is; but not before a line feed.
fn unquote(value: &[u8]) -> Cow<'_, [u8]> {
    let Some(quoted) = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\"")) else {
        return Cow::Borrowed(value);
    };
    let mut bytes = Vec::with_capacity(quoted.len());
    let mut rest = quoted;
    loop {
        rest = match rest {
            [] => return Cow::Owned(bytes),
            [b'\\', high @ b'0'..=b'3', middle @ b'0'..=b'7', low @ b'0'..=b'7', following @ ..] => {
                bytes.push((high - b'0') << 6 | (middle - b'0') << 3 | (low - b'0'));
                following
            }
            [b'\\', meant, following @ ..] if *meant != b'\n' => {
                bytes.push(*meant);
                following
            }
            [byte, following @ ..] => {
                bytes.push(*byte);
                following
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn of_several_fields_the_last_value_counts() {
        let names = Names::new(BTreeSet::from(["session", "theme"]));
        let mut gathered = Gathered::new();
        for field in [&b"session=1; other=2"[..], b"theme=\"d\\141rk\"; session=caf\xe9"] {
            gather(field, &names, &mut gathered);
        }
        let last = |name: &str| gathered.last(names.find(name.as_bytes()).unwrap());
        assert_eq!(last("session"), Some("café"));
        assert_eq!(last("theme"), Some("dark"));
    }

    proptest! {
        #[test]
        fn no_field_panics(field in prop::collection::vec(any::<u8>(), 0..60)) {
            pairs(&field).for_each(drop);
        }
    }
}
