//! What releases and `keep-last` leave, said once more.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::restatement::Restatement;
use crate::image::{Digest, Tag};
use crate::record::RecordTime;
use crate::retention::tests::support::days_ago;
use crate::retention::*;

/// Version or time, and the digest.
type Rank = (Option<semver::Version>, Option<RecordTime>, Reverse<Digest>);

impl Restatement<'_> {
    pub fn is_released(&self, digest: Digest) -> bool {
        let now = days_ago(0);
        self.snapshot.environments.iter().any(|releases| {
            let entries = releases.timeline.entries();
            let sets = |at: usize| entries[at].root_it_sets();
            let next_after = |at: usize| (at + 1..entries.len()).find(|it| sets(*it).is_some());
            let uses = (0..entries.len()).flat_map(|at| {
                let named = entries[at].root == digest || entries[at].restores == Some(digest);
                let ran_until = (sets(at) == Some(digest))
                    .then(|| next_after(at).map_or(now, |next| entries[next].planned_at));
                [named.then_some(entries[at].planned_at), ran_until]
            });
            let last_use = uses.flatten().max();
            let floor = self.rules.keep.released.as_ref();
            let current = releases.timeline.current().map(|(_, root)| root);
            let target = current.and_then(|it| releases.timeline.rollback_target(it));
            let mut newest: Vec<Digest> = Vec::new();
            let mut counted = BTreeSet::new();
            for at in (0..entries.len()).rev() {
                if let Some(root) = sets(at)
                    && counted.len() < self.rules.keep.rollback.unwrap_or(0)
                {
                    newest.push(root);
                    if !releases.timeline.is_withdrawn(root) {
                        counted.insert(root);
                    }
                }
            }
            let is_target = target.is_some_and(|it| it.root == digest);
            current == Some(digest)
                || floor.is_some_and(|it| {
                    last_use.is_some_and(|time| now.since(time) <= it.to_duration())
                })
                || newest.contains(&digest)
                || is_target && self.rules.keep.rollback.is_some()
        })
    }

    pub fn is_among_newest(&self, digest: Digest, rule: &PruneRule) -> bool {
        let Some(number) = rule.keep_last else {
            return false;
        };
        let is_of_rule = |it: &Digest| match &rule.selector {
            PruneSelector::Untagged { .. } => {
                let is_listed = self.all.iter().any(|parent| self.lists(*parent, *it));
                self.tags(*it).next().is_none() && !is_listed && self.subjects(*it).is_empty()
            }
            selector => self.tags(*it).any(|tag| describes(selector, tag)),
        };
        let class: BTreeSet<Digest> = self.all.iter().copied().filter(is_of_rule).collect();
        let is_counted = |it: &Digest| {
            let below = class
                .iter()
                .any(|top| top != it && self.is_below(*top, *it));
            let links = self.repository.manifests.get(it).and_then(|it| it.links());
            let subject = links.and_then(|links| links.subject);
            !below && !subject.is_some_and(|subject| class.contains(&subject))
        };
        let counted: Vec<Digest> = class.iter().copied().filter(is_counted).collect();
        let mut newest = BTreeSet::new();
        for ranks in self.ranks(rule, &counted) {
            for (it, rank) in &ranks {
                let before = ranks.values().filter(|other| *other > rank).count();
                if before < number {
                    newest.insert(*it);
                }
            }
        }
        class.contains(&digest) && self.all_led_from(newest).contains(&digest)
    }

    /// Returns the rank of each counted manifest: the newest has the highest, and of equal ones the first digest.
    fn ranks(&self, rule: &PruneRule, counted: &[Digest]) -> Vec<BTreeMap<Digest, Rank>> {
        if !matches!(rule.selector, PruneSelector::Versions(_)) {
            let known = counted.iter().filter_map(|it| {
                let time = self.age(*it).filter(|time| *time <= days_ago(0))?;
                Some((*it, (None, Some(time), Reverse(*it))))
            });
            return vec![known.collect::<BTreeMap<Digest, Rank>>()];
        }
        [true, false]
            .map(|is_release| {
                let highest = counted.iter().filter_map(|it| {
                    let tags = self.tags(*it).filter(|tag| describes(&rule.selector, tag));
                    let versions = tags.filter_map(|tag| semver::Version::parse(tag.as_str()).ok());
                    let highest = versions
                        .filter(|it| it.pre.is_empty() == is_release)
                        .max()?;
                    Some((*it, (Some(highest), None, Reverse(*it))))
                });
                highest.collect::<BTreeMap<Digest, Rank>>()
            })
            .into()
    }
}

pub fn is_reserved(tag: &Tag) -> bool {
    ["sha256-", "hold.", "shipmark."]
        .iter()
        .any(|it| tag.as_str().starts_with(it))
}

pub fn describes(selector: &PruneSelector, it: &Tag) -> bool {
    let is_version = semver::Version::parse(it.as_str()).is_ok();
    let patterns = match selector {
        PruneSelector::Tags(patterns) => patterns,
        PruneSelector::Versions(patterns) if is_version => patterns,
        _ => return false,
    };
    !is_reserved(it) && patterns.iter().any(|pattern| pattern.matches(it))
}
