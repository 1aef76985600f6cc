//! Templates whose parameters are not whole segments (`/{name}.{extension}`, `/{path:path}/edit`): matched by going
//! through the possible ends of each parameter, longest first, as Python's `re` does. Used by [`crate::Router`].
//!
//! Bounded: a path for which that takes too many steps is not decided here but left to the application.

use crate::{
    Captures, Convertor,
    convertor::{digits, uuid},
    template::Piece,
};

/// Ends tried for one path before it is given up: some 50 us.
pub(crate) const MAX_STEPS: u32 = 10_000;

/// What became of matching.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Matched,
    Different,
    GivenUp,
}

/// A template.
#[derive(Debug)]
pub(crate) struct Pattern {
    pieces: Box<[Piece]>,
}

impl Pattern {
    pub(crate) fn new(pieces: Vec<Piece>) -> Self {
        Self { pieces: pieces.into() }
    }

    /// Whether the whole path matches; if so, its parameters are in `captures`. Takes what it needs from `steps`.
    pub(crate) fn find(&self, path: &str, captures: &mut Captures, steps: &mut u32) -> Outcome {
        let path = path.as_bytes();
        // Most templates are told apart by this alone.
        if matches!(self.pieces.first(), Some(Piece::Literal(text)) if !path.starts_with(text.as_bytes())) {
            return Outcome::Different;
        }
        let mut search = Search { path, ends: [0; MAX_PIECES], steps: *steps };
        let outcome = search.from(&self.pieces, 0, 0);
        *steps = search.steps;
        if outcome == Outcome::Matched {
            captures.clear();
            let mut start = 0;
            for (piece, end) in self.pieces.iter().zip(search.ends) {
                if let Piece::Parameter(convertor) = piece {
                    captures.push(start, end, *convertor);
                }
                start = end;
            }
        }
        outcome
    }
}

/// Literals are never next to each other.
const MAX_PIECES: usize = 2 * crate::MAX_CAPTURES + 1;

struct Search<'path> {
    path: &'path [u8],
    /// Where each piece ends.
    ends: [usize; MAX_PIECES],
    /// That are left.
    steps: u32,
}

impl Search<'_> {
    /// Matches the pieces behind `done` ones to the path from `at` on. As deep as there are pieces.
    fn from(&mut self, pieces: &[Piece], done: usize, at: usize) -> Outcome {
        let Some((piece, rest)) = pieces.split_first() else {
            return if at == self.path.len() { Outcome::Matched } else { Outcome::Different };
        };
        match piece {
            Piece::Literal(text) if self.path[at..].starts_with(text.as_bytes()) => {
                self.next(rest, done, at + text.len())
            }
            Piece::Literal(_) => Outcome::Different,
            Piece::Parameter(convertor) => self.parameter(*convertor, rest, done, at),
        }
    }

    fn parameter(&mut self, convertor: Convertor, rest: &[Piece], done: usize, at: usize) -> Outcome {
        let text = &self.path[at..];
        match convertor {
            Convertor::Str => {
                let longest = text.iter().take_while(|byte| **byte != b'/').count();
                self.longest_first(rest, done, at + 1, at + longest)
            }
            Convertor::Path => self.longest_first(rest, done, at, self.path.len()),
            Convertor::Int => self.longest_first(rest, done, at + 1, at + digits(text)),
            Convertor::Float => self.float(rest, done, at),
            Convertor::Uuid => match uuid(text) {
                Some(length) => self.next(rest, done, at + length),
                None => Outcome::Different,
            },
        }
    }

    /// The fraction is optional and belongs only to the longest whole part: behind a shorter one comes a digit.
    fn float(&mut self, rest: &[Piece], done: usize, at: usize) -> Outcome {
        let point = at + digits(&self.path[at..]);
        if point > at && self.path.get(point) == Some(&b'.') {
            let longest = point + 1 + digits(&self.path[point + 1..]);
            match self.longest_first(rest, done, point + 2, longest) {
                Outcome::Different => {}
                decided => return decided,
            }
        }
        self.longest_first(rest, done, at + 1, point)
    }

    /// Tries the ends from `longest` down to `shortest`; none if that is greater.
    fn longest_first(&mut self, rest: &[Piece], done: usize, shortest: usize, longest: usize) -> Outcome {
        for end in (shortest..=longest).rev() {
            match self.next(rest, done, end) {
                Outcome::Different => {}
                decided => return decided,
            }
        }
        Outcome::Different
    }

    fn next(&mut self, rest: &[Piece], done: usize, end: usize) -> Outcome {
        if self.steps == 0 {
            return Outcome::GivenUp;
        }
        self.steps -= 1;
        self.ends[done] = end;
        self.from(rest, done + 1, end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    fn find(template: &str, path: &str) -> Result<Vec<String>, Outcome> {
        let mut captures = Captures::new();
        let pattern = Pattern::new(Template::parse(template).unwrap().pieces);
        match pattern.find(path, &mut captures, &mut MAX_STEPS.clone()) {
            Outcome::Matched => Ok(captures.as_slice().iter().map(|capture| capture.of(path).to_owned()).collect()),
            other => Err(other),
        }
    }

    #[test]
    fn the_first_parameter_takes_as_much_as_it_can() {
        assert_eq!(find("/{name}.{extension}", "/a.tar.gz").unwrap(), ["a.tar", "gz"]);
        assert_eq!(find("/{a}{b}", "/xyz").unwrap(), ["xy", "z"]);
        assert_eq!(find("/{path:path}/edit", "/a/edit/edit").unwrap(), ["a/edit"]);
        assert_eq!(find("/{path:path}/edit", "//edit").unwrap(), [""]);
        assert_eq!(find("/{a:int}{b:int}", "/1234").unwrap(), ["123", "4"]);
    }

    #[test]
    fn a_float_gives_back_its_fraction_and_then_digits() {
        assert_eq!(find("/{a:float}{b}", "/1.25").unwrap(), ["1.2", "5"]);
        assert_eq!(find("/{a:float}.{b}", "/1.2").unwrap(), ["1", "2"]);
        assert_eq!(find("/{a:float}.{b}", "/1.2.3").unwrap(), ["1.2", "3"]);
        assert_eq!(find("/{a:float}{b}", "/12").unwrap(), ["1", "2"]);
        assert_eq!(find("/{a:float}x", "/1.x"), Err(Outcome::Different));
    }

    #[test]
    fn a_path_that_takes_too_long_is_given_up() {
        let template = "/{a:path}{b:path}{c:path}{d:path}x";
        assert_eq!(find(template, &format!("/{}", "a".repeat(200))), Err(Outcome::GivenUp));
        assert_eq!(find(template, "/aaax").unwrap(), ["aaa", "", "", ""]);
    }
}
