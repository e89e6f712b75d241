//! Plan for one repository.

use std::collections::BTreeMap;

use super::deletion_order::CondemnedManifests;
use super::deletion_reason::DeletionReason;
use super::find_stops::find_stops;
use super::freed_space::sum_freed_space;
use super::judge_manifest::{TagJudgement, judge_tag};
use super::keep_reason::KeepReason;
use super::reachability::Reachability;
use super::repository_facts::RepositoryFacts;
use super::retention_plan::{DeletionStep, ImageTally, ManifestFate, RepositoryPlan, TagFate};
use super::retention_warning::RetentionWarning;
use crate::image::{Digest, Tag};

/// Plans the deletions of a repository.
pub(super) fn plan_repository(facts: &RepositoryFacts<'_>) -> RepositoryPlan {
    let reachability = Reachability::new(facts);
    let manifests = find_manifest_fates(facts, &reachability);
    let tags = find_tag_fates(facts, &reachability);
    let images = count_images(facts, &reachability);
    let stops = find_stops(facts, &reachability, images);
    let steps = match stops.is_empty() {
        true => plan_steps(facts, &reachability, &tags),
        false => Vec::new(),
    };
    RepositoryPlan {
        name: facts.repository.name.clone(),
        warnings: find_warnings(&manifests),
        freed: sum_freed_space(&facts.graph, |node| !reachability.is_kept(node)),
        stops,
        tags,
        manifests,
        images,
        steps,
    }
}

fn find_manifest_fates(
    facts: &RepositoryFacts<'_>,
    reachability: &Reachability,
) -> BTreeMap<Digest, ManifestFate> {
    let graph = &facts.graph;
    let fates = graph.nodes().map(|node| {
        let fate = ManifestFate {
            keep_reasons: reachability.keep_reasons(graph, node),
            deletion_reason: reachability.deletion_reason(graph, node),
            age: facts.ages[node],
            is_bare: graph.is_bare(node),
        };
        (graph.digest(node), fate)
    });
    fates.collect()
}

fn find_tag_fates(
    facts: &RepositoryFacts<'_>,
    reachability: &Reachability,
) -> BTreeMap<Tag, TagFate> {
    let mut fates = BTreeMap::new();
    for node in facts.graph.nodes() {
        for tag in facts.graph.tags(node) {
            let judgement = judge_tag(facts, node, tag);
            let is_new = matches!(judgement, TagJudgement::Goes(_))
                && reachability.is_kept(node)
                && !facts.is_planned_tag(node, tag);
            let fate = match is_new {
                true => TagFate::Stays(KeepReason::NotInPlan),
                false => find_tag_fate(facts, reachability, node, judgement),
            };
            fates.insert((*tag).clone(), fate);
        }
    }
    fates
}

/// Returns what becomes of a tag. A tag goes without its manifest where that stays for another tag, or because
/// another manifest names it, and where the registry can delete it alone.
fn find_tag_fate(
    facts: &RepositoryFacts<'_>,
    reachability: &Reachability,
    node: usize,
    judgement: TagJudgement,
) -> TagFate {
    match (judgement, reachability.is_kept(node)) {
        (TagJudgement::Goes(reason), false) => TagFate::Goes(reason),
        (_, false) => TagFate::Goes(DeletionReason::ManifestGoes),
        (TagJudgement::Stays(reason), true) => TagFate::Stays(reason),
        (TagJudgement::Follows, true) => TagFate::Stays(KeepReason::ManifestStays),
        (TagJudgement::Goes(_), true) if reachability.keeps_tags(node) => {
            TagFate::Stays(KeepReason::ManifestStays)
        }
        (TagJudgement::Goes(_), true) if facts.repository.registry.deletes_tags_with_manifest => {
            TagFate::Stays(KeepReason::TagWithManifest)
        }
        (TagJudgement::Goes(reason), true) => TagFate::Goes(reason),
    }
}

/// Counts the images: manifests with a tag that is not reserved, and those that nothing names.
fn count_images(facts: &RepositoryFacts<'_>, reachability: &Reachability) -> ImageTally {
    let graph = &facts.graph;
    let is_image = |node: &usize| {
        let is_bare = graph.is_bare(*node) && !facts.is_begun(*node);
        !graph.ordinary_tags(*node).is_empty() || is_bare
    };
    let images = graph.nodes().filter(is_image);
    images.fold(ImageTally::default(), |counts, node| ImageTally {
        total: counts.total + 1,
        condemned: counts.condemned + usize::from(!reachability.is_kept(node)),
    })
}

fn plan_steps(
    facts: &RepositoryFacts<'_>,
    reachability: &Reachability,
    tags: &BTreeMap<Tag, TagFate>,
) -> Vec<DeletionStep> {
    let graph = &facts.graph;
    let is_kept_tag_gone = |tag: &&Tag| matches!(tags.get(*tag), Some(TagFate::Goes(_)));
    let mut untied = Vec::new();
    for node in graph.nodes().filter(|node| reachability.is_kept(*node)) {
        let digest = graph.digest(node);
        let gone = graph.tags(node).iter().copied().filter(is_kept_tag_gone);
        untied.extend(gone.cloned().map(|tag| DeletionStep::Tag { tag, digest }));
    }
    let is_root = |node: &usize| {
        let reason = reachability.deletion_reason(graph, *node);
        reason.is_some_and(|reason| reason.rests_on().is_none())
    };
    let roots = graph.nodes().filter(is_root).collect();
    let condemned = CondemnedManifests::new(facts, roots, |node| !reachability.is_kept(node));
    condemned.plan_steps(facts, untied)
}

fn find_warnings(manifests: &BTreeMap<Digest, ManifestFate>) -> Vec<RetentionWarning> {
    let future = manifests.iter().filter_map(|(digest, fate)| {
        let is_future = |reason: &&KeepReason| matches!(reason, KeepReason::FutureAge(_));
        fate.keep_reasons.iter().find(is_future)?;
        Some(RetentionWarning::FutureAge {
            digest: *digest,
            age: fate.age?,
        })
    });
    future.collect()
}
