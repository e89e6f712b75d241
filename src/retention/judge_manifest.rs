//! What the rules say of one manifest and its tags, without regard to the manifests that name it.

use super::deletion_reason::DeletionReason;
use super::keep_reason::KeepReason;
use super::repository_facts::RepositoryFacts;
use super::reserved_tag::ReservedTag;
use super::retention_rules::{PruneSelector, is_described};
use crate::image::Tag;
use crate::record::RecordTime;

/// Judgement of a manifest.
#[derive(Debug, Default)]
pub(super) struct ManifestJudgement {
    /// Why it stays by its tags.
    pub(super) tag_reasons: Vec<KeepReason>,
    /// Why it stays for other reasons, which its tags share.
    pub(super) own_reasons: Vec<KeepReason>,
    /// Why it goes if nothing keeps it; `None` if that depends on other manifests alone.
    pub(super) candidate: Option<DeletionReason>,
}

/// Judgement of a tag.
#[derive(Debug, Clone)]
pub(super) enum TagJudgement {
    /// It stays.
    Stays(KeepReason),
    /// It goes if its manifest allows it.
    Goes(DeletionReason),
    /// It goes with its manifest: a tag of evidence.
    Follows,
}

/// Judges a tag of a node.
pub(super) fn judge_tag(facts: &RepositoryFacts<'_>, node: usize, tag: &Tag) -> TagJudgement {
    match ReservedTag::parse(tag) {
        Some(ReservedTag::Record) => TagJudgement::Stays(KeepReason::RecordEntry),
        Some(ReservedTag::Evidence(_)) => TagJudgement::Follows,
        Some(ReservedTag::OtherEvidence) => {
            TagJudgement::Stays(KeepReason::OtherEvidence(tag.clone()))
        }
        Some(ReservedTag::Hold(name)) => {
            let is_lifted = facts.is_lifted_hold(node) && !facts.context.rules.prune.is_empty();
            match is_lifted {
                true => TagJudgement::Goes(DeletionReason::LiftedHold),
                false => TagJudgement::Stays(KeepReason::Hold(name)),
            }
        }
        None => judge_ordinary_tag(facts, node, tag),
    }
}

fn judge_ordinary_tag(facts: &RepositoryFacts<'_>, node: usize, tag: &Tag) -> TagJudgement {
    let rules = facts.context.rules;
    let mut keep = rules.keep.tags.iter();
    if let Some(pattern) = keep.find(|pattern| pattern.matches(tag)) {
        return TagJudgement::Stays(KeepReason::KeepTag {
            tag: tag.clone(),
            pattern: pattern.as_str().to_owned(),
        });
    }
    let is_about = |selector: &PruneSelector| is_described(selector, tag);
    judge_by_rules(facts, node, is_about)
        .unwrap_or_else(|| TagJudgement::Stays(KeepReason::UnnamedTag(tag.clone())))
}

/// Returns what the prune rules say of a node that are about it; `None` if none is. An unknown age is that of no
/// rule: it keeps the node later.
fn judge_by_rules(
    facts: &RepositoryFacts<'_>,
    node: usize,
    is_about: impl Fn(&PruneSelector) -> bool,
) -> Option<TagJudgement> {
    let context = facts.context;
    let rules = context.rules.prune.iter().enumerate();
    let rules: Vec<_> = rules.filter(|(_, rule)| is_about(&rule.selector)).collect();
    let newest = rules.iter().find(|(at, _)| facts.is_newest(*at, node));
    if let Some((at, rule)) = newest {
        return Some(TagJudgement::Stays(KeepReason::AmongNewest {
            rule: context.rule_texts[*at].clone(),
            keep_last: rule.keep_last.unwrap_or_default(),
        }));
    }
    let age = facts.ages[node].filter(|age| !age.is_in_future(context.now));
    let mut young = None;
    for (at, rule) in rules {
        let text = context.rule_texts[at].clone();
        match (&rule.older_than, age) {
            (Some(limit), Some(age)) if context.now.since(age.time) <= limit.to_duration() => {
                young.get_or_insert(KeepReason::TooYoung { rule: text, age });
            }
            _ => return Some(TagJudgement::Goes(DeletionReason::Rule(text))),
        }
    }
    young.map(TagJudgement::Stays)
}

/// Judges a node by its own tags and age, and by what keeps its digest everywhere.
pub(super) fn judge_manifest(facts: &RepositoryFacts<'_>, node: usize) -> ManifestJudgement {
    let mut judgement = ManifestJudgement::default();
    for tag in facts.graph.tags(node) {
        match judge_tag(facts, node, tag) {
            TagJudgement::Stays(reason) => match &reason {
                KeepReason::Hold(_) | KeepReason::RecordEntry | KeepReason::OtherEvidence(_) => {
                    judgement.own_reasons.push(reason);
                }
                _ => judgement.tag_reasons.push(reason),
            },
            // An age counts where a rule describes one of the tags.
            TagJudgement::Goes(DeletionReason::LiftedHold) => {
                let candidate = &mut judgement.candidate;
                candidate.get_or_insert(DeletionReason::LiftedHold);
            }
            TagJudgement::Goes(reason) => judgement.candidate = Some(reason),
            TagJudgement::Follows => {}
        }
    }
    let stays = !judgement.tag_reasons.is_empty() || !judgement.own_reasons.is_empty();
    if !stays && judgement.candidate.is_none() && facts.graph.is_top(node) {
        match judge_unnamed(facts, node) {
            TagJudgement::Stays(reason) => judgement.own_reasons.push(reason),
            TagJudgement::Goes(reason) => judgement.candidate = Some(reason),
            TagJudgement::Follows => {}
        }
    }
    let digest = facts.graph.digest(node);
    let everywhere = facts.context.protected.reasons(digest);
    judgement.own_reasons.extend_from_slice(everywhere);
    let known = judgement.own_reasons.len();
    judgement.own_reasons.extend(find_obstacles(facts, node));
    if let Some(reason) = &judgement.candidate
        && known == judgement.own_reasons.len()
    {
        let age_reason = check_age(facts, node, reason);
        judgement.own_reasons.extend(age_reason);
    }
    judgement
}

/// Judges a node that no other manifest names, and that has no tag but those of evidence.
fn judge_unnamed(facts: &RepositoryFacts<'_>, node: usize) -> TagJudgement {
    if facts.is_begun(node) {
        return TagJudgement::Goes(DeletionReason::Begun);
    }
    let subjects = facts.graph.missing_subjects(node);
    let Some(subject) = subjects.first() else {
        let is_about =
            |selector: &PruneSelector| matches!(selector, PruneSelector::Untagged { .. });
        return judge_by_rules(facts, node, is_about)
            .unwrap_or(TagJudgement::Stays(KeepReason::UnnamedUntagged));
    };
    let is_gone =
        |subject| facts.repository.absent.contains(subject) && !facts.context.is_known(*subject);
    let is_about = |selector: &PruneSelector| {
        *selector == PruneSelector::Untagged { orphans: true } && subjects.iter().all(is_gone)
    };
    judge_by_rules(facts, node, is_about)
        .unwrap_or(TagJudgement::Stays(KeepReason::EvidenceOf(*subject)))
}

/// Returns why a node cannot be deleted, whatever rules say: it is unreadable, refused, or changed just now. A new
/// signature of an old image counts too.
fn find_obstacles(facts: &RepositoryFacts<'_>, node: usize) -> Vec<KeepReason> {
    use super::observed_manifest::ObservedContent::UnknownType;
    let mut reasons = Vec::new();
    if let Some(reason) = facts.graph.unreadable_reason(node) {
        reasons.push(KeepReason::Unreadable(reason.to_owned()));
    }
    let Some(manifest) = facts.graph.manifest(node) else {
        return reasons;
    };
    if let UnknownType(media_type) = &manifest.content {
        reasons.push(KeepReason::UnknownType(media_type.clone()));
    }
    let refusal = manifest.refusal.clone();
    reasons.extend(refusal.map(KeepReason::RegistryRefuses));
    let change = manifest.times.latest_change();
    reasons.extend(
        change.and_then(|age| match age.is_in_future(facts.context.now) {
            true => Some(KeepReason::FutureAge(age)),
            false => check_grace(facts, age.time),
        }),
    );
    reasons
}

fn check_grace(facts: &RepositoryFacts<'_>, time: RecordTime) -> Option<KeepReason> {
    let grace = &facts.context.rules.grace;
    let is_young = facts.context.now.since(time) < grace.to_duration();
    is_young.then(|| KeepReason::Grace {
        time,
        grace: grace.clone(),
    })
}

/// Returns why a node stays by its age: it is unknown, in the future, or within the grace.
fn check_age(
    facts: &RepositoryFacts<'_>,
    node: usize,
    reason: &DeletionReason,
) -> Option<KeepReason> {
    if !matches!(reason, DeletionReason::Rule(_)) {
        return None;
    }
    let Some(age) = facts.ages[node] else {
        return Some(KeepReason::UnknownAge);
    };
    if age.is_in_future(facts.context.now) {
        return Some(KeepReason::FutureAge(age));
    }
    check_grace(facts, age.time)
}
