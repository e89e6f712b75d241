use crate::event::version;
use crate::image::{Digest, Tag};

/// A name from git made into a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) tag: Tag,
    /// What had to be done to it beyond `/` to `-`, which everybody expects.
    pub(super) altered: Option<&'static str>,
}

/// The name as a tag, as docker/metadata-action makes it: each run of characters that no tag may
/// hold becomes one dash. Then, so that it is a tag at all, leading dots and dashes go, and what is
/// too long is cut, its end replaced by a hash of the whole name.
pub(super) fn sanitize(name: &str) -> Named {
    let mut text = String::with_capacity(name.len());
    let mut in_run = false;
    for c in name.chars() {
        let allowed = c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if allowed {
            text.push(c);
        } else if !in_run {
            text.push('-');
        }
        in_run = !allowed;
    }
    let text = text.trim_start_matches(['.', '-']);
    let (text, altered) = if text.is_empty() {
        (
            format!("ref-{}", hash(name)),
            Some("it has no letter or digit that a tag may hold"),
        )
    } else if text.len() > Tag::MAX {
        (shorten(text, name), Some("it is too long for a tag"))
    } else if text != name.replace('/', "-") {
        (
            text.to_owned(),
            Some("it holds characters that a tag may not"),
        )
    } else {
        (text.to_owned(), None)
    };
    let tag = text.parse().expect("what is left are a tag's characters");
    Named { tag, altered }
}

const HASH: usize = 12;

fn hash(name: &str) -> String {
    Digest::of(name.as_bytes()).hex()[..HASH].to_owned()
}

pub(super) fn shorten(text: &str, name: &str) -> String {
    format!("{}-{}", &text[..Tag::MAX - HASH - 1], hash(name))
}

/// What a tag of this name stands for already, so that no branch or environment may take it.
pub(super) fn reserved(tag: &Tag) -> Option<&'static str> {
    let text = tag.as_str();
    if text == "latest" {
        Some("the line of all releases")
    } else if version(text).is_some() {
        Some("a version")
    } else if text.split('.').count() <= 3 && text.split('.').all(is_number) {
        Some("a version line")
    } else if is_commit(text, "git-") || is_commit(text, "sha-") {
        Some("a commit")
    } else if text.strip_prefix("pr-").is_some_and(is_number) {
        Some("a pull request")
    } else if is_digest(text) || text.starts_with("shipmark.") {
        Some("a signature or record")
    } else {
        None
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_commit(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|hex| hex.len() >= 7 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// `sha256-<hex>`, with or without an ending: the tags of referrers and signatures.
fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256-").is_some_and(|rest| {
        rest.len() >= 64 && rest.bytes().take(64).all(|b| b.is_ascii_hexdigit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_become_tags() {
        for (name, tag, altered) in [
            ("main", "main", false),
            ("my/feature", "my-feature", false),
            ("my/feature#1245", "my-feature-1245", true),
            ("a\n::add-mask::b", "a-add-mask-b", true),
            ("%0A`x`<script>", "0A-x-script-", true),
            (".-x", "x", true),
            ("ä", "ref-33e6d73fee82", true),
        ] {
            let named = sanitize(name);
            assert_eq!(named.tag.as_str(), tag, "{name:?}");
            assert_eq!(named.altered.is_some(), altered, "{name:?}");
        }
    }

    #[test]
    fn long_names_that_differ_at_the_end_stay_apart() {
        let (one, other) = ("x".repeat(200) + "1", "x".repeat(200) + "2");
        let (one, other) = (sanitize(&one), sanitize(&other));
        assert_eq!(one.tag.as_str().len(), Tag::MAX);
        assert!(one.tag != other.tag && one.altered.is_some());
    }

    #[test]
    fn names_with_a_meaning_are_known() {
        for text in [
            "latest",
            "1.4.0",
            "v1.4.0",
            "1.4.0-rc.1",
            "1.4",
            "1",
            "2025.01",
            "1.4.99999999999999999999",
            "git-2b2e927",
            "sha-2b2e927",
            "pr-12",
            "shipmark.prod.x",
        ] {
            assert!(reserved(&text.parse().unwrap()).is_some(), "{text}");
        }
        let digest = Digest::of(b"").to_string().replace(':', "-");
        assert!(reserved(&digest.parse().unwrap()).is_some());
        assert!(reserved(&format!("{digest}.sig").parse().unwrap()).is_some());
        for text in [
            "main", "v2", "1.x", "git-flow", "sha-main", "pr-main", "1.2.3.4", "Latest",
        ] {
            assert_eq!(reserved(&text.parse().unwrap()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_name_becomes_a_tag_once_and_for_all(name in ".{0,300}") {
            let named = sanitize(&name);
            prop_assert_eq!(sanitize(named.tag.as_str()), Named { altered: None, ..named });
        }
    }
}
