//! Wording of numbers, states and changes that all reports share.

use std::collections::BTreeMap;

use crate::image::{Destination, Digest, Tag, TagOrDigest};
use crate::notices::to_printable;
use crate::record::RecordAction;
use crate::referrers::{self, CopiedReferrers};
use crate::release::{
    PlatformSelection, RecordResult, ReleaseOutcome, ReleaseVerb, SignatureFormat, SignatureResult,
    TagChange,
};
use crate::tagging::{CommitTagOrigin, TagKind, VersionOrigin};
use crate::transfer::CopyStats;

/// Most characters of a reason or a link of a record.
const NOTE_LIMIT: usize = 300;

/// Tag of an image that was found by its commit.
const FOUND_TAG: &str = "the tag of the image that was found";

/// Returns a number of bytes in the largest unit that gives at least one.
pub(super) fn byte_count(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    // Tenths avoid floating point.
    let mut tenths = u128::from(count) * 10;
    let mut unit = "B";
    for next in UNITS {
        if tenths < 10 * 1024 {
            break;
        }
        tenths /= 1024;
        unit = next;
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// Returns a number with its noun: `1 blob`, `2 blobs`.
pub(super) fn count_phrase(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// Returns the verb's name.
pub(super) fn verb_name(verb: ReleaseVerb) -> &'static str {
    match verb {
        ReleaseVerb::Push => "push",
        ReleaseVerb::Promote => "promote",
    }
}

/// Returns the output `outcome`. A dry run is `unchanged`, also if it would release.
pub(super) fn outcome_word(outcome: &ReleaseOutcome) -> &'static str {
    if outcome.has_changes() && !outcome.dry_run && outcome.is_superseded() {
        "superseded"
    } else if outcome.has_changes() && !outcome.dry_run {
        "released"
    } else {
        "unchanged"
    }
}

/// Returns what a record of a release means and why it was done: that it is a reinstatement, reason and link.
pub(super) fn record_notes(record: &RecordResult) -> Vec<String> {
    let is_reinstatement = record.action == RecordAction::Reinstate;
    let reinstatement = is_reinstatement
        .then(|| "reinstatement: a rollback withdrew this image, and it counts again".to_owned());
    let note = |name: &str, text: &Option<String>| {
        let text = text.as_deref().map(|text| to_printable(text, NOTE_LIMIT));
        text.map(|text| format!("{name}: {text}"))
    };
    let notes = [
        reinstatement,
        note("reason", &record.reason),
        note("link", &record.link),
    ];
    notes.into_iter().flatten().collect()
}

/// Returns what was recorded of a release, such as `recorded in prod as promote: sha256:…`.
pub(super) fn record_phrase(record: &RecordResult, dry_run: bool) -> String {
    let RecordResult {
        environment,
        action,
        ..
    } = record;
    let id = record.id.map_or_else(String::new, |id| format!(": {id}"));
    match (record.is_new, dry_run) {
        (true, false) => format!("recorded in {environment} as {action}{id}"),
        (true, true) => format!("would be recorded in {environment} as {action}"),
        (false, false) => format!("repaired the referrer of the record in {environment}{id}"),
        (false, true) => format!("would repair the referrer of the record in {environment}"),
    }
}

/// Returns what happened to the source, as words that precede its name.
pub(super) fn release_phrase(outcome: &ReleaseOutcome) -> &'static str {
    match (outcome.dry_run, outcome.has_changes(), outcome.verb) {
        (true, true, ReleaseVerb::Push) => "dry run, nothing was written: would push",
        (true, true, ReleaseVerb::Promote) => "dry run, nothing was written: would promote",
        (true, false, _) => "dry run, already up to date:",
        (false, false, _) => "already up to date:",
        (false, true, ReleaseVerb::Push) => "pushed",
        (false, true, ReleaseVerb::Promote) => "promoted",
    }
}

/// Returns the reference of an image by tag.
pub(super) fn tag_reference(place: &Destination, tag: &Tag) -> String {
    format!("{place}:{tag}")
}

/// Returns the reference of an image by digest.
pub(super) fn digest_reference(place: &Destination, digest: Digest) -> String {
    format!("{place}@{digest}")
}

/// Returns the name of a signature format, as in the input `signature-format`.
pub(super) fn format_name(form: SignatureFormat) -> &'static str {
    match form {
        SignatureFormat::Bundle => "bundle",
        SignatureFormat::Legacy => "legacy",
    }
}

/// Returns the reference of a signature; `None` on a dry run that would sign.
pub(super) fn signature_reference(place: &Destination, signed: &SignatureResult) -> Option<String> {
    Some(match signed.at.as_ref()? {
        TagOrDigest::Digest(digest) => digest_reference(place, *digest),
        TagOrDigest::Tag(tag) => tag_reference(place, tag),
    })
}

/// Returns what happened to a signature or attestation of the root or of a manifest below it.
pub(super) fn signature_phrase(signed: &SignatureResult, outcome: &ReleaseOutcome) -> String {
    let (done, what) = match signed.predicate_type {
        None => ("signed", String::new()),
        Some(kind) => ("attested", format!(" {kind}")),
    };
    let what = match (signed.is_new, outcome.dry_run) {
        (true, true) => format!("would be {done}{what}"),
        (true, false) => format!("{done}{what}"),
        (false, _) => format!("already {done}{what}"),
    };
    match signed.of == outcome.root {
        true => format!("{what} ({})", signed.format),
        false => format!("{what} {} ({})", signed.of.short(), signed.format),
    }
}

/// Returns what happened to a tag, or on a dry run would happen.
pub(super) fn change_phrase(change: &TagChange, dry_run: bool) -> String {
    match (change, dry_run) {
        (TagChange::Created, false) => "created".to_owned(),
        (TagChange::Created, true) => "would be created".to_owned(),
        (TagChange::Moved { from }, false) => format!("moved from {}", from.short()),
        (TagChange::Moved { from }, true) => format!("would move from {}", from.short()),
        (TagChange::Unchanged, _) => "unchanged".to_owned(),
        (TagChange::Stays { at: Some(at), .. }, _) => format!("stays at {}", at.short()),
        (TagChange::Stays { at: None, .. }, _) => "not written".to_owned(),
        (TagChange::Corrected { to, .. }, false) => format!("corrected to {}", to.short()),
        (TagChange::Corrected { to, .. }, true) => format!("would be corrected to {}", to.short()),
    }
}

/// Returns the reason for the change of a tag.
pub(super) fn change_reason(change: &TagChange, kind: &TagKind, rule: &str) -> String {
    match change {
        TagChange::Stays { why, .. } | TagChange::Corrected { why, .. } => why.clone(),
        _ if kind.is_immutable() => format!("{rule} (immutable)"),
        _ => format!("{rule} (moving)"),
    }
}

/// Returns how much was copied, and why the rest was not.
pub(super) fn copy_phrase(content: &CopyStats, dry_run: bool) -> String {
    if dry_run {
        return "nothing copied (dry run)".to_owned();
    }
    if *content == CopyStats::default() {
        return "nothing to copy".to_owned();
    }
    let mut parts = vec![
        count_phrase(content.manifests_written, "manifest") + " written",
        format!(
            "{} moved in {}",
            byte_count(content.moved.bytes),
            count_phrase(content.moved.blobs, "blob")
        ),
    ];
    let why = [
        (content.present, "already present"),
        (content.mounted, "mounted"),
        (content.shared, "already copied in this run"),
    ];
    let why = why.iter().filter(|(amount, _)| amount.blobs > 0);
    let why: Vec<String> = why
        .map(|(amount, why)| {
            format!(
                "{} in {} {why}",
                byte_count(amount.bytes),
                count_phrase(amount.blobs, "blob")
            )
        })
        .collect();
    if !why.is_empty() {
        let spared = byte_count(content.not_sent().bytes);
        parts.push(format!("{spared} not moved ({})", why.join(", ")));
    }
    if content.resumed.blobs > 0 {
        let (spared, interruptions) = (byte_count(content.resumed.bytes), content.resumed.blobs);
        parts.push(format!(
            "{spared} not sent again after {}",
            count_phrase(interruptions, "interruption")
        ));
    }
    parts.join(", ")
}

/// Returns the digest that was requested.
pub(super) fn requested_digest(outcome: &ReleaseOutcome) -> Digest {
    let subset = outcome.platform_selection.as_ref().map(|subset| subset.of);
    subset.or(outcome.requested_digest).unwrap_or(outcome.root)
}

/// Returns how the image was made from selected platforms of another.
pub(super) fn platforms_phrase(subset: &PlatformSelection) -> String {
    format!("new index with {} only", subset.platforms.join(", "))
}

/// Returns lines for the referrers that were copied, were already present, and were skipped.
pub(super) fn referrer_lines(copied_referrers: &CopiedReferrers, dry_run: bool) -> Vec<String> {
    let listed = |counts: &BTreeMap<referrers::ReferrerKind, u64>| -> Vec<String> {
        let counts = counts.iter();
        counts
            .map(|(kind, count)| kind.count_phrase(*count))
            .collect()
    };
    let (copied, present) = (
        listed(&copied_referrers.copied),
        listed(&copied_referrers.present),
    );
    let mut lines = Vec::new();
    if !copied.is_empty() {
        let phrase = if dry_run { "would copy" } else { "copied" };
        lines.push(format!("{phrase} referrers: {}", copied.join(", ")));
    }
    if !present.is_empty() {
        lines.push(format!("referrers already present: {}", present.join(", ")));
    }
    let skipped = copied_referrers.skipped.iter();
    lines.extend(skipped.map(|skipped| format!("skipped referrers: {skipped}")));
    lines
}

/// Returns how the source was found, if the user did not name it.
pub(super) fn lookup_phrase(outcome: &ReleaseOutcome) -> Option<String> {
    let commit = outcome.sought_commit.as_ref()?;
    let tag = outcome.source.tag();
    let tag = tag.map_or_else(String::new, |tag| format!(" as tag {tag}"));
    Some(format!("found by commit {commit}{tag}"))
}

/// Returns the source of the version, if one is known.
pub(super) fn version_origin(outcome: &ReleaseOutcome) -> Option<String> {
    let origin = outcome.provenance.version?;
    // Of an image that was sought by its commit no tag was given.
    let is_found = origin == VersionOrigin::SourceTag && outcome.sought_commit.is_some();
    Some(match is_found {
        true => FOUND_TAG.to_owned(),
        false => origin.to_string(),
    })
}

/// Returns the source of the SHA tag, if one is known.
pub(super) fn commit_tag_origin(outcome: &ReleaseOutcome) -> Option<String> {
    let origin = outcome.provenance.commit_tag?;
    let is_found = origin == CommitTagOrigin::SourceTag && outcome.sought_commit.is_some();
    Some(match is_found {
        true => FOUND_TAG.to_owned(),
        false => origin.to_string(),
    })
}

/// Returns the sources of the version and the SHA tag, if they are not given by rules.
pub(super) fn provenance_phrase(outcome: &ReleaseOutcome) -> Option<String> {
    let of_version = version_origin(outcome).map(|origin| format!("version from {origin}"));
    let of_commit = commit_tag_origin(outcome).map(|origin| format!("SHA tag from {origin}"));
    let named: Vec<_> = of_version.into_iter().chain(of_commit).collect();
    (!named.is_empty()).then(|| named.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::BlobAmount;

    #[test]
    fn skipped_blobs_are_reported_with_their_reason() {
        let amount = |blobs, bytes| BlobAmount { blobs, bytes };
        let mut copied = CopyStats {
            manifests_written: 1,
            moved: amount(1, 10),
            ..CopyStats::default()
        };
        let moved = "1 manifest written, 10 B moved in 1 blob";
        assert_eq!(copy_phrase(&copied, false), moved);
        copied.shared = amount(3, 2048);
        assert_eq!(
            copy_phrase(&copied, false),
            format!("{moved}, 2.0 KiB not moved (2.0 KiB in 3 blobs already copied in this run)")
        );
        copied.present = amount(1, 1024);
        copied.resumed = amount(2, 4096);
        assert_eq!(
            copy_phrase(&copied, false),
            format!(
                "{moved}, 3.0 KiB not moved (1.0 KiB in 1 blob already present, 2.0 KiB in 3 blobs already copied in this run), 4.0 KiB not sent again after 2 interruptions"
            )
        );
    }

    #[test]
    fn figures_are_readable() {
        for (count, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_048_575, "1023.9 KiB"),
            (1 << 30, "1.0 GiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(byte_count(count), text);
        }
        assert_eq!(
            count_phrase(1, "blob") + &count_phrase(0, "blob"),
            "1 blob0 blobs"
        );
    }
}
