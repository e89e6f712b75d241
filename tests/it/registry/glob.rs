//! Patterns in which `*` stands for any run of characters.

pub fn matches(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((head, tail)) => text.strip_prefix(head).is_some_and(|rest| {
            let starts = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
            starts.into_iter().any(|at| matches(tail, &rest[at..]))
        }),
    }
}

#[test]
fn a_star_stands_for_any_run() {
    assert!(matches("*", ""));
    assert!(matches("team/*", "team/app"));
    assert!(matches("v*.0", "v1.0.0"));
    assert!(!matches("v*.0", "v1.0.1"));
    assert!(!matches("1.0", "1.0.0"));
}
