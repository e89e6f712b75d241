use std::fmt;

/// A text in which each `*` stands for any characters, none included. All of a name has to match it:
/// one without `*` is exact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WildcardPattern(String);

impl WildcardPattern {
    /// The pattern.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether all of `name` matches.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else {
            return false;
        };
        let mut parts = parts.peekable();
        if parts.peek().is_none() {
            return rest.is_empty();
        }
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                return rest.ends_with(part);
            }
            // The earliest place leaves the most to the parts that follow.
            match rest.find(part) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }

    /// Returns whether a text matches both patterns, where each `*` of `other` stands for a part of a path:
    /// it matches no `/`.
    pub fn overlaps_path(&self, other: &Self) -> bool {
        let (ours, theirs) = (self.0.as_bytes(), other.0.as_bytes());
        let stars = |pattern: &[u8]| pattern.iter().all(|byte| *byte == b'*');
        // For each end of ours, from the last end of theirs to the first: whether they have a text in common.
        let mut later: Vec<bool> = (0..=ours.len()).map(|from| stars(&ours[from..])).collect();
        for at in (0..theirs.len()).rev() {
            let mut now = vec![stars(&theirs[at..]); ours.len() + 1];
            for from in (0..ours.len()).rev() {
                now[from] = match (ours[from], theirs[at]) {
                    (b'*', _) => now[from + 1] || later[from],
                    (our, b'*') => later[from] || our != b'/' && now[from + 1],
                    (our, their) => our == their && later[from + 1],
                };
            }
            later = now;
        }
        later[0]
    }
}

impl fmt::Display for WildcardPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_anchored_at_both_ends() {
        for (pattern, name, expected) in [
            ("", "", true),
            ("", "a", false),
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("abc", "xabc", false),
            ("a.c", "abc", false),
            ("*", "", true),
            ("*", "anything/at@all", true),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*c", "abc", true),
            ("*c", "abcd", false),
            ("a*c", "ac", true),
            ("a*c", "abcbc", true),
            ("a*c", "a", false),
            ("ab*bc", "abc", false),
            ("ab*bc", "abbc", true),
            ("a*b*c", "axbxbxc", true),
            ("a*b*c", "axxc", false),
            ("*a*", "bab", true),
            ("**", "x", true),
            (
                "https://github.com/acme/web/.github/workflows/build.yml@*",
                "https://github.com/acme/web/.github/workflows/build.yml@refs/heads/main",
                true,
            ),
            (
                "https://github.com/acme/web/.github/workflows/build.yml@*",
                "https://evil.example/?https://github.com/acme/web/.github/workflows/build.yml@x",
                false,
            ),
        ] {
            assert_eq!(
                WildcardPattern::new(pattern).matches(name),
                expected,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn patterns_overlap_where_one_text_matches_both() {
        for (pattern, other, expected) in [
            ("", "", true),
            ("", "*", true),
            ("*", "", true),
            ("", "a", false),
            ("a", "", false),
            ("abc", "abc", true),
            ("abc", "abd", false),
            ("abc", "abcd", false),
            ("abcd", "abc", false),
            ("a*", "*b", true),
            ("a*", "b*", false),
            ("a*c", "ab", false),
            ("*a*", "*b*", true),
            ("a*a", "a", false),
            ("**", "*", true),
            ("a/b", "a*b", false),
            ("a*b", "a/b", true),
            ("a/*", "*/c", true),
            ("a/b/*", "*/c", false),
            ("a/*", "*", false),
        ] {
            let [pattern, other] = [pattern, other].map(WildcardPattern::new);
            assert_eq!(pattern.overlaps_path(&other), expected, "{pattern} {other}");
        }
        let own = WildcardPattern::new("https://*/acme/web/x/release.yml@refs/heads/main");
        for (pattern, expected) in [
            (
                "https://github.com/acme/web/x/release.yml@refs/heads/main",
                true,
            ),
            ("https://github.com/acme/web/x/release.yml@*", true),
            ("https://github.com/acme/*", true),
            ("*", true),
            (
                "https://github.com/acme/web/x/release.yml@refs/tags/*",
                false,
            ),
            // The last part of its text could be the whole of the other's.
            ("https://github.com/acme/web/x/deploy.yml@*", false),
            ("https://github.com/acme/api/*", false),
        ] {
            assert_eq!(
                WildcardPattern::new(pattern).overlaps_path(&own),
                expected,
                "{pattern}"
            );
        }
    }
}
