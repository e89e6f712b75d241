//! Result of a verb in every form of a report: text, summary, outputs and values.

use super::check_report::CheckReport;
use super::history_report::HistoryReport;
use super::prune_report::PruneReport;
use super::record_batch_report::ServiceRecord;
use super::styled_text::StyledText;
use super::summary::{self, SummaryContext};
use super::tags_report::TagsResult;
use super::verb_result::VerbResult;
use super::{
    batch_phrases, batch_report, bundle_report, cleaned, environment_outputs, environment_report,
    github_report, hold_report, mark_report, prune_json, record_batch_report, restore_report,
    rollback_report, step_outputs, text_report, verification_report,
};
use crate::notices::FileLocation;
use crate::release::{
    BatchOutcome, EnvironmentVerification, Failure, GithubReport, RecordBatchOutcome,
    ReleaseOutcome, Verification,
};

/// Result of a verb, in every form of a report.
pub(super) struct ResultReport {
    /// Report for a person.
    pub(super) text: StyledText,
    /// Report as Markdown, for the job summary.
    pub(super) summary: String,
    /// Outputs of the step.
    pub(super) outputs: Vec<(&'static str, String)>,
    /// Values for the command line that are no outputs of the step.
    values: Vec<(&'static str, String)>,
    /// Why the run failed, if it did.
    pub(super) failure: Option<FailureReport>,
    /// Names that the user gave, which are not secret.
    pub(super) names: Vec<String>,
}

/// Failure of a run, for the log.
pub(super) struct FailureReport {
    /// Exit status.
    pub(super) status: u8,
    /// What failed, why, and a hint.
    pub(super) text: String,
    /// File that the failure is about.
    pub(super) location: Option<FileLocation>,
}

impl ResultReport {
    /// Returns the report of a result, with secrets removed from its texts by `clean`.
    pub(super) fn new(
        result: VerbResult,
        context: &SummaryContext,
        clean: &dyn Fn(&str) -> String,
    ) -> Self {
        match result {
            VerbResult::Released(outcome) => {
                Self::of_release(&cleaned::outcome(*outcome, clean), context)
            }
            VerbResult::Batch(batch) => Self::of_batch(&cleaned::batch(*batch, clean), context),
            VerbResult::Checked(report) => Self::of_check(&cleaned::check(*report, clean), context),
            VerbResult::Tagged(tagged) => Self::of_tags(&cleaned::tagged(*tagged, clean), context),
            VerbResult::Verified(found) => Self::of_verification(&found, context),
            VerbResult::VerifiedEnvironment(verified) => {
                Self::of_environment(*verified, context, clean)
            }
            VerbResult::RolledBack(outcome) => Self {
                text: rollback_report::to_text(&outcome),
                summary: summary::rollback_summary(&outcome, context),
                outputs: rollback_report::to_outputs(&outcome),
                values: vec![("image", rollback_report::image_reference(&outcome))],
                failure: outcome.to_failure().map(|it| FailureReport::new(&it)),
                names: vec![outcome.place.to_string()],
            },
            VerbResult::Marked(outcome) => Self {
                text: mark_report::to_text(&outcome),
                summary: summary::mark_summary(&outcome, context),
                outputs: mark_report::to_outputs(&outcome),
                values: vec![("image", mark_report::image_reference(&outcome))],
                failure: None,
                names: vec![outcome.place.to_string()],
            },
            VerbResult::HoldChanged(outcome) => Self {
                text: hold_report::to_text(&outcome),
                summary: summary::hold_summary(&outcome, context),
                outputs: hold_report::to_outputs(&outcome),
                values: vec![("image", hold_report::image_reference(&outcome))],
                failure: None,
                names: vec![outcome.place.to_string()],
            },
            VerbResult::RolledBackServices(batch) => Self::of_record_batch(*batch, context, clean),
            VerbResult::MarkedServices(batch) => Self::of_record_batch(*batch, context, clean),
            VerbResult::Adopted(report) => Self {
                text: report.to_text(),
                summary: summary::adopt_summary(&report, context),
                outputs: report.to_outputs(),
                values: Vec::new(),
                failure: None,
                names: report.names(),
            },
            VerbResult::Pruned(report) => Self::of_prune(*report, context, clean),
            VerbResult::Restored(outcome) => Self {
                text: restore_report::to_text(&outcome),
                summary: summary::restore_summary(&outcome, context),
                outputs: prune_json::restore_outputs(&outcome),
                values: Vec::new(),
                failure: None,
                names: vec![outcome.place.to_string()],
            },
            VerbResult::ShownPolicy(shown) => Self {
                text: shown.to_text().into(),
                summary: summary::policy_summary(&shown, context),
                outputs: shown.to_outputs(),
                values: Vec::new(),
                failure: None,
                names: shown.names(),
            },
            VerbResult::History(shown) => Self::of_history(*shown, context, clean),
            VerbResult::Inspected(shown) => Self {
                text: shown.to_text(),
                summary: summary::inspect_summary(&shown, context),
                outputs: shown.to_outputs(),
                values: vec![("image", shown.image_references())],
                failure: None,
                names: shown.names(),
            },
            VerbResult::VerifiedBundle(found) => Self {
                text: bundle_report::to_text(&found),
                summary: summary::bundle_summary(&found, context),
                outputs: bundle_report::to_outputs(&found),
                values: Vec::new(),
                failure: bundle_report::to_refusal(&found).map(|it| FailureReport::new(&it)),
                names: vec![found.artifact.clone(), found.bundle.clone()],
            },
            VerbResult::SignedBundle(signed) => Self {
                text: signed.text(),
                summary: summary::signed_bundle_summary(&signed, context),
                outputs: signed.outputs(),
                values: vec![("digest", signed.digest.to_string())],
                failure: None,
                names: vec![signed.artifact.clone(), signed.bundle.clone()],
            },
        }
    }

    /// Returns the report of every repository, also if one of them was stopped.
    fn of_prune(
        mut report: PruneReport,
        context: &SummaryContext,
        clean: &dyn Fn(&str) -> String,
    ) -> Self {
        for applied in report.applied.iter_mut().flatten() {
            let failure = applied.failure.take();
            applied.failure = failure.map(|it| cleaned::failure(it, clean));
        }
        Self {
            text: report.to_text(),
            summary: summary::prune_summary(&report, context),
            outputs: report.to_outputs(),
            values: Vec::new(),
            failure: report.to_failure().map(|(failure, text)| FailureReport {
                text,
                ..FailureReport::new(&failure)
            }),
            names: report.names(),
        }
    }

    /// Adds what GitHub was told.
    #[must_use]
    pub(super) fn with_github(mut self, github: &GithubReport) -> Self {
        if github.is_empty() {
            return self;
        }
        self.text.push("\n");
        for line in github_report::lines(github) {
            self.text.push(&format!("\n{line}"));
        }
        self.summary += &github_report::section(github);
        let json = self.outputs.iter_mut().filter(|(name, _)| *name == "json");
        json.for_each(|(_, json)| *json = github_report::add_to_json(json, github));
        self
    }

    fn of_release(outcome: &ReleaseOutcome, context: &SummaryContext) -> Self {
        Self {
            text: text_report::release_text(outcome),
            summary: summary::release_summary(outcome, None, context),
            outputs: step_outputs::release_outputs(outcome),
            values: Vec::new(),
            failure: None,
            names: names(outcome),
        }
    }

    /// Returns the report of every service, also if one of them failed.
    fn of_batch(batch: &BatchOutcome, context: &SummaryContext) -> Self {
        let failure = batch_phrases::to_failure(batch);
        let completed = batch.completed();
        Self {
            text: batch_report::to_text(batch),
            summary: summary::batch_summary(batch, context),
            outputs: step_outputs::batch_outputs(batch),
            values: vec![("digest", step_outputs::batch_digests(batch))],
            failure: failure.map(|(failure, text)| FailureReport {
                text,
                ..FailureReport::new(failure)
            }),
            names: completed.flat_map(|(_, one)| names(one)).collect(),
        }
    }

    /// Returns the report of every service, also if one of them would be refused.
    fn of_check(report: &CheckReport, context: &SummaryContext) -> Self {
        Self {
            text: report.to_text(context),
            summary: summary::check_summary(report, context),
            outputs: report.to_outputs(context),
            values: vec![("digest", report.digests())],
            failure: report.to_failure().map(|(failure, text)| FailureReport {
                text,
                ..FailureReport::new(failure)
            }),
            names: report.names(),
        }
    }

    /// Returns the report of every timeline, also if one of them cannot be read.
    fn of_history(
        mut shown: HistoryReport,
        context: &SummaryContext,
        clean: &dyn Fn(&str) -> String,
    ) -> Self {
        shown.map_failures(|failure| cleaned::failure(failure, clean));
        Self {
            text: shown.to_text(),
            summary: summary::history_summary(&shown, context),
            outputs: shown.to_outputs(),
            values: vec![("image", shown.image_references())],
            failure: shown.to_failure().map(|(failure, text)| FailureReport {
                text,
                ..FailureReport::new(failure)
            }),
            names: shown.names(),
        }
    }

    /// Returns the report of every service, also if one of them failed.
    fn of_record_batch<O: ServiceRecord>(
        mut batch: RecordBatchOutcome<O>,
        context: &SummaryContext,
        clean: &dyn Fn(&str) -> String,
    ) -> Self {
        batch.map_failures(|failure| cleaned::failure(failure, clean));
        let failure = record_batch_report::to_failure(&batch);
        let places = batch.completed();
        Self {
            text: record_batch_report::to_text(&batch),
            summary: summary::record_batch_summary(&batch, context),
            outputs: record_batch_report::to_outputs(&batch),
            values: vec![("digest", record_batch_report::digests(&batch))],
            names: places.map(|(_, one)| one.place().to_string()).collect(),
            failure: failure.map(|(failure, text)| FailureReport {
                text,
                ..FailureReport::new(&failure)
            }),
        }
    }

    /// Returns the report of derived tags.
    pub(super) fn of_tags(tagged: &TagsResult, context: &SummaryContext) -> Self {
        Self {
            text: tagged.to_text().into(),
            summary: summary::tags_summary(tagged, context),
            outputs: tagged.to_outputs(),
            values: Vec::new(),
            failure: None,
            names: tagged.images.clone(),
        }
    }

    /// Returns the report of all evidence, also if it is not valid.
    fn of_verification(found: &Verification, context: &SummaryContext) -> Self {
        Self {
            text: verification_report::to_text(found),
            summary: summary::verification_summary(found, context),
            outputs: verification_report::to_outputs(found),
            values: vec![("image", verification_report::image_reference(found))],
            failure: found.to_refusal().map(|it| FailureReport::new(&it)),
            names: vec![found.source.to_string()],
        }
    }

    /// Returns the report of every repository of an environment, also if one of them cannot be read.
    fn of_environment(
        mut verified: EnvironmentVerification,
        context: &SummaryContext,
        clean: &dyn Fn(&str) -> String,
    ) -> Self {
        for failure in verified.failures_mut() {
            *failure = cleaned::failure(failure.clone(), clean);
        }
        let failure = environment_report::to_failure(&verified);
        Self {
            text: environment_report::to_text(&verified),
            summary: summary::environment_summary(&verified, context),
            outputs: environment_outputs::to_outputs(&verified),
            values: vec![
                ("digest", environment_report::digests(&verified)),
                ("image", environment_report::image_references(&verified)),
            ],
            failure: failure.map(|it| FailureReport::new(&it)),
            names: environment_report::names(&verified),
        }
    }

    /// Returns whether standard output gets a value: after a failure the JSON object alone, so that no
    /// script goes on with an image that was refused.
    pub(super) fn has_value(&self, name: &str) -> bool {
        self.failure.is_none() || name == "json"
    }

    /// Returns an output of the step, or another value; empty if there is none.
    pub(super) fn value(&self, name: &str) -> String {
        let mut known = self.outputs.iter().chain(&self.values);
        let found = known.find(|(known, _)| *known == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }
}

impl FailureReport {
    /// Returns the report of a failure.
    pub(super) fn new(failure: &Failure) -> Self {
        Self {
            status: exit_status(failure),
            text: text_report::failure_text(failure).to_string(),
            location: failure
                .diagnostic()
                .and_then(|it| it.location.as_deref().cloned()),
        }
    }

    /// Returns the reports of the further problems that were found with a failure.
    pub(super) fn further(failure: &Failure) -> Vec<Self> {
        let further = failure.diagnostic().map_or(&[][..], |it| &it.further);
        let reports = further.iter().map(|diagnostic| Self {
            status: exit_status(failure),
            text: text_report::diagnostic_text(failure, diagnostic).to_string(),
            location: diagnostic.location.as_deref().cloned(),
        });
        reports.collect()
    }
}

fn exit_status(failure: &Failure) -> u8 {
    match failure {
        Failure::Refused(_) | Failure::Incomplete(_) => 1,
        Failure::Input(_) => 2,
        Failure::Service(_) => 3,
        Failure::Cancelled => 130,
    }
}

/// Returns the names that the user gave, which are not secret even if they contain one.
fn names(outcome: &ReleaseOutcome) -> Vec<String> {
    let places = outcome.destinations.iter();
    let places = places.map(|released| released.place.to_string());
    places.chain([outcome.source.to_string()]).collect()
}
