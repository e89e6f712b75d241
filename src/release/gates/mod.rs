//! Gates of a release: reads the facts that the gates of an environment judge, and refuses what does not pass.
//!
//! The judges are pure and stand in `gate/`. Nothing here writes.

mod evidence_list;
mod found_statement;
pub(super) mod gate_outcome;
pub(super) mod gate_reading;
pub(crate) mod gate_refusal;
pub(super) mod gate_request;
pub(super) mod gate_warnings;
pub(super) mod gated_release;
pub(super) mod github_facts;
pub(super) mod given_documents;
mod image_facts;
pub(super) mod judge_gates;
mod scan_statements;
mod scan_verdict;
mod source_commit;
mod statement_facts;
mod statement_verdicts;
mod unsigned_statements;
