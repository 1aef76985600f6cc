//! A path cut at its slashes, each segment with a hash, in one pass. Used by [`crate::Router`] for each request and, for
//! the literal segments of templates, when it is built.

/// Segments that are looked at one by one. A template with more is matched as a whole.
pub(crate) const MAX_SEGMENTS: usize = 24;

/// A path's segments: what is between and behind its slashes.
pub(crate) struct Segments<'path> {
    pub(crate) path: &'path [u8],
    /// Where each of the first segments begins; the next one begins one byte behind its end.
    starts: [u32; MAX_SEGMENTS + 1],
    hashes: [u64; MAX_SEGMENTS],
    /// How many there are in all.
    pub(crate) count: usize,
}

impl<'path> Segments<'path> {
    /// `None` if the path is not absolute.
    pub(crate) fn split(path: &'path str) -> Option<Self> {
        let path = path.as_bytes();
        let rest = path.strip_prefix(b"/")?;
        let mut segments = Self { path, starts: [0; MAX_SEGMENTS + 1], hashes: [0; MAX_SEGMENTS], count: 0 };
        let mut start = 1;
        for (offset, byte) in rest.iter().enumerate() {
            if *byte == b'/' {
                segments.push(start, offset + 1);
                start = offset + 2;
            }
        }
        segments.push(start, path.len());
        Some(segments)
    }

    fn push(&mut self, start: usize, end: usize) {
        if self.count < MAX_SEGMENTS {
            self.starts[self.count] = start as u32;
            self.starts[self.count + 1] = end as u32 + 1;
            self.hashes[self.count] = hash(&self.path[start..end]);
        }
        self.count += 1;
    }

    /// One of the first [`MAX_SEGMENTS`].
    pub(crate) fn get(&self, number: usize) -> &'path [u8] {
        &self.path[self.start(number)..self.end(number)]
    }

    pub(crate) fn start(&self, number: usize) -> usize {
        self.starts[number] as usize
    }

    pub(crate) fn end(&self, number: usize) -> usize {
        self.starts[number + 1] as usize - 1
    }

    pub(crate) fn hash(&self, number: usize) -> u64 {
        self.hashes[number]
    }
}

/// A hash of some bytes. Nobody gains by making two alike: what it finds is compared byte by byte.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    let mut state = bytes.len() as u64;
    let mut rest = bytes;
    while let Some((word, following)) = rest.split_first_chunk::<8>() {
        state = mix(state, u64::from_le_bytes(*word));
        rest = following;
    }
    let mut last = 0;
    for byte in rest {
        last = last << 8 | u64::from(*byte);
    }
    mix(state, last)
}

/// Both halves of a 128 bit product: each bit of the result depends on each bit of what went in.
pub(crate) fn mix(state: u64, word: u64) -> u64 {
    let product = u128::from(state ^ 0x9e37_79b9_7f4a_7c15) * u128::from(word ^ 0xd1b5_4a32_d192_ed03);
    (product as u64) ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_cut_at_its_slashes() {
        let segments = Segments::split("/items//17/").unwrap();
        let all: Vec<&[u8]> = (0..segments.count).map(|number| segments.get(number)).collect();
        assert_eq!(all, [&b"items"[..], b"", b"17", b""]);
        assert_eq!(Segments::split("/").unwrap().count, 1);
        assert!(Segments::split("items").is_none());
        assert!(Segments::split("").is_none());
    }

    #[test]
    fn segments_beyond_the_bound_are_only_counted() {
        let path = "/a".repeat(MAX_SEGMENTS + 5);
        let segments = Segments::split(&path).unwrap();
        assert_eq!(segments.count, MAX_SEGMENTS + 5);
        assert_eq!(segments.get(MAX_SEGMENTS - 1), b"a");
    }
}
