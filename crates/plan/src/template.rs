//! Path templates such as `/items/{item_id:int}`, taken apart as `starlette.routing.compile_path` does.
//!
//! Whatever looks like a parameter but is none by its expression (`{a-b}`, `{a:}`) is literal text.

use crate::Convertor;

/// Most parameters in one template; a route with more is not served natively, and neither are those after it.
pub const MAX_CAPTURES: usize = 16;

/// Why nothing is known of what a template matches.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Starlette takes it for the name of a host.
    #[error("its path `{0}` does not begin with a slash")]
    NotAbsolute(String),
    /// `register_url_convertor` made it, or it does not exist.
    #[error("the convertor `{0}` in its path is not known")]
    Convertor(String),
    /// Starlette refuses it.
    #[error("the parameter `{0}` is twice in its path")]
    Duplicate(String),
    /// More than [`MAX_CAPTURES`].
    #[error("its path has more than {MAX_CAPTURES} parameters")]
    TooManyParameters,
}

/// A part of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// Text that is there as it is; never empty, and never next to another.
    Literal(Box<str>),
    /// A parameter.
    Parameter(Convertor),
}

/// A template taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Template {
    pub(crate) pieces: Vec<Piece>,
    /// The parameters' names and convertors, in order.
    pub(crate) parameters: Vec<(String, Convertor)>,
}

impl Template {
    pub(crate) fn parse(path: &str) -> Result<Self, TemplateError> {
        if !path.starts_with('/') {
            return Err(TemplateError::NotAbsolute(path.to_owned()));
        }
        let mut template = Self::default();
        let (mut literal, mut at) = (0, 0);
        while let Some(brace) = path[at..].find('{').map(|offset| at + offset) {
            at = brace + 1;
            let Some(parameter) = Placeholder::parse(&path[brace..]) else { continue };
            template.push_literal(&path[literal..brace]);
            template.push_parameter(&parameter)?;
            at = brace + parameter.length;
            literal = at;
        }
        template.push_literal(&path[literal..]);
        Ok(template)
    }

    fn push_literal(&mut self, text: &str) {
        if !text.is_empty() {
            self.pieces.push(Piece::Literal(text.into()));
        }
    }

    fn push_parameter(&mut self, parameter: &Placeholder<'_>) -> Result<(), TemplateError> {
        let convertor = Convertor::named(parameter.convertor)
            .ok_or_else(|| TemplateError::Convertor(parameter.convertor.to_owned()))?;
        if self.parameters.iter().any(|(name, _)| name == parameter.name) {
            return Err(TemplateError::Duplicate(parameter.name.to_owned()));
        }
        if self.parameters.len() == MAX_CAPTURES {
            return Err(TemplateError::TooManyParameters);
        }
        self.pieces.push(Piece::Parameter(convertor));
        self.parameters.push((parameter.name.to_owned(), convertor));
        Ok(())
    }
}

/// `{name}` or `{name:convertor}`.
struct Placeholder<'a> {
    name: &'a str,
    convertor: &'a str,
    /// In bytes, with the braces.
    length: usize,
}

impl<'a> Placeholder<'a> {
    /// Starlette's `PARAM_REGEX`: `{([a-zA-Z_][a-zA-Z0-9_]*)(:[a-zA-Z_][a-zA-Z0-9_]*)?}`, at the start of the text.
    fn parse(text: &'a str) -> Option<Self> {
        let (name, rest) = identifier(text.strip_prefix('{')?)?;
        let (convertor, rest) = match rest.strip_prefix(':') {
            Some(rest) => identifier(rest)?,
            None => ("str", rest),
        };
        let rest = rest.strip_prefix('}')?;
        Some(Self { name, convertor, length: text.len() - rest.len() })
    }
}

/// An identifier and what follows it.
fn identifier(text: &str) -> Option<(&str, &str)> {
    let length = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let begins_well = !text.starts_with(|first: char| first.is_ascii_digit());
    (length > 0 && begins_well).then(|| text.split_at(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(path: &str) -> String {
        let template = Template::parse(path).unwrap();
        let text = |piece: &Piece| match piece {
            Piece::Literal(text) => format!("`{text}`"),
            Piece::Parameter(convertor) => convertor.as_str().to_owned(),
        };
        template.pieces.iter().map(text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_template_is_text_and_parameters() {
        assert_eq!(pieces("/"), "`/`");
        assert_eq!(pieces("/items/{item_id:int}/parts"), "`/items/` int `/parts`");
        assert_eq!(pieces("/{a}-{b:uuid}.{c:float}{d:path}"), "`/` str `-` uuid `.` float path");
        assert_eq!(Template::parse("/{_a1}/{b:path}").unwrap().parameters[0].0, "_a1");
    }

    #[test]
    fn what_is_no_parameter_is_text() {
        for path in ["/{a-b}", "/{a:}", "/{1a}", "/{}", "/{a", "/a}", "/{é}", "/{a:b-c}", "/{a :int}"] {
            assert_eq!(pieces(path), format!("`{path}`"));
        }
        assert_eq!(pieces("/{{a}}"), "`/{` str `}`");
    }

    #[test]
    fn what_starlette_would_refuse_or_take_for_a_host_is_refused() {
        assert_eq!(Template::parse("{a}.example.org"), Err(TemplateError::NotAbsolute("{a}.example.org".to_owned())));
        assert_eq!(Template::parse(""), Err(TemplateError::NotAbsolute(String::new())));
        assert_eq!(Template::parse("/{a:date}"), Err(TemplateError::Convertor("date".to_owned())));
        assert_eq!(Template::parse("/{a}/{a:int}"), Err(TemplateError::Duplicate("a".to_owned())));
        let many: String = (0..=MAX_CAPTURES).map(|number| format!("/{{a{number}}}")).collect();
        assert_eq!(Template::parse(&many), Err(TemplateError::TooManyParameters));
    }
}
