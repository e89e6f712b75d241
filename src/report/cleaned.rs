//! Removes secrets from the texts of results, before they are escaped for their medium or cut.

use super::check_report::CheckReport;
use super::tags_report::TagsResult;
use crate::referrers::{CopiedReferrers, ReferrerKind};
use crate::release::{
    BatchOutcome, CheckedRelease, CurrentImage, DestinationOutcome, Diagnostic, Failure,
    ReleaseOutcome, ServiceOutcome, SignerCheck, TagChange,
};

/// Function that removes secrets from a text.
type Clean<'a> = &'a dyn Fn(&str) -> String;

/// Returns the outcome of a release with all its texts cleaned.
pub(super) fn outcome(mut outcome: ReleaseOutcome, clean: Clean<'_>) -> ReleaseOutcome {
    each(&mut outcome.notes, clean);
    if let Some(version) = &mut outcome.version {
        *version = clean(version);
    }
    let signers = [&mut outcome.signer, &mut outcome.source_signer];
    for signer in signers.into_iter().flatten() {
        signer.text = clean(&signer.text);
        if let SignerCheck::Identity { subject, issuer } = &mut signer.check {
            (*subject, *issuer) = (clean(subject), clean(issuer));
        }
    }
    outcome.gates = outcome.gates.map_texts(clean);
    outcome.source_repository = outcome.source_repository.as_deref().map(clean);
    for released in &mut outcome.destinations {
        of_destination(released, clean);
    }
    outcome
}

/// Returns the outcome of several services with all its texts cleaned.
pub(super) fn batch(mut batch: BatchOutcome, clean: Clean<'_>) -> BatchOutcome {
    for (_, end) in &mut batch.services {
        match end {
            ServiceOutcome::Completed(done) => **done = outcome((**done).clone(), clean),
            ServiceOutcome::Failed(failed) => *failed = failure(failed.clone(), clean),
            ServiceOutcome::NotStarted => {}
        }
    }
    for report in &mut batch.gates {
        *report = report.map_texts(clean);
    }
    batch
}

/// Returns a check with all its texts cleaned.
pub(super) fn check(mut report: CheckReport, clean: Clean<'_>) -> CheckReport {
    let outcome = &mut report.outcome;
    for failed in outcome.failures_mut() {
        *failed = failure(failed.clone(), clean);
    }
    let services = outcome.services.iter_mut();
    for release in services.filter_map(|checked| checked.release.as_deref_mut()) {
        of_checked_release(release, clean);
    }
    let comparison = report.comparison.take();
    report.comparison = comparison.map(|it| it.map_texts(clean));
    if let Some(omitted) = &mut report.omitted_comment {
        omitted.why = clean(&omitted.why);
    }
    report
}

fn of_checked_release(release: &mut CheckedRelease, clean: Clean<'_>) {
    each(&mut release.notes, clean);
    release.version = release.version.as_deref().map(clean);
    release.source_repository = release.source_repository.as_deref().map(clean);
    for destination in &mut release.destinations {
        for checked in &mut destination.tags {
            checked.rule = clean(&checked.rule);
            if let Some(change) = &mut checked.change {
                clean_change(change, clean);
            }
        }
        if let Some(current) = &mut destination.current {
            of_current_image(current, clean);
        }
    }
}

fn of_current_image(current: &mut CurrentImage, clean: Clean<'_>) {
    let image = &mut current.image;
    image.version = image.version.as_deref().map(clean);
    current.source_repository = current.source_repository.as_deref().map(clean);
    current.unread = current.unread.as_deref().map(clean);
    for label in &mut current.labels {
        label.name = clean(&label.name);
        label.before = label.before.as_deref().map(clean);
        label.after = label.after.as_deref().map(clean);
    }
}

/// Returns derived tags with the texts of findings and rules cleaned.
pub(super) fn tagged(mut tagged: TagsResult, clean: Clean<'_>) -> TagsResult {
    for finding in &mut tagged.findings {
        finding.text = clean(&finding.text);
    }
    let expansion = &mut tagged.expansion;
    for tag in expansion.tags.iter_mut().chain(&mut expansion.latest) {
        tag.rule = clean(&tag.rule);
    }
    tagged
}

/// Returns a failure with all its texts cleaned.
pub(super) fn failure(failure: Failure, clean: Clean<'_>) -> Failure {
    match failure {
        Failure::Refused(what) => Failure::Refused(diagnostic(&what, clean)),
        Failure::Input(what) => Failure::Input(diagnostic(&what, clean)),
        Failure::Service(what) => Failure::Service(diagnostic(&what, clean)),
        Failure::Incomplete(what) => Failure::Incomplete(diagnostic(&what, clean)),
        Failure::Cancelled => Failure::Cancelled,
    }
}

fn diagnostic(diagnostic: &Diagnostic, clean: Clean<'_>) -> Diagnostic {
    let further = diagnostic.further.iter();
    Diagnostic {
        what: clean(&diagnostic.what),
        why: diagnostic.why.as_deref().map(clean),
        hint: diagnostic.hint.as_deref().map(clean),
        location: diagnostic.location.clone(),
        access_problem: diagnostic.access_problem.clone(),
        further: further.map(|it| self::diagnostic(it, clean)).collect(),
        gates: diagnostic
            .gates
            .as_ref()
            .map(|report| Box::new(report.map_texts(clean))),
    }
}

fn of_destination(released: &mut DestinationOutcome, clean: Clean<'_>) {
    for result in &mut released.tags {
        result.rule = clean(&result.rule);
        clean_change(&mut result.change, clean);
    }
    if let Some(previous) = &mut released.previous {
        previous.source = previous.source.as_deref().map(clean);
    }
    let CopiedReferrers {
        copied,
        present,
        skipped,
    } = &mut released.referrers;
    for counts in [copied, present] {
        for (kind, count) in std::mem::take(counts) {
            *counts.entry(cleaned_kind(kind, clean)).or_default() += count;
        }
    }
    for referrer in skipped {
        referrer.kind = cleaned_kind(referrer.kind.clone(), clean);
    }
}

fn clean_change(change: &mut TagChange, clean: Clean<'_>) {
    if let TagChange::Stays { why, .. } | TagChange::Corrected { why, .. } = change {
        *why = clean(why);
    }
}

fn cleaned_kind(kind: ReferrerKind, clean: Clean<'_>) -> ReferrerKind {
    match kind {
        ReferrerKind::Other(name) => ReferrerKind::Other(clean(&name)),
        known => known,
    }
}

fn each(texts: &mut [String], clean: Clean<'_>) {
    for text in texts {
        *text = clean(text);
    }
}
