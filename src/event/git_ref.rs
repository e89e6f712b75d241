use std::fmt;

/// A full git ref, as `GITHUB_REF` has it. The names in it are text from outside: a branch may be
/// called `<script>` or hold `%0A`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GitRef {
    /// `refs/heads/<name>`
    Branch(String),
    /// `refs/tags/<name>`
    Tag(String),
    /// `refs/pull/<number>/merge` or `/head`
    Pull {
        /// The pull request's number.
        number: u64,
    },
    /// Anything else, as written.
    Other(String),
}

impl From<&str> for GitRef {
    fn from(text: &str) -> Self {
        let named = |head| text.strip_prefix(head).filter(|name| !name.is_empty());
        if let Some(branch) = named("refs/heads/") {
            Self::Branch(branch.to_owned())
        } else if let Some(tag) = named("refs/tags/") {
            Self::Tag(tag.to_owned())
        } else if let Some(number) = named("refs/pull/").and_then(parse_pull_number) {
            Self::Pull { number }
        } else {
            Self::Other(text.to_owned())
        }
    }
}

fn parse_pull_number(rest: &str) -> Option<u64> {
    let (number, side) = rest.split_once('/')?;
    if !matches!(side, "merge" | "head") || !number.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    number.parse().ok()
}

impl fmt::Display for GitRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Branch(name) => write!(f, "refs/heads/{name}"),
            Self::Tag(name) => write!(f, "refs/tags/{name}"),
            Self::Pull { number } => write!(f, "refs/pull/{number}/merge"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_are_told_apart_and_their_names_kept() {
        for (text, expected) in [
            ("refs/heads/main", GitRef::Branch("main".into())),
            ("refs/heads/a/b\n::x::", GitRef::Branch("a/b\n::x::".into())),
            (
                "refs/heads/refs/tags/v1",
                GitRef::Branch("refs/tags/v1".into()),
            ),
            ("refs/tags/v1.4.0", GitRef::Tag("v1.4.0".into())),
            ("refs/pull/15/merge", GitRef::Pull { number: 15 }),
            ("refs/pull/15/head", GitRef::Pull { number: 15 }),
            (
                "refs/pull/+1/merge",
                GitRef::Other("refs/pull/+1/merge".into()),
            ),
            ("refs/pull/1", GitRef::Other("refs/pull/1".into())),
            ("refs/heads/", GitRef::Other("refs/heads/".into())),
            ("v1.4.0", GitRef::Other("v1.4.0".into())),
        ] {
            assert_eq!(GitRef::from(text), expected, "{text:?}");
        }
    }
}
