//! Job summaries as Markdown: what went where, how it ended, who ran it, and how to go on.

mod batch_page;
mod bundle_page;
mod check_page;
mod environment_page;
mod facts_table;
mod failure_page;
mod follow_up;
mod history_page;
mod inspect_page;
mod links;
mod policy_page;
mod previous_facts;
mod prune_page;
mod record_batch_page;
mod record_pages;
mod release_facts;
mod release_page;
mod run_attempt;
mod run_facts;
mod shell_word;
mod signing_facts;
mod tags_page;
mod title;
mod verification_page;

#[cfg(test)]
mod check_samples;
#[cfg(test)]
mod environment_samples;
#[cfg(test)]
mod gate_samples;
#[cfg(test)]
mod record_samples;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod verb_samples;

pub(super) use batch_page::batch_summary;
pub(super) use bundle_page::{bundle_summary, signed_bundle_summary};
pub(super) use check_page::check_summary;
#[cfg(test)]
pub(super) use check_samples::check_with as sample_check;
pub(super) use environment_page::environment_summary;
#[cfg(test)]
pub(super) use environment_samples::{
    passed as sample_environment, refused as sample_refused_environment,
};
pub(super) use failure_page::failure_summary;
#[cfg(test)]
pub(super) use gate_samples::refused_by_gates as sample_gates;
pub(super) use history_page::history_summary;
pub(super) use inspect_page::inspect_summary;
pub(super) use policy_page::policy_summary;
pub(super) use prune_page::{prune_summary, restore_summary};
pub(super) use record_batch_page::record_batch_summary;
pub(super) use record_pages::{adopt_summary, hold_summary, mark_summary, rollback_summary};
#[cfg(test)]
pub(super) use record_samples::{history as sample_history, inspection as sample_inspection};
pub(super) use release_page::release_summary;
pub use run_attempt::RunAttempt;
pub(super) use run_facts::RunFacts;
pub(super) use tags_page::tags_summary;
#[cfg(test)]
pub(super) use verb_samples::{
    adoption as sample_adoption, mark as sample_mark, mark_services as sample_mark_services,
    rollback as sample_rollback, rollback_services as sample_rollback_services,
};
pub(super) use verification_page::verification_summary;

use super::markdown::{AlertKind, alert, escape_text};

/// Most warnings that a summary shows.
const WARNINGS_LIMIT: usize = 20;

/// Run that a summary is about.
#[derive(Debug, Clone, Default)]
pub(super) struct SummaryContext {
    /// Facts about the run.
    pub(super) run: RunFacts,
    /// Warnings of the run, without secrets.
    pub(super) warnings: Vec<String>,
    /// What the run was asked to do, without secrets.
    pub(super) attempt: RunAttempt,
}

impl SummaryContext {
    /// Returns the warnings as alerts, each once.
    fn warning_alerts(&self) -> String {
        let mut shown: Vec<&str> = Vec::new();
        for text in &self.warnings {
            if !shown.contains(&text.as_str()) {
                shown.push(text);
            }
        }
        let more = shown.len().saturating_sub(WARNINGS_LIMIT);
        let alerts = shown.iter().take(WARNINGS_LIMIT);
        let alerts =
            alerts.map(|text| alert(AlertKind::Warning, text.lines().map(warning_paragraph)));
        let more = match more {
            0 => String::new(),
            more => format!("\n{more} more warnings are in the log.\n"),
        };
        alerts.collect::<String>() + &more
    }
}

/// Returns a line of a warning, with the name of its part in bold.
fn warning_paragraph(line: &str) -> String {
    let line = line.trim();
    match (line.strip_prefix("hint: "), line.strip_prefix("why: ")) {
        (Some(hint), _) => format!("**Hint:** {}", escape_text(hint)),
        (_, Some(why)) => format!("**Why:** {}", escape_text(why.trim_start())),
        _ => escape_text(line),
    }
}
