//! Query strings as Starlette's `QueryParams` has them: `urllib.parse.parse_qsl(text, keep_blank_values=True)` of the
//! query string decoded as Latin-1. Used by the executor, through [`gather`].
//!
//! `&` separates, a part without `=` has an empty value, empty parts do not count, `+` is a space. Percent-escapes are
//! undone within runs of ASCII, each run decoded as UTF-8 on its own, with U+FFFD for what is none; a `%` without two
//! hexadecimal digits stays. Bytes beyond ASCII are characters of Latin-1.

use std::borrow::Cow;

use crate::{Gathered, Names};

/// Puts the values of the named parameters into `gathered`.
pub fn gather(query: &[u8], names: &Names, gathered: &mut Gathered) {
    if names.is_empty() {
        return;
    }
    for (name, value) in parts(query) {
        if let Some(number) = names.find(decode(name).as_bytes()) {
            gathered.push(number, &decode(value));
        }
    }
}

/// All names and values in their order.
pub fn pairs(query: &[u8]) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
    parts(query).map(|(name, value)| (decode(name), decode(value)))
}

/// Names and values as they were sent.
fn parts(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let parts = query.split(|byte| *byte == b'&').filter(|part| !part.is_empty());
    parts.map(|part| match part.iter().position(|byte| *byte == b'=') {
        Some(at) => (&part[..at], &part[at + 1..]),
        None => (part, &b""[..]),
    })
}

/// A name or a value as it is meant.
fn decode(text: &[u8]) -> Cow<'_, str> {
    let as_sent = |byte: &u8| byte.is_ascii() && !matches!(byte, b'%' | b'+');
    match std::str::from_utf8(text) {
        Ok(plain) if text.iter().all(as_sent) => Cow::Borrowed(plain),
        _ => Cow::Owned(unescape(text)),
    }
}

fn unescape(text: &[u8]) -> String {
    let mut decoded = String::with_capacity(text.len());
    for run in text.chunk_by(|one, other| one.is_ascii() == other.is_ascii()) {
        if run[0].is_ascii() {
            decoded.push_str(&String::from_utf8_lossy(&unescape_ascii(run)));
        } else {
            decoded.extend(run.iter().map(|byte| char::from(*byte)));
        }
    }
    decoded
}

fn unescape_ascii(run: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(run.len());
    let mut rest = run;
    while let Some((first, following)) = rest.split_first() {
        rest = following;
        bytes.push(match (first, escaped(following)) {
            (b'%', Some(byte)) => {
                rest = &following[2..];
                byte
            }
            (b'+', _) => b' ',
            (byte, _) => *byte,
        });
    }
    bytes
}

/// The byte that two hexadecimal digits stand for.
fn escaped(text: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let [high, low, ..] = text else { return None };
    Some((digit(*high)? << 4 | digit(*low)?) as u8)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_asked_for_is_gathered_and_nothing_else() {
        let names = Names::new(BTreeSet::from(["q", "page", "a b", "é"]));
        let mut gathered = Gathered::new();
        gather(b"q=1&x=2&%71=%33&a+b=c+d&%C3%A9=e&page&xq=4", &names, &mut gathered);
        let all = |name: &str| gathered.all(names.find(name.as_bytes()).unwrap()).collect::<Vec<_>>();
        assert_eq!(all("q"), ["1", "3"]);
        assert_eq!(all("a b"), ["c d"]);
        assert_eq!(all("é"), ["e"]);
        assert_eq!(all("page"), [""]);
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(
            pairs(b"limit=10&q=a-b_c.d~e")
                .all(|(name, value)| { matches!((name, value), (Cow::Borrowed(_), Cow::Borrowed(_))) })
        );
    }

    proptest! {
        #[test]
        fn gathering_agrees_with_the_pairs(query in "[qpa%&=+0-9C\u{e9}]{0,40}") {
            let names = Names::new(BTreeSet::from(["q", "p", "", "aq", "é"]));
            let query: Vec<u8> = query.chars().map(|character| character as u8).collect();
            let mut gathered = Gathered::new();
            gather(&query, &names, &mut gathered);
            for (number, name) in names.iter().enumerate() {
                let expected: Vec<_> = pairs(&query).filter(|pair| pair.0 == name).map(|pair| pair.1.into_owned()).collect();
                prop_assert_eq!(gathered.all(number as u16).collect::<Vec<_>>(), expected);
            }
        }

        #[test]
        fn no_query_panics(query in prop::collection::vec(any::<u8>(), 0..60)) {
            pairs(&query).for_each(drop);
        }
    }
}
