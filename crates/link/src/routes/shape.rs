//! The shape of a path, for applications that tell no routes: what looks like an identifier is left out.

/// Deeper paths are told by their beginning.
const MOST_SEGMENTS: usize = 8;

/// Longer segments are taken for identifiers.
const LONGEST_WORD: usize = 32;

/// Method and shape, such as `GET /users/{}/posts`.
pub(super) fn of(method: &str, path: &str) -> String {
    let mut name = format!("{method} ");
    let mut segments = path.strip_prefix('/').unwrap_or(path).split('/');
    for segment in segments.by_ref().take(MOST_SEGMENTS) {
        name.push('/');
        name.push_str(if is_word(segment) { segment } else { "{}" });
    }
    if segments.next().is_some() {
        name.push_str("/...");
    }
    name
}

/// Numbers, UUIDs, hashes and the like have digits; encoded characters are people's words.
fn is_word(segment: &str) -> bool {
    segment.len() <= LONGEST_WORD && !segment.bytes().any(|byte| byte.is_ascii_digit() || byte == b'%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_left_out() {
        assert_eq!(of("GET", "/"), "GET /");
        assert_eq!(of("GET", "/users/7f3c/posts/2026-11-22"), "GET /users/{}/posts/{}");
        assert_eq!(of("PUT", &format!("/{}", "x".repeat(33))), "PUT /{}");
        assert_eq!(of("OPTIONS", "*"), "OPTIONS /*");
    }

    #[test]
    fn deep_paths_are_cut() {
        assert_eq!(of("GET", "/a/b/c/d/e/f/g/h/i/j"), "GET /a/b/c/d/e/f/g/h/...");
    }
}
