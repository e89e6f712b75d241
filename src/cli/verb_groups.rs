//! Groups of verbs that take the same inputs and give the same outputs.

use super::verb::Verb;

pub(super) const RELEASE_VERBS: &[Verb] = &[Verb::Push, Verb::Promote];
pub(super) const TAGS_VERBS: &[Verb] = &[Verb::Tags];
/// Those that tag what the commit of the event or the checkout gave.
pub(super) const COMMIT_VERBS: &[Verb] = &[Verb::Tags, Verb::Push];
pub(super) const PROMOTE_VERBS: &[Verb] = &[Verb::Promote];
pub(super) const CHECK: &[Verb] = &[Verb::Check];
/// Those that decide on a promotion.
pub(super) const PROMOTING_VERBS: &[Verb] = &[Verb::Promote, Verb::Check];
/// Those that decide on a release.
pub(super) const DECIDING_VERBS: &[Verb] = &[Verb::Push, Verb::Promote, Verb::Check];
pub(super) const ROLLBACK: &[Verb] = &[Verb::Rollback];
pub(super) const MARK: &[Verb] = &[Verb::Mark];
pub(super) const HOLD: &[Verb] = &[Verb::Hold];
pub(super) const HOLDING_VERBS: &[Verb] = &[Verb::Hold, Verb::Unhold];
/// Those that are about one release or image of a repository.
pub(super) const NAMED_RELEASE_VERBS: &[Verb] = &[Verb::Mark, Verb::Hold];
/// Those whose releases GitHub shows as deployments.
pub(super) const TOLD_VERBS: &[Verb] = &[Verb::Promote, Verb::Rollback, Verb::Mark];
/// Those that can plan and report without a write.
pub(super) const DRY_RUN_VERBS: &[Verb] = &[
    Verb::Push,
    Verb::Promote,
    Verb::Rollback,
    Verb::Adopt,
    Verb::Hold,
    Verb::Unhold,
];
/// Those that write a record, or check a release that is to write one.
pub(super) const RECORDING: &[Verb] = &[
    Verb::Push,
    Verb::Promote,
    Verb::Check,
    Verb::Rollback,
    Verb::Mark,
    Verb::Adopt,
    Verb::Hold,
    Verb::Unhold,
    Verb::Prune,
];
/// Those for which some versions never count.
pub(super) const EXCLUDING_VERBS: &[Verb] = &[
    Verb::Tags,
    Verb::Push,
    Verb::Promote,
    Verb::Check,
    Verb::Rollback,
    Verb::Adopt,
];
/// Those that say which image was there before.
pub(super) const PREVIOUS_VERBS: &[Verb] = &[Verb::History, Verb::Inspect, Verb::Rollback];
/// Those that name images by repository and digest.
pub(super) const IMAGE_VERBS: &[Verb] = &[Verb::Push, Verb::Promote, Verb::Inspect, Verb::Rollback];
/// Those that give images to a later job.
pub(super) const MATRIX_VERBS: &[Verb] = &[
    Verb::Push,
    Verb::Promote,
    Verb::Check,
    Verb::Rollback,
    Verb::Mark,
];
/// Those that write or read records.
pub(super) const RECORD_VERBS: &[Verb] = &[
    Verb::Push,
    Verb::Promote,
    Verb::History,
    Verb::Inspect,
    Verb::Rollback,
    Verb::Mark,
    Verb::Adopt,
    Verb::Hold,
    Verb::Unhold,
    Verb::Prune,
];
pub(super) const HISTORY: &[Verb] = &[Verb::History];
/// Those that take some services of the policy.
pub(super) const SERVICE_VERBS: &[Verb] = &[
    Verb::Push,
    Verb::Promote,
    Verb::Check,
    Verb::Verify,
    Verb::History,
    Verb::Inspect,
    Verb::Rollback,
    Verb::Mark,
    Verb::Adopt,
    Verb::Hold,
    Verb::Unhold,
    Verb::Prune,
];
/// Those that take repositories.
pub(super) const PLACE_VERBS: &[Verb] = &[
    Verb::Tags,
    Verb::Push,
    Verb::Promote,
    Verb::Check,
    Verb::Verify,
    Verb::History,
    Verb::Inspect,
    Verb::Rollback,
    Verb::Mark,
    Verb::Adopt,
    Verb::Hold,
    Verb::Unhold,
    Verb::Prune,
    Verb::Restore,
];
/// Those that take a version.
pub(super) const VERSION_VERBS: &[Verb] = &[
    Verb::Tags,
    Verb::Push,
    Verb::Promote,
    Verb::Check,
    Verb::History,
];
/// Those that name something by its digest.
pub(super) const DIGEST_VERBS: &[Verb] = &[Verb::VerifyBundle, Verb::History, Verb::Restore];
/// Those that read the image of `source`.
pub(super) const SOURCE_VERBS: &[Verb] = &[
    Verb::Push,
    Verb::Promote,
    Verb::Check,
    Verb::Verify,
    Verb::Inspect,
];
/// Those that judge images by scan reports.
pub(super) const SCANNING_VERBS: &[Verb] = &[Verb::Push, Verb::Promote, Verb::Check, Verb::Verify];
pub(super) const RECURSIVE_VERBS: &[Verb] = &[Verb::Push, Verb::Promote, Verb::Verify];
pub(super) const OFFLINE_VERBS: &[Verb] = &[
    Verb::Tags,
    Verb::Promote,
    Verb::Check,
    Verb::Verify,
    Verb::VerifyBundle,
    Verb::History,
    Verb::Inspect,
    Verb::Rollback,
    Verb::Mark,
    Verb::Adopt,
    Verb::Hold,
    Verb::Unhold,
    Verb::Prune,
];
pub(super) const SIGN_BUNDLE: &[Verb] = &[Verb::SignBundle];
pub(super) const BUNDLE_VERBS: &[Verb] = &[Verb::VerifyBundle, Verb::SignBundle];
/// Those that may sign.
pub(super) const SIGNING: &[Verb] = &[
    Verb::Push,
    Verb::Promote,
    Verb::SignBundle,
    Verb::Rollback,
    Verb::Mark,
    Verb::Adopt,
    Verb::Hold,
    Verb::Unhold,
    Verb::Prune,
];
/// Those that may check the image that they are given.
pub(super) const SOURCE_CHECKING: &[Verb] = &[Verb::Promote, Verb::Check, Verb::Verify];
/// Those that may check something.
pub(super) const VERIFYING: &[Verb] = &[
    Verb::Promote,
    Verb::Check,
    Verb::Verify,
    Verb::VerifyBundle,
    Verb::History,
    Verb::Inspect,
];
/// Those that derive tags.
pub(super) const TAGGING_VERBS: &[Verb] = &[Verb::Tags, Verb::Push, Verb::Promote, Verb::Check];
/// Those that read the policy.
pub(super) const POLICY_VERBS: &[Verb] = &[
    Verb::Tags,
    Verb::Push,
    Verb::Promote,
    Verb::Check,
    Verb::Verify,
    Verb::History,
    Verb::Inspect,
    Verb::Policy,
    Verb::Rollback,
    Verb::Mark,
    Verb::Adopt,
    Verb::Hold,
    Verb::Unhold,
    Verb::Prune,
];
/// Those that speak to registries.
pub(super) const REGISTRY_VERBS: &[Verb] = &[
    Verb::Push,
    Verb::Promote,
    Verb::Check,
    Verb::Verify,
    Verb::History,
    Verb::Inspect,
    Verb::Rollback,
    Verb::Mark,
    Verb::Adopt,
    Verb::Hold,
    Verb::Unhold,
    Verb::Prune,
    Verb::Restore,
];

/// Those that read the image that `source` names, and no other.
pub(super) const SOURCE_REQUIRED: &[Verb] = &[Verb::Push];

/// Those that make or check signatures.
pub(super) const SIGNATURE_VERBS: &[Verb] = &[
    Verb::Push,
    Verb::Promote,
    Verb::Check,
    Verb::Verify,
    Verb::VerifyBundle,
    Verb::SignBundle,
    Verb::History,
    Verb::Inspect,
    Verb::Rollback,
    Verb::Mark,
    Verb::Adopt,
    Verb::Hold,
    Verb::Unhold,
    Verb::Prune,
];
/// Those that come to more than one end.
pub(super) const REFUSABLE_VERBS: &[Verb] = &[
    Verb::Push,
    Verb::Promote,
    Verb::Check,
    Verb::Verify,
    Verb::VerifyBundle,
    Verb::SignBundle,
    Verb::Rollback,
    Verb::Mark,
    Verb::Adopt,
    Verb::Hold,
    Verb::Unhold,
    Verb::Prune,
    Verb::Restore,
];

pub(super) const PRUNE: &[Verb] = &[Verb::Prune];
/// Those that write to an archive of deleted images, or read one.
pub(super) const ARCHIVING: &[Verb] = &[Verb::Prune, Verb::Restore];
/// Those that release, read or write records of one image or environment.
pub(super) const IMAGE_OUTPUT_VERBS: &[Verb] = &[
    Verb::Push,
    Verb::Promote,
    Verb::Check,
    Verb::Verify,
    Verb::History,
    Verb::Inspect,
    Verb::Rollback,
    Verb::Mark,
    Verb::Adopt,
    Verb::Hold,
    Verb::Unhold,
    Verb::Restore,
];
