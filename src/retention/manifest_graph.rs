//! Manifests of a repository with their children and referrers.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::observed_manifest::{ObservedContent, ObservedManifest};
use super::reserved_tag::ReservedTag;
use super::snapshot::RepositorySnapshot;
use crate::image::{Digest, Tag};

/// Graph of the manifests of a repository. A node is the number of a manifest, in the order of the digests.
pub(super) struct ManifestGraph<'a> {
    digests: Vec<Digest>,
    nodes: HashMap<Digest, usize>,
    manifests: Vec<Option<&'a ObservedManifest>>,
    links: Vec<NodeLinks<'a>>,
}

/// What a node is linked to.
#[derive(Default)]
struct NodeLinks<'a> {
    children: Vec<usize>,
    parents: Vec<usize>,
    referrers: Vec<usize>,
    subjects: Vec<usize>,
    missing_subjects: Vec<Digest>,
    tags: Vec<&'a Tag>,
    ordinary_tags: Vec<&'a Tag>,
}

/// How a node was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NodePath {
    /// It is a start.
    Start,
    /// This index lists it.
    ChildOf(usize),
    /// It is a referrer of this node.
    ReferrerOf(usize),
}

impl<'a> ManifestGraph<'a> {
    /// Returns the graph of a repository.
    pub(super) fn new(repository: &'a RepositorySnapshot) -> Self {
        let digests = find_digests(repository);
        let numbered = digests.iter().enumerate();
        let nodes = numbered.map(|(node, digest)| (*digest, node)).collect();
        let manifests = digests.iter();
        let manifests = manifests.map(|digest| repository.manifests.get(digest));
        let mut graph = Self {
            manifests: manifests.collect(),
            links: digests.iter().map(|_| NodeLinks::default()).collect(),
            nodes,
            digests,
        };
        graph.link_contents();
        for (subject, referrers) in &repository.referrers {
            for referrer in referrers {
                if let Some(node) = graph.find(*referrer) {
                    graph.link_referrer(node, *subject);
                }
            }
        }
        for (tag, target) in &repository.tags {
            let node = graph.nodes[&target.digest];
            graph.links[node].tags.push(tag);
            match ReservedTag::parse(tag) {
                None => graph.links[node].ordinary_tags.push(tag),
                Some(ReservedTag::Evidence(subject)) => graph.link_referrer(node, subject),
                Some(_) => {}
            }
        }
        graph
    }

    fn link_contents(&mut self) {
        for node in 0..self.digests.len() {
            let Some(links) = self.manifests[node].and_then(ObservedManifest::links) else {
                continue;
            };
            let blobs = links.blobs.iter().map(|blob| blob.digest);
            // A manifest can be listed as content of any type.
            let named = links.children.iter().copied().chain(blobs);
            let children: BTreeSet<usize> = named.filter_map(|child| self.find(child)).collect();
            for child in children {
                self.links[node].children.push(child);
                self.links[child].parents.push(node);
            }
            if let Some(subject) = links.subject {
                self.link_referrer(node, subject);
            }
        }
    }

    fn link_referrer(&mut self, node: usize, subject: Digest) {
        let Some(subject) = self.find(subject) else {
            self.links[node].missing_subjects.push(subject);
            return;
        };
        if !self.links[node].subjects.contains(&subject) {
            self.links[node].subjects.push(subject);
            self.links[subject].referrers.push(node);
        }
    }

    /// Returns the node of a manifest.
    pub(super) fn find(&self, digest: Digest) -> Option<usize> {
        self.nodes.get(&digest).copied()
    }

    /// Returns all nodes.
    pub(super) fn nodes(&self) -> std::ops::Range<usize> {
        0..self.digests.len()
    }

    /// Returns the digest of a node.
    pub(super) fn digest(&self, node: usize) -> Digest {
        self.digests[node]
    }

    /// Returns the manifest of a node; `None` of one that is named and was not read.
    pub(super) fn manifest(&self, node: usize) -> Option<&'a ObservedManifest> {
        self.manifests[node]
    }

    /// Returns whether the links of a node are unknown.
    pub(super) fn is_opaque(&self, node: usize) -> bool {
        self.manifests[node].is_none_or(|manifest| manifest.links().is_none())
    }

    /// Returns why a node could not be read.
    pub(super) fn unreadable_reason(&self, node: usize) -> Option<&'a str> {
        match self.manifests[node].map(|manifest| &manifest.content) {
            None => Some("the registry has no such manifest"),
            Some(ObservedContent::Unreadable(reason)) => Some(reason),
            Some(ObservedContent::Read(_) | ObservedContent::UnknownType(_)) => None,
        }
    }

    /// Returns all tags of a node.
    pub(super) fn tags(&self, node: usize) -> &[&'a Tag] {
        &self.links[node].tags
    }

    /// Returns the tags of a node that are not reserved.
    pub(super) fn ordinary_tags(&self, node: usize) -> &[&'a Tag] {
        &self.links[node].ordinary_tags
    }

    /// Returns whether nothing names a node, and it names no subject.
    pub(super) fn is_bare(&self, node: usize) -> bool {
        self.tags(node).is_empty() && self.is_top(node) && self.missing_subjects(node).is_empty()
    }

    /// Returns the manifests that a node lists.
    pub(super) fn children(&self, node: usize) -> &[usize] {
        &self.links[node].children
    }

    /// Returns the indexes that list a node.
    pub(super) fn parents(&self, node: usize) -> &[usize] {
        &self.links[node].parents
    }

    /// Returns the referrers of a node.
    pub(super) fn referrers(&self, node: usize) -> &[usize] {
        &self.links[node].referrers
    }

    /// Returns the manifests of which a node is a referrer.
    pub(super) fn subjects(&self, node: usize) -> &[usize] {
        &self.links[node].subjects
    }

    /// Returns the manifests of which a node is a referrer and which the repository does not have.
    pub(super) fn missing_subjects(&self, node: usize) -> &[Digest] {
        &self.links[node].missing_subjects
    }

    /// Returns whether nothing in the repository names a node but tags.
    pub(super) fn is_top(&self, node: usize) -> bool {
        self.parents(node).is_empty() && self.subjects(node).is_empty()
    }

    /// Marks how all nodes are reached from `start` over children and referrers, at any depth. Nodes that have a
    /// mark keep it, and lead nowhere anew.
    pub(super) fn spread(
        &self,
        start: impl IntoIterator<Item = usize>,
        paths: &mut [Option<NodePath>],
    ) {
        let mut pending = VecDeque::new();
        let mut mark = |node: usize, path, pending: &mut VecDeque<usize>| {
            if paths[node].is_none() {
                paths[node] = Some(path);
                pending.push_back(node);
            }
        };
        for node in start {
            mark(node, NodePath::Start, &mut pending);
        }
        while let Some(node) = pending.pop_front() {
            for child in self.children(node) {
                mark(*child, NodePath::ChildOf(node), &mut pending);
            }
            for referrer in self.referrers(node) {
                mark(*referrer, NodePath::ReferrerOf(node), &mut pending);
            }
        }
    }

    /// Returns a node and all that it lists, at any depth.
    pub(super) fn find_descendants(&self, node: usize) -> Vec<usize> {
        let mut found = vec![node];
        let mut seen = BTreeSet::from([node]);
        let mut at = 0;
        while let Some(node) = found.get(at) {
            let children = self.children(*node).iter().copied();
            let new: Vec<usize> = children.filter(|child| seen.insert(*child)).collect();
            found.extend(new);
            at += 1;
        }
        found
    }
}

/// Returns all manifests of a repository, also those that something names and that were not read.
fn find_digests(repository: &RepositorySnapshot) -> Vec<Digest> {
    let is_present = |digest: &Digest| !repository.absent.contains(digest);
    let links = repository.manifests.values().filter_map(|it| it.links());
    let children = links.flat_map(|links| links.children.iter().copied());
    let referrers = repository.referrers.values().flatten().copied();
    let named = children.chain(referrers).filter(is_present);
    let tagged = repository.tags.values().map(|target| target.digest);
    let read = repository.manifests.keys().copied();
    let all: BTreeSet<Digest> = read.chain(tagged).chain(named).collect();
    all.into_iter().collect()
}
