//! Gates of an environment: what scan reports, VEX documents and rules say of an image, as verdicts. Pure: facts
//! and a time in, verdicts out.

mod approvals_rule;
mod attestation_rule;
mod byte_size;
mod checks_rule;
mod freeze_window;
mod github_facts;
mod image_rule;
mod json_stream;
mod judge_approvals;
mod judge_attestations;
mod judge_checks;
mod judge_freeze;
mod judge_image;
mod judge_scan;
mod judge_signature;
mod judge_soak;
mod judged_image;
mod required_attestation;
mod scan_exception;
mod scan_report;
mod scan_rule;
mod severity;
mod shown_time;
mod soak_rule;
mod verdict;
mod vex_document;
mod vex_json;
mod wildcard_pattern;

pub use approvals_rule::ApprovalsRule;
pub use attestation_rule::{AttestationMismatch, AttestationRule};
pub use byte_size::{ByteSize, ByteSizeError};
pub use checks_rule::{GITHUB_ACTIONS_APP, RequiredCheck, RequiredJob};
pub use freeze_window::{
    FreezeMoment, FreezeMomentError, FreezeWindow, FreezeWindowError, FreezeZone, FreezeZoneError,
    WeeklyMoment,
};
pub use github_facts::{
    ApprovalFacts, CheckFacts, FoundCheckRun, FoundJob, FoundReview, FoundStatus, FoundWorkflowRun,
    GithubFact, UnknownFact,
};
pub use image_rule::{ImageRule, LabelRule, LabelRuleError, UserRule, UserRuleError};
pub use judge_approvals::judge_approvals;
pub use judge_attestations::{
    AttestationFacts, AttestationProof, FoundAttestation, judge_attestations,
};
pub use judge_checks::{COUNTED_EVENTS, judge_checks};
pub use judge_freeze::{FreezeJudgement, judge_freeze};
pub use judge_image::judge_image;
pub use judge_scan::{
    ConsideredReport, ConsideredVex, JudgedReport, ReportBinding, ScanFacts, ScanJudgement,
    SeverityCounts, judge_scan,
};
pub use judge_signature::{FoundSignature, judge_signature, listed_rejections};
pub use judge_soak::{SoakFacts, judge_soak};
pub use judged_image::{JudgedConfig, JudgedImage, JudgedPlatform};
pub use required_attestation::RequiredAttestation;
pub use scan_exception::ScanException;
pub use scan_report::{
    FindingTable, FixState, REPORT_LIMIT, ReportFormat, ScanFinding, ScanReport, ScanReportError,
    ScanSubject, SuppressedFinding,
};
pub use scan_rule::ScanRule;
pub use severity::{Severity, SeverityError, SeverityThreshold};
pub use soak_rule::SoakRule;
pub use verdict::{GateName, GateReport, GateState, GateVerdict};
pub use vex_document::{
    VEX_LIMIT, VexComponent, VexDocument, VexError, VexJustification, VexProduct, VexStatement,
    VexStatus,
};
pub use wildcard_pattern::WildcardPattern;

#[cfg(test)]
mod tests;
