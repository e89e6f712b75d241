//! What goes, said once more: slowly, from the definitions, over all pairs of manifests.

use std::collections::BTreeSet;

use super::restated_order::{describes, is_reserved};
use crate::image::{Digest, Tag};
use crate::record::RecordTime;
use crate::retention::tests::support::days_ago;
use crate::retention::*;

/// A repository with the manifests that stay.
pub struct Restatement<'a> {
    pub(super) snapshot: &'a RetentionSnapshot,
    pub(super) repository: &'a RepositorySnapshot,
    pub(super) rules: &'a RetentionRules,
    pub(super) all: BTreeSet<Digest>,
    kept: BTreeSet<Digest>,
    /// Those that stay for a reason of their own.
    seeds: BTreeSet<Digest>,
    /// Those of them that stay with all of their tags.
    whole: BTreeSet<Digest>,
}

#[derive(PartialEq)]
enum Word {
    Stays,
    StaysWhole,
    Goes,
    Nothing,
}

impl<'a> Restatement<'a> {
    pub fn new(
        snapshot: &'a RetentionSnapshot,
        repository: &'a RepositorySnapshot,
        rules: &'a RetentionRules,
    ) -> Self {
        let mut all: BTreeSet<Digest> = repository.manifests.keys().copied().collect();
        let empty = BTreeSet::new();
        let mut it = Self {
            snapshot,
            repository,
            rules,
            all: empty.clone(),
            kept: empty.clone(),
            seeds: empty.clone(),
            whole: empty,
        };
        for manifest in repository.manifests.values() {
            let listed = manifest.links().into_iter().flat_map(|it| &it.children);
            all.extend(listed.filter(|child| !repository.absent.contains(child)));
        }
        all.extend(repository.tags.values().map(|target| target.digest));
        it.all = all;
        it.decide();
        it
    }

    pub fn gone(&self) -> BTreeSet<Digest> {
        self.all.difference(&self.kept).copied().collect()
    }

    pub fn gone_tags(&self) -> BTreeSet<String> {
        let tags = self.repository.tags.iter();
        let gone = tags.filter(|(tag, target)| match self.kept.contains(&target.digest) {
            false => true,
            true => {
                self.word(tag, target.digest) == Word::Goes
                    && !self.whole.contains(&target.digest)
                    && !self.repository.registry.deletes_tags_with_manifest
            }
        });
        gone.map(|(tag, _)| tag.to_string()).collect()
    }

    fn decide(&mut self) {
        for digest in self.all.clone() {
            let words = self.words(digest);
            let stays_whole = words.contains(&Word::StaysWhole) || self.has_own_reason(digest);
            if stays_whole || words.contains(&Word::Stays) {
                self.seeds.insert(digest);
            }
            if stays_whole {
                self.whole.insert(digest);
            }
        }
        self.grow();
        let candidates = self
            .all
            .iter()
            .filter(|it| !self.kept.contains(it) && self.words(**it).contains(&Word::Goes));
        let led = self.all_led_from(candidates.copied().collect());
        let rest = |it: &Restatement<'_>| it.all.difference(&it.kept).copied().collect::<Vec<_>>();
        for digest in rest(self) {
            if !led.contains(&digest) {
                self.seeds.insert(digest);
                self.whole.insert(digest);
            }
        }
        self.grow();
        let is_opaque = |digest| {
            self.repository
                .manifests
                .get(digest)
                .is_none_or(|it| it.links().is_none())
        };
        if self.all.iter().any(is_opaque) {
            for digest in rest(self) {
                let has_tags = self.tags(digest).next().is_some();
                if !has_tags && self.subjects(digest).is_empty() {
                    self.seeds.insert(digest);
                }
            }
            self.grow();
        }
    }

    /// Keeps the subjects of what stays for itself, and all that is led to from what stays.
    fn grow(&mut self) {
        loop {
            let before = self.seeds.len();
            for digest in self.seeds.clone() {
                for subject in self.subjects(digest) {
                    if self.all.contains(&subject) {
                        self.seeds.insert(subject);
                        self.whole.insert(subject);
                    }
                }
            }
            if self.seeds.len() == before {
                break;
            }
        }
        self.kept = self.all_led_from(self.seeds.clone());
    }

    pub(super) fn all_led_from(&self, mut found: BTreeSet<Digest>) -> BTreeSet<Digest> {
        loop {
            let new = self.all.iter().filter(|it| {
                let lists = found.iter().any(|parent| self.lists(*parent, **it));
                !found.contains(it)
                    && (lists || self.subjects(**it).iter().any(|s| found.contains(s)))
            });
            let new: Vec<Digest> = new.copied().collect();
            if new.is_empty() {
                return found;
            }
            found.extend(new);
        }
    }

    pub(super) fn lists(&self, parent: Digest, child: Digest) -> bool {
        let links = self
            .repository
            .manifests
            .get(&parent)
            .and_then(|it| it.links());
        links.is_some_and(|links| links.children.contains(&child))
    }

    pub(super) fn tags(&self, digest: Digest) -> impl Iterator<Item = &Tag> {
        let tags = self.repository.tags.iter();
        tags.filter(move |(_, target)| target.digest == digest)
            .map(|(tag, _)| tag)
    }

    /// Returns the subjects of a manifest, also those that are gone.
    pub(super) fn subjects(&self, digest: Digest) -> Vec<Digest> {
        let links = self
            .repository
            .manifests
            .get(&digest)
            .and_then(|it| it.links());
        let mut subjects: Vec<Digest> = links.and_then(|it| it.subject).into_iter().collect();
        for (subject, referrers) in &self.repository.referrers {
            subjects.extend(referrers.contains(&digest).then_some(*subject));
        }
        for tag in self.tags(digest) {
            if let Some(text) = tag.as_str().strip_prefix("sha256-") {
                subjects.push(format!("sha256:{}", &text[..64]).parse().unwrap());
            }
        }
        subjects
    }

    pub(super) fn age(&self, digest: Digest) -> Option<RecordTime> {
        let times = |digest: Digest| self.repository.manifests.get(&digest).map(|it| &it.times);
        let own = times(digest);
        let registry = own.and_then(|it| it.pushed.max(it.updated).max(it.first_seen_untagged));
        let below = self.all.iter().filter(|it| self.is_below(digest, **it));
        let created = below
            .filter_map(|it| times(*it))
            .flat_map(|it| [it.config_created, it.annotation_created]);
        let created = created
            .flatten()
            .filter(|time| *time > days_ago(5_000))
            .max();
        let entries = self
            .snapshot
            .environments
            .iter()
            .flat_map(|it| it.timeline.entries());
        let named = entries.filter(|it| it.root == digest || it.restores == Some(digest));
        let recorded = named.map(|it| it.planned_at).max();
        registry.or(created).max(recorded)
    }

    /// Whether indexes lead from one manifest to the other, or they are the same.
    pub(super) fn is_below(&self, top: Digest, digest: Digest) -> bool {
        let mut parents = self.all.iter();
        top == digest || parents.any(|it| self.lists(*it, digest) && self.is_below(top, *it))
    }

    /// What holds a manifest whatever its tags are.
    fn has_own_reason(&self, digest: Digest) -> bool {
        let Some(manifest) = self.repository.manifests.get(&digest) else {
            return true;
        };
        let grace = self.rules.grace.to_duration();
        let now = days_ago(0);
        let change = manifest.times.pushed.max(manifest.times.updated);
        let is_new = change.is_some_and(|time| now.since(time) < grace);
        let goes = self.words(digest).contains(&Word::Goes);
        let by_rule = goes && self.is_described(digest);
        let is_young = match self.age(digest) {
            None => by_rule,
            Some(time) => by_rule && (now.since(time) < grace || time > now),
        };
        let is_pinned = self.snapshot.pins.iter().any(|it| it.digest == digest);
        let is_on_hold = self.snapshot.holds.iter().any(|it| it.digest == digest);
        is_new
            || is_young
            || is_pinned
            || is_on_hold
            || manifest.links().is_none()
            || manifest.refusal.is_some()
            || self.is_released(digest)
    }

    /// Whether a prune rule condemns the manifest, and not only a lifted hold.
    fn is_described(&self, digest: Digest) -> bool {
        let mut ordinary = self.tags(digest).filter(|tag| !is_reserved(tag));
        let is_condemned = |tag: &Tag| self.word(tag, digest) == Word::Goes;
        let has_hold = self
            .tags(digest)
            .any(|tag| tag.as_str().starts_with("hold."));
        ordinary.any(is_condemned) || !has_hold
    }

    /// Returns what the tags of a manifest say of it, or the rules about those without.
    fn words(&self, digest: Digest) -> Vec<Word> {
        let mut words: Vec<Word> = self
            .tags(digest)
            .map(|tag| self.word(tag, digest))
            .collect();
        words.retain(|word| *word != Word::Nothing);
        let subjects = self.subjects(digest);
        let is_listed = self.all.iter().any(|parent| self.lists(*parent, digest));
        if !words.is_empty() || is_listed || subjects.iter().any(|it| self.all.contains(it)) {
            return words;
        }
        let about = |orphans: bool| {
            let rules = self.rules.prune.iter().enumerate();
            rules.filter(move |(_, rule)| match rule.selector {
                PruneSelector::Untagged { orphans: own } => own || !orphans,
                _ => false,
            })
        };
        let is_known = |subject: &Digest| {
            let mut repositories = self.snapshot.repositories.iter();
            repositories.any(|it| it.manifests.contains_key(subject)) || self.is_released(*subject)
        };
        let is_gone = |it: &Digest| self.repository.absent.contains(it) && !is_known(it);
        let word = match subjects.is_empty() {
            true => self.word_of_rules(digest, about(false)),
            false if subjects.iter().all(is_gone) => self.word_of_rules(digest, about(true)),
            false => Word::Nothing,
        };
        let stays = word == Word::Stays || word == Word::Nothing;
        vec![if stays { Word::StaysWhole } else { word }]
    }

    fn word(&self, tag: &Tag, digest: Digest) -> Word {
        let text = tag.as_str();
        if text.starts_with("sha256-") {
            return Word::Nothing;
        }
        if text.starts_with("hold.") {
            let links = self
                .repository
                .manifests
                .get(&digest)
                .and_then(|it| it.links());
            let names_nothing = links.is_some_and(|it| {
                it.children.is_empty() && it.subject.is_none() && it.blobs.is_empty()
            });
            let kind = links.and_then(|it| it.artifact_type.as_deref());
            let is_lifted =
                kind == Some(UNHOLD_TYPE) && names_nothing && !self.rules.prune.is_empty();
            return if is_lifted {
                Word::Goes
            } else {
                Word::StaysWhole
            };
        }
        if self
            .rules
            .keep
            .tags
            .iter()
            .any(|pattern| pattern.matches(tag))
        {
            return Word::Stays;
        }
        let rules = self.rules.prune.iter().enumerate();
        let about = rules.filter(|(_, rule)| describes(&rule.selector, tag));
        match self.word_of_rules(digest, about) {
            Word::Nothing => Word::Stays,
            word => word,
        }
    }

    fn word_of_rules<'r>(
        &self,
        digest: Digest,
        rules: impl Iterator<Item = (usize, &'r PruneRule)>,
    ) -> Word {
        let rules: Vec<_> = rules.collect();
        if rules.is_empty() {
            return Word::Nothing;
        }
        if rules
            .iter()
            .any(|(_, rule)| self.is_among_newest(digest, rule))
        {
            return Word::Stays;
        }
        let now = days_ago(0);
        let condemns = |rule: &PruneRule| match (&rule.older_than, self.age(digest)) {
            (Some(limit), Some(time)) if time <= now => now.since(time) > limit.to_duration(),
            _ => true,
        };
        match rules.iter().any(|(_, rule)| condemns(rule)) {
            true => Word::Goes,
            false => Word::Stays,
        }
    }
}
