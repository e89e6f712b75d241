//! Report of a release, and text of a failure, as plain text.

use super::phrases;
use crate::release::{DestinationOutcome, Failure, ReleaseOutcome};

/// Returns the report of a release as plain text.
pub(super) fn release_text(outcome: &ReleaseOutcome) -> String {
    let mut text = format!("{} {}\n", phrases::release_phrase(outcome), outcome.source);
    let mut fact = |name: &str, value: &str| text += &format!("  {name:<8} {value}\n");
    if let Some(found) = phrases::lookup_phrase(outcome) {
        fact("source", &found);
    }
    fact("digest", &outcome.root.to_string());
    if let Some(subset) = &outcome.platform_selection {
        fact("created", &phrases::platforms_phrase(subset));
        fact("from", &subset.of.to_string());
    }
    if let Some(requested) = outcome.requested_digest {
        fact(
            "kept",
            &format!("instead of {requested}, the requested digest"),
        );
    }
    if let Some(version) = &outcome.version {
        match outcome.provenance.version {
            Some(origin) => fact("version", &format!("{version} (from {origin})")),
            None => fact("version", version),
        }
    }
    if let Some(commit) = &outcome.commit {
        fact("commit", commit.as_str());
    }
    if let Some(origin) = outcome.provenance.commit_tag {
        fact("SHA tag", &format!("from {origin}"));
    }
    for released in &outcome.destinations {
        text += &destination_text(outcome, released);
    }
    for note in &outcome.notes {
        text += &format!("\nnote: {note}");
    }
    text.trim_end().to_owned()
}

/// Returns the kind of the failure, for a title.
pub(super) fn failure_title(failure: &Failure) -> &'static str {
    match failure {
        Failure::Refused(_) => "refused",
        Failure::Input(_) => "error",
        Failure::Service(_) => "failed",
        Failure::Cancelled => "cancelled",
    }
}

/// Returns what failed, why, and a hint.
pub(super) fn failure_text(failure: &Failure) -> String {
    let kind = failure_title(failure);
    match failure.diagnostic() {
        Some(diagnostic) => format!("{kind}: {diagnostic}"),
        None => format!("{kind}: a repeated run adds only what is missing"),
    }
}

fn destination_text(outcome: &ReleaseOutcome, released: &DestinationOutcome) -> String {
    let mut text = format!(
        "\n{}\n",
        phrases::digest_reference(&released.place, outcome.root)
    );
    let changes: Vec<_> = released
        .tags
        .iter()
        .map(|result| phrases::change_phrase(&result.change, outcome.dry_run))
        .collect();
    let width = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or_default();
    let tag_width = width(&mut released.tags.iter().map(|result| result.tag.as_str().len()));
    let change_width = width(&mut changes.iter().map(String::len));
    for (result, change) in released.tags.iter().zip(&changes) {
        text += &format!(
            "  {:<tag_width$}  {change:<change_width$}  {}\n",
            result.tag.as_str(),
            phrases::change_reason(&result.change, &result.kind, &result.rule)
        );
    }
    for line in phrases::referrer_lines(&released.referrers, outcome.dry_run) {
        text += &format!("  {line}\n");
    }
    let content = phrases::copy_phrase(&released.copy_stats, outcome.dry_run);
    for signed in &released.signatures {
        let at = phrases::signature_reference(&released.place, signed).unwrap_or_default();
        let line = format!("  {}  {at}", phrases::signature_phrase(signed, outcome));
        text += &format!("{}\n", line.trim_end());
        if let Some(url) = &signed.url {
            text += &format!("    uploaded to GitHub: {url}\n");
        }
    }
    format!("{text}  {content}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample_outcomes;

    #[test]
    fn a_report_reads_well() {
        insta::assert_snapshot!(release_text(&sample_outcomes::promoted_outcome()), @r"
        promoted oci:dev:git-860c190
          digest   sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
          version  1.4.0 (from the label of the image)
          commit   860c1904a1ce19322e91ac35af1ab07466440c37
          SHA tag  from the tag given as source

        prod.example.com/team/web@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
          1.4.0   created                         the rule of 1.4.0 (immutable)
          prod    moved from sha256:6db7d803e74f  the rule of prod (moving)
          latest  stays at sha256:6db7d803e74f    2.0.0 is higher
          copied referrers: 2 signatures, 1 SBOM
          referrers already present: 1 provenance statement
          skipped referrers: 1 release record, of another environment
          5 manifests written, 12.3 MiB moved in 4 blobs, 6.0 KiB not moved (48 B in 1 blob already present, 1.9 KiB in 2 blobs mounted, 4.0 KiB in 3 blobs already copied in this run), 1.0 MiB not sent again after 1 interruption

        oci:mirror@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
          1.4.0  unchanged  the rule of 1.4.0 (immutable)
          nothing to copy

        note: no tag 1 for a 0.x version
        ");
        insta::assert_snapshot!(release_text(&sample_outcomes::dry_run_outcome()), @r"
        dry run, nothing was written: would promote oci:dev:git-860c190
          digest   sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
          version  1.4.0 (from the label of the image)
          commit   860c1904a1ce19322e91ac35af1ab07466440c37
          SHA tag  from the tag given as source

        prod.example.com/team/web@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
          1.4.0   would be created                     the rule of 1.4.0 (immutable)
          prod    would move from sha256:6db7d803e74f  the rule of prod (moving)
          latest  stays at sha256:6db7d803e74f         2.0.0 is higher
          would copy referrers: 2 signatures, 1 SBOM
          referrers already present: 1 provenance statement
          skipped referrers: 1 release record, of another environment
          nothing copied (dry run)

        oci:mirror@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
          1.4.0  unchanged  the rule of 1.4.0 (immutable)
          nothing copied (dry run)

        note: no tag 1 for a 0.x version
        ");
        insta::assert_snapshot!(release_text(&sample_outcomes::unchanged_outcome()), @r"
        already up to date: oci:dev:git-860c190
          digest   sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
          version  1.4.0 (from the label of the image)
          commit   860c1904a1ce19322e91ac35af1ab07466440c37
          SHA tag  from the tag given as source

        oci:mirror@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
          1.4.0  unchanged  the rule of 1.4.0 (immutable)
          nothing to copy

        note: no tag 1 for a 0.x version
        ");
    }

    #[test]
    fn a_failure_says_what_why_and_how_to_go_on() {
        insta::assert_snapshot!(failure_text(&sample_outcomes::refused_failure()), @r"
        refused: tag 1.4.0 of prod.example.com/team/web names another image
         why:  1.4.0 is an immutable tag
         hint: release 1.4.1
        ");
        insta::assert_snapshot!(failure_text(&Failure::Cancelled), @"cancelled: a repeated run adds only what is missing");
    }
}
