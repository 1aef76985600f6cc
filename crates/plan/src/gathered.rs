//! The values of a request that its route asks for, of one source: query, header or cookies. Filled once by
//! [`crate::query::gather`] and its like, asked by each parameter; can be used again for the next request.
//!
//! It holds its own text, so that it can be kept while code of the application waits.

/// Values under the numbers of [`crate::Names`].
#[derive(Debug, Clone, Default)]
pub struct Gathered {
    text: String,
    /// In the order of the request.
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    name: u16,
    start: usize,
    end: usize,
}

impl Gathered {
    /// Nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Forgets all values but keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.entries.clear();
    }

    /// Adds a value.
    pub fn push(&mut self, name: u16, value: &str) {
        let start = self.text.len();
        self.text.push_str(value);
        self.entries.push(Entry { name, start, end: self.text.len() });
    }

    /// Adds a value of Latin-1, as header values are.
    pub fn push_latin1(&mut self, name: u16, value: &[u8]) {
        match std::str::from_utf8(value) {
            Ok(text) if text.is_ascii() => self.push(name, text),
            _ => {
                let start = self.text.len();
                self.text.extend(value.iter().map(|byte| char::from(*byte)));
                self.entries.push(Entry { name, start, end: self.text.len() });
            }
        }
    }

    /// Whether there is a value.
    pub fn contains(&self, name: u16) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }

    /// The first value: what counts for headers.
    pub fn first(&self, name: u16) -> Option<&str> {
        self.all(name).next()
    }

    /// The last value: what counts for query parameters and cookies.
    pub fn last(&self, name: u16) -> Option<&str> {
        self.all(name).next_back()
    }

    /// All values in the order of the request.
    pub fn all(&self, name: u16) -> impl DoubleEndedIterator<Item = &str> {
        self.entries.iter().filter(move |entry| entry.name == name).map(|entry| &self.text[entry.start..entry.end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_name_in_their_order() {
        let mut gathered = Gathered::new();
        for (name, value) in [(3, "a"), (1, ""), (3, "bc")] {
            gathered.push(name, value);
        }
        gathered.push_latin1(1, b"caf\xe9");
        gathered.push_latin1(2, "é".as_bytes());
        assert_eq!((gathered.first(3), gathered.last(3)), (Some("a"), Some("bc")));
        assert_eq!(gathered.all(1).collect::<Vec<_>>(), ["", "café"]);
        assert_eq!(gathered.last(2), Some("Ã©"));
        assert!(gathered.contains(1) && !gathered.contains(0));
        gathered.clear();
        assert_eq!(gathered.first(3), None);
    }
}
