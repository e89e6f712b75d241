//! Report of a release, and text of a failure.

use super::gate_report::push_gates;
use super::phrases;
use super::styled_text::{StyledText, Tone};
use crate::release::{DestinationOutcome, Diagnostic, Failure, ReleaseOutcome, TagChange};

/// Returns the report of a release as text.
pub(super) fn release_text(outcome: &ReleaseOutcome) -> StyledText {
    let mut text = StyledText::default();
    text.push_toned(Tone::Title, phrases::release_phrase(outcome));
    text.push(&format!(" {}\n", outcome.source));
    let mut fact = |name: &str, value: &str| text.push(&format!("  {name:<8} {value}\n"));
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
        match phrases::version_origin(outcome) {
            Some(origin) => fact("version", &format!("{version} (from {origin})")),
            None => fact("version", version),
        }
    }
    if let Some(commit) = &outcome.commit {
        fact("commit", commit.as_str());
    }
    if let Some(origin) = phrases::commit_tag_origin(outcome) {
        fact("SHA tag", &format!("from {origin}"));
    }
    push_gates(&mut text, &outcome.gates);
    for released in &outcome.destinations {
        push_destination(&mut text, outcome, released);
    }
    // Of contradictions the log has a warning.
    let is_new = |note: &&String| !outcome.provenance.contradictions().any(|it| it == *note);
    for note in outcome.notes.iter().filter(is_new) {
        push_note(&mut text, note);
    }
    text.trim_end();
    text
}

/// Appends a note of a report.
pub(super) fn push_note(text: &mut StyledText, note: &str) {
    text.push("\n");
    text.push_toned(Tone::Caution, "note:");
    text.push(&format!(" {note}"));
}

/// Returns the kind of the failure, for a title.
pub(super) fn failure_title(failure: &Failure) -> &'static str {
    match failure {
        Failure::Refused(_) => "refused",
        Failure::Input(_) => "error",
        Failure::Service(_) => "failed",
        Failure::Incomplete(_) => "incomplete",
        Failure::Cancelled => "cancelled",
    }
}

/// Returns what failed, why, and a hint.
pub(super) fn failure_text(failure: &Failure) -> StyledText {
    if let Some(diagnostic) = failure.diagnostic() {
        return diagnostic_text(failure, diagnostic);
    }
    let mut text = StyledText::default();
    text.push_toned(Tone::Refused, &format!("{}:", failure_title(failure)));
    text.push(" a repeated run adds only what is missing");
    text
}

/// Appends a failure with the problems that were found with it.
pub(super) fn push_failure(text: &mut StyledText, failure: &Failure) {
    text.append(&failure_text(failure));
    text.push("\n");
    for further in failure.diagnostic().iter().flat_map(|it| &it.further) {
        text.append(&diagnostic_text(failure, further));
        text.push("\n");
    }
}

/// Returns a diagnostic of a failure: what, why, and a hint.
pub(super) fn diagnostic_text(failure: &Failure, diagnostic: &Diagnostic) -> StyledText {
    let mut text = StyledText::default();
    text.push_toned(Tone::Refused, &format!("{}:", failure_title(failure)));
    text.push(&format!(" {diagnostic}"));
    text
}

fn push_destination(
    text: &mut StyledText,
    outcome: &ReleaseOutcome,
    released: &DestinationOutcome,
) {
    let reference = phrases::digest_reference(&released.place, outcome.root);
    text.push(&format!("\n{reference}\n"));
    push_tags(text, outcome, released);
    for line in phrases::referrer_lines(&released.referrers, outcome.dry_run) {
        text.push(&format!("  {line}\n"));
    }
    for signed in &released.signatures {
        let at = phrases::signature_reference(&released.place, signed).unwrap_or_default();
        let line = format!("  {}  {at}", phrases::signature_phrase(signed, outcome));
        text.push(&format!("{}\n", line.trim_end()));
        if let Some(url) = &signed.url {
            text.push(&format!("    uploaded to GitHub: {url}\n"));
        }
    }
    if let Some(record) = &released.record {
        text.push(&format!(
            "  {}\n",
            phrases::record_phrase(record, outcome.dry_run)
        ));
        for note in phrases::record_notes(record) {
            text.push(&format!("    {note}\n"));
        }
        if let Some(reason) = &record.superseded {
            text.push(&format!("  superseded: {reason}\n"));
        }
    }
    let content = phrases::copy_phrase(&released.copy_stats, outcome.dry_run);
    text.push(&format!("  {content}\n"));
}

/// Appends a line for each tag, with a tone for what happened to it.
fn push_tags(text: &mut StyledText, outcome: &ReleaseOutcome, released: &DestinationOutcome) {
    let changes: Vec<_> = released
        .tags
        .iter()
        .map(|result| phrases::change_phrase(&result.change, outcome.dry_run))
        .collect();
    let width = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or_default();
    let tag_width = width(&mut released.tags.iter().map(|result| result.tag.as_str().len()));
    let change_width = width(&mut changes.iter().map(String::len));
    for (result, change) in released.tags.iter().zip(&changes) {
        text.push(&format!("  {:<tag_width$}  ", result.tag.as_str()));
        let phrase = format!("{change:<change_width$}");
        match change_tone(&result.change) {
            Some(tone) => text.push_toned(tone, &phrase),
            None => text.push(&phrase),
        }
        let reason = phrases::change_reason(&result.change, &result.kind, &result.rule);
        text.push(&format!("  {reason}\n"));
    }
}

/// Returns the tone of a change; `None` for a tag that is as it was.
fn change_tone(change: &TagChange) -> Option<Tone> {
    match change {
        TagChange::Created | TagChange::Moved { .. } => Some(Tone::Done),
        TagChange::Stays { .. } | TagChange::Corrected { .. } => Some(Tone::Caution),
        TagChange::Unchanged => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample_outcomes;
    use crate::report::styled_text::TextStyle;

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

    #[test]
    fn colours_say_what_happened_to_each_tag() {
        let style = TextStyle {
            has_colors: true,
            width: None,
        };
        let report = release_text(&sample_outcomes::promoted_outcome()).render(style);
        for line in [
            "  1.4.0   \x1b[32mcreated                       \x1b[0m  the rule of 1.4.0 (immutable)\n",
            "  prod    \x1b[32mmoved from sha256:6db7d803e74f\x1b[0m  the rule of prod (moving)\n",
            "  latest  \x1b[33mstays at sha256:6db7d803e74f  \x1b[0m  2.0.0 is higher\n",
            "  1.4.0  unchanged  the rule of 1.4.0 (immutable)\n",
        ] {
            assert!(report.contains(line), "{line:?} in {report:?}");
        }
    }
}
