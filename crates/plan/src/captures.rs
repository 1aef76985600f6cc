//! Where the parameters of a matched path are. Written by [`crate::Router::find`], kept by its caller with the path.

use crate::{Convertor, MAX_CAPTURES};

/// One parameter's text, as bytes `start..end` of the path, and what it is converted to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capture {
    /// First byte.
    pub start: u32,
    /// Behind the last byte.
    pub end: u32,
    /// What the text is converted to.
    pub convertor: Convertor,
}

impl Capture {
    /// The text of this parameter in the path that was matched.
    pub fn of<'path>(&self, path: &'path str) -> &'path str {
        // Never another path's by mistake: nothing rather than a panic.
        path.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// The parameters of a path in the order of its template. Can be used again for the next path.
#[derive(Debug, Clone, Default)]
pub struct Captures {
    captures: [Capture; MAX_CAPTURES],
    count: u8,
}

impl Captures {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// All of them.
    pub fn as_slice(&self) -> &[Capture] {
        &self.captures[..usize::from(self.count)]
    }

    /// The text of the parameter with this number in the path that was matched.
    pub fn text<'path>(&self, number: usize, path: &'path str) -> Option<&'path str> {
        self.as_slice().get(number).map(|capture| capture.of(path))
    }

    pub(crate) fn clear(&mut self) {
        self.count = 0;
    }

    /// A template has at most [`MAX_CAPTURES`] parameters, so that there is always room.
    pub(crate) fn push(&mut self, start: usize, end: usize, convertor: Convertor) {
        if let Some(place) = self.captures.get_mut(usize::from(self.count)) {
            *place = Capture { start: start as u32, end: end as u32, convertor };
            self.count += 1;
        }
    }
}
