//! Tags of a push or a promotion in the form of an expansion, to be shown without one.

use super::Finding;
use super::expand::{ExpandedTag, RuleExpansion};
use super::tag_plan::DerivedTags;

/// Returns the tags as an expansion of rules, the version first.
pub fn preview_tags(derived: DerivedTags) -> RuleExpansion {
    let DerivedTags {
        version,
        tags,
        notes,
        warnings,
        provenance,
    } = derived;
    let mut tags: Vec<_> = tags
        .into_iter()
        .map(|planned| ExpandedTag {
            text: planned.tag.to_string(),
            kind: planned.kind,
            rule: planned.rule,
        })
        .collect();
    tags.sort_by_key(|tag| Some(&tag.text) != version.as_ref());
    let mut expansion = RuleExpansion::default();
    expansion.tags = tags;
    let contradictions = provenance.contradictions().cloned();
    let texts = warnings.into_iter().chain(notes).chain(contradictions);
    expansion.findings = texts.map(Finding::from_note).collect();
    expansion
}
