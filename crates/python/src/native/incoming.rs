//! What a request brings that its route asks for, taken out of its head once, before any of its code runs.
//!
//! The head lies in a read buffer that is used again, or in the scope of an ASGI application; what is taken out of it is
//! owned, so that it can be used after the code of the request has waited.

use andon_plan::{BodyKind, Captures, Gathered, NativeRoute, body_kind, cookies, is_urlencoded, query};

use super::mounted::Roots;

/// What a request brings that its route asks for.
pub(crate) struct Incoming {
    /// The path that was matched.
    path: Box<str>,
    /// Where its parameters are.
    captures: Captures,
    pub(crate) query: Gathered,
    pub(crate) headers: Gathered,
    pub(crate) cookies: Gathered,
    /// Of a mounted application.
    pub(crate) roots: Option<Roots>,
    /// The body could exceed a limit.
    pub(crate) limited: bool,
    /// The endpoint is to run on a thread if it can, though the rest does not.
    pub(crate) offloaded: bool,
    /// What a body is to be taken for; counts only where the route has one.
    pub(crate) body: BodyKind,
    /// The content type that Python has to look at.
    pub(crate) unsure: Option<Box<[u8]>>,
    /// The body is a form that need not be read by Starlette's parser.
    pub(crate) urlencoded: bool,
}

/// The parts of a head.
pub(crate) struct Parts<'a, F> {
    /// Decoded and without the root path.
    pub(crate) path: &'a str,
    pub(crate) captures: Captures,
    pub(crate) query: &'a [u8],
    /// Header fields in their order, names in lower case.
    pub(crate) fields: F,
}

impl Incoming {
    pub(crate) fn gather<'f, F: Iterator<Item = (&'f [u8], &'f [u8])>>(
        route: &NativeRoute,
        parts: Parts<'_, F>,
    ) -> Self {
        let mut incoming = Self {
            path: if route.path_names.is_empty() { Box::default() } else { parts.path.into() },
            captures: parts.captures,
            query: Gathered::new(),
            headers: Gathered::new(),
            cookies: Gathered::new(),
            roots: None,
            limited: !route.limits.is_empty(),
            offloaded: false,
            body: BodyKind::Bytes,
            unsure: None,
            urlencoded: false,
        };
        query::gather(parts.query, &route.program.query, &mut incoming.query);
        if route.body.is_some() || !route.program.headers.is_empty() || !route.program.cookies.is_empty() {
            incoming.gather_fields(route, parts.fields);
        }
        incoming
    }

    fn gather_fields<'f>(&mut self, route: &NativeRoute, fields: impl Iterator<Item = (&'f [u8], &'f [u8])>) {
        let program = &route.program;
        let mut content_type = None;
        for (name, value) in fields {
            if let Some(number) = program.headers.find(name) {
                self.headers.push_latin1(number, value);
            }
            match name {
                b"cookie" => cookies::gather(value, &program.cookies, &mut self.cookies),
                b"content-type" if content_type.is_none() => content_type = Some(value),
                _ => {}
            }
        }
        if let Some(body) = &route.body {
            self.urlencoded = body.urlencoded && content_type.is_some_and(is_urlencoded);
            self.body = body_kind(content_type, body.strict_content_type);
            self.unsure = content_type.filter(|_| self.body == BodyKind::Unsure).map(Box::from);
        }
    }

    /// The text of a parameter of the path, and the convertor that takes it on.
    pub(crate) fn path_parameter(&self, number: usize) -> Option<(&str, andon_plan::Convertor)> {
        let capture = self.captures.as_slice().get(number)?;
        Some((capture.of(&self.path), capture.convertor))
    }
}
