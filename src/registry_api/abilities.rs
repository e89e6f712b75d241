//! What the API of a vendor tells and does.

use crate::retention::RegistryDeletion;

/// Way in which something is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletionRoute {
    /// By the distribution API.
    Distribution,
    /// By the vendor's API.
    VendorApi,
    /// Not at all.
    Never,
}

/// How sure an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AbilitySource {
    /// Recorded or printed answers, in this file of the project.
    Fixture(&'static str),
    /// The vendor's documentation, or reports of others.
    Assumed(&'static str),
}

/// What the API of a vendor tells and does.
#[derive(Debug, Clone, Copy)]
pub struct RegistryAbilities {
    /// Name in texts.
    pub name: &'static str,
    /// Hosts that tell the vendor, as Markdown; others are named in `retention.apis`.
    pub hosts: &'static str,
    /// Whether manifests without a tag are listed.
    pub lists_untagged: bool,
    /// Times that it tells.
    pub times: &'static str,
    /// How a tag is deleted that does not take its manifest along.
    pub deletes_tag: DeletionRoute,
    /// How a manifest is deleted.
    pub deletes_manifest: DeletionRoute,
    /// Order and kind of its deletions, for the plan.
    pub deletion: RegistryDeletion,
    /// What it refuses to delete.
    pub refusals: &'static str,
    /// How a deletion is undone.
    pub undo: &'static str,
    /// Pace of its requests.
    pub pace: &'static str,
    /// Login that it takes, with the permission.
    pub login: &'static str,
    /// Source of these facts.
    pub source: AbilitySource,
}
