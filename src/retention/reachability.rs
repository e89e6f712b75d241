//! Which manifests stay: to a fixed point over children and referrers.

use super::deletion_reason::DeletionReason;
use super::judge_manifest::{ManifestJudgement, judge_manifest};
use super::keep_reason::KeepReason;
use super::manifest_graph::{ManifestGraph, NodePath};
use super::repository_facts::RepositoryFacts;

/// Which nodes stay, and why.
pub(super) struct Reachability {
    judgements: Vec<ManifestJudgement>,
    reasons: Vec<Vec<KeepReason>>,
    /// Whether a node stays with all of its tags.
    keeps_tags: Vec<bool>,
    kept: Vec<Option<NodePath>>,
    /// How a node that goes was reached from those that rules describe.
    condemned: Vec<Option<NodePath>>,
    unreadable: Vec<usize>,
}

impl Reachability {
    /// Decides which nodes stay.
    pub(super) fn new(facts: &RepositoryFacts<'_>) -> Self {
        let graph = &facts.graph;
        let judgements = graph.nodes().map(|node| judge_manifest(facts, node));
        let count = graph.nodes().len();
        let mut reachability = Self {
            judgements: judgements.collect(),
            reasons: vec![Vec::new(); count],
            keeps_tags: vec![false; count],
            kept: vec![None; count],
            condemned: vec![None; count],
            unreadable: Vec::new(),
        };
        reachability.keep_judged(graph);
        reachability.keep_unreached(graph);
        reachability.keep_listed_by_unreadable(graph);
        if facts.repository.registry.refuses_last_tagged {
            reachability.keep_last_tagged(facts);
        }
        if facts.repository.registry.deletes_children_with_index {
            reachability.keep_indexes_of_kept(graph);
        }
        reachability.keep_unplanned(facts);
        reachability
    }

    /// Keeps what the rules keep. What could not be read is noted if it stays for another reason too.
    fn keep_judged(&mut self, graph: &ManifestGraph<'_>) {
        let is_unreadable = |reason: &KeepReason| matches!(reason, KeepReason::Unreadable(_));
        let mut only_unreadable = Vec::new();
        for node in graph.nodes() {
            let judgement = &mut self.judgements[node];
            let tag_reasons = std::mem::take(&mut judgement.tag_reasons);
            let own_reasons = std::mem::take(&mut judgement.own_reasons);
            if tag_reasons.is_empty()
                && !own_reasons.is_empty()
                && own_reasons.iter().all(is_unreadable)
            {
                only_unreadable.push((node, own_reasons));
                continue;
            }
            self.keep(graph, node, own_reasons, true);
            self.keep(graph, node, tag_reasons, false);
        }
        let unreadable = graph
            .nodes()
            .filter(|node| graph.unreadable_reason(*node).is_some() && self.kept[*node].is_some());
        self.unreadable = unreadable.collect();
        for (node, reasons) in only_unreadable {
            self.keep(graph, node, reasons, true);
        }
    }

    /// Keeps what no rule describes and nothing leads to, such as manifests that only name each other.
    fn keep_unreached(&mut self, graph: &ManifestGraph<'_>) {
        let candidates = graph.nodes().filter(|node| {
            self.kept[*node].is_none() && self.judgements[*node].candidate.is_some()
        });
        let candidates: Vec<usize> = candidates.collect();
        graph.spread(candidates, &mut self.condemned);
        for node in graph.nodes() {
            if self.kept[node].is_none() && self.condemned[node].is_none() {
                self.keep(graph, node, vec![KeepReason::UnnamedUntagged], true);
            }
        }
    }

    /// Keeps what the plan that is applied does not have, or not with all of its tags.
    fn keep_unplanned(&mut self, facts: &RepositoryFacts<'_>) {
        let Some(earlier) = facts.earlier else {
            return;
        };
        let graph = &facts.graph;
        let unplanned = graph.nodes().filter(|node| {
            let mut tags = graph.tags(*node).iter();
            let is_planned = earlier.manifests.contains_key(&graph.digest(*node))
                && tags.all(|tag| facts.is_planned_tag(*node, tag));
            self.kept[*node].is_none() && !is_planned
        });
        for node in unplanned.collect::<Vec<usize>>() {
            self.keep(graph, node, vec![KeepReason::NotInPlan], true);
        }
    }

    /// Keeps what a manifest that stays may list, where nobody knows what it lists.
    fn keep_listed_by_unreadable(&mut self, graph: &ManifestGraph<'_>) {
        let mut nodes = graph.nodes();
        let opaque = nodes.find(|node| self.kept[*node].is_some() && graph.is_opaque(*node));
        let Some(opaque) = opaque.map(|node| graph.digest(node)) else {
            return;
        };
        for node in graph.nodes() {
            let is_evidence =
                !graph.subjects(node).is_empty() || !graph.missing_subjects(node).is_empty();
            if self.kept[node].is_none() && graph.tags(node).is_empty() && !is_evidence {
                self.keep(graph, node, vec![KeepReason::MayBeListed(opaque)], true);
            }
        }
    }

    /// Keeps the newest tagged manifest where all would go.
    fn keep_last_tagged(&mut self, facts: &RepositoryFacts<'_>) {
        let graph = &facts.graph;
        let is_tagged = |node: &usize| !graph.tags(*node).is_empty();
        let mut tagged = graph.nodes().filter(is_tagged);
        if tagged.any(|node| self.kept[node].is_some()) {
            return;
        }
        let tagged = graph.nodes().filter(is_tagged);
        let newest = tagged.max_by_key(|node| (facts.ages[*node].map(|age| age.time), *node));
        if let Some(node) = newest {
            let reason = "it is the last one that has a tag".to_owned();
            self.keep(graph, node, vec![KeepReason::RegistryRefuses(reason)], true);
        }
    }

    /// Keeps the indexes of a child that stays and that would go with them: one without a tag that no kept index lists.
    fn keep_indexes_of_kept(&mut self, graph: &ManifestGraph<'_>) {
        loop {
            let would_go = |child: &usize| {
                let mut parents = graph.parents(*child).iter();
                self.kept[*child].is_some()
                    && graph.tags(*child).is_empty()
                    && parents.all(|parent| self.kept[*parent].is_none())
            };
            let mut nodes = graph.nodes().filter(|node| self.kept[*node].is_none());
            let found = nodes.find_map(|node| {
                let child = graph.children(node).iter().copied().find(would_go)?;
                Some((node, child))
            });
            let Some((node, child)) = found else {
                return;
            };
            let reason = format!("it deletes {} with it, which stays", graph.digest(child));
            self.keep(graph, node, vec![KeepReason::RegistryRefuses(reason)], true);
        }
    }

    /// Keeps a node for reasons of its own, with all that it leads to and with its subjects.
    fn keep(
        &mut self,
        graph: &ManifestGraph<'_>,
        node: usize,
        reasons: Vec<KeepReason>,
        keeps_tags: bool,
    ) {
        if reasons.is_empty() {
            return;
        }
        let mut pending = vec![(node, reasons, keeps_tags)];
        while let Some((node, reasons, keeps_tags)) = pending.pop() {
            let is_new = self.reasons[node].is_empty();
            self.reasons[node].extend(reasons);
            self.keeps_tags[node] |= keeps_tags;
            if !is_new {
                continue;
            }
            graph.spread([node], &mut self.kept);
            let digest = graph.digest(node);
            let subjects = graph.subjects(node).iter();
            pending.extend(subjects.map(|it| (*it, vec![KeepReason::SubjectOf(digest)], true)));
        }
    }

    /// Returns whether a node stays.
    pub(super) fn is_kept(&self, node: usize) -> bool {
        self.kept[node].is_some()
    }

    /// Returns whether a node stays with all of its tags.
    pub(super) fn keeps_tags(&self, node: usize) -> bool {
        self.keeps_tags[node]
    }

    /// Returns the nodes that could not be read and stay for another reason.
    pub(super) fn unreadable(&self) -> &[usize] {
        &self.unreadable
    }

    /// Returns why a node stays; nothing if it goes.
    pub(super) fn keep_reasons(&self, graph: &ManifestGraph<'_>, node: usize) -> Vec<KeepReason> {
        let own = self.reasons[node].iter().cloned();
        let path = match self.kept[node] {
            Some(NodePath::ChildOf(parent)) => Some(KeepReason::ChildOf(graph.digest(parent))),
            Some(NodePath::ReferrerOf(subject)) => {
                Some(KeepReason::ReferrerOf(graph.digest(subject)))
            }
            Some(NodePath::Start) | None => None,
        };
        own.chain(path).collect()
    }

    /// Returns why a node goes; `None` if it stays.
    pub(super) fn deletion_reason(
        &self,
        graph: &ManifestGraph<'_>,
        node: usize,
    ) -> Option<DeletionReason> {
        if self.is_kept(node) {
            return None;
        }
        Some(match self.condemned[node]? {
            NodePath::Start => self.judgements[node].candidate.clone()?,
            NodePath::ChildOf(parent) => DeletionReason::ChildOf(graph.digest(parent)),
            NodePath::ReferrerOf(subject) => DeletionReason::ReferrerOf(graph.digest(subject)),
        })
    }
}
