//! The newest images of a prune rule, which the rule leaves.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::manifest_age::ManifestAge;
use super::manifest_graph::ManifestGraph;
use super::observed_manifest::ObservedManifest;
use super::retention_rules::{PruneRule, PruneSelector, is_described};
use super::version_class::{VersionClass, read_version};
use crate::record::RecordTime;
use crate::tagging::ReleaseVersion;

/// Returns, for each node, whether it is among the newest images that a rule leaves, or below one of them. Images
/// are counted by digest, before their age; one that another image of the rule lists is not counted.
pub(super) fn find_newest(
    rule: &PruneRule,
    graph: &ManifestGraph<'_>,
    ages: &[Option<ManifestAge>],
    now: RecordTime,
) -> Vec<bool> {
    let mut is_newest = vec![false; graph.nodes().len()];
    let Some(keep_last) = rule.keep_last else {
        return is_newest;
    };
    let (classes, described) = match &rule.selector {
        PruneSelector::Versions(_) => {
            let classes = group_by_version(&rule.selector, graph);
            let described = classes.iter().flatten().copied().collect();
            (classes, described)
        }
        selector => {
            let described = find_described(selector, graph);
            let class = order_by_age(&described, graph, ages, now);
            (vec![class], described)
        }
    };
    let listed = find_listed(graph, &described);
    let mut paths = vec![None; graph.nodes().len()];
    for class in classes {
        let counted = class.into_iter().filter(|node| !listed.contains(node));
        graph.spread(counted.take(keep_last), &mut paths);
    }
    for node in described {
        is_newest[node] = paths[node].is_some();
    }
    is_newest
}

fn find_described(selector: &PruneSelector, graph: &ManifestGraph<'_>) -> BTreeSet<usize> {
    let is_described = |node: &usize| match selector {
        PruneSelector::Untagged { .. } => graph.is_bare(*node),
        selector => {
            let mut tags = graph.ordinary_tags(*node).iter();
            tags.any(|tag| is_described(selector, tag))
        }
    };
    graph.nodes().filter(is_described).collect()
}

/// Returns the images of known age, the newest first. The others stay in any case, and take no place.
fn order_by_age(
    described: &BTreeSet<usize>,
    graph: &ManifestGraph<'_>,
    ages: &[Option<ManifestAge>],
    now: RecordTime,
) -> Vec<usize> {
    let known = described.iter().filter_map(|node| {
        let age = ages[*node].filter(|age| !age.is_in_future(now))?;
        Some((Reverse(age.time), graph.digest(*node), *node))
    });
    let mut known: Vec<_> = known.collect();
    known.sort();
    known.into_iter().map(|(_, _, node)| node).collect()
}

/// Returns the images of each class of versions, the highest version first.
fn group_by_version(selector: &PruneSelector, graph: &ManifestGraph<'_>) -> Vec<Vec<usize>> {
    let mut classes: HashMap<VersionClass, HashMap<usize, ReleaseVersion>> = HashMap::new();
    for node in graph.nodes() {
        for tag in graph.ordinary_tags(node) {
            let Some((class, version)) = read_version(tag) else {
                continue;
            };
            if !is_described(selector, tag) {
                continue;
            }
            let highest = classes.entry(class).or_default().entry(node);
            let highest = highest.or_insert_with(|| version.clone());
            if version.is_higher_than(highest) {
                *highest = version;
            }
        }
    }
    let ordered = classes.into_values().map(|class| {
        let mut class: Vec<(usize, ReleaseVersion)> = class.into_iter().collect();
        class.sort_by(|(a, one), (b, other)| {
            let by_version = other.cmp_precedence(one);
            by_version.then_with(|| graph.digest(*a).cmp(&graph.digest(*b)))
        });
        class.into_iter().map(|(node, _)| node).collect()
    });
    ordered.collect()
}

/// Returns the described images that another described image lists, at any depth, or is the subject of.
fn find_listed(graph: &ManifestGraph<'_>, described: &BTreeSet<usize>) -> BTreeSet<usize> {
    let mut below = BTreeSet::new();
    for node in described {
        let children = graph.children(*node).iter().copied();
        let mut pending: Vec<usize> = children.filter(|child| !below.contains(child)).collect();
        while let Some(node) = pending.pop() {
            if below.insert(node) {
                pending.extend(graph.children(node));
            }
        }
        let links = graph.manifest(*node).and_then(ObservedManifest::links);
        let subject = links.and_then(|links| graph.find(links.subject?));
        if subject.is_some_and(|subject| described.contains(&subject)) {
            below.insert(*node);
        }
    }
    below
}
