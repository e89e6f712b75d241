use super::words;
use crate::release::{Failure, Outcome, Released};

/// The report as plain text.
pub(super) fn outcome(outcome: &Outcome) -> String {
    let mut text = format!("{} {}\n", words::deed(outcome), outcome.source);
    let mut fact = |name: &str, value: &str| text += &format!("  {name:<8} {value}\n");
    fact("digest", &outcome.root.to_string());
    if let Some(subset) = &outcome.subset {
        fact("is", &words::subset(subset));
        fact("of", &subset.of.to_string());
    }
    if let Some(asked) = outcome.kept {
        fact("kept", &format!("in place of {asked}, which was asked for"));
    }
    if let Some(version) = &outcome.version {
        fact("version", version);
    }
    if let Some(commit) = &outcome.commit {
        fact("commit", commit.as_str());
    }
    for released in &outcome.destinations {
        text += &destination(outcome, released);
    }
    for note in &outcome.notes {
        text += &format!("\nnote: {note}");
    }
    text.trim_end().to_owned()
}

/// The failure's kind, for a title.
pub(super) fn kind(failure: &Failure) -> &'static str {
    match failure {
        Failure::Refused(_) => "refused",
        Failure::Input(_) => "error",
        Failure::Service(_) => "failed",
        Failure::Cancelled => "cancelled",
    }
}

/// What is wrong, why, and how to go on.
pub(super) fn failure(failure: &Failure) -> String {
    let kind = kind(failure);
    match failure.complaint() {
        Some(complaint) => format!("{kind}: {complaint}"),
        None => format!("{kind}: a run that is repeated adds only what is missing"),
    }
}

fn destination(outcome: &Outcome, released: &Released) -> String {
    let mut text = format!("\n{}\n", words::by_digest(&released.place, outcome.root));
    let changes: Vec<_> = released
        .tags
        .iter()
        .map(|result| words::change(&result.change, outcome.dry_run))
        .collect();
    let width = |lengths: &mut dyn Iterator<Item = usize>| lengths.max().unwrap_or_default();
    let tag_width = width(&mut released.tags.iter().map(|result| result.tag.as_str().len()));
    let change_width = width(&mut changes.iter().map(String::len));
    for (result, change) in released.tags.iter().zip(&changes) {
        text += &format!(
            "  {:<tag_width$}  {change:<change_width$}  {}\n",
            result.tag.as_str(),
            words::reason(&result.change, &result.kind, &result.rule)
        );
    }
    for line in words::beside(&released.beside, outcome.dry_run) {
        text += &format!("  {line}\n");
    }
    let content = words::content(&released.content, outcome.dry_run);
    for signed in &released.signatures {
        let at = words::signature(&released.place, signed).unwrap_or_default();
        let line = format!("  {}  {at}", words::signed(signed, outcome));
        text += &format!("{}\n", line.trim_end());
        if let Some(url) = &signed.shown {
            text += &format!("    kept by GitHub: {url}\n");
        }
    }
    format!("{text}  {content}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn a_report_reads_well() {
        insta::assert_snapshot!(outcome(&samples::promoted()), @r"
        promoted oci:dev:git-860c190
          digest   sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
          version  1.4.0
          commit   860c1904a1ce19322e91ac35af1ab07466440c37

        prod.example.com/team/web@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
          1.4.0   created                         the rule of 1.4.0 (immutable)
          prod    moved from sha256:6db7d803e74f  the rule of prod (moving)
          latest  stays at sha256:6db7d803e74f    2.0.0 is higher
          travelled with it: 2 signatures, 1 SBOM
          there with it already: 1 provenance statement
          stayed behind: 1 release record, of another environment
          5 manifests written, 12.3 MiB moved in 4 blobs, 6.0 KiB not moved (48 B in 1 blob there already, 1.9 KiB in 2 blobs mounted, 4.0 KiB in 3 blobs brought by this run already), 1.0 MiB not moved again after 1 break

        oci:mirror@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
          1.4.0  unchanged  the rule of 1.4.0 (immutable)
          nothing had to be copied

        note: no tag 1 for a 0.x version
        ");
        insta::assert_snapshot!(outcome(&samples::dry()), @r"
        dry run, nothing was written: would promote oci:dev:git-860c190
          digest   sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
          version  1.4.0
          commit   860c1904a1ce19322e91ac35af1ab07466440c37

        prod.example.com/team/web@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
          1.4.0   would be created                     the rule of 1.4.0 (immutable)
          prod    would move from sha256:6db7d803e74f  the rule of prod (moving)
          latest  stays at sha256:6db7d803e74f         2.0.0 is higher
          would travel with it: 2 signatures, 1 SBOM
          there with it already: 1 provenance statement
          stayed behind: 1 release record, of another environment
          nothing was copied: a dry run

        oci:mirror@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
          1.4.0  unchanged  the rule of 1.4.0 (immutable)
          nothing was copied: a dry run

        note: no tag 1 for a 0.x version
        ");
        insta::assert_snapshot!(outcome(&samples::unchanged()), @r"
        nothing had to change for oci:dev:git-860c190
          digest   sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
          version  1.4.0
          commit   860c1904a1ce19322e91ac35af1ab07466440c37

        oci:mirror@sha256:4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2
          1.4.0  unchanged  the rule of 1.4.0 (immutable)
          nothing had to be copied

        note: no tag 1 for a 0.x version
        ");
    }

    #[test]
    fn a_failure_says_what_why_and_how_to_go_on() {
        insta::assert_snapshot!(failure(&samples::refused()), @r"
        refused: tag 1.4.0 of prod.example.com/team/web names another image
         why:  1.4.0 is an immutable tag
         hint: release 1.4.1
        ");
        insta::assert_snapshot!(failure(&Failure::Cancelled), @"cancelled: a run that is repeated adds only what is missing");
    }
}
