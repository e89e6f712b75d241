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
