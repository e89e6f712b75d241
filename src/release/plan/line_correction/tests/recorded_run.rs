//! Runs that write records: releases, rollbacks and reinstatements.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use super::model::{ModelRegistry, ModelRelease};
use super::model_timeline::{ModelIntent, ModelTimeline, facts_of};
use super::*;
use crate::record::{RecordAction, Timeline, TimelineEntry};
use crate::release::outcome::TagChange;
use crate::release::plan::line_question::LineQuestions;
use crate::release::plan::record_facts::RecordedRoot;
use crate::release::plan::tags::LineGoal;
use crate::release::plan::tracked_tag::{TagAction, TrackedTag};

/// What a run does.
#[derive(Debug, Clone)]
pub enum RunKind {
    /// Releases the image of that number.
    Release(usize),
    /// Withdraws the current release, or any other.
    Rollback,
    /// Releases a withdrawn image again.
    Reinstatement,
}

/// A run with what it keeps over its attempts.
pub struct RecordedRun<'a> {
    pub registry: &'a ModelRegistry,
    pub timeline: &'a ModelTimeline,
    pub releases: &'a [ModelRelease],
    pub kind: RunKind,
    pub intent: RefCell<Option<ModelIntent>>,
    /// Whether an attempt died after its entry, and its repetition was refused: what it left is mended by the
    /// next run.
    pub leaves_drift: Cell<bool>,
}

/// What a run sees of the destination, and the timeline as it was listed, with the run's own entry where that
/// counts for it.
struct Sight {
    state: DestinationState,
    timeline: Timeline,
    is_complete: bool,
}

impl RecordedRun<'_> {
    pub async fn play(&self) {
        let known = self.intent.borrow().clone();
        if known.is_none() && !matches!(self.kind, RunKind::Release(_)) {
            self.registry.wait(60).await;
        }
        let Some((release, entry)) = self.choose_entry(known.as_ref()) else {
            return;
        };
        let mut first = self.observe(release, &entry, known.as_ref()).await;
        if self.is_refused(&first, &entry) {
            self.registry.note("  is refused");
            self.leaves_drift.set(known.is_some());
            return;
        }
        let place = "oci:model".parse().unwrap();
        let is_withdrawal = entry.action == RecordAction::Rollback;
        let mut plan = match is_withdrawal {
            false => plan_tags(&place, &release.planned, &first.state, release.image).unwrap(),
            true => withdrawal_plan(release),
        };
        if known.is_none() {
            self.write_intent(&mut first.state, entry.clone()).await;
        }
        let seen = &first.state;
        if is_withdrawal {
            self.reconcile(&mut plan, seen, &entry, 1).await;
        } else {
            self.write(&plan, true).await;
            self.write(&plan, false).await;
        }
        if !first.is_complete {
            self.timeline.write_entry(self.registry, &entry).await;
        }
        self.reconcile(&mut plan, seen, &entry, 100).await;
    }

    /// Chooses what the run is about, and plans its entry; `None` where there is nothing to do.
    fn choose_entry(&self, known: Option<&ModelIntent>) -> Option<(&ModelRelease, TimelineEntry)> {
        let timeline = self.timeline.now();
        let by_root = |root| self.releases.iter().find(|it| it.image == root);
        if let Some(known) = known {
            return Some((by_root(known.entry.root)?, known.entry.clone()));
        }
        let plan = |action, root| self.timeline.plan_entry(self.registry, action, root);
        match self.kind {
            RunKind::Release(number) => {
                let release = &self.releases[number];
                Some((release, plan(RecordAction::Promote, release.image)))
            }
            RunKind::Rollback => {
                let any: Vec<_> = timeline.releases_in_effect().collect();
                let root = match self.registry.flip(0.7) {
                    true => timeline.current()?.1,
                    false => any.get(self.registry.choose(any.len().max(1)))?.root,
                };
                let target = timeline.rollback_target(root)?.root;
                let is_current = timeline.current()?.1 == root;
                let mut entry = plan(RecordAction::Rollback, root);
                entry.restores = is_current.then_some(target);
                Some((by_root(root)?, entry))
            }
            RunKind::Reinstatement => {
                let mut each = self.releases.iter();
                let release = each.find(|it| timeline.is_withdrawn(it.image))?;
                let mut entry = plan(RecordAction::Reinstate, release.image);
                entry.reinstates = timeline.withdrawals(release.image).collect();
                Some((release, entry))
            }
        }
    }

    /// Returns whether the root of a release is withdrawn, or the run is complete and a newer one is there.
    fn is_refused(&self, first: &Sight, entry: &TimelineEntry) -> bool {
        let newer = first.timeline.entries().iter();
        let mut newer = newer.filter(|it| it.order() > entry.order());
        let is_old = first.is_complete && newer.any(|it| it.root_it_sets().is_some());
        match entry.action {
            RecordAction::Rollback => first.is_complete,
            _ => is_old || first.state.is_withdrawn(entry.root) == Ok(true),
        }
    }

    async fn observe(
        &self,
        release: &ModelRelease,
        entry: &TimelineEntry,
        known: Option<&ModelIntent>,
    ) -> Sight {
        let mut first = self.list(entry, true).await;
        let own = release.planned.iter().map(|it| it.tag.clone()).collect();
        first.state.tag_digests = self.registry.heads(own).await;
        let immutable = release.planned.iter().filter(|it| it.kind.is_immutable());
        first.state.immutable_tags = immutable.map(|it| it.tag.clone()).collect();
        if let Some((records, known)) = first.state.records.as_mut().zip(known) {
            records.previous = known.previous.clone();
        }
        let mut questions = LineQuestions::default();
        questions.records.insert(entry.root);
        self.answer(&questions, &mut first).await;
        self.read_facts(&release.planned, &mut first, entry).await;
        first
    }

    /// Lists the tags and the entries.
    async fn list(&self, entry: &TimelineEntry, may_be_behind: bool) -> Sight {
        let tags = self.registry.list(may_be_behind).await;
        let counted = self.timeline.now();
        // A release joins its entry by its order alone.
        let joins = entry.action != RecordAction::Promote;
        let own = joins.then_some(entry).into_iter();
        let entries = counted.entries().iter().chain(own).cloned();
        let timeline = Timeline::new(entries.collect());
        let mut records = facts_of(&timeline);
        records.own_order = Some(entry.order());
        records.restores = entry.restores;
        Sight {
            state: DestinationState {
                tags,
                records: Some(records),
                ..DestinationState::default()
            },
            timeline,
            is_complete: counted.entry(entry.record).is_some(),
        }
    }

    /// Reads what the decisions on lines need, as `line_facts.rs` does.
    async fn read_facts(&self, lines: &[PlannedTag], sight: &mut Sight, entry: &TimelineEntry) {
        let mut is_list_new = false;
        loop {
            let (mut questions, mut is_explained) = (LineQuestions::default(), true);
            for planned in lines {
                let Some(decision) = decide_line(planned, &sight.state, entry.root) else {
                    continue;
                };
                is_explained &= !decision.is_unexplained();
                if let LineDecision::Needs(question) = decision {
                    questions.add(question);
                }
            }
            if !questions.is_empty() {
                self.answer(&questions, sight).await;
            } else if is_explained || is_list_new {
                return;
            } else {
                let again = self.list(entry, false).await;
                sight.state.tags = again.state.tags;
                sight.state.records = again.state.records;
                sight.timeline = again.timeline;
                is_list_new = true;
            }
        }
    }

    async fn answer(&self, questions: &LineQuestions, sight: &mut Sight) {
        assert!(questions.creation_times.is_empty(), "{questions:?}");
        let digests = self.registry.heads(questions.digests.clone()).await;
        sight.state.record_digests(digests);
        for root in &questions.records {
            let release = self
                .timeline
                .release_of(self.registry, &sight.timeline, *root);
            let release = release.await;
            let own = self.releases.iter().filter(|it| it.image == *root);
            let recorded = RecordedRoot::of_release(release, own.map(|it| &it.version));
            let records = sight.state.records.as_mut().unwrap();
            records.roots.insert(*root, recorded);
        }
        let records = sight.state.records.as_mut().unwrap();
        records
            .images
            .extend(questions.images.iter().map(|it| (*it, true)));
    }

    async fn write_intent(&self, seen: &mut DestinationState, entry: TimelineEntry) {
        let root = entry.root;
        let named = seen.tag_digests.iter();
        let named = named.filter_map(|(tag, at)| Some((tag.clone(), (*at)?)));
        let previous = match entry.action {
            RecordAction::Rollback => self.timeline.previous_of(root),
            _ => named.filter(|(_, at)| *at != root).collect(),
        };
        let intent = ModelIntent { entry, previous };
        self.timeline
            .write_intent(self.registry, intent.clone())
            .await;
        seen.records.as_mut().unwrap().previous = intent.previous.clone();
        *self.intent.borrow_mut() = Some(intent);
    }

    async fn write(&self, plan: &TagPlan, immutable: bool) {
        let is_due =
            |it: &&TagStep| it.change.writes_tag() && it.planned.kind.is_immutable() == immutable;
        let mut due: Vec<_> = plan.steps.iter().filter(is_due).collect();
        self.registry.shuffle(&mut due);
        for step in due {
            // A correction is written when the tags are read again.
            if step.writes() {
                self.registry.put(step.planned.tag.clone(), plan.root).await;
            }
        }
    }

    /// Reads the tags until they are right, as `tags/reconcile.rs` does; at most so often.
    async fn reconcile(
        &self,
        plan: &mut TagPlan,
        seen: &DestinationState,
        entry: &TimelineEntry,
        readings: usize,
    ) {
        let mut lines = TrackedLine::of_plan(plan);
        let mut others = TrackedTag::of_plan(plan, seen);
        let correction = LineCorrection::new(plan, seen, plan.root);
        for _ in 0..readings {
            let now = self.read_again(&correction, entry, &lines, &others).await;
            let mut are_right = self.reopen(plan, &mut lines, seen, entry, &now.state).await;
            for line in &mut lines {
                are_right &= self.reconcile_line(&correction, line, &now.state).await;
            }
            for other in &mut others {
                if let TagAction::Write(to, _) = other.choose_action(&now.state, plan.root).unwrap()
                {
                    self.registry.put(other.planned.tag.clone(), to).await;
                    other.record_write(to);
                    are_right = false;
                }
            }
            if are_right {
                return;
            }
        }
        assert!(readings < 100, "{}", self.registry.log());
    }

    async fn reconcile_line(
        &self,
        correction: &LineCorrection<'_>,
        line: &mut TrackedLine,
        now: &DestinationState,
    ) -> bool {
        // What a line needs that was decided again is read the next time.
        let Ok(action) = correction.choose_action(line, now) else {
            return false;
        };
        match action {
            LineAction::Keep | LineAction::KeepHigher(..) | LineAction::KeepWithdrawn => true,
            LineAction::ReadAgain(at) => {
                line.record_unexplained(at);
                false
            }
            LineAction::Write(goal, _) => {
                self.registry
                    .put(line.planned.tag.clone(), goal.digest)
                    .await;
                line.record_write(goal);
                false
            }
        }
    }

    /// Decides again on lines that stayed for a release which was withdrawn meanwhile.
    async fn reopen(
        &self,
        plan: &mut TagPlan,
        lines: &mut Vec<TrackedLine>,
        seen: &DestinationState,
        entry: &TimelineEntry,
        now: &DestinationState,
    ) -> bool {
        let root = plan.root;
        let mut are_right = true;
        for index in reopened_lines(plan, seen, now) {
            let planned = plan.steps[index].planned.clone();
            let mut again = self.list(entry, false).await;
            again.state.immutable_tags = seen.immutable_tags.clone();
            let own = [planned.tag.clone()].into();
            again.state.tag_digests = seen.tag_digests.clone();
            again
                .state
                .tag_digests
                .extend(self.registry.heads(own).await);
            self.read_facts(std::slice::from_ref(&planned), &mut again, entry)
                .await;
            let decision = decide_line(&planned, &again.state, root).unwrap();
            if !matches!(decision, LineDecision::OwnImage { .. }) {
                continue;
            }
            let warnings = &mut plan.line_warnings;
            let step = plan_line(&planned, &again.state, root, decision, warnings);
            if step.writes() {
                self.registry.put(planned.tag, root).await;
                are_right = false;
            }
            lines.extend(TrackedLine::of_step(index, &step));
            plan.steps[index] = step;
        }
        are_right
    }

    async fn read_again(
        &self,
        correction: &LineCorrection<'_>,
        entry: &TimelineEntry,
        lines: &[TrackedLine],
        others: &[TrackedTag],
    ) -> Sight {
        // Of two lists in a row one may be behind.
        let first = self.registry.list(true).await;
        let mut now = self.list(entry, false).await;
        now.state.tags.extend(first);
        let seen = correction.seen;
        now.state.immutable_tags = seen.immutable_tags.clone();
        let known = seen.tag_digests.iter().filter(|(_, it)| it.is_some());
        now.state.tag_digests = known.map(|(tag, it)| (tag.clone(), *it)).collect();
        let mut read = correction.tags_to_read(lines);
        for other in others {
            now.state.tag_digests.remove(&other.planned.tag);
            if other.is_environment() {
                read.insert(other.planned.tag.clone());
            }
        }
        now.state
            .tag_digests
            .extend(self.registry.heads(read).await);
        loop {
            let mut questions = LineQuestions::default();
            let of_lines = lines
                .iter()
                .filter_map(|it| correction.choose_action(it, &now.state).err());
            let root = correction.root;
            let of_others = others
                .iter()
                .filter_map(|it| it.choose_action(&now.state, root).err());
            let all: BTreeSet<_> = of_lines.chain(of_others).collect();
            all.into_iter().for_each(|it| questions.add(it));
            if questions.is_empty() {
                return now;
            }
            self.answer(&questions, &mut now).await;
        }
    }
}

/// Returns the plan of a rollback: the moving tags of the release, which are taken off its root.
fn withdrawal_plan(release: &ModelRelease) -> TagPlan {
    let moving = release.planned.iter().filter(|it| !it.kind.is_immutable());
    let steps = moving.map(|planned| TagStep {
        planned: planned.clone(),
        change: TagChange::Unchanged,
        line_goal: planned.line().map(|line| LineGoal {
            digest: release.image,
            version: line.version.clone(),
            passes_version: false,
        }),
    });
    TagPlan {
        steps: steps.collect(),
        root: release.image,
        line_warnings: Default::default(),
    }
}
