//! What a verb returns, for all reports of it.

use super::adopt_report::AdoptReport;
use super::bundle_report::{BundleVerification, SignedBundle};
use super::check_report::CheckReport;
use super::history_report::HistoryReport;
use super::inspect_report::InspectReport;
use super::policy_report::PolicyReport;
use super::prune_report::PruneReport;
use super::tags_report::TagsResult;
use crate::prune::RestoreOutcome;
use crate::release::{
    BatchOutcome, EnvironmentVerification, HoldOutcome, MarkOutcome, RecordBatchOutcome,
    ReleaseOutcome, RollbackOutcome, Verification,
};

/// Result of a verb.
pub enum VerbResult {
    /// Release of one image, or its dry run.
    Released(Box<ReleaseOutcome>),
    /// Release of several services, some of which may have failed.
    Batch(Box<BatchOutcome>),
    /// Check of a promotion.
    Checked(Box<CheckReport>),
    /// Derived tags.
    Tagged(Box<TagsResult>),
    /// Checked signatures of an image.
    Verified(Box<Verification>),
    /// Verification of what an environment is on.
    VerifiedEnvironment(Box<EnvironmentVerification>),
    /// Checked bundle of a file.
    VerifiedBundle(Box<BundleVerification>),
    /// Signed file.
    SignedBundle(Box<SignedBundle>),
    /// History of an environment.
    History(Box<HistoryReport>),
    /// Accounts of images.
    Inspected(Box<InspectReport>),
    /// Withdrawal of a release.
    RolledBack(Box<RollbackOutcome>),
    /// Withdrawal of a release of several services, some of which may have failed.
    RolledBackServices(Box<RecordBatchOutcome<RollbackOutcome>>),
    /// Mark of a release.
    Marked(Box<MarkOutcome>),
    /// Mark of a release of several services, some of which may have failed.
    MarkedServices(Box<RecordBatchOutcome<MarkOutcome>>),
    /// Hold that is placed or lifted.
    HoldChanged(Box<HoldOutcome>),
    /// Releases that are recorded afterwards.
    Adopted(Box<AdoptReport>),
    /// Plan of deletions, or deletions by a plan.
    Pruned(Box<PruneReport>),
    /// Image that was brought back.
    Restored(Box<RestoreOutcome>),
    /// Policy with its defaults.
    ShownPolicy(Box<PolicyReport>),
}
