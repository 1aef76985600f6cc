//! The names of query parameters, header fields or cookies that one route asks for, numbered. Used by the executor for
//! each name that a request has: most are not asked for.

use std::collections::BTreeSet;

/// Names with numbers from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// By length, so that a name is compared only with those of its own length.
    names: Box<[Box<str>]>,
    /// Where the names of each length begin; one entry more than the greatest length.
    begins: Box<[u16]>,
}

impl Names {
    /// At most `u16::MAX` names; the caller sees to it.
    pub(crate) fn new(names: BTreeSet<&str>) -> Self {
        let mut names: Vec<Box<str>> = names.into_iter().map(Box::from).collect();
        names.sort_by_key(|name| name.len());
        let longest = names.last().map_or(0, |name| name.len());
        let begin = |length| names.partition_point(|name| name.len() < length) as u16;
        Self { begins: (0..=longest + 1).map(begin).collect(), names: names.into() }
    }

    /// The number of this name, if it is asked for.
    pub fn find(&self, name: &[u8]) -> Option<u16> {
        let (begin, end) = (*self.begins.get(name.len())?, *self.begins.get(name.len() + 1)?);
        (begin..end).find(|number| self.names[usize::from(*number)].as_bytes() == name)
    }

    /// In the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_found_under_its_number_and_no_other_is() {
        let names = Names::new(BTreeSet::from(["q", "limit", "skip", "é", "x", "page"]));
        for (number, name) in names.iter().enumerate() {
            assert_eq!(names.find(name.as_bytes()), Some(number as u16));
        }
        for other in ["", "Q", "limi", "limits", "ski", "e", "something much longer"] {
            assert_eq!(names.find(other.as_bytes()), None);
        }
        assert_eq!(Names::new(BTreeSet::new()).find(b""), None);
        assert_eq!(Names::new(BTreeSet::from([""])).find(b""), Some(0));
    }
}
