//! The path by which a request is routed: without the root path (`starlette._utils.get_route_path`).

/// `path` without `root_path`, where it begins with that.
pub(crate) fn route_path<'a>(path: &'a str, root_path: &str) -> &'a str {
    match path.strip_prefix(root_path) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::route_path;

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
            assert_eq!(route_path(path, root_path), expected, "{path} under {root_path}");
        }
    }
}
