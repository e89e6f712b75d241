//! Order of the deletions of a repository.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use super::manifest_graph::ManifestGraph;
use super::repository_facts::RepositoryFacts;
use super::reserved_tag::ReservedTag;
use super::retention_plan::DeletionStep;
use super::snapshot::DeletionOrder;
use crate::image::Tag;

/// Manifests that go, before they are ordered. Each image with all that goes with it is a group; what several images
/// share is in the last of their groups.
pub(super) struct CondemnedManifests {
    /// Images, the oldest first.
    roots: Vec<usize>,
    places: Vec<Option<NodePlace>>,
}

/// Place of a node among those that go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct NodePlace {
    group: usize,
    kind: NodeKind,
    /// Links from the image of the group.
    depth: usize,
}

/// What a node is to the image of its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NodeKind {
    Root,
    /// Reached over indexes alone.
    Child,
    /// Reached over a referrer.
    Evidence,
}

/// Rank of a deletion: the group, the kind, the depth, the node.
type DeletionRank = (usize, u8, isize, usize);

impl CondemnedManifests {
    /// Returns the places of the nodes that go, of which `roots` go for a reason of their own.
    pub(super) fn new(
        facts: &RepositoryFacts<'_>,
        mut roots: Vec<usize>,
        goes: impl Fn(usize) -> bool,
    ) -> Self {
        let graph = &facts.graph;
        roots.sort_by_key(|node| (facts.ages[*node].map(|age| age.time), *node));
        let mut places: Vec<Option<NodePlace>> = vec![None; graph.nodes().len()];
        let is_root: HashSet<usize> = roots.iter().copied().collect();
        for (group, root) in roots.iter().enumerate().rev() {
            let mut level = vec![*root];
            let mut depth = 0;
            while !level.is_empty() {
                level.retain(|node| goes(*node) && places[*node].is_none());
                let kind = NodeKind::Evidence;
                let place = NodePlace { group, kind, depth };
                level.iter().for_each(|node| places[*node] = Some(place));
                let next = level.iter().flat_map(|node| {
                    let children = graph.children(*node).iter();
                    children.chain(graph.referrers(*node)).copied()
                });
                level = next.collect();
                level.sort_unstable();
                level.dedup();
                depth += 1;
            }
        }
        let mut pending = roots.clone();
        while let Some(node) = pending.pop() {
            if let Some(place) = &mut places[node]
                && place.kind == NodeKind::Evidence
            {
                place.kind = match is_root.contains(&node) {
                    true => NodeKind::Root,
                    false => NodeKind::Child,
                };
                pending.extend(graph.children(node));
            }
        }
        Self { roots, places }
    }

    /// Returns the deletions in their order. `untied` are tags that go alone, whose manifests stay.
    pub(super) fn plan_steps(
        &self,
        facts: &RepositoryFacts<'_>,
        untied: Vec<DeletionStep>,
    ) -> Vec<DeletionStep> {
        let alone = !facts.repository.registry.deletes_tags_with_manifest;
        let mut steps = Vec::new();
        let mut groups = 0;
        for node in self.order_nodes(facts) {
            let group = self.places[node].map_or(0, |place| place.group);
            let begun = self.roots.iter().take(group + 1).skip(groups);
            for root in begun.filter(|_| alone) {
                steps.extend(delete_tags(&facts.graph, *root, false));
            }
            groups = groups.max(group + 1);
            let tags = match alone {
                true => {
                    steps.extend(delete_tags(&facts.graph, node, true));
                    Vec::new()
                }
                false => facts.graph.tags(node).iter().copied().cloned().collect(),
            };
            let digest = facts.graph.digest(node);
            steps.push(DeletionStep::Manifest { digest, tags });
        }
        steps.extend(untied);
        steps
    }

    /// Returns the nodes, each after those that must go before it, and of these the lowest rank first.
    fn order_nodes(&self, facts: &RepositoryFacts<'_>) -> Vec<usize> {
        let graph = &facts.graph;
        let order = facts.repository.registry.order;
        let mut blockers = vec![0_usize; self.places.len()];
        let mut followers: Vec<Vec<usize>> = vec![Vec::new(); self.places.len()];
        for (first, second) in self.find_constraints(graph, order) {
            blockers[second] += 1;
            followers[first].push(second);
        }
        let ranks = graph.nodes().map(|node| self.rank(node, order));
        let ranks: Vec<Option<DeletionRank>> = ranks.collect();
        let free = graph.nodes().filter(|node| blockers[*node] == 0);
        let mut ready: BinaryHeap<_> = free.filter_map(|node| ranks[node].map(Reverse)).collect();
        let mut is_done = vec![false; self.places.len()];
        let mut ordered = Vec::new();
        let total = ranks.iter().flatten().count();
        while ordered.len() < total {
            let next = ready.pop().map(|Reverse((.., node))| node);
            // Tags can make a circle, which content cannot: then the lowest rank goes first.
            let lowest = || {
                let left = ranks.iter().flatten().filter(|rank| !is_done[rank.3]);
                left.min().map(|rank| rank.3)
            };
            let Some(node) = next.or_else(lowest) else {
                break;
            };
            if std::mem::replace(&mut is_done[node], true) {
                continue;
            }
            ordered.push(node);
            for follower in &followers[node] {
                blockers[*follower] = blockers[*follower].saturating_sub(1);
                if blockers[*follower] == 0 && !is_done[*follower] {
                    ready.extend(ranks[*follower].map(Reverse));
                }
            }
        }
        ordered
    }

    fn rank(&self, node: usize, order: DeletionOrder) -> Option<DeletionRank> {
        let place = self.places[node]?;
        let depth = isize::try_from(place.depth).unwrap_or(isize::MAX);
        let (kind, depth) = match (place.kind, order) {
            (NodeKind::Root, DeletionOrder::RootsFirst) => (0, depth),
            (NodeKind::Evidence, _) => (1, -depth),
            (NodeKind::Root, _) => (2, depth),
            (NodeKind::Child, _) => (3, depth),
        };
        Some((place.group, kind, depth, node))
    }

    /// Returns pairs of nodes of which the first must go before the second.
    fn find_constraints(
        &self,
        graph: &ManifestGraph<'_>,
        order: DeletionOrder,
    ) -> Vec<(usize, usize)> {
        let goes = |node: &&usize| self.places[**node].is_some();
        let is_root = |node: usize| {
            let place = self.places[node];
            place.is_some_and(|place| place.kind == NodeKind::Root)
        };
        let mut constraints = Vec::new();
        for node in graph.nodes().filter(|node| self.places[*node].is_some()) {
            let is_list = order == DeletionOrder::ReferrersFirst && is_referrers_index(graph, node);
            for child in graph.children(node).iter().filter(goes) {
                let is_listed = is_list && !graph.subjects(*child).is_empty();
                constraints.push(if is_listed {
                    (*child, node)
                } else {
                    (node, *child)
                });
            }
            if order == DeletionOrder::RootsFirst && is_root(node) {
                continue;
            }
            let referrers = graph.referrers(node).iter().filter(goes);
            constraints.extend(referrers.map(|referrer| (*referrer, node)));
        }
        constraints
    }
}

/// Returns whether a node is an index of the referrers tag schema.
fn is_referrers_index(graph: &ManifestGraph<'_>, node: usize) -> bool {
    graph.tags(node).iter().any(|tag| is_evidence(tag)) && !graph.children(node).is_empty()
}

fn is_evidence(tag: &Tag) -> bool {
    matches!(ReservedTag::parse(tag), Some(ReservedTag::Evidence(_)))
}

/// Returns the deletions of a node's tags: of those of evidence, or of the others.
fn delete_tags<'a>(
    graph: &'a ManifestGraph<'_>,
    node: usize,
    evidence: bool,
) -> impl Iterator<Item = DeletionStep> + 'a {
    let digest = graph.digest(node);
    let tags = graph.tags(node).iter();
    let wanted = tags.filter(move |tag| is_evidence(tag) == evidence);
    wanted.map(move |tag| DeletionStep::Tag {
        tag: (*tag).clone(),
        digest,
    })
}
