//! References that a release writes to its outputs: images, tags, signatures and attestations.

use super::phrases;
use crate::release::{DestinationOutcome, ReleaseOutcome, SignatureResult, TagChange, TagResult};

/// Returns the image at each destination, as `repository@digest`.
pub(super) fn image_references(outcome: &ReleaseOutcome) -> Vec<String> {
    let by_digest =
        |released: &DestinationOutcome| phrases::digest_reference(&released.place, outcome.root);
    outcome.destinations.iter().map(by_digest).collect()
}

/// Returns the references of the signatures.
pub(super) fn signature_references(outcome: &ReleaseOutcome) -> Vec<String> {
    references_of(outcome, |signed| signed.predicate_type.is_none())
}

/// Returns the references of the attestations.
pub(super) fn attestation_references(outcome: &ReleaseOutcome) -> Vec<String> {
    references_of(outcome, |signed| signed.predicate_type.is_some())
}

/// Returns the URLs of the attestations that this run uploaded to GitHub.
pub(super) fn attestation_urls(outcome: &ReleaseOutcome) -> Vec<String> {
    let signatures = outcome.destinations.iter();
    let signatures = signatures.flat_map(|released| &released.signatures);
    let shown = signatures.filter_map(|signed| signed.url.as_ref());
    shown.map(ToString::to_string).collect()
}

fn references_of(outcome: &ReleaseOutcome, wanted: fn(&SignatureResult) -> bool) -> Vec<String> {
    let at = |released: &DestinationOutcome| -> Vec<String> {
        let signatures = released.signatures.iter();
        signatures
            .filter(|signed| wanted(signed))
            .filter_map(|signed| phrases::signature_reference(&released.place, signed))
            .collect()
    };
    outcome.destinations.iter().flat_map(at).collect()
}

/// Returns the records that this run wrote or repaired, by their digests.
pub(super) fn record_ids(outcome: &ReleaseOutcome) -> Vec<String> {
    let records = outcome.destinations.iter();
    let records = records.filter_map(|released| released.record.as_ref()?.id);
    records.map(|id| id.to_string()).collect()
}

/// Returns the full references of the tags that point to the image.
pub(super) fn tag_references(outcome: &ReleaseOutcome) -> Vec<String> {
    let of = |released: &DestinationOutcome| -> Vec<String> {
        tags_naming_root(released)
            .map(|result| phrases::tag_reference(&released.place, &result.tag))
            .collect()
    };
    outcome.destinations.iter().flat_map(of).collect()
}

/// Returns the tags that point to the image, without those left at or corrected to another image.
pub(super) fn tags_naming_root(released: &DestinationOutcome) -> impl Iterator<Item = &TagResult> {
    let stays = |change: &TagChange| {
        matches!(
            change,
            TagChange::Stays { .. } | TagChange::Corrected { .. }
        )
    };
    let tags = released.tags.iter();
    tags.filter(move |result| !stays(&result.change))
}
