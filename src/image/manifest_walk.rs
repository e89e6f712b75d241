//! Walk over the manifests below one or several roots: which are next, each once, within a limit.
//!
//! It reads nothing, so that files, registries and tests share it. The caller reads what is pending,
//! adds the links of each index, and treats a manifest that is missing as an error.

use std::collections::HashSet;

use super::{Digest, Manifest};

/// Maximum number of manifests in an image. A real image has a few dozen; an index made to exhaust a
/// reader has millions.
pub const MANIFESTS_LIMIT: usize = 10_000;

/// Link from an index to a manifest that it lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ManifestLink {
    /// Digest of the index.
    pub parent: Digest,
    /// Digest of the manifest that the index lists.
    pub child: Digest,
    /// Size of the manifest in bytes, as the index says.
    pub size: u64,
    /// Whether the child is an index by its descriptor, or has no media type there.
    pub may_be_index: bool,
}

/// Rules of a walk.
#[derive(Debug, Clone, Copy)]
pub struct WalkPolicy {
    /// Maximum number of manifests, with the root if the walk starts from one.
    pub limit: usize,
    /// Manifests that the caller reads.
    pub depth: WalkDepth,
}

/// Manifests that the caller of a walk reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WalkDepth {
    /// All of them.
    AllManifests,
    /// Only those that may be an index: enough to find the digests of all.
    IndexesOnly,
}

/// Walk over the manifests below some roots.
#[derive(Debug)]
pub struct ManifestWalk {
    policy: WalkPolicy,
    seen: HashSet<Digest>,
    found: Vec<Digest>,
    pending: Vec<ManifestLink>,
}

/// More manifests than the limit of the walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WalkLimitExceeded {
    /// Digest of the index that exceeds the limit.
    pub parent: Digest,
}

impl ManifestLink {
    /// Returns the links of a manifest in its order; none if it is not an index.
    pub fn from_manifest(manifest: &Manifest) -> Vec<Self> {
        let links = manifest.children().map(|child| Self {
            parent: manifest.digest,
            child: child.digest,
            size: child.size,
            may_be_index: child.may_be_index(),
        });
        links.collect()
    }
}

impl ManifestWalk {
    /// Returns a walk below roots that do not count themselves: one that another root lists is found.
    pub fn new(policy: WalkPolicy) -> Self {
        Self {
            policy,
            seen: HashSet::new(),
            found: Vec::new(),
            pending: Vec::new(),
        }
    }

    /// Returns a walk below `root`, which is the first manifest found.
    pub fn from_root(root: Digest, policy: WalkPolicy) -> Self {
        Self {
            seen: HashSet::from([root]),
            found: vec![root],
            ..Self::new(policy)
        }
    }

    /// Adds links. A manifest that was found before is not found again.
    ///
    /// # Errors
    /// More manifests than the limit.
    pub fn add_links(
        &mut self,
        links: impl IntoIterator<Item = ManifestLink>,
    ) -> Result<(), WalkLimitExceeded> {
        for link in links {
            if !self.seen.insert(link.child) {
                continue;
            }
            if self.seen.len() > self.policy.limit {
                let parent = link.parent;
                return Err(WalkLimitExceeded { parent });
            }
            self.found.push(link.child);
            if link.may_be_index || self.policy.depth == WalkDepth::AllManifests {
                self.pending.push(link);
            }
        }
        Ok(())
    }

    /// Returns the manifests to read next, in the order of their links.
    pub fn take_pending(&mut self) -> Vec<ManifestLink> {
        std::mem::take(&mut self.pending)
    }

    /// Whether the walk has found this manifest.
    pub fn contains(&self, digest: Digest) -> bool {
        self.seen.contains(&digest)
    }

    /// Returns all manifests in the order in which they were found.
    pub fn into_found(self) -> Vec<Digest> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: usize) -> Digest {
        Digest::from_bytes(&number.to_le_bytes())
    }

    fn link(parent: usize, child: usize, may_be_index: bool) -> ManifestLink {
        ManifestLink {
            parent: digest(parent),
            child: digest(child),
            size: 1,
            may_be_index,
        }
    }

    fn policy(limit: usize, depth: WalkDepth) -> WalkPolicy {
        WalkPolicy { limit, depth }
    }

    #[test]
    fn a_manifest_that_is_listed_twice_is_found_once() {
        let mut walk = ManifestWalk::from_root(digest(0), policy(9, WalkDepth::AllManifests));
        let links = [link(0, 1, true), link(0, 2, false), link(0, 1, true)];
        walk.add_links(links).unwrap();
        assert_eq!(walk.take_pending(), links[..2]);
        walk.add_links([link(1, 2, false), link(1, 0, true)])
            .unwrap();
        assert!(walk.take_pending().is_empty());
        assert_eq!(walk.into_found(), [0, 1, 2].map(digest));
    }

    #[test]
    fn a_walk_of_indexes_finds_all_and_hands_out_indexes() {
        let mut walk = ManifestWalk::from_root(digest(0), policy(9, WalkDepth::IndexesOnly));
        walk.add_links([link(0, 1, false), link(0, 2, true)])
            .unwrap();
        assert_eq!(walk.take_pending(), [link(0, 2, true)]);
        assert_eq!(walk.into_found().len(), 3);
    }

    #[test]
    fn a_root_that_another_root_lists_is_found() {
        let mut walk = ManifestWalk::new(policy(9, WalkDepth::AllManifests));
        walk.add_links([link(0, 1, true)]).unwrap();
        assert!(walk.contains(digest(1)) && !walk.contains(digest(0)));
    }

    #[test]
    fn the_limit_counts_each_manifest_once_and_names_the_index() {
        let mut walk = ManifestWalk::from_root(digest(0), policy(3, WalkDepth::AllManifests));
        walk.add_links([link(0, 1, true), link(0, 1, true), link(0, 2, true)])
            .unwrap();
        let error = walk.add_links([link(2, 3, true)]).unwrap_err();
        assert_eq!(error.parent, digest(2));
    }
}
