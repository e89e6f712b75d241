//! Which refs may release to an environment: patterns in their order, as GitHub's branch filters have them.

use std::fmt;

use thiserror::Error;

use super::{GitRef, RefPattern};

/// Patterns of a policy's `refs`. The last pattern that describes a ref decides: one with `!` excludes the
/// ref, one without admits it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefFilter(Vec<RefPattern>);

/// Reason why patterns are no filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RefFilterError {
    /// No pattern at all.
    #[error("it lists no pattern, so no ref may release")]
    Empty,
    /// Only patterns that begin with `!`.
    #[error("all patterns begin with \"!\", so no ref may release")]
    OnlyExclusions,
}

impl RefFilter {
    /// Constructs a filter of patterns in their order.
    ///
    /// # Errors
    /// No pattern that admits a ref.
    pub fn new(patterns: Vec<RefPattern>) -> Result<Self, RefFilterError> {
        if patterns.is_empty() {
            return Err(RefFilterError::Empty);
        }
        if patterns.iter().all(|pattern| pattern.excludes) {
            return Err(RefFilterError::OnlyExclusions);
        }
        Ok(Self(patterns))
    }

    /// Returns the patterns, in their order.
    pub fn patterns(&self) -> &[RefPattern] {
        &self.0
    }

    /// Returns whether the ref may release.
    pub fn admits(&self, git_ref: &GitRef) -> bool {
        let last = self.0.iter().rfind(|pattern| pattern.matches(git_ref));
        last.is_some_and(|pattern| !pattern.excludes)
    }
}

impl fmt::Display for RefFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, pattern) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{}", pattern.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(patterns: &[&str]) -> Result<RefFilter, RefFilterError> {
        let patterns = patterns.iter().map(|text| RefPattern::parse(text).unwrap());
        RefFilter::new(patterns.collect())
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        for (patterns, branch, admitted) in [
            (
                &["releases/**", "!releases/**-alpha"][..],
                "releases/10",
                true,
            ),
            (
                &["releases/**", "!releases/**-alpha"],
                "releases/beta/mona",
                true,
            ),
            (
                &["releases/**", "!releases/**-alpha"],
                "releases/10-alpha",
                false,
            ),
            (
                &["releases/**", "!releases/**-alpha"],
                "releases/beta/3-alpha",
                false,
            ),
            (
                &["!releases/**-alpha", "releases/**"],
                "releases/10-alpha",
                true,
            ),
            (&["**", "!x/**", "x/y"], "x/y", true),
            (&["**", "!x/**", "x/y"], "x/z", false),
            (&["main", "develop"], "develop", true),
            (&["main", "develop"], "other", false),
        ] {
            let filter = filter(patterns).unwrap();
            let branch = GitRef::Branch(branch.to_owned());
            assert_eq!(filter.admits(&branch), admitted, "{filter} {branch}");
        }
    }

    #[test]
    fn branches_and_tags_are_filtered_apart() {
        let filter = filter(&["main", "refs/tags/v*", "!refs/tags/v0*"]).unwrap();
        for (text, admitted) in [
            ("refs/heads/main", true),
            ("refs/tags/main", false),
            ("refs/tags/v1.0.0", true),
            ("refs/tags/v0.9.0", false),
            ("refs/heads/v1.0.0", false),
            ("refs/pull/1/merge", false),
        ] {
            assert_eq!(filter.admits(&GitRef::from(text)), admitted, "{text}");
        }
        assert_eq!(filter.to_string(), "main, refs/tags/v*, !refs/tags/v0*");
    }

    #[test]
    fn a_filter_admits_something() {
        assert_eq!(filter(&[]), Err(RefFilterError::Empty));
        assert_eq!(filter(&["!a", "!b"]), Err(RefFilterError::OnlyExclusions));
    }
}
