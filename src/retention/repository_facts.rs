//! What is known of one repository before anything is decided.

use super::lifted_hold::is_lifted_hold;
use super::manifest_age::{ManifestAge, find_age};
use super::manifest_graph::ManifestGraph;
use super::newest_of_rule::find_newest;
use super::observed_manifest::ObservedManifest;
use super::plan_context::PlanContext;
use super::planned_deletions::RepositoryDeletions;
use super::snapshot::RepositorySnapshot;
use crate::image::Tag;

/// Facts about a repository, with the context of the plan.
pub(super) struct RepositoryFacts<'a> {
    /// Context of the plan.
    pub(super) context: &'a PlanContext<'a>,
    /// Content of the repository.
    pub(super) repository: &'a RepositorySnapshot,
    /// Deletions of the plan that is applied.
    pub(super) earlier: Option<&'a RepositoryDeletions>,
    /// Graph of its manifests.
    pub(super) graph: ManifestGraph<'a>,
    /// Age of each node.
    pub(super) ages: Vec<Option<ManifestAge>>,
    /// For each prune rule, whether a node is among the newest that it leaves.
    newest: Vec<Vec<bool>>,
}

impl<'a> RepositoryFacts<'a> {
    /// Returns the facts about a repository.
    pub(super) fn new(
        context: &'a PlanContext<'a>,
        repository: &'a RepositorySnapshot,
        earlier: Option<&'a RepositoryDeletions>,
    ) -> Self {
        let graph = ManifestGraph::new(repository);
        let ages = graph.nodes().map(|node| {
            let recorded = context.recorded.get(&graph.digest(node)).copied();
            find_age(&graph, repository, node, recorded)
        });
        let ages: Vec<_> = ages.collect();
        let rules = context.rules.prune.iter();
        let newest = rules.map(|rule| find_newest(rule, &graph, &ages, context.now));
        Self {
            context,
            repository,
            earlier,
            newest: newest.collect(),
            ages,
            graph,
        }
    }

    /// Returns whether a node is among the newest that a rule leaves.
    pub(super) fn is_newest(&self, rule: usize, node: usize) -> bool {
        self.newest[rule][node]
    }

    /// Returns whether a node marks holds as lifted.
    pub(super) fn is_lifted_hold(&self, node: usize) -> bool {
        let links = self.graph.manifest(node).and_then(ObservedManifest::links);
        links.is_some_and(is_lifted_hold)
    }

    /// Returns whether an earlier run of the plan deleted what named a node: nothing names it now, and the plan has
    /// it as something that a tag or another manifest named.
    pub(super) fn is_begun(&self, node: usize) -> bool {
        let planned = self.earlier.and_then(|earlier| {
            let digest = self.graph.digest(node);
            earlier.manifests.get(&digest)
        });
        let is_pruning = !self.context.rules.prune.is_empty();
        is_pruning && planned.is_some_and(|planned| !planned.was_bare)
    }

    /// Returns whether the plan that is applied, if there is one, has a tag of a node.
    pub(super) fn is_planned_tag(&self, node: usize, tag: &Tag) -> bool {
        self.earlier.is_none_or(|earlier| {
            let planned = earlier.tags.get(tag);
            planned == Some(&self.graph.digest(node))
        })
    }
}
