//! Summary of a run that failed: what it was asked to do, then what failed, why, and a hint.

use super::SummaryContext;
use super::facts_table::FactsTable;
use super::run_attempt::RunAttempt;
use super::title;
use crate::release::{Diagnostic, Failure};
use crate::report::gate_report::gates_section;
use crate::report::markdown::{AlertKind, alert, code_span, escape_lines, escape_text};
use crate::report::phrases;

/// Most services and destinations that are named.
const SHOWN_NAMES: usize = 20;

/// Returns a failure as Markdown.
pub(in crate::report) fn failure_summary(
    verb: &str,
    failure: &Failure,
    context: &SummaryContext,
) -> String {
    let attempt = &context.attempt;
    let name = format!("shipmark {verb}");
    let name = name.trim_end();
    let dry_run = if attempt.dry_run { " (dry run)" } else { "" };
    let mut page = format!(
        "## {}\n\n**{}**{dry_run} by {name}\n",
        escape_text(&title::attempt_title(name, attempt)),
        failure_word(failure)
    );
    page += &attempt_facts(attempt, context).to_markdown();
    page += &failure_alerts(failure, None);
    page += &context.warning_alerts();
    page += &failure.gates().map(gates_section).unwrap_or_default();
    page + "\n"
}

/// Most further problems that are shown.
const SHOWN_PROBLEMS: usize = 50;

/// Returns a failure with the problems that were found with it, each as an alert; `subject` names the service that
/// failed.
pub(super) fn failure_alerts(failure: &Failure, subject: Option<&str>) -> String {
    failure_alert(failure, subject) + &further_alerts(failure)
}

/// Returns the further problems that were found with a failure, each as an alert.
fn further_alerts(failure: &Failure) -> String {
    let further = failure.diagnostic().map_or(&[][..], |it| &it.further);
    let shown = further.iter().take(SHOWN_PROBLEMS).map(|diagnostic| {
        let mut parts = vec![escape_lines(&diagnostic.what)];
        parts.extend(reason_and_hint(diagnostic));
        alert(AlertKind::Caution, parts)
    });
    let more = further.len().saturating_sub(SHOWN_PROBLEMS);
    let rest = (more > 0).then(|| {
        let text = format!("{more} further problems are in the log.");
        alert(AlertKind::Caution, [text])
    });
    shown.chain(rest).collect()
}

/// Returns the reason and the hint of a diagnostic, as paragraphs.
fn reason_and_hint(diagnostic: &Diagnostic) -> impl Iterator<Item = String> {
    let parts = [("Why", &diagnostic.why), ("Hint", &diagnostic.hint)].into_iter();
    parts.filter_map(|(name, part)| {
        let part = part.as_deref()?;
        Some(format!("**{name}:** {}", escape_lines(part)))
    })
}

/// Returns what failed, why, and a hint, as an alert; `subject` names the service that failed.
pub(super) fn failure_alert(failure: &Failure, subject: Option<&str>) -> String {
    let subject = subject.map(|subject| format!("{}: ", escape_text(subject)));
    let begin = format!(
        "**{}{}:**",
        subject.unwrap_or_default(),
        failure_word(failure)
    );
    let Some(diagnostic) = failure.diagnostic() else {
        let text = format!("{begin} a repeated run adds only what is missing.");
        return alert(AlertKind::Caution, [text]);
    };
    let mut parts = vec![format!("{begin} {}", escape_lines(&diagnostic.what))];
    parts.extend(reason_and_hint(diagnostic));
    let kind = match failure {
        Failure::Incomplete(_) => AlertKind::Warning,
        _ => AlertKind::Caution,
    };
    alert(kind, parts)
}

/// Returns how the run ended.
pub(super) fn failure_word(failure: &Failure) -> &'static str {
    match failure {
        Failure::Refused(_) => "Refused",
        Failure::Input(_) => "Wrong input",
        Failure::Service(_) => "Failed",
        Failure::Incomplete(_) => "Done, but incomplete",
        Failure::Cancelled => "Cancelled",
    }
}

fn attempt_facts(attempt: &RunAttempt, context: &SummaryContext) -> FactsTable {
    let mut facts = FactsTable::default();
    facts.add_environment(attempt.environment.as_deref(), attempt.from.as_deref());
    facts.add_known("Services", shown_names(&attempt.services));
    facts.add_known("Source", attempt.source.as_deref().map(code_span));
    facts.add_known("Destination", shown_names(&attempt.destinations));
    facts.append(context.run.table());
    facts
}

/// Returns the names as code, as many as fit, and the count of the others.
fn shown_names(names: &[String]) -> Option<String> {
    let shown = names.iter().take(SHOWN_NAMES).map(|name| code_span(name));
    let mut shown: Vec<String> = shown.collect();
    let more = names.len().saturating_sub(SHOWN_NAMES);
    if more > 0 {
        shown.push(format!(
            "and {}",
            phrases::count_phrase(more as u64, "other")
        ));
    }
    (!shown.is_empty()).then(|| shown.join(" "))
}
