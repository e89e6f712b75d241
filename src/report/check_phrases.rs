//! Wording of a check: what becomes of a service, and what to set in registries.

use crate::image::Tag;
use crate::notices::to_printable;
use crate::release::{
    CheckOutcome, CheckedDestination, CheckedService, CurrentImage, Failure, LabelChange,
    TagMutability,
};

/// Most characters of a label's value.
const VALUE_LIMIT: usize = 120;

/// Tags that signatures, lists of referrers and attestations can have.
const REFERRER_TAGS: &str = "sha256-*";

/// Tags of the entries of timelines.
const ENTRY_TAGS: &str = "shipmark.*";

/// Returns what a promotion of a service would come to, in a word of the output `json`.
pub(super) fn service_word(checked: &CheckedService) -> &'static str {
    let is_refused = |failure: &Failure| matches!(failure, Failure::Refused(_));
    match &checked.release {
        _ if checked.failures.iter().any(is_refused) => "refused",
        _ if !checked.failures.is_empty() => "failed",
        Some(release) if release.would_write => "releasable",
        _ => "unchanged",
    }
}

/// Returns the same for people.
pub(super) fn service_phrase(checked: &CheckedService) -> &'static str {
    match service_word(checked) {
        "releasable" => "would be released",
        "unchanged" => "is released already",
        "refused" => "would be refused",
        _ => "could not be checked",
    }
}

/// Returns the output `outcome`.
pub(super) fn outcome_word(outcome: &CheckOutcome) -> &'static str {
    let mut failures = outcome.failures();
    let is_refused = |(_, failure)| matches!(failure, &Failure::Refused(_));
    match (failures.next(), outcome.failures().any(is_refused)) {
        (None, _) if outcome.would_write() => "releasable",
        (None, _) => "unchanged",
        (Some(_), true) => "refused",
        (Some(_), false) => "failed",
    }
}

/// Returns the title of the report.
pub(super) fn title(outcome: &CheckOutcome) -> String {
    let to = outcome.environment.as_ref();
    let to = to.map_or_else(String::new, |name| format!(" to {name}"));
    format!("a promotion{to} {}", verdict(outcome))
}

/// Returns what the promotion would come to, as the end of a sentence.
pub(super) fn verdict(outcome: &CheckOutcome) -> &'static str {
    match outcome_word(outcome) {
        "releasable" => "would be released",
        "unchanged" => "would change nothing",
        "refused" => "would be refused",
        _ => "could not be checked",
    }
}

/// Returns what is visible of the registry's own protection of tags, and what it must let move.
pub(super) fn mutability_phrase(mutability: &TagMutability) -> String {
    match mutability {
        TagMutability::Unprotected => "an image layout protects no tag".to_owned(),
        TagMutability::Moved { tag, at } => format!(
            "the registry lets tags move: {} moved with the release of {at}",
            to_printable(tag, VALUE_LIMIT)
        ),
        TagMutability::Unknown { moving } => format!(
            "not visible before a write: if the registry makes tags immutable, exclude {}",
            moving_patterns(moving).join(", ")
        ),
    }
}

/// Returns patterns of tags that a registry must let move.
pub(super) fn moving_patterns(moving: &[Tag]) -> Vec<String> {
    let tags = moving.iter().map(ToString::to_string);
    tags.chain([REFERRER_TAGS.to_owned()]).collect()
}

/// Returns patterns of the tags that a cleanup of the destination must keep.
pub(super) fn kept_patterns(destination: &CheckedDestination) -> Vec<String> {
    let has_entries = destination.is_recorded && destination.records_place.is_none();
    let entries = has_entries.then(|| ENTRY_TAGS.to_owned());
    let tags = destination
        .tags
        .iter()
        .map(|checked| checked.tag.to_string());
    entries
        .into_iter()
        .chain([REFERRER_TAGS.to_owned()])
        .chain(tags)
        .collect()
}

/// Returns what a cleanup of the destination must keep.
pub(super) fn retention_phrase(destination: &CheckedDestination) -> String {
    let kept = kept_patterns(destination).join(", ");
    let phrase = format!("keep the tags {kept} and untagged manifests that have a subject");
    match &destination.records_place {
        Some(place) => format!("{phrase}; in {place} the tags {ENTRY_TAGS}"),
        None => phrase,
    }
}

/// Returns the name of the current image, and how it is known.
pub(super) fn current_phrase(current: &CurrentImage) -> String {
    match &current.tag {
        Some(tag) => format!("{} (by the tag {tag})", current.image),
        None => format!("{} (by its record)", current.image),
    }
}

/// Returns the change of a label, such as `org.opencontainers.image.version: 1.3.0 -> 1.4.0`.
pub(super) fn label_phrase(change: &LabelChange) -> String {
    let value = |text: &Option<String>| match text {
        Some(text) => to_printable(text, VALUE_LIMIT),
        None => "none".to_owned(),
    };
    format!(
        "{}: {} -> {}",
        to_printable(&change.name, VALUE_LIMIT),
        value(&change.before),
        value(&change.after)
    )
}
