//! Report of `verify` with an environment: what each service is on, the verdict of the scan gate, and what differs.

use super::batch_phrases::worst_failure;
use super::gate_report::push_gates;
use super::phrases::{count_phrase, digest_reference};
use super::record_words::{seconds, versioned};
use super::styled_text::{StyledText, Tone};
use super::text_report;
use super::verification_report::outcome_tone;
use crate::release::{
    EnvironmentVerification, Failure, ServiceEnd, ServiceVerification, VerifiedPlace,
};

/// Said of an environment without a scan gate.
pub(super) const UNSCANNED: &str = "no scan gate: scan reports are not judged";

/// Returns the report as text.
pub(super) fn to_text(verified: &EnvironmentVerification) -> StyledText {
    let mut text = StyledText::default();
    for place in &verified.places {
        let has_passed = place.has_passed();
        text.push_toned(outcome_tone(has_passed), place_outcome(place));
        text.push(&format!(" {}\n", place_title(verified, place)));
        match &place.end {
            ServiceEnd::Judged(found) => push_service(&mut text, place, found),
            ServiceEnd::Unread(failure) => {
                let diagnostic = failure.diagnostic().map(ToString::to_string);
                let diagnostic = diagnostic.unwrap_or_default().replace('\n', "\n  ");
                text.push("  ");
                let title = format!("{}:", text_report::failure_title(failure));
                text.push_toned(Tone::Refused, &title);
                text.push(&format!(" {diagnostic}\n"));
            }
        }
        text.push("\n");
    }
    for report in &verified.unmatched_reports {
        text.push_toned(Tone::Refused, &unmatched_phrase(report));
        text.push("\n");
    }
    text.trim_end();
    text
}

/// Returns what a report is that no image matches.
pub(super) fn unmatched_phrase(report: &str) -> String {
    format!("the scan report {report} is about no current image")
}

/// Returns the environment with the repository, and the service if there are several.
pub(super) fn place_title(verified: &EnvironmentVerification, place: &VerifiedPlace) -> String {
    let environment = &verified.environment;
    let service = place.service.as_ref();
    let service = service.map(|service| format!(" ({service})"));
    format!(
        "{environment} of {}{}",
        place.place,
        service.unwrap_or_default()
    )
}

/// Returns how the verification of a repository ended.
pub(super) fn place_outcome(place: &VerifiedPlace) -> &'static str {
    match &place.end {
        ServiceEnd::Judged(found) if found.has_passed() => "verified",
        ServiceEnd::Judged(_) => "not verified",
        ServiceEnd::Unread(_) => "not read",
    }
}

fn push_service(text: &mut StyledText, place: &VerifiedPlace, found: &ServiceVerification) {
    let mut fact = |name: &str, value: &str| text.push(&format!("  {name:<8}  {value}\n"));
    match &found.current {
        Some(current) => {
            let reference = digest_reference(&place.place, current.root);
            fact(
                "current",
                &versioned(&reference, current.version.as_deref()),
            );
            fact("since", &seconds(current.since));
        }
        None => fact("current", "unknown: no record says it"),
    }
    if !found.has_scan_gate {
        fact("scan", UNSCANNED);
    }
    for finding in &found.findings {
        let (word, tone) = match finding.kind.is_error() {
            true => ("error", Tone::Refused),
            false => ("warning", Tone::Caution),
        };
        text.push(&format!("  {word:<8}  "));
        text.push_toned(tone, &finding.text);
        text.push("\n");
        if let Some(hint) = &finding.hint {
            text.push(&format!("{:<12}hint: {hint}\n", ""));
        }
    }
    push_gates(text, &found.gates);
}

/// Returns the failure that decides the exit status; `None` if all passed. A refusal has priority, and names what is
/// wrong with every service.
pub(super) fn to_failure(verified: &EnvironmentVerification) -> Option<Failure> {
    if let Some(refusal) = to_refusal(verified) {
        return Some(refusal);
    }
    let unread = verified.places.iter().filter_map(|place| match &place.end {
        ServiceEnd::Judged(_) => None,
        ServiceEnd::Unread(failure) => Some(failure),
    });
    worst_failure(unread).cloned()
}

fn to_refusal(verified: &EnvironmentVerification) -> Option<Failure> {
    let mut reasons = Vec::new();
    let mut hints: Vec<&str> = Vec::new();
    let mut refused = 0;
    for (place, found) in verified.judged().filter(|(_, found)| !found.has_passed()) {
        refused += 1;
        let name = place.name();
        for verdict in found.gates.refusals() {
            let state = format!("gate {} ({})", verdict.gate(), verdict.state());
            let of_gate = verdict.reasons().iter();
            reasons.extend(of_gate.map(|reason| format!("{name}: {state}: {reason}")));
            hints.extend(verdict.hints().iter().map(String::as_str));
        }
        for error in found.errors() {
            reasons.push(format!("{name}: {}", error.text));
            hints.extend(error.hint.as_deref());
        }
    }
    let unmatched = verified.unmatched_reports.iter();
    reasons.extend(unmatched.map(|report| unmatched_phrase(report)));
    if reasons.is_empty() {
        return None;
    }
    let mut known = Vec::new();
    hints.retain(|hint| {
        let is_new = !known.contains(hint);
        known.push(*hint);
        is_new
    });
    let environment = &verified.environment;
    let count = count_phrase(verified.places.len() as u64, "image");
    let failure = match refused {
        0 => Failure::refused(format!(
            "{environment} does not pass: a scan report is about none of its images"
        )),
        refused => Failure::refused(format!("{environment} does not pass: {refused} of {count}")),
    }
    .with_reason(reasons.join("; "));
    Some(match hints.is_empty() {
        true => failure,
        false => failure.with_hint(hints.join("; ")),
    })
}

/// Returns the output `outcome`.
pub(super) fn outcome_word(verified: &EnvironmentVerification) -> &'static str {
    match to_failure(verified) {
        None => "verified",
        Some(Failure::Refused(_)) => "refused",
        Some(_) => "failed",
    }
}

/// Returns the current digest of each service, one per line.
pub(super) fn digests(verified: &EnvironmentVerification) -> String {
    let current = verified
        .judged()
        .filter_map(|(_, found)| found.current.as_ref());
    let digests = current.map(|current| current.root.to_string());
    digests.collect::<Vec<_>>().join("\n")
}

/// Returns `repository@digest` of each current image, one per line.
pub(super) fn image_references(verified: &EnvironmentVerification) -> String {
    let current = verified.judged().filter_map(|(place, found)| {
        let current = found.current.as_ref()?;
        Some(digest_reference(&place.place, current.root))
    });
    current.collect::<Vec<_>>().join("\n")
}

/// Returns the names that the user gave, which are not secret.
pub(super) fn names(verified: &EnvironmentVerification) -> Vec<String> {
    let places = verified.places.iter();
    places.map(|place| place.place.to_string()).collect()
}

#[cfg(test)]
mod tests;
