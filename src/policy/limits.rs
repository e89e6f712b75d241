//! Limits of a policy file.

/// The most bytes that a policy file may have: a thousand services need about twenty thousand.
pub const POLICY_LIMIT: usize = 1 << 20;
/// The most environments.
pub(super) const ENVIRONMENTS: usize = 1_000;
/// The most environments that the images of one come from: each is looked at for every image.
pub(super) const SOURCES: usize = 20;
/// The most services.
pub(super) const SERVICES: usize = 10_000;
/// The most repositories, of all environments and services together: each is kept in memory, and each
/// directory among them is looked at on disk.
pub(super) const REPOSITORIES: usize = 10_000;
/// The most patterns of excluded versions.
pub(super) const EXCLUDED_VERSIONS: usize = 1_000;
/// The most signers of an environment: each is tried against a record that does not verify.
pub(super) const SIGNERS: usize = 100;
/// The most characters of a repository: each service has a copy of them.
pub(super) const REPOSITORY_LENGTH: usize = 1_000;
/// The most patterns in `refs`.
pub(super) const REF_PATTERNS: usize = 100;
/// The most patterns in `immutable`: each is tried for each tag.
pub(super) const TAG_PATTERNS: usize = 100;
/// The most bytes that `defaults` fill in, in all environments together.
pub(super) const DEFAULTS_SIZE: usize = 1 << 22;
/// The most exceptions of a scan gate.
pub(super) const EXCEPTIONS: usize = 1_000;
/// The most VEX documents of a scan gate.
pub(super) const VEX_FILES: usize = 50;
/// The most entries of an attestation gate: each is compared with each attestation of the image.
pub(super) const ATTESTATIONS: usize = 20;
/// The most freeze windows of an environment.
pub(super) const FREEZE_WINDOWS: usize = 100;
/// The most platforms that an image gate demands.
pub(super) const PLATFORMS: usize = 50;
/// The most labels that an image gate demands.
pub(super) const LABELS: usize = 50;
/// The most entries of lists in gates of services, of all services and environments together: each is a copy.
pub(super) const SERVICE_GATE_ENTRIES: usize = 100_000;
/// The most characters of a text in a gate.
pub(super) const GATE_TEXT_LENGTH: usize = 1_000;
/// The most checks that a checks gate demands.
pub(super) const CHECKS: usize = 50;
/// The most approvals that an approvals gate demands: GitHub lets an environment have six reviewers.
pub(super) const APPROVALS: usize = 6;
/// The most characters of the name of an environment on GitHub.
pub(super) const GITHUB_ENVIRONMENT_LENGTH: usize = 255;
/// The most prune rules of a retention.
pub(super) const PRUNE_RULES: usize = 100;
/// The most registries with an API of their own.
pub(super) const REGISTRY_APIS: usize = 100;
/// The most patterns of files whose digests stay.
pub(super) const PINNED_FILES: usize = 100;
/// The highest number of images in a rule of retention.
pub(super) const IMAGE_COUNT: usize = 999_999;
