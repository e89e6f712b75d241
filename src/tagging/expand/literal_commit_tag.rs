//! Tags that name the commit by its SHA, though no rule says so: `${{ github.sha }}`, `git-9f3c2a1`.

/// Fewest digits of a SHA that name a commit: git shortens to as many.
const SHORTEST: usize = 7;

/// Returns whether `text` ends in the SHA of `commit`, whole or shortened to at least seven digits, alone or
/// after something that ends in no letter or digit.
pub(super) fn names_commit(text: &str, commit: &str) -> bool {
    if commit.len() < SHORTEST {
        return false;
    }
    (SHORTEST..=commit.len()).any(|length| {
        let Some(before) = text.strip_suffix(&commit[..length]) else {
            return false;
        };
        !before.ends_with(|c: char| c.is_ascii_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_sha_is_the_commits_own_alone() {
        let commit = "9f3c2a1ca84d1343b96baa8137c943ed1860e522";
        for text in [
            commit,
            "9f3c2a1",
            "git-9f3c2a1",
            "sha-9f3c2a1ca84d",
            "main-9f3c2a1",
            "v1.4.0_9f3c2a1",
        ] {
            assert!(names_commit(text, commit), "{text}");
        }
        for text in [
            "9f3c2a",
            "9f3c2a2",
            "git-2b2e927",
            "x9f3c2a1",
            "9f3c2a1-dev",
            "",
        ] {
            assert!(!names_commit(text, commit), "{text}");
        }
        assert!(!names_commit("main-", ""));
        assert!(!names_commit("abc", "abc"));
    }
}
