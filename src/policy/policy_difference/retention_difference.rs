//! Differences of the rules of retention of an environment.

use super::{DifferenceKind, KeyDifferences};
use crate::retention::{KeepRules, RetentionRules};
use crate::tagging::TagPattern;

/// Adds the differences of what stays and what may go. A rule less that keeps loosens, and so does one more that
/// prunes.
pub(super) fn compare_retention(
    base: &RetentionRules,
    head: &RetentionRules,
    keys: &mut KeyDifferences,
) {
    let keep = (keep_texts(&base.keep), keep_texts(&head.keep));
    keys.compare_sets(
        "retention.keep",
        &keep.0,
        &keep.1,
        DifferenceKind::of_strictness,
    );
    let prune = |rules: &RetentionRules| -> Vec<String> {
        rules.prune.iter().map(ToString::to_string).collect()
    };
    let prunes_more =
        |has_all: bool, has_no_more: bool| DifferenceKind::of_strictness(has_no_more, has_all);
    keys.compare_sets("retention.prune", &prune(base), &prune(head), prunes_more);
    let grace = |rules: &RetentionRules| rules.grace.to_string();
    keys.compare_texts("retention.grace", &grace(base), &grace(head));
    let limits = |rules: &RetentionRules| {
        let limits = rules.limits;
        format!("share {} %, images {}", limits.share, limits.images)
    };
    keys.compare_texts("retention.limits", &limits(base), &limits(head));
    let apis = |rules: &RetentionRules| -> String {
        let texts: Vec<String> = rules.apis.iter().map(ToString::to_string).collect();
        texts.join(", ")
    };
    keys.compare_texts("retention.apis", &apis(base), &apis(head));
}

fn keep_texts(keep: &KeepRules) -> Vec<String> {
    let released = keep.released.as_ref();
    let mut texts: Vec<String> = released
        .map(|it| format!("released {it}"))
        .into_iter()
        .collect();
    texts.extend(keep.rollback.map(|count| format!("rollback {count}")));
    let tags = keep.tags.iter().map(TagPattern::as_str);
    texts.extend(tags.map(|pattern| format!("tags {pattern}")));
    texts.extend(
        keep.pinned
            .iter()
            .map(|pattern| format!("pinned {pattern}")),
    );
    texts
}
