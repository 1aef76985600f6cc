//! Which route takes a method and a path, with the answer that Starlette's ordered trial of all routes would give
//! (`starlette.routing.Router.app`, `fastapi.routing.APIRouter.app`). Asked once for each request.
//!
//! What becomes of a request that no route takes is in [`crate::missed`]. Any path that is not printable ASCII is the
//! application's, for `.`, `$` and Python's notion of a digit have their oddities with others.

use std::fmt;

use crate::{
    Captures,
    methods::{MethodSet, Methods, TooManyMethods},
    pattern::{MAX_STEPS, Outcome, Pattern},
    segments::Segments,
    shape::{Rule, Segmented, Shape},
    template::Template,
};

/// Who serves a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// The plan's native route of this number, counted among the native ones only.
    Native(usize),
    /// The application.
    Application(Why),
}

/// Why a request is the application's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// No route takes method and path.
    NoRoute,
    /// The route of this number, counted among all routes, is not native.
    Opaque(usize),
    /// No route before the one of this number takes it, and nothing is known of that one.
    Barrier(usize),
    /// The path is not plain enough to be decided here.
    Path,
}

impl fmt::Display for Why {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Why::NoRoute => "no route takes method and path",
            Why::Opaque(_) => "its route is not native",
            Why::Barrier(_) => "a route before it can take any path",
            Why::Path => "its path is unusual",
        })
    }
}

/// What happens where a route is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// The number among the native routes.
    Native(usize),
    Opaque,
}

/// A template that must be matched as a whole.
#[derive(Debug)]
struct Whole {
    route: u32,
    methods: MethodSet,
    pattern: Pattern,
}

/// An application's routes as tables.
#[derive(Debug, Default)]
pub(crate) struct Router {
    methods: Methods,
    /// By the number of segments; within each, the shape with the earliest route first.
    exact: Vec<Vec<Shape>>,
    /// Likewise: those that end in a parameter which takes the rest.
    tails: Vec<Shape>,
    /// In the order of routes.
    wholes: Vec<Whole>,
    targets: Vec<Target>,
    barrier: bool,
}

/// Digits of which Python always makes a number: `sys.set_int_max_str_digits` refuses a lower limit.
const MAX_DIGITS: usize = 640;

impl Router {
    /// Adds the next route.
    pub(crate) fn add(
        &mut self,
        methods: &[String],
        template: &Template,
        target: Target,
    ) -> Result<(), TooManyMethods> {
        let methods = self.methods.set(methods)?;
        let route = self.targets.len() as u32;
        self.targets.push(target);
        match Segmented::new(&template.pieces) {
            Some(segmented) => self.shape(&segmented, route).add(route, methods, segmented),
            None => self.wholes.push(Whole { route, methods, pattern: Pattern::new(template.pieces.clone()) }),
        }
        Ok(())
    }

    /// Nothing is known of the next route; no others are added.
    pub(crate) fn close(&mut self) {
        self.barrier = true;
    }

    fn shape(&mut self, template: &Segmented, route: u32) -> &mut Shape {
        let outline = &template.outline;
        let shapes = if outline.tail {
            &mut self.tails
        } else {
            let needed = outline.segments + 1;
            self.exact.resize_with(self.exact.len().max(needed), Vec::new);
            &mut self.exact[outline.segments]
        };
        let number = shapes.iter().position(|shape| shape.outline == *outline).unwrap_or_else(|| {
            shapes.push(Shape::new(outline.clone(), route));
            shapes.len() - 1
        });
        &mut shapes[number]
    }

    /// Who takes this method and (percent-decoded) path, without the root path; where the parameters are is in
    /// `captures` if that is a native route.
    pub(crate) fn find(&self, method: &str, path: &str, captures: &mut Captures) -> Found {
        captures.clear();
        if !is_plain(path.as_bytes()) {
            return Found::Application(Why::Path);
        }
        match self.earliest(self.methods.get(method), path, captures) {
            Ok(route) => self.found(route),
            Err(why) => Found::Application(why),
        }
    }

    /// The first route that takes this path, whatever its methods; an error where that is not known. `captures` as in
    /// [`Router::find`].
    pub(crate) fn first_of_path(&self, path: &str, captures: &mut Captures) -> Result<Option<usize>, Why> {
        captures.clear();
        if !is_plain(path.as_bytes()) {
            return Err(Why::Path);
        }
        match self.earliest(MethodSet::MAX, path, captures)? {
            None if self.barrier => Err(Why::Barrier(self.targets.len())),
            route => Ok(route.map(|route| route as usize)),
        }
    }

    fn earliest(&self, method: MethodSet, path: &str, captures: &mut Captures) -> Result<Option<u32>, Why> {
        let segmented = Segments::split(path).and_then(|segments| self.find_segmented(&segments, method, captures));
        let whole = self.find_whole(path, method, segmented.unwrap_or(u32::MAX), captures)?;
        Ok(whole.or(segmented))
    }

    fn found(&self, route: Option<u32>) -> Found {
        match route.map(|route| (route as usize, self.targets[route as usize])) {
            Some((_, Target::Native(number))) => Found::Native(number),
            Some((route, Target::Opaque)) => Found::Application(Why::Opaque(route)),
            None if self.barrier => Found::Application(Why::Barrier(self.targets.len())),
            None => Found::Application(Why::NoRoute),
        }
    }

    fn find_segmented(&self, segments: &Segments<'_>, method: MethodSet, captures: &mut Captures) -> Option<u32> {
        let exact = self.exact.get(segments.count).into_iter().flatten();
        let tails = self.tails.iter().filter(|shape| shape.outline.segments < segments.count);
        let best = earliest(exact, segments, method, None);
        let (shape, rule) = earliest(tails, segments, method, best)?;
        shape.capture(rule, segments, captures);
        Some(rule.route)
    }

    fn find_whole(
        &self,
        path: &str,
        method: MethodSet,
        before: u32,
        captures: &mut Captures,
    ) -> Result<Option<u32>, Why> {
        let mut steps = MAX_STEPS;
        for whole in self.wholes.iter().take_while(|whole| whole.route < before) {
            if whole.methods & method == 0 {
                continue;
            }
            match whole.pattern.find(path, captures, &mut steps) {
                Outcome::Matched => return Ok(Some(whole.route)),
                Outcome::Different => {}
                Outcome::GivenUp => return Err(Why::Path),
            }
        }
        Ok(None)
    }
}

type Best<'router> = Option<(&'router Shape, &'router Rule)>;

/// The earliest route of these shapes, or `best` if that is earlier.
fn earliest<'router>(
    shapes: impl Iterator<Item = &'router Shape>,
    segments: &Segments<'_>,
    method: MethodSet,
    mut best: Best<'router>,
) -> Best<'router> {
    for shape in shapes {
        let before = best.map_or(u32::MAX, |(_, rule)| rule.route);
        if shape.first >= before {
            break;
        }
        best = shape.find(segments, method, before).map(|rule| (shape, rule)).or(best);
    }
    best
}

/// Printable ASCII without a number that Python might refuse to convert: that would be an error of the application even
/// if the route did not take the method.
fn is_plain(path: &[u8]) -> bool {
    // Without an early end, so that it is done many bytes at a time.
    let printable = path.iter().fold(true, |plain, byte| plain & (byte.wrapping_sub(b' ') < 0x5f));
    printable && (path.len() <= MAX_DIGITS || !has_long_number(path))
}

fn has_long_number(path: &[u8]) -> bool {
    path.split(|byte| !byte.is_ascii_digit()).any(|digits| digits.len() > MAX_DIGITS)
}

#[cfg(test)]
mod tests;
