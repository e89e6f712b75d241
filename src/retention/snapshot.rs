//! What repositories contain and how it is used, at one time: everything that a plan is made from.

use std::collections::{BTreeMap, BTreeSet};

use super::observed_manifest::ObservedManifest;
use crate::image::{Digest, Tag};
use crate::record::{EntryName, RecordTime, Timeline};
use crate::tagging::EnvironmentName;

/// Repositories, and what keeps digests in all of them.
#[derive(Debug, Clone, Default)]
pub struct RetentionSnapshot {
    /// Repositories to plan for.
    pub repositories: Vec<RepositorySnapshot>,
    /// Timelines, also of environments in other repositories.
    pub environments: Vec<EnvironmentReleases>,
    /// Digests that files name.
    pub pins: Vec<PinnedDigest>,
    /// Holds that a counted record says, with or without their tag.
    pub holds: Vec<RecordedHold>,
}

/// Content of a repository.
#[derive(Debug, Clone, Default)]
pub struct RepositorySnapshot {
    /// Name, such as `ghcr.io/acme/web` or `oci:build/image`.
    pub name: String,
    /// All tags.
    pub tags: BTreeMap<Tag, ObservedTag>,
    /// All manifests: those that tags name, their children and referrers, and those without tags that the registry
    /// lists.
    pub manifests: BTreeMap<Digest, ObservedManifest>,
    /// Referrers by subject, as the referrers API lists them.
    pub referrers: BTreeMap<Digest, BTreeSet<Digest>>,
    /// Manifests that something names and that the registry does not have: it answered 404.
    pub absent: BTreeSet<Digest>,
    /// Lists that are incomplete, as text: `the list of tags ended after page 2: HTTP 429`.
    pub incomplete_lists: Vec<String>,
    /// How the registry deletes.
    pub registry: RegistryDeletion,
}

/// Target of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ObservedTag {
    /// Digest of the manifest.
    pub digest: Digest,
    /// Time at which the tag was last pushed, as the registry's own API says.
    pub pushed: Option<RecordTime>,
}

/// How a registry deletes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RegistryDeletion {
    /// Whether a tag goes only together with its manifest and all tags of that.
    pub deletes_tags_with_manifest: bool,
    /// Whether the registry refuses to delete the last manifest that has a tag.
    pub refuses_last_tagged: bool,
    /// Whether an index goes together with its children that have no tag and that no other index lists.
    pub deletes_children_with_index: bool,
    /// Order of deletions.
    pub order: DeletionOrder,
}

/// Order in which a registry lets manifests be deleted, and in which a run that ends early leaves no tag and no kept
/// index with a missing target.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DeletionOrder {
    /// Tags, then referrers before their subjects, then indexes before their children. An index of the referrers tag
    /// schema goes after the referrers that it lists.
    #[default]
    ReferrersFirst,
    /// The same, but an index of the referrers tag schema goes before the referrers that it lists: the registry
    /// refuses to delete what an index lists.
    IndexesFirst,
    /// Roots with their tags, then referrers, then children: the registry deletes no tag alone.
    RootsFirst,
}

/// Timeline of an environment in one repository.
#[derive(Debug, Clone)]
pub struct EnvironmentReleases {
    /// Environment.
    pub environment: EnvironmentName,
    /// Name of the repository to which it releases.
    pub repository: String,
    /// Counted entries.
    pub timeline: Timeline,
    /// Entries that do not count or could not be read.
    pub uncounted: Vec<EntryName>,
}

/// Digest that a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedDigest {
    /// Pattern of the rule that found the file.
    pub pattern: String,
    /// Path of the file.
    pub file: String,
    /// Name of the repository in the file.
    pub repository: String,
    /// Digest, which stays in every repository: others may be mirrors of the named one.
    pub digest: Digest,
}

/// Hold by a counted record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedHold {
    /// Name of the hold.
    pub name: String,
    /// Digest that it holds.
    pub digest: Digest,
}
