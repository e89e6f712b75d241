//! The next version that is free, for the refusal of a version that is taken.

use std::collections::BTreeSet;

use crate::image::Tag;
use crate::tagging::is_prerelease_word;

/// Returns the tag of the next version in the spelling of `tag` that is not among `taken`: `1.4.1` after
/// `v1.4.0`, `1.4.0-rc.2` after `1.4.0-rc.1`, `web-1.4.1-alpine` after `web-1.4.0-alpine`; `None` if the tag
/// has no version in it.
pub(super) fn next_free_version(tag: &Tag, taken: &BTreeSet<Tag>) -> Option<Tag> {
    let (before, number, after) = split_at_last_number(tag.as_str())?;
    let number: u64 = number.parse().ok()?;
    // As many as there are tags can be taken, and one more is free.
    (1..=taken.len() as u64 + 1)
        .filter_map(|step| {
            format!("{before}{}{after}", number.checked_add(step)?)
                .parse()
                .ok()
        })
        .find(|next| next != tag && !taken.contains(next))
}

/// Splits a tag at the number that the next version counts up: that of a pre-release, else the last of the
/// version.
fn split_at_last_number(text: &str) -> Option<(&str, &str, &str)> {
    let core = find_version(text)?;
    let (version, rest) = text[core..].split_at(version_length(&text[core..]));
    if let Some(at) = prerelease_number(rest) {
        let start = core + version.len() + at;
        return Some((&text[..start], &text[start..], ""));
    }
    let last = core + version.rfind('.')? + 1;
    let end = core + version.len();
    Some((&text[..last], &text[last..end], &text[end..]))
}

/// Returns where the first version of two to four numbers begins.
fn find_version(text: &str) -> Option<usize> {
    let is_start = |at: usize| {
        let before = text[..at].chars().next_back();
        !before.is_some_and(|c| c.is_ascii_digit() || c == '.')
    };
    let digits = text.char_indices().filter(|(_, c)| c.is_ascii_digit());
    digits
        .map(|(at, _)| at)
        .find(|at| is_start(*at) && text[*at..*at + version_length(&text[*at..])].contains('.'))
}

/// Returns the length of the version that a text begins with.
fn version_length(text: &str) -> usize {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    text[..end.unwrap_or(text.len())]
        .trim_end_matches('.')
        .len()
}

/// Returns where the number of a pre-release begins in what follows a version, if it ends in one.
fn prerelease_number(rest: &str) -> Option<usize> {
    let word = rest.strip_prefix('-')?;
    let digits = word.len() - word.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let name = word[..word.len() - digits].trim_end_matches('.');
    (digits > 0 && is_prerelease_word(name)).then_some(rest.len() - digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_version_is_free_and_spelt_alike() {
        let taken: BTreeSet<Tag> = ["1.4.0", "1.4.1", "v1.4.0", "1.4.0-rc.1", "2026.02"]
            .map(|tag| tag.parse().unwrap())
            .into();
        for (tag, next) in [
            ("1.4.0", Some("1.4.2")),
            ("v1.4.0", Some("v1.4.1")),
            ("1.4.0-rc.1", Some("1.4.0-rc.2")),
            ("1.4.0-beta3", Some("1.4.0-beta4")),
            ("1.4.0-alpine3", Some("1.4.1-alpine3")),
            ("web-1.4.0-alpine", Some("web-1.4.1-alpine")),
            ("1.4", Some("1.5")),
            ("0.9.2.5", Some("0.9.2.6")),
            ("nightly", None),
            ("git-9f3c2a1", None),
        ] {
            let found = next_free_version(&tag.parse().unwrap(), &taken);
            assert_eq!(found.as_ref().map(Tag::as_str), next, "{tag}");
        }
    }
}
