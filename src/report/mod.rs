//! Reports of a run: the log, the step's outputs and summary, and plain text.

mod adopt_report;
mod batch_phrases;
mod batch_report;
mod bundle_report;
mod check_json;
mod check_outputs;
mod check_phrases;
mod check_report;
mod cleaned;
mod drift_text;
mod environment_json;
mod environment_outputs;
mod environment_report;
mod evidence_text;
mod exit_report;
mod gate_report;
mod github_report;
mod history_json;
mod history_outputs;
mod history_report;
mod image_matrix;
mod inspect_evidence;
mod inspect_json;
mod inspect_outputs;
mod inspect_report;
mod json_output;
mod json_texts;
mod mark_report;
mod markdown;
mod mermaid_text;
mod phrases;
mod policy_diagram;
mod policy_gates;
mod policy_places;
mod policy_records;
mod policy_report;
mod progress_bars;
mod progress_line;
mod record_batch_report;
mod record_words;
mod references;
mod report_page;
mod result_report;
mod rollback_report;
mod run_log;
mod step_files;
mod step_outputs;
mod styled_text;
mod summary;
mod tags_report;
mod terminal;
mod text_report;
mod timeline_diagram;
mod verb_result;
mod verification_report;

#[cfg(test)]
#[path = "../../tests/it/support/output_schema.rs"]
mod output_schema;
#[cfg(test)]
mod sample_outcomes;
#[cfg(test)]
mod shared_buffer;

pub use adopt_report::AdoptReport;
pub use batch_phrases::service_line;
pub use bundle_report::{BundleVerification, SignedBundle};
pub use check_report::CheckReport;
pub use exit_report::report_result;
pub use history_report::{FailedTimeline, HistoryReport, TimelineReport};
pub use inspect_report::{ImageReport, InspectReport};
pub use policy_report::PolicyReport;
pub use record_batch_report::{mark_line, rollback_line};
pub use report_page::{ReportPage, report_written};
pub use run_log::{LogReader, LogSettings, RunLog};
pub use styled_text::TextStyle;
pub use summary::RunAttempt;
pub use tags_report::{OutputSeparators, TagsResult};
pub use terminal::Terminals;
pub use verb_result::VerbResult;
