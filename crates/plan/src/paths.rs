//! The paths of a request: the one by which it is routed, and the one to which it would be redirected.

use std::borrow::Cow;

/// The (percent-decoded) path of a request, and the root path under which the application is reached.
#[derive(Debug, Clone, Copy)]
pub struct RequestPath<'a> {
    /// With the root path, if the server leaves it there.
    pub whole: &'a str,
    /// Empty: there is none.
    pub root_path: &'a str,
}

impl<'a> RequestPath<'a> {
    /// By which it is routed: without the root path (`starlette._utils.get_route_path`).
    pub fn routed(&self) -> &'a str {
        routed(self.whole, self.root_path)
    }

    /// By which it would be routed with a slash more, or without those at its end (`starlette.routing.Router.app`); `None`:
    /// the path `/` is not redirected.
    pub fn redirected(&self) -> Option<Cow<'a, str>> {
        match self.routed() {
            "/" => None,
            routed_path if routed_path.ends_with('/') => {
                Some(Cow::Borrowed(routed(self.whole.trim_end_matches('/'), self.root_path)))
            }
            _ => Some(Cow::Owned(routed(&format!("{}/", self.whole), self.root_path).to_owned())),
        }
    }
}

fn routed<'a>(path: &'a str, root_path: &str) -> &'a str {
    match path.strip_prefix(root_path) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_segments_of_the_root_path_are_left_out() {
        for (path, root_path, expected) in [
            ("/api/items", "/api", "/items"),
            ("/api", "/api", ""),
            ("/apis/items", "/api", "/apis/items"),
            ("/items", "/api", "/items"),
            ("/items", "", "/items"),
            ("items", "", "items"),
        ] {
            assert_eq!(routed(path, root_path), expected, "{path} under {root_path}");
        }
    }

    #[test]
    fn a_slash_is_added_to_the_whole_path_or_all_of_them_taken_away() {
        for (whole, root_path, expected) in [
            ("/", "", None),
            ("/api/", "/api", None),
            ("/items", "", Some("/items/")),
            ("/items//", "", Some("/items")),
            ("//", "", Some("")),
            ("/api", "/api", Some("/")),
            ("/api//", "/api", Some("")),
            ("/api/items/", "/api", Some("/items")),
            ("", "", Some("/")),
        ] {
            let redirected = RequestPath { whole, root_path }.redirected();
            assert_eq!(redirected.as_deref(), expected, "{whole} under {root_path}");
        }
    }
}
