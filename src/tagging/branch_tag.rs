//! Telling whether the tag of a branch reads as an immutable one, with any text around the version or the
//! commit: `web-1.4.0`, `1.4.1.Final`, `main-2b2e927`.

use std::collections::BTreeSet;

use super::line_tag::{component_release, sibling_release};
use super::tag_name::{self, MERGE_QUEUE_PREFIX};
use crate::image::Tag;

/// Words for branches about one change, which often have the version of a dependency in their names.
const TOPIC_WORDS: [&str; 7] = [
    "bugfix",
    "chore",
    "dependabot",
    "feat",
    "feature",
    "fix",
    "renovate",
];

/// Returns what an immutable tag of this name would stand for, with whatever text is around it. The tag of
/// a branch about one change (`fix-1.2.3`), and one such as `release-1.4`, is a version only where
/// `tags`, those of the repository, have other releases of that name or their `latest`.
pub fn affixed_immutable_form(tag: &Tag, tags: &BTreeSet<Tag>) -> Option<&'static str> {
    if ends_in_commit_digits(tag.as_str()) {
        return Some("a commit");
    }
    let named = component_release(tag);
    let is_version = match &named {
        Some(named) => {
            let is_line_of_branch = !named.is_full() && named.has_branch_word();
            is_released(tag, tags) || !(is_line_of_branch || is_topic(tag.as_str()))
        }
        None => has_three_numbers(tag.as_str()) && !is_topic(tag.as_str()),
    };
    is_version.then_some("a version")
}

/// Returns whether the repository has other releases of the tag's component, or their `latest`.
fn is_released(tag: &Tag, tags: &BTreeSet<Tag>) -> bool {
    let latest = component_release(tag).map(|named| named.series().tag_text("latest"));
    let has_latest = latest.is_some_and(|latest| tags.iter().any(|it| it.as_str() == latest));
    has_latest || sibling_release(tag, tags).is_some()
}

fn is_topic(text: &str) -> bool {
    let first = text.split(['-', '_', '.']).next().unwrap_or_default();
    TOPIC_WORDS.contains(&first.to_ascii_lowercase().as_str())
}

/// Returns whether three numbers with dots between them are anywhere in the text.
fn has_three_numbers(text: &str) -> bool {
    let mut runs = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
    runs.any(|run| {
        let parts: Vec<&str> = run.split('.').collect();
        parts.windows(3).any(|three| {
            three[0].ends_with(|c: char| c.is_ascii_digit())
                && tag_name::is_number(three[1])
                && three[2].starts_with(|c: char| c.is_ascii_digit())
        })
    })
}

/// Returns whether the text ends in a whole commit, or in its first seven digits. Digits without a letter
/// are a number, and letters alone a word.
fn ends_in_commit_digits(text: &str) -> bool {
    let last = text.rsplit(['-', '_', '.']).next().unwrap_or_default();
    let has = |is: fn(&u8) -> bool| last.bytes().any(|b| is(&b));
    let is_short = last.len() == 7 && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    let is_queue = text.starts_with(&MERGE_QUEUE_PREFIX.replace('/', "-"));
    let is_commit = is_short || last.len() == 40;
    is_commit && !is_queue && last.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(tag: &str, there: &[&str]) -> Option<&'static str> {
        let there = there.iter().map(|tag| tag.parse().unwrap()).collect();
        affixed_immutable_form(&tag.parse().unwrap(), &there)
    }

    #[test]
    fn promise_3_versions_and_commits_are_known_with_any_text_around_them() {
        for tag in [
            "web-2.1.0",
            "acme-web-1.2.3",
            "release-2.1.0",
            "hotfix-1.4.1",
            "api-1.5",
            "web-1.4.0-rc.1",
            "api-0.9.2.5",
            "V1.4.1",
            "1.4.1.Final",
            "v1.4.1rc1",
            "1.4.0_alpine",
            "rel1.4.0",
        ] {
            assert_eq!(form(tag, &[tag]), Some("a version"), "{tag}");
        }
        let whole = "2b2e9270c0ffee2b2e9270c0ffee2b2e9270c0ff";
        for tag in [
            "main-860c190",
            "web_860c190",
            "release-v1.2.0-sha-860c190",
            whole,
        ] {
            assert_eq!(form(tag, &[tag]), Some("a commit"), "{tag}");
        }
    }

    #[test]
    fn ordinary_branches_are_no_versions_and_commits() {
        for tag in [
            "main",
            "feature-2",
            "v2-rewrite",
            "release-sprint-42",
            "release-1.4",
            "release-2025-03-10",
            "node-18.2-alpine",
            "fix-1.2.3",
            "feature-2.0-next",
            "dependabot-npm_and_yarn-lodash-4.17.21",
            "dependabot-npm_and_yarn-all-9f3c2a1b0d",
            "gh-readonly-queue-main-pr-7-860c190",
            "fix-1234567",
            "fix-defaced",
            "1.x",
        ] {
            assert_eq!(form(tag, &[tag]), None, "{tag}");
        }
    }

    #[test]
    fn promise_3_a_branch_is_no_topic_where_releases_have_its_name() {
        assert_eq!(
            form("release-1.4", &["release-1.4", "release-latest"]),
            Some("a version")
        );
        assert_eq!(
            form("fix-1.2.3", &["fix-1.2.3", "fix-1.2.2"]),
            Some("a version")
        );
    }
}
