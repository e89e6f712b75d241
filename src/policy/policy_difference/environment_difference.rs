//! Differences of the keys of an environment.

use super::retention_difference::compare_retention;
use super::signer_difference::compare_signers;
use super::{DifferenceKind, KeyDifferences};
use crate::event::RefFilter;
use crate::policy::declared_keys::{FLAG_WORDS, LINES_WORDS, UNBOUND_WORDS};
use crate::policy::{Deadline, EnvironmentRules, ExistingTags, SigningRule};
use crate::tagging::TagPattern;

/// Returns the differences of an environment's keys, apart from `exclude-versions` and the gates of services.
pub(super) fn compare_environments(
    base: &EnvironmentRules,
    head: &EnvironmentRules,
) -> KeyDifferences {
    let mut keys = KeyDifferences::default();
    keys.compare_texts("repository", &base.repository(), &head.repository());
    // The flag of a production demands more.
    let [no, yes] = FLAG_WORDS;
    let is_none_needed = (!base.is_production(), !head.is_production());
    keys.compare_flags("production", is_none_needed, [yes, no]);
    compare_sources(base, head, &mut keys);
    compare_refs(base.refs(), head.refs(), &mut keys);
    let rules = |stage: &EnvironmentRules| owned(stage.rule_lines());
    keys.compare_lists("tags", &rules(base), &rules(head), DifferenceKind::Changed);
    keys.compare_sets(
        "immutable",
        &immutable(base),
        &immutable(head),
        DifferenceKind::of_strictness,
    );
    let [on, off] = LINES_WORDS;
    let lines = |stage: &EnvironmentRules| if stage.gives_lines() { on } else { off };
    keys.compare_texts("lines", lines(base), lines(head));
    let unbound = (base.allows_unbound(), head.allows_unbound());
    keys.compare_flags("unbound", unbound, UNBOUND_WORDS);
    compare_existing(base.existing(), head.existing(), &mut keys);
    keys.extend(base.gates(None).compare(head.gates(None)));
    compare_signing(base.signing(), head.signing(), &mut keys);
    compare_signers(base.signers(), head.signers(), &mut keys);
    let adds_none = (!base.adds_vsa(), !head.adds_vsa());
    keys.compare_flags("vsa", adds_none, [yes, no]);
    let records = (base.records_repository(), head.records_repository());
    keys.compare_options("records", records, |_, _| DifferenceKind::Changed);
    compare_adoption(base.adopt_until(), head.adopt_until(), &mut keys);
    let names = (base.github_environment(), head.github_environment());
    keys.compare_texts("github-environment", names.0, names.1);
    compare_retention(&base.retention(), &head.retention(), &mut keys);
    keys
}

fn owned(texts: Vec<&str>) -> Vec<String> {
    texts.into_iter().map(str::to_owned).collect()
}

fn immutable(stage: &EnvironmentRules) -> Vec<String> {
    let patterns = stage.immutable_tags().patterns().iter();
    owned(patterns.map(TagPattern::as_str).collect())
}

/// An environment without `from` takes any image.
fn compare_sources(base: &EnvironmentRules, head: &EnvironmentRules, keys: &mut KeyDifferences) {
    let names = |stage: &EnvironmentRules| -> Vec<String> {
        let from = stage.from().iter();
        from.map(ToString::to_string).collect()
    };
    let (base, head) = (names(base), names(head));
    let is_within = |inner: &[String], outer: &[String]| {
        outer.is_empty() || !inner.is_empty() && inner.iter().all(|it| outer.contains(it))
    };
    let kind = DifferenceKind::of_strictness(is_within(&head, &base), is_within(&base, &head));
    keys.compare_lists("from", &base, &head, kind);
}

/// Without `refs` every ref may release. Patterns with `!` depend on the others, so that sets of them say nothing.
fn compare_refs(base: Option<&RefFilter>, head: Option<&RefFilter>, keys: &mut KeyDifferences) {
    let patterns = |refs: &RefFilter| -> Vec<String> {
        let patterns = refs.patterns().iter();
        patterns.map(|it| it.as_str().to_owned()).collect()
    };
    let is_plain = |refs: &RefFilter| {
        !refs
            .patterns()
            .iter()
            .any(|it| it.as_str().starts_with('!'))
    };
    let all = |refs: Option<&RefFilter>| refs.map(patterns).unwrap_or_default();
    match (base, head) {
        (Some(old), Some(new)) if is_plain(old) && is_plain(new) => {
            let wider = |has_all: bool, has_no_more: bool| {
                DifferenceKind::of_strictness(has_no_more, has_all)
            };
            keys.compare_sets("refs", &patterns(old), &patterns(new), wider);
        }
        _ => {
            let kind = DifferenceKind::of_strictness(
                head.is_some() && base.is_none(),
                head.is_none() && base.is_some(),
            );
            keys.compare_lists("refs", &all(base), &all(head), kind);
        }
    }
}

/// `fail` refuses most, and `keep` least.
fn compare_existing(
    base: Option<ExistingTags>,
    head: Option<ExistingTags>,
    keys: &mut KeyDifferences,
) {
    let rank = |existing: Option<ExistingTags>| match existing {
        Some(ExistingTags::Keep) => 0,
        None => 1,
        Some(ExistingTags::Fail) => 2,
    };
    let word = |existing: Option<ExistingTags>| match existing {
        Some(existing) => existing.as_str(),
        None => "by the tag (default)",
    };
    if base != head {
        let (old, new) = (rank(base), rank(head));
        let kind = DifferenceKind::of_strictness(new >= old, old >= new);
        keys.add_texts("existing", kind, word(base), word(head));
    }
}

/// Signatures of another kind are neither more nor less.
fn compare_signing(base: SigningRule, head: SigningRule, keys: &mut KeyDifferences) {
    if base != head {
        let kind =
            DifferenceKind::of_strictness(base == SigningRule::Off, head == SigningRule::Off);
        keys.add_texts("sign", kind, base.as_str(), head.as_str());
    }
}

/// Without the key `adopt` is refused.
fn compare_adoption(base: Option<&Deadline>, head: Option<&Deadline>, keys: &mut KeyDifferences) {
    let end = |last: Option<&Deadline>| last.map(Deadline::end);
    if end(base) != end(head) {
        let text = |last: Option<&Deadline>| match last {
            Some(last) => last.to_string(),
            None => "adopt is refused (default)".to_owned(),
        };
        let kind = DifferenceKind::of_strictness(end(head) <= end(base), end(base) <= end(head));
        keys.add_texts("adopt-until", kind, &text(base), &text(head));
    }
}
