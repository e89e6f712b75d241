//! Registries for which a plan uses the distribution API alone: their own APIs tell nothing that it lacks, or there is
//! none.

use super::abilities::{AbilitySource, DeletionRoute, RegistryAbilities};
use crate::retention::{DeletionOrder, RegistryDeletion};

const BY_SPECIFICATION: RegistryDeletion = RegistryDeletion {
    deletes_tags_with_manifest: false,
    refuses_last_tagged: false,
    deletes_children_with_index: false,
    order: DeletionOrder::ReferrersFirst,
};

/// GitLab. Its API lists tags without digests and times, which would cost a request for each tag (GitLab Container
/// Registry API, "List registry repository tags").
pub(super) const GITLAB: RegistryAbilities = RegistryAbilities {
    name: "GitLab",
    hosts: "`registry.gitlab.com`",
    lists_untagged: false,
    times: "none",
    deletes_tag: DeletionRoute::Distribution,
    deletes_manifest: DeletionRoute::Distribution,
    deletion: BY_SPECIFICATION,
    refusals: "protected and immutable tags",
    undo: "none",
    pace: "as it says",
    login: "a token with `read_registry` and `write_registry`, role Maintainer where tags are protected",
    source: AbilitySource::Assumed("GitLab documentation, Container Registry API"),
};

/// JFrog Artifactory.
pub(super) const ARTIFACTORY: RegistryAbilities = RegistryAbilities {
    name: "Artifactory",
    hosts: "`NAME.jfrog.io`",
    lists_untagged: false,
    times: "none",
    deletes_tag: DeletionRoute::Distribution,
    deletes_manifest: DeletionRoute::Distribution,
    deletion: BY_SPECIFICATION,
    refusals: "what the permission target does not allow",
    undo: "trash can, by an administrator",
    pace: "as it says",
    login: "the permission Delete/Overwrite on the repository",
    source: AbilitySource::Assumed("JFrog documentation; containers/skopeo#2497"),
};

/// The distribution registry.
pub(super) const DISTRIBUTION: RegistryAbilities = RegistryAbilities {
    name: "distribution",
    hosts: "any other",
    lists_untagged: false,
    times: "none",
    deletes_tag: DeletionRoute::Distribution,
    deletes_manifest: DeletionRoute::Distribution,
    deletion: BY_SPECIFICATION,
    refusals: "everything without `delete.enabled`",
    undo: "none; blobs stay until its garbage collection",
    pace: "as it says",
    login: "`pull,delete` on the repository",
    source: AbilitySource::Fixture("tests/it/prune/cases.rs"),
};

/// zot.
pub(super) const ZOT: RegistryAbilities = RegistryAbilities {
    name: "zot",
    hosts: "any other",
    lists_untagged: false,
    times: "none",
    deletes_tag: DeletionRoute::Distribution,
    deletes_manifest: DeletionRoute::Distribution,
    deletion: BY_SPECIFICATION,
    refusals: "a child of a tagged index (405)",
    undo: "none",
    pace: "as it says",
    login: "`delete` in its access control",
    source: AbilitySource::Assumed("zot 2.1, source"),
};

/// Image layouts on disk.
pub(super) const LAYOUT: RegistryAbilities = RegistryAbilities {
    name: "image layout",
    hosts: "`oci:DIR`",
    lists_untagged: true,
    times: "those of the files",
    deletes_tag: DeletionRoute::Distribution,
    deletes_manifest: DeletionRoute::Distribution,
    deletion: BY_SPECIFICATION,
    refusals: "nothing",
    undo: "none",
    pace: "none",
    login: "write access to the directory",
    source: AbilitySource::Fixture("tests/it/prune/layouts.rs"),
};
