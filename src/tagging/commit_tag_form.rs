//! Spelling of SHA tags: `git-2b2e927`, `sha-2b2e927`, or as an environment's rule writes them.

use super::{EnvironmentName, tag_name};
use crate::image::{CommitId, NamedCommit, Tag};

/// Spelling of the SHA tags of an environment, by its rule `type=sha`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitTagForm {
    /// Environment whose rule it is.
    pub environment: EnvironmentName,
    /// Text before the commit.
    pub prefix: String,
    /// Text after the commit.
    pub suffix: String,
    /// Number of digits of the commit; `None`: all of them.
    pub digits: Option<usize>,
}

/// Fewest digits that name a commit.
const FEWEST_DIGITS: usize = 7;
/// Prefixes that mark the digits after them as a commit's.
const COMMIT_PREFIXES: [&str; 2] = ["git-", "sha-"];
/// Number of digits of a whole commit, which needs no prefix.
const WHOLE_COMMIT: usize = 40;

impl CommitTagForm {
    /// Returns the SHA tag of a commit.
    pub(super) fn commit_tag(&self, commit: &CommitId) -> Option<Tag> {
        let sha = commit.as_str();
        let sha = &sha[..self.digits.unwrap_or(sha.len()).min(sha.len())];
        format!("{}{sha}{}", self.prefix, self.suffix).parse().ok()
    }

    /// Returns the SHA tag of a commit, in a list; an empty one if fewer digits of the commit are known
    /// than the tag has.
    pub fn tags_of(&self, commit: &NamedCommit) -> Vec<Tag> {
        let spelled = match (commit, self.digits) {
            (NamedCommit::Whole(commit), _) => self.commit_tag(commit),
            (NamedCommit::Abbreviated(known), Some(digits)) => {
                known.get(..digits).and_then(|known| {
                    format!("{}{known}{}", self.prefix, self.suffix)
                        .parse()
                        .ok()
                })
            }
            (NamedCommit::Abbreviated(_), None) => None,
        };
        spelled.into_iter().collect()
    }

    fn commit_digits<'a>(&self, tag: &'a Tag) -> Option<&'a str> {
        let text = tag.as_str().strip_prefix(self.prefix.as_str())?;
        let text = text.strip_suffix(self.suffix.as_str())?;
        is_abbreviated_commit(text).then_some(text)
    }
}

/// Returns the SHA tags that a commit may have where no rule spells them: `git-` and `sha-` with seven
/// digits, with `short` digits and with all of them, and the whole commit alone, the usual spellings
/// first.
pub fn usual_commit_tags(commit: &NamedCommit, short: usize) -> Vec<Tag> {
    let known = commit.digits();
    let mut lengths = vec![FEWEST_DIGITS, short.max(FEWEST_DIGITS), known.len()];
    lengths.retain(|length| *length <= known.len());
    lengths.dedup();
    let prefixed = lengths.iter().flat_map(|length| {
        let digits = &known[..*length];
        COMMIT_PREFIXES.map(|prefix| format!("{prefix}{digits}"))
    });
    let alone = match commit {
        NamedCommit::Whole(commit) => Some(commit.to_string()),
        NamedCommit::Abbreviated(_) => None,
    };
    prefixed
        .chain(alone)
        .filter_map(|text| text.parse().ok())
        .collect()
}

/// Returns the digits of the commit in a tag that is spelled as a SHA tag, where the commit is not
/// known: `git-` or `sha-` with digits, a whole commit, or the form of the environment's rule.
pub(super) fn spelled_commit<'a>(tag: &'a Tag, form: Option<&CommitTagForm>) -> Option<&'a str> {
    if let Some(digits) = form.and_then(|form| form.commit_digits(tag)) {
        return Some(digits);
    }
    let digits = final_digits(tag)?;
    let prefix = &tag.as_str()[..tag.as_str().len() - digits.len()];
    let is_whole = prefix.is_empty() && digits.len() == WHOLE_COMMIT;
    (is_whole || COMMIT_PREFIXES.contains(&prefix)).then_some(digits)
}

/// Returns whether a tag ends in the commit, abbreviated to seven digits or more.
pub(super) fn ends_in_commit(tag: &Tag, commit: &CommitId) -> bool {
    final_digits(tag).is_some_and(|digits| commit.begins_with(digits))
}

/// Returns whether a tag ends in a commit and cannot be of the one that `other` ends in: neither a longer
/// spelling of `other` nor digits of the same commit.
pub fn names_other_commit(tag: &Tag, other: &Tag) -> bool {
    let Some(digits) = final_digits(tag) else {
        return false;
    };
    let is_same = match final_digits(other) {
        Some(others) => digits.starts_with(others) || others.starts_with(digits),
        None => !is_commit_spelling(other) || tag.as_str().starts_with(other.as_str()),
    };
    !is_same
}

/// Returns whether a tag has a prefix of SHA tags, or ends in a commit.
pub fn is_commit_spelling(tag: &Tag) -> bool {
    let mut prefixes = COMMIT_PREFIXES.iter();
    prefixes.any(|prefix| tag.as_str().starts_with(prefix)) || final_digits(tag).is_some()
}

/// Returns the order in which tags of one commit are looked up, the usual spellings first.
pub(super) fn spelling_rank(tag: &Tag) -> (bool, usize, &str) {
    let text = tag.as_str();
    let is_usual = COMMIT_PREFIXES
        .iter()
        .any(|prefix| text.starts_with(prefix));
    (!is_usual, text.len(), text)
}

/// Returns the hex digits that a tag ends in, if they may be a commit's. The entry of a timeline ends in digits
/// of a record, which whoever may push can choose.
fn final_digits(tag: &Tag) -> Option<&str> {
    let text = tag.as_str();
    if tag_name::is_reserved(text) {
        return None;
    }
    let before = text.trim_end_matches(|c: char| c.is_ascii_hexdigit());
    let digits = &text[before.len()..];
    is_abbreviated_commit(digits).then_some(digits)
}

fn is_abbreviated_commit(text: &str) -> bool {
    (FEWEST_DIGITS..=WHOLE_COMMIT).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "2b2e9270c0ffee2b2e9270c0ffee2b2e9270c0ff";

    fn form(prefix: &str, suffix: &str, digits: Option<usize>) -> CommitTagForm {
        CommitTagForm {
            environment: "dev".parse().unwrap(),
            prefix: prefix.to_owned(),
            suffix: suffix.to_owned(),
            digits,
        }
    }

    #[test]
    fn sha_tags_are_known_by_their_spelling() {
        let own = form("build.", "-alpine", Some(7));
        for (tag, digits) in [
            ("sha-2b2e927", Some("2b2e927")),
            ("git-2b2e9270c0ff", Some("2b2e9270c0ff")),
            (COMMIT, Some(COMMIT)),
            ("build.2b2e927-alpine", Some("2b2e927")),
            ("2b2e927", None),
            ("20250310", None),
            ("main-2b2e927", None),
            ("sha-2b2e92", None),
            ("sha-main", None),
            ("1.4.0", None),
        ] {
            let tag = tag.parse().unwrap();
            assert_eq!(spelled_commit(&tag, Some(&own)), digits, "{tag}");
        }
    }

    #[test]
    fn a_tag_of_another_commit_is_told_from_a_spelling_of_the_same() {
        for (tag, other, is_other) in [
            ("git-7cd1610", "git-1e7bdc0", true),
            ("sha-1e7bdc0a", "git-1e7bdc0", false),
            ("git-1e7bdc0", "git-1e7bdc", false),
            ("git-7cd1610", "git-1e7bdc", true),
            ("main-7cd1610", "git-1e7bdc0", true),
            ("git-7cd1610", "main", false),
            ("main", "git-1e7bdc0", false),
            ("1.4.0", "1.4.1", false),
        ] {
            let parse = |text: &str| text.parse().unwrap();
            let judged = names_other_commit(&parse(tag), &parse(other));
            assert_eq!(judged, is_other, "{tag} {other}");
        }
    }

    #[test]
    fn a_tag_ends_in_its_commit() {
        let commit = COMMIT.parse().unwrap();
        for (tag, ends) in [
            ("sha-2b2e927", true),
            ("main-2b2e9270c0", true),
            (COMMIT, true),
            ("2b2e927", true),
            ("sha-2b2e92", false),
            ("sha-2b2e928", false),
            ("a2b2e927", false),
            ("sha-2b2e927-alpine", false),
        ] {
            assert_eq!(
                ends_in_commit(&tag.parse().unwrap(), &commit),
                ends,
                "{tag}"
            );
        }
    }

    #[test]
    fn the_usual_sha_tags_of_a_commit_are_short_and_whole() {
        let texts = |commit: &NamedCommit, short| {
            let tags = usual_commit_tags(commit, short).into_iter();
            tags.map(|tag| tag.to_string())
                .collect::<Vec<_>>()
                .join(" ")
        };
        let whole = NamedCommit::Whole(COMMIT.parse().unwrap());
        let of_whole = format!("git-{COMMIT} sha-{COMMIT} {COMMIT}");
        let of_seven = "git-2b2e927 sha-2b2e927";
        assert_eq!(texts(&whole, 7), format!("{of_seven} {of_whole}"));
        let of_nine = "git-2b2e9270c sha-2b2e9270c";
        assert_eq!(texts(&whole, 9), format!("{of_seven} {of_nine} {of_whole}"));
        assert_eq!(texts(&whole, 99), format!("{of_seven} {of_whole}"));
        let short = NamedCommit::Abbreviated("2b2e9270c".to_owned());
        assert_eq!(texts(&short, 7), format!("{of_seven} {of_nine}"));
        let short = NamedCommit::Abbreviated("2b2e927".to_owned());
        assert_eq!(texts(&short, 9), of_seven);
    }

    #[test]
    fn a_rule_spells_an_abbreviated_commit_with_as_many_digits_as_it_has() {
        let short = NamedCommit::Abbreviated("2b2e9270".to_owned());
        for (digits, expected) in [
            (Some(7), vec!["a-2b2e927"]),
            (Some(8), vec!["a-2b2e9270"]),
            (Some(9), vec![]),
            (None, vec![]),
        ] {
            let tags = form("a-", "", digits).tags_of(&short);
            let tags: Vec<_> = tags.iter().map(Tag::as_str).collect();
            assert_eq!(tags, expected, "{digits:?}");
        }
        let whole = NamedCommit::Whole(COMMIT.parse().unwrap());
        assert_eq!(form("", "-x", None).tags_of(&whole).len(), 1);
    }

    #[test]
    fn a_rule_spells_a_commit() {
        let commit = COMMIT.parse().unwrap();
        let tag = |form: CommitTagForm| form.commit_tag(&commit).map(|tag| tag.to_string());
        assert_eq!(
            tag(form("sha-", "", Some(7))).as_deref(),
            Some("sha-2b2e927")
        );
        assert_eq!(tag(form("", "-x", None)), Some(format!("{COMMIT}-x")));
        assert_eq!(tag(form("-", "", Some(7))), None);
    }
}
