//! Templates whose parameters are whole segments, in groups of one shape: the same number of segments with literal text
//! at the same places. Used by [`crate::Router`].
//!
//! Within a shape the literal segments of a path lead to the few routes that have them by one look into a table, however
//! many routes there are.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use crate::{
    Captures, Convertor,
    methods::MethodSet,
    segments::{MAX_SEGMENTS, Segments, hash, mix},
    template::Piece,
};

/// What templates of one shape have in common.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outline {
    /// How many segments there are before the tail.
    pub(crate) segments: usize,
    /// Which of them are literal.
    literals: Vec<usize>,
    /// A last parameter takes whatever follows.
    pub(crate) tail: bool,
}

/// A template as segments.
#[derive(Debug)]
pub(crate) struct Segmented {
    pub(crate) outline: Outline,
    literals: Box<[Box<[u8]>]>,
    parameters: Box<[(usize, Convertor)]>,
}

impl Segmented {
    /// `None` if a parameter is not a whole segment, or takes several and is not the last, or there are too many.
    pub(crate) fn new(pieces: &[Piece]) -> Option<Self> {
        let is_parameter = |piece: &Piece| matches!(piece, Piece::Parameter(_));
        if pieces.windows(2).any(|pair| pair.iter().all(is_parameter)) {
            return None;
        }
        let mut parts = Vec::new();
        for (number, piece) in pieces.iter().enumerate() {
            match piece {
                Piece::Literal(text) => parts.extend(literals(text, number + 1 == pieces.len())?),
                Piece::Parameter(convertor) => parts.push(Part::Parameter(*convertor)),
            }
        }
        Self::from_parts(parts)
    }

    fn from_parts(mut parts: Vec<Part>) -> Option<Self> {
        let tail = parts.pop_if(|part| matches!(part, Part::Parameter(Convertor::Path))).is_some();
        if parts.len() >= MAX_SEGMENTS {
            return None;
        }
        let mut outline = Outline { segments: parts.len(), literals: Vec::new(), tail };
        let (mut literals, mut parameters) = (Vec::new(), Vec::new());
        for (number, part) in parts.into_iter().enumerate() {
            match part {
                Part::Literal(text) => {
                    outline.literals.push(number);
                    literals.push(text.into_bytes().into());
                }
                Part::Parameter(Convertor::Path) => return None,
                Part::Parameter(convertor) => parameters.push((number, convertor)),
            }
        }
        Some(Self { outline, literals: literals.into(), parameters: parameters.into() })
    }
}

enum Part {
    Literal(String),
    Parameter(Convertor),
}

/// The segments of the text before a parameter, or behind the last one; `None` if it shares a segment with a parameter.
fn literals(text: &str, last: bool) -> Option<impl Iterator<Item = Part>> {
    let inner = text.strip_prefix('/')?;
    let inner = match (last, inner) {
        (true, inner) => Some(inner),
        (false, "") => None,
        (false, inner) => Some(inner.strip_suffix('/')?),
    };
    Some(inner.into_iter().flat_map(|inner| inner.split('/')).map(|segment| Part::Literal(segment.to_owned())))
}

/// A route of a shape.
#[derive(Debug)]
pub(crate) struct Rule {
    /// Its number in the order of routes.
    pub(crate) route: u32,
    methods: MethodSet,
    literals: Box<[Box<[u8]>]>,
    parameters: Box<[(usize, Convertor)]>,
}

/// All routes of one shape.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(crate) outline: Outline,
    /// The first of its routes.
    pub(crate) first: u32,
    /// By the hash of the literal segments, each in the order of routes.
    rules: HashMap<u64, Vec<Rule>, BuildHasherDefault<AsItIs>>,
}

impl Shape {
    pub(crate) fn new(outline: Outline, first: u32) -> Self {
        Self { outline, first, rules: HashMap::default() }
    }

    /// Routes are added in their order.
    pub(crate) fn add(&mut self, route: u32, methods: MethodSet, template: Segmented) {
        let key = template.literals.iter().fold(0, |key, literal| mix(key, hash(literal)));
        let Segmented { literals, parameters, .. } = template;
        self.rules.entry(key).or_default().push(Rule { route, methods, literals, parameters });
    }

    /// The first route before `before` that takes path and method.
    pub(crate) fn find(&self, segments: &Segments<'_>, method: MethodSet, before: u32) -> Option<&Rule> {
        let literals = &self.outline.literals;
        let key = literals.iter().fold(0, |key, number| mix(key, segments.hash(*number)));
        let takes = |rule: &&Rule| {
            rule.methods & method != 0
                && rule.parameters.iter().all(|(number, convertor)| convertor.takes(segments.get(*number)))
                && literals.iter().zip(&rule.literals).all(|(number, text)| segments.get(*number) == &**text)
        };
        self.rules.get(&key)?.iter().take_while(|rule| rule.route < before).find(takes)
    }

    /// Where the parameters are in a path that one of its routes takes.
    pub(crate) fn capture(&self, rule: &Rule, segments: &Segments<'_>, captures: &mut Captures) {
        for (number, convertor) in &rule.parameters {
            captures.push(segments.start(*number), segments.end(*number), *convertor);
        }
        if self.outline.tail {
            captures.push(segments.start(self.outline.segments), segments.path.len(), Convertor::Path);
        }
    }
}

/// The keys are hashes already.
#[derive(Debug, Default)]
struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(bytes);
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Template;

    fn outline(path: &str) -> Option<(usize, Vec<usize>, bool)> {
        let template = Segmented::new(&Template::parse(path).unwrap().pieces)?;
        Some((template.outline.segments, template.outline.literals, template.outline.tail))
    }

    #[test]
    fn parameters_that_are_whole_segments_have_a_shape() {
        assert_eq!(outline("/"), Some((1, vec![0], false)));
        assert_eq!(outline("/a/b/"), Some((3, vec![0, 1, 2], false)));
        assert_eq!(outline("/a/{b}"), Some((2, vec![0], false)));
        assert_eq!(outline("/{a}/{b:int}/c"), Some((3, vec![2], false)));
        assert_eq!(outline("/{a}/"), Some((2, vec![1], false)));
        assert_eq!(outline("/static/{path:path}"), Some((1, vec![0], true)));
        assert_eq!(outline("/{path:path}"), Some((0, vec![], true)));
        assert_eq!(outline("/{a}//{b}"), Some((3, vec![1], false)));
    }

    #[test]
    fn all_others_have_none() {
        for path in
            ["/a{b}", "/{a}b", "/{a}{b}", "/{a}-{b}", "/{a:path}/b", "/x{a:path}", "/{a:path}{b}", "/{a}{b:path}"]
        {
            assert_eq!(outline(path), None, "{path}");
        }
        assert_eq!(outline(&"/a".repeat(MAX_SEGMENTS)), None);
    }
}
