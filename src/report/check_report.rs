//! Report of a check: what a promotion would come to, and why.

use super::batch_phrases::{failures_text, worst_failure};
use super::gate_report::push_gates;
use super::omitted_comment::OmittedComment;
use super::policy_comparison::PolicyComparison;
use super::styled_text::{StyledText, Tone};
use super::summary::SummaryContext;
use super::{check_phrases, phrases, text_report};
use crate::image::Digest;
use crate::policy::{ReleasePolicy, Service};
use crate::release::{
    CheckOutcome, CheckedDestination, CheckedRelease, CheckedService, CurrentImage, Failure,
};

/// Most labels of an image that the report shows.
const LABELS_LIMIT: usize = 20;

/// Result of a check.
#[derive(Debug, Clone)]
pub struct CheckReport {
    /// What was found.
    pub outcome: CheckOutcome,
    /// Policy that decides; `None` without one.
    pub policy: Option<CheckedPolicy>,
    /// How the policy of the pull request differs; `None` outside of a run for a pull request.
    pub comparison: Option<PolicyComparison>,
    /// Comment that was to be written on the pull request, and was not.
    pub omitted_comment: Option<OmittedComment>,
}

/// Policy that decides about a check.
#[derive(Debug, Clone)]
pub struct CheckedPolicy {
    /// Name of its file or files.
    pub file: String,
    /// Digests of the files.
    pub digests: Vec<Digest>,
    /// What it says.
    pub policy: ReleasePolicy,
}

impl CheckReport {
    /// Returns the failure that decides the exit status, and the text of all; `None` if a promotion would succeed.
    pub(super) fn to_failure(&self) -> Option<(&Failure, String)> {
        let failures = self.outcome.failures();
        let named = failures.map(|(service, failure)| {
            let service = service.map_or("promotion", Service::as_str);
            (service, failure)
        });
        let failures: Vec<_> = named.collect();
        let worst = worst_failure(failures.iter().map(|(_, failure)| *failure))?;
        let title = format!(
            "{}: {}",
            text_report::failure_title(worst),
            check_phrases::title(&self.outcome)
        );
        Some((
            worst,
            failures_text(title, &failures, "nothing was written"),
        ))
    }

    /// Returns the lines of the output `sources`; empty unless the image of each service is known.
    pub(super) fn source_lines(&self) -> Vec<String> {
        let outcome = &self.outcome;
        let releases: Vec<_> = outcome.releases().collect();
        if releases.len() != outcome.services.len() {
            return Vec::new();
        }
        let line = |(service, release): (Option<&Service>, &CheckedRelease)| match service {
            Some(service) => format!("{service}={}", release.source_digest),
            None => release.source_digest.to_string(),
        };
        releases.into_iter().map(line).collect()
    }

    /// Returns the digest of each service, one per line.
    pub(super) fn digests(&self) -> String {
        let digests = self.outcome.releases().map(|(_, it)| it.root.to_string());
        digests.collect::<Vec<_>>().join("\n")
    }

    /// Returns the names that the user gave, which are not secret.
    pub(super) fn names(&self) -> Vec<String> {
        let releases = self.outcome.releases();
        let names = releases.flat_map(|(_, release)| {
            let places = release.destinations.iter().map(|it| it.place.to_string());
            places.chain([release.source.to_string()])
        });
        names.collect()
    }

    /// Returns the report as text.
    pub(super) fn to_text(&self, context: &SummaryContext) -> StyledText {
        let mut text = StyledText::default();
        text.push_toned(Tone::Title, "check");
        text.push(&format!(": {}\n", check_phrases::title(&self.outcome)));
        if let Some(CheckedPolicy { file, digests, .. }) = &self.policy {
            let digests: Vec<String> = digests.iter().map(ToString::to_string).collect();
            text.push(&format!("  policy   {file}, {}\n", digests.join(" and ")));
        }
        if let Some(plan) = &self.outcome.plan {
            text.push(&format!("  plan     {}\n", plan.digest()));
        }
        for failure in &self.outcome.refusals {
            text.push("\n");
            text_report::push_failure(&mut text, failure);
        }
        if let Some(comparison) = &self.comparison {
            text.push("\n");
            text.push_toned(Tone::Title, "policy of the pull request");
            text.push("\n");
            let lines = comparison.to_lines();
            lines
                .iter()
                .for_each(|line| text.push(&format!("  {line}\n")));
        }
        for checked in &self.outcome.services {
            push_service(&mut text, checked, context);
        }
        if let Some(plan) = &self.outcome.plan {
            text.push("\nplan\n");
            plan.text()
                .lines()
                .for_each(|line| text.push(&format!("  {line}\n")));
        }
        if let Some(omitted) = &self.omitted_comment {
            text.push(&format!("\n{omitted}\n"));
        }
        text.trim_end();
        text
    }
}

fn push_service(text: &mut StyledText, checked: &CheckedService, context: &SummaryContext) {
    let name = checked.service.as_ref().map_or("image", Service::as_str);
    text.push("\n");
    text.push_toned(Tone::Title, name);
    text.push(" ");
    let tone = match checked.failures.is_empty() {
        true => Tone::Done,
        false => Tone::Refused,
    };
    text.push_toned(tone, check_phrases::service_phrase(checked));
    text.push("\n");
    if let Some(release) = &checked.release {
        push_release(text, release, context);
    }
    for failure in &checked.failures {
        text.push("\n");
        text_report::push_failure(text, failure);
    }
}

fn push_release(text: &mut StyledText, release: &CheckedRelease, context: &SummaryContext) {
    let mut fact = |name: &str, value: &str| text.push(&format!("  {name:<8} {value}\n"));
    fact("source", &release.source.to_string());
    fact("digest", &release.source_digest.to_string());
    if release.root != release.source_digest {
        fact("release", &format!("{} instead of it", release.root));
    }
    if let Some(version) = &release.version {
        fact("version", version);
    }
    if let Some(commit) = &release.commit {
        fact("commit", commit.as_str());
    }
    push_gates(text, &release.gates);
    for destination in &release.destinations {
        push_destination(text, release, destination, context);
    }
    for note in &release.notes {
        text_report::push_note(text, note);
    }
    if !release.notes.is_empty() {
        text.push("\n");
    }
}

fn push_destination(
    text: &mut StyledText,
    release: &CheckedRelease,
    destination: &CheckedDestination,
    context: &SummaryContext,
) {
    text.push(&format!("\n{}\n", destination.place));
    for checked in &destination.tags {
        let change = match &checked.change {
            Some(change) => phrases::change_phrase(change, true),
            None => "would be given".to_owned(),
        };
        let kind = match checked.is_immutable {
            true => "immutable",
            false => "moving",
        };
        text.push(&format!(
            "  {}  {change}  {} ({kind})\n",
            checked.tag, checked.rule
        ));
    }
    if let Some(record) = &destination.record {
        text.push(&format!("  {}\n", phrases::record_phrase(record, true)));
    }
    if let Some(current) = &destination.current {
        push_current(text, release, current, context);
    }
    let mutability = check_phrases::mutability_phrase(&destination.mutability);
    text.push(&format!("  immutable tags: {mutability}\n"));
    let retention = check_phrases::retention_phrase(destination);
    text.push(&format!("  cleanup: {retention}\n"));
}

fn push_current(
    text: &mut StyledText,
    release: &CheckedRelease,
    current: &CurrentImage,
    context: &SummaryContext,
) {
    text.push(&format!(
        "  current: {}\n",
        check_phrases::current_phrase(current)
    ));
    if let Some((from, to)) = current.commit.as_ref().zip(release.commit.as_ref()) {
        let range = match from == to {
            true => format!("none: both images are of {}", from.short()),
            false => format!("{}...{}", from.short(), to.short()),
        };
        let link = context.comparison(release, current);
        let link = link.map_or_else(String::new, |url| format!("  {url}"));
        text.push(&format!("  commits: {range}{link}\n"));
    }
    for change in current.labels.iter().take(LABELS_LIMIT) {
        text.push(&format!(
            "  label {}\n",
            check_phrases::label_phrase(change)
        ));
    }
    match current.labels.len().saturating_sub(LABELS_LIMIT) {
        0 => {}
        more => text.push(&format!("  and {more} more labels\n")),
    }
    if let Some(reason) = &current.unread {
        text.push(&format!("  labels could not be compared: {reason}\n"));
    }
}
