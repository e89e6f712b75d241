use super::release_version::ReleaseVersion;
use crate::image::{Digest, Tag};

/// What GitHub calls the branches of its merge queue: `gh-readonly-queue/main/pr-7-860c190…`.
pub(super) const MERGE_QUEUE_PREFIX: &str = "gh-readonly-queue/";

/// A name from git made into a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SanitizedName {
    pub(super) tag: Tag,
    /// What had to be done to it beyond `/` to `-`, which everybody expects.
    pub(super) altered: Option<&'static str>,
}

/// Returns the text with each run of characters that a tag may not hold replaced by one dash, as
/// docker/metadata-action does.
pub(super) fn replace_invalid_characters(text: &str) -> String {
    let mut tag = String::with_capacity(text.len());
    let mut in_run = false;
    for c in text.chars() {
        let allowed = c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if allowed {
            tag.push(c);
        } else if !in_run {
            tag.push('-');
        }
        in_run = !allowed;
    }
    tag
}

/// Returns the tag for a name from git: invalid characters replaced, leading dots and dashes removed.
/// A name that is too long is cut, and ends in a hash of the whole name.
pub(super) fn sanitize_name(name: &str) -> SanitizedName {
    let text = replace_invalid_characters(name);
    let text = text.trim_start_matches(['.', '-']);
    let (text, altered) = if text.is_empty() {
        (
            format!("ref-{}", short_hash(name)),
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
    SanitizedName { tag, altered }
}

const HASH: usize = 12;

fn short_hash(name: &str) -> String {
    Digest::from_bytes(name.as_bytes()).to_hex()[..HASH].to_owned()
}

pub(super) fn shorten(text: &str, name: &str) -> String {
    format!("{}-{}", &text[..Tag::MAX - HASH - 1], short_hash(name))
}

/// What a tag of this name stands for already, so that no branch or environment may take it.
pub(super) fn reserved_meaning(tag: &Tag) -> Option<&'static str> {
    let text = tag.as_str();
    if text == "latest" {
        Some("the line of all releases")
    } else if is_version(text) {
        Some("a version")
    } else if text.split('.').count() <= 3 && text.split('.').all(is_number) {
        Some("a version line")
    } else if is_commit(text, "git-") || is_commit(text, "sha-") {
        Some("a commit")
    } else if text.strip_prefix("pr-").is_some_and(is_number) {
        Some("a pull request")
    } else if is_reserved(text) {
        Some("a signature, record or hold")
    } else {
        None
    }
}

/// Returns whether the tag is one number of so many digits that it is a date or a build, and no
/// version line: `20261120`.
pub(super) fn is_date(tag: &Tag) -> bool {
    tag.as_str().len() > 4 && is_number(tag.as_str())
}

/// Returns whether the text is a date with dots, `2026.11.20`, which as a version would be a release of
/// that day.
pub(super) fn is_calendar_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let [year, month, day] = parts[..] else {
        return false;
    };
    let is_within = |part: &str, highest: u8| {
        let number = part.parse::<u8>();
        part.len() == 2 && is_number(part) && number.is_ok_and(|it| (1..=highest).contains(&it))
    };
    year.len() == 4 && is_number(year) && is_within(month, 12) && is_within(day, 31)
}

/// Returns whether the text is a version. Two numbers alone may be the tag of a version line.
fn is_version(text: &str) -> bool {
    ReleaseVersion::parse(text)
        .is_some_and(|version| version.numbers().len() > 2 || version.is_prerelease())
}

/// What a tag of this name stands for, so that no branch may take it: as [`reserved_meaning`], and the lines of
/// versions in all their spellings.
pub(super) fn reserved_from_branches(tag: &Tag) -> Option<&'static str> {
    reserved_meaning(tag).or_else(|| is_line(tag.as_str()).then_some("a version line"))
}

/// What an immutable tag of this name would stand for.
pub(super) fn immutable_form(tag: &Tag) -> Option<&'static str> {
    reserved_meaning(tag).filter(|meaning| matches!(*meaning, "a version" | "a commit"))
}

/// `v1`, `v1.4`, `1-alpine`, `1.4-bookworm-slim`. A number and several words are a branch about an
/// issue (`12-fix-the-login`) rather than a line.
fn is_line(text: &str) -> bool {
    let text = text.strip_prefix('v').unwrap_or(text);
    let (number, variant) = match text.split_once('-') {
        Some((number, variant)) => (number, Some(variant)),
        None => (text, None),
    };
    let parts = number.split('.').count();
    let is_word =
        |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic()) && !text.contains('-');
    number.split('.').all(is_number)
        && parts <= 3
        && variant.is_none_or(|variant| parts > 1 || is_word(variant))
}

/// Whether a tag of this text is for signatures, referrers, records and holds alone, in letters of either
/// case: `sha256-<hex>` with or without an ending, which others write too, and the prefixes of our own. Dots and
/// dashes before them count for nothing: where a tag cannot begin so, they are removed.
pub(super) fn is_reserved(text: &str) -> bool {
    let text = text.trim_start_matches(['.', '-']);
    let mut own = OWN_PREFIXES.iter();
    is_digest(text) || own.any(|prefix| strip_prefix_of_any_case(text, prefix).is_some())
}

/// Returns what follows a prefix in letters of either case.
fn strip_prefix_of_any_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// What the tags of records and of holds begin with.
const OWN_PREFIXES: [&str; 2] = ["shipmark.", "hold."];
/// What digests begin with, as tags write them. The referrers tag schema cuts the rest to 64 digits.
const DIGESTS: [&str; 4] = ["sha256-", "sha384-", "sha512-", "blake3-"];

pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_commit(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|hex| hex.len() >= 7 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// `sha256-<hex>`, with or without an ending: the tags of referrers and signatures.
fn is_digest(text: &str) -> bool {
    let mut hex = DIGESTS
        .iter()
        .filter_map(|prefix| strip_prefix_of_any_case(text, prefix));
    hex.any(|hex| hex.len() >= 64 && hex.bytes().take(64).all(|b| b.is_ascii_hexdigit()))
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
            let named = sanitize_name(name);
            assert_eq!(named.tag.as_str(), tag, "{name:?}");
            assert_eq!(named.altered.is_some(), altered, "{name:?}");
        }
    }

    #[test]
    fn long_names_that_differ_at_the_end_stay_apart() {
        let (one, other) = ("x".repeat(200) + "1", "x".repeat(200) + "2");
        let (one, other) = (sanitize_name(&one), sanitize_name(&other));
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
            "1.2.3.4",
            "2026.02.0",
            "1.19-rc1",
            "shipmark.prod.x",
        ] {
            assert!(reserved_meaning(&text.parse().unwrap()).is_some(), "{text}");
        }
        let digest = Digest::from_bytes(b"").to_string().replace(':', "-");
        assert!(reserved_meaning(&digest.parse().unwrap()).is_some());
        assert!(reserved_meaning(&format!("{digest}.sig").parse().unwrap()).is_some());
        for text in [
            "main",
            "v2",
            "1.x",
            "git-flow",
            "sha-main",
            "pr-main",
            "1.2.3.4.5",
            "Latest",
        ] {
            assert_eq!(reserved_meaning(&text.parse().unwrap()), None, "{text}");
        }
    }

    #[test]
    fn promise_3_no_branch_has_the_name_of_a_version_line() {
        for text in [
            "v1",
            "v1.4",
            "v1.4.2",
            "1",
            "1.4",
            "01.4",
            "1-alpine",
            "v1-alpine",
            "1.4-alpine",
            "1.4-bookworm-slim",
            "1-alpine3.20",
            "2025.01-slim",
            "latest",
            "1.4.0",
            "v1.4.0-rc.1",
        ] {
            assert!(
                reserved_from_branches(&text.parse().unwrap()).is_some(),
                "{text}"
            );
        }
        for text in [
            "main",
            "12-fix-the-login",
            "v1x",
            "1x",
            "version-1",
            "1.x",
            "vnext",
            "v-1",
            "1.2.3.4.5",
            "1-2",
            "1--x",
            "v",
            "feature-1",
        ] {
            assert_eq!(
                reserved_from_branches(&text.parse().unwrap()),
                None,
                "{text}"
            );
        }
    }

    proptest! {
        #[test]
        fn promise_2_every_tag_of_a_digest_or_record_is_reserved(
            hex in "[0-9a-fA-F]{64}",
            algorithm in "[sS][hH][aA](256|384|512)|[bB][lL][aA][kK][eE]3",
            ending in "(|[.](sig|att|sbom|SIG|[a-z]{0,9})|[-._A-Za-z0-9]{0,30})",
            own in "([sS][hH][iI][pP][mM][aA][rR][kK]|[hH][oO][lL][dD])[.][-._A-Za-z0-9]{0,30}",
        ) {
            let of_digest = format!("{algorithm}-{hex}{ending}");
            prop_assert!(is_reserved(&of_digest), "{}", of_digest);
            prop_assert!(is_reserved(&own), "{}", own);
            prop_assert!(is_reserved(&format!("-.{own}")), "{}", own);
        }

        #[test]
        fn any_name_becomes_a_tag_once_and_for_all(name in ".{0,300}") {
            let named = sanitize_name(&name);
            prop_assert_eq!(sanitize_name(named.tag.as_str()), SanitizedName { altered: None, ..named });
        }
    }
}
