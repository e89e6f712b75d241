//! Report of `prune`: by rule what goes, what stays and why, and what was deleted.

use std::collections::BTreeMap;

use super::batch_phrases::worst_failure;
use super::phrases::{byte_count, count_phrase, record_phrase};
use super::styled_text::{StyledText, Tone};
use super::text_report;
use crate::image::{Digest, Tag};
use crate::prune::{AppliedRepository, PlannedRepository, PrunePlan};
use crate::release::Failure;
use crate::retention::{
    DeletionReason, DeletionStep, KeepReason, ManifestFate, RepositoryPlan, TagFate,
};

/// Most images that the text lists for one rule.
const LISTED_LIMIT: usize = 50;

/// Plan of deletions, or deletions by a plan.
pub struct PruneReport {
    /// Plan; of a run that deletes the second one, as far as the plan file confirms it.
    pub plan: PrunePlan,
    /// What was deleted; `None` of a plan.
    pub applied: Option<Vec<AppliedRepository>>,
    /// Archive of what was deleted.
    pub archive: Option<String>,
    /// File that has the plan.
    pub plan_file: Option<String>,
    /// Tag or digest to explain.
    pub explained: Option<String>,
    /// Requests that the run sent.
    pub requests: u64,
}

/// Plan of one repository, with what is known of it besides.
#[derive(Clone, Copy)]
pub(super) struct RepositorySection<'a> {
    pub(super) plan: &'a RepositoryPlan,
    pub(super) planned: &'a PlannedRepository,
    /// Reasons why nothing goes, of the repository and of its group.
    pub(super) group_stops: &'a [crate::retention::RetentionStop],
    pub(super) applied: Option<&'a AppliedRepository>,
}

/// Image that goes for a reason of its own, with what goes with it.
pub(super) struct GoingImage {
    pub(super) digest: Digest,
    pub(super) tags: Vec<String>,
    pub(super) age: String,
    /// Manifests that go with it.
    pub(super) others: usize,
}

impl PruneReport {
    /// Returns the sections of all repositories.
    pub(super) fn sections(&self) -> Vec<RepositorySection<'_>> {
        let mut sections = Vec::new();
        for group in &self.plan.groups {
            for (plan, planned) in group.plan.repositories.iter().zip(&group.repositories) {
                let applied = self.applied.iter().flatten();
                sections.push(RepositorySection {
                    plan,
                    planned,
                    group_stops: &group.plan.stops,
                    applied: applied.into_iter().find(|it| it.place == planned.place),
                });
            }
        }
        sections
    }

    /// Returns what looks wrong in rules and repositories.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for group in &self.plan.groups {
            let of_repositories = group.plan.repositories.iter().flat_map(|it| &it.warnings);
            let all = group.plan.warnings.iter().chain(of_repositories);
            warnings.extend(all.map(ToString::to_string));
            warnings.extend(
                group
                    .repositories
                    .iter()
                    .flat_map(|it| it.notes.iter().cloned()),
            );
        }
        warnings
    }

    /// Returns the word of the outcome.
    pub(super) fn outcome_word(&self) -> &'static str {
        let is_stopped = self.sections().iter().any(RepositorySection::is_stopped);
        match &self.applied {
            None if is_stopped => "refused",
            None if self.plan.deletion_count() == 0 => "unchanged",
            None => "planned",
            Some(applied) => {
                let has_deletions = applied.iter().any(|it| !it.deletions.is_empty());
                match self.to_failure() {
                    Some((Failure::Service(_), _)) => "failed",
                    Some(_) if has_deletions => "incomplete",
                    Some(_) => "refused",
                    None if has_deletions => "pruned",
                    None => "unchanged",
                }
            }
        }
    }

    /// Returns the report as text.
    pub(super) fn to_text(&self) -> StyledText {
        let mut text = StyledText::default();
        for section in self.sections() {
            section.push_text(&mut text, self);
            text.push("\n");
        }
        for warning in self.warnings() {
            text.push_toned(Tone::Caution, "warning:");
            text.push(&format!(" {warning}\n"));
        }
        if let Some(file) = self
            .plan_file
            .as_ref()
            .filter(|_| self.plan.deletion_count() > 0)
        {
            text.push(&format!(
                "the plan is in {file}, for 24 hours: shipmark prune --apply {file}\n"
            ));
        }
        text.trim_end();
        text
    }

    /// Returns the failure that decides the exit status, with its text; `None` if nothing stopped the run.
    pub(super) fn to_failure(&self) -> Option<(Failure, String)> {
        let failures: Vec<Failure> = self
            .sections()
            .iter()
            .flat_map(|it| it.failures(self))
            .collect();
        let worst = worst_failure(failures.iter())?.clone();
        let mut text = format!("{}:", text_report::failure_title(&worst));
        for failure in &failures {
            let diagnostic = failure.diagnostic().map(ToString::to_string);
            text += &format!("\n {}", diagnostic.unwrap_or_default().replace('\n', "\n "));
        }
        Some((worst, text))
    }

    /// Returns the names that the user gave, which are not secret.
    pub(super) fn names(&self) -> Vec<String> {
        let sections = self.sections();
        let places = sections.iter().map(|it| it.planned.place.to_string());
        places.collect()
    }

    /// Returns the lines that explain a tag or digest in a repository: it, and what its reason rests on.
    pub(super) fn explain(&self, section: &RepositorySection<'_>) -> Vec<String> {
        let Some(reference) = &self.explained else {
            return Vec::new();
        };
        let (tag, digest) = section.find_explained(reference);
        let mut lines = Vec::new();
        if let Some((name, fate)) = tag {
            lines.push(format!("the tag {name} {}", tag_fate_phrase(fate)));
        }
        let chain = digest.map(|digest| section.plan.explain(digest));
        for (digest, fate) in chain.into_iter().flatten() {
            lines.push(format!("{digest} {}", manifest_fate_phrase(fate)));
        }
        if lines.is_empty() {
            lines.push(format!("{reference} is not in this repository"));
        }
        lines
    }
}

impl<'a> RepositorySection<'a> {
    /// Returns whether nothing may go.
    pub(super) fn is_stopped(&self) -> bool {
        !self.group_stops.is_empty() || !self.plan.stops.is_empty()
    }

    /// Returns why nothing may go.
    pub(super) fn stops(&self) -> Vec<String> {
        let stops = self.group_stops.iter().chain(&self.plan.stops);
        stops.map(ToString::to_string).collect()
    }

    /// Returns what stopped the run in this repository.
    fn failures(&self, report: &PruneReport) -> Vec<Failure> {
        let place = &self.planned.place;
        let mut failures = Vec::new();
        if self.is_stopped() {
            let stops = self.stops().join("; ");
            failures.push(
                Failure::refused(format!("{place}: nothing is deleted: {stops}")).with_hint(
                    "read the plan; limits are raised in the policy alone, in limits of retention",
                ),
            );
        }
        let Some(applied) = self.applied else {
            return failures;
        };
        failures.extend(applied.failure.clone());
        if let Some(first) = applied.refusals.first() {
            let count = count_phrase(applied.refusals.len() as u64, "deletion");
            failures.push(
                Failure::incomplete(format!(
                    "{place}: the registry refused {count}, such as that of {}: {}",
                    first.name, first.reason
                ))
                .with_hint("the rest was deleted; allow deletions in the registry and for this login, or exclude the tag from immutability"),
            );
        }
        for hole in &applied.holes {
            let command = hole.restore_command(place, report.archive.as_deref());
            let cause = match hole.is_deleted_here {
                true => "something was pushed while this run deleted, and used what went",
                false => "another client deleted it, or moved it to an image that went",
            };
            failures.push(
                Failure::incomplete(format!(
                    "{place}: {} names {}, which is missing",
                    hole.named_by, hole.missing
                ))
                .with_reason(cause)
                .with_hint(format!("push the image again, or run: {command}")),
            );
        }
        failures
    }

    /// Returns the images that go, by the rule or other reason of their own.
    pub(super) fn going(&self) -> BTreeMap<String, Vec<GoingImage>> {
        let mut by_rule: BTreeMap<String, Vec<GoingImage>> = BTreeMap::new();
        let mut others: BTreeMap<Digest, usize> = BTreeMap::new();
        for (digest, fate) in self.plan.manifests.iter().filter(|(_, fate)| fate.goes()) {
            let root = self.plan.explain(*digest).last().map(|(root, _)| *root);
            if let Some(root) = root.filter(|root| root != digest) {
                *others.entry(root).or_default() += 1;
            } else if let Some(reason) = &fate.deletion_reason {
                let rule = by_rule.entry(reason.to_string()).or_default();
                rule.push(self.going_image(*digest, fate));
            }
        }
        for image in by_rule.values_mut().flatten() {
            image.others = others.get(&image.digest).copied().unwrap_or_default();
        }
        by_rule
    }

    fn going_image(&self, digest: Digest, fate: &ManifestFate) -> GoingImage {
        let steps = self.plan.steps().iter();
        let tags = steps.flat_map(|step| match step {
            DeletionStep::Tag { tag, digest: of } if *of == digest => vec![tag.to_string()],
            DeletionStep::Manifest { digest: of, tags } if *of == digest => {
                tags.iter().map(ToString::to_string).collect()
            }
            _ => Vec::new(),
        });
        let age = fate.age.map(|age| format!("{} ({})", age.time, age.source));
        GoingImage {
            digest,
            tags: tags.collect(),
            age: age.unwrap_or_else(|| "age unknown".to_owned()),
            others: 0,
        }
    }

    /// Returns the tags that go alone, whose images stay, with the reasons.
    pub(super) fn untied(&self) -> Vec<(String, String)> {
        let gone = self.plan.tags.iter();
        let gone = gone.filter_map(|(tag, fate)| match fate {
            TagFate::Goes(reason @ (DeletionReason::Rule(_) | DeletionReason::LiftedHold)) => {
                Some((tag, reason))
            }
            _ => None,
        });
        let steps = self.plan.steps();
        let is_untied = |tag: &Tag| {
            steps.iter().any(|step| match step {
                DeletionStep::Tag { tag: of, digest } => {
                    of == tag
                        && !self
                            .plan
                            .manifests
                            .get(digest)
                            .is_some_and(ManifestFate::goes)
                }
                DeletionStep::Manifest { .. } => false,
            })
        };
        gone.filter(|(tag, _)| is_untied(tag))
            .map(|(tag, reason)| (tag.to_string(), reason.to_string()))
            .collect()
    }

    /// Returns why manifests stay, with the number of manifests for which a reason is the first.
    pub(super) fn staying(&self) -> Vec<(&'static str, usize)> {
        let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
        for fate in self.plan.manifests.values().filter(|fate| !fate.goes()) {
            if let Some(reason) = fate.keep_reasons.first() {
                *counts.entry(keep_kind(reason)).or_default() += 1;
            }
        }
        counts.into_iter().collect()
    }

    /// Returns what the registry itself refuses to delete.
    pub(super) fn refused_by_registry(&self) -> Vec<(Digest, String)> {
        let mut refused = Vec::new();
        for (digest, fate) in &self.plan.manifests {
            for reason in &fate.keep_reasons {
                if let KeepReason::RegistryRefuses(words) = reason {
                    refused.push((*digest, words.clone()));
                }
            }
        }
        refused
    }

    /// Returns why a tag or manifest goes.
    pub(super) fn reason_of(&self, step: &DeletionStep) -> String {
        let reason = match step {
            DeletionStep::Tag { tag, .. } => match self.plan.tags.get(tag) {
                Some(TagFate::Goes(reason)) => Some(reason),
                _ => None,
            },
            DeletionStep::Manifest { digest, .. } => {
                let fate = self.plan.manifests.get(digest);
                fate.and_then(|fate| fate.deletion_reason.as_ref())
            }
        };
        reason.map(ToString::to_string).unwrap_or_default()
    }

    /// Returns one line about all of the repository.
    pub(super) fn head(&self) -> String {
        let images = self.plan.images;
        let freed = self.plan.freed;
        let most = if freed.is_upper_bound { "at most " } else { "" };
        let steps = self.plan.steps().iter();
        let manifests = steps.filter(|it| matches!(it, DeletionStep::Manifest { .. }));
        let bytes = match self.is_stopped() {
            true => "nothing goes".to_owned(),
            false => format!(
                "{}, {most}{}",
                count_phrase(manifests.count() as u64, "manifest"),
                byte_count(freed.bytes)
            ),
        };
        format!(
            "{} of {} go, {bytes}",
            images.condemned,
            count_phrase(images.total as u64, "image")
        )
    }

    fn find_explained(&self, reference: &str) -> (Option<(String, &'a TagFate)>, Option<Digest>) {
        let name = self.planned.place.to_string();
        let rest = reference.strip_prefix(&name).unwrap_or(reference);
        let rest = rest.trim_start_matches([':', '@']);
        if let Ok(digest) = rest.parse::<Digest>() {
            return (None, Some(digest));
        }
        let tag = rest.parse().ok();
        let found = tag.and_then(|tag: Tag| self.plan.tags.get_key_value(&tag));
        let of_tag = found.and_then(|(tag, _)| self.digest_of(tag));
        (found.map(|(tag, fate)| (tag.to_string(), fate)), of_tag)
    }

    fn digest_of(&self, tag: &Tag) -> Option<Digest> {
        self.planned.tags.get(tag).copied()
    }

    fn push_text(&self, text: &mut StyledText, report: &PruneReport) {
        text.push_toned(Tone::Title, &self.planned.place.to_string());
        text.push(&format!(": {}\n", self.head()));
        for stop in self.stops() {
            text.push("  ");
            text.push_toned(Tone::Refused, "stopped:");
            text.push(&format!(" {stop}\n"));
        }
        for (reason, images) in self.going() {
            text.push(&format!("  goes by {reason}\n"));
            for image in images.iter().take(LISTED_LIMIT) {
                text.push(&format!("    {}\n", image.phrase()));
            }
            if let more @ 1.. = images.len().saturating_sub(LISTED_LIMIT) {
                text.push(&format!("    and {more} more\n"));
            }
        }
        for (tag, reason) in self.untied() {
            text.push(&format!("  the tag {tag} goes alone, by {reason}\n"));
        }
        for (reason, count) in self.staying() {
            let count = count_phrase(count as u64, "manifest");
            text.push(&format!("  stays: {count}: {reason}\n"));
        }
        for (digest, words) in self.refused_by_registry() {
            text.push(&format!(
                "  the registry refuses to delete {}: {words}\n",
                digest.short()
            ));
        }
        if let blobs @ 1.. = self.planned.unnamed_blobs.len() {
            let size = self.planned.unnamed_blobs.iter().map(|it| it.size).sum();
            let blobs = count_phrase(blobs as u64, "blob");
            text.push(&format!(
                "  {blobs} that no manifest names: {}\n",
                byte_count(size)
            ));
        }
        for line in report.explain(self) {
            text.push(&format!("  {line}\n"));
        }
        if let Some(applied) = self.applied {
            push_applied(text, applied);
        }
    }
}

fn push_applied(text: &mut StyledText, applied: &AppliedRepository) {
    if applied.deletions.is_empty() {
        text.push("  nothing was deleted\n");
    }
    for deletion in &applied.deletions {
        let absent = if deletion.was_absent {
            " (was gone)"
        } else {
            ""
        };
        let what = match &deletion.step {
            DeletionStep::Tag { tag, .. } => format!("the tag {tag}"),
            DeletionStep::Manifest { digest, .. } => digest.to_string(),
        };
        text.push("  ");
        text.push_toned(Tone::Done, "deleted");
        text.push(&format!(" {what}{absent}: {}\n", deletion.reason_text()));
    }
    if applied.blobs > 0 {
        let blobs = count_phrase(applied.blobs as u64, "blob");
        text.push(&format!("  deleted {blobs} that nothing names\n"));
    }
    for (environment, record) in &applied.records {
        let phrase = record_phrase(record, false);
        text.push(&format!("  record in {environment}: {phrase}\n"));
    }
    for change in &applied.changes {
        text.push("  ");
        text.push_toned(Tone::Caution, "changed:");
        text.push(&format!(" {change}\n"));
    }
    for refusal in &applied.refusals {
        text.push("  ");
        text.push_toned(Tone::Refused, "refused:");
        text.push(&format!(" {}: {}\n", refusal.name, refusal.reason));
    }
}

impl GoingImage {
    /// Returns tags, digest, age, and how many manifests go with it.
    pub(super) fn phrase(&self) -> String {
        let tags = match self.tags.is_empty() {
            true => "untagged".to_owned(),
            false => self.tags.join(" "),
        };
        let others = match self.others {
            0 => String::new(),
            others => format!("  with {}", count_phrase(others as u64, "manifest")),
        };
        format!("{tags}  {}  {}{others}", self.digest.short(), self.age)
    }
}

/// Returns the kind of a reason, the same for all images that have it.
pub(super) fn keep_kind(reason: &KeepReason) -> &'static str {
    match reason {
        KeepReason::Hold(_) => "a hold names it",
        KeepReason::Current(_) => "an environment is on it",
        KeepReason::Rollback(_) => "it is among the newest releases of an environment",
        KeepReason::Released { .. } => {
            "it was released, and the time to keep releases has not passed"
        }
        KeepReason::Pinned(_) => "a file names it",
        KeepReason::KeepTag { .. } => "a keep rule describes its tag",
        KeepReason::RecordEntry => "it is an entry of a timeline",
        KeepReason::UnnamedTag(_) => "no prune rule describes its tag",
        KeepReason::UnnamedUntagged => "no prune rule is about images without a tag",
        KeepReason::EvidenceOf(_) | KeepReason::OtherEvidence(_) => "it is evidence",
        KeepReason::AmongNewest { .. } => "it is among the newest that a prune rule leaves",
        KeepReason::TooYoung { .. } => "it is younger than a prune rule says",
        KeepReason::Grace { .. } => "it is younger than the grace",
        KeepReason::UnknownAge => "no source knows its age",
        KeepReason::FutureAge(_) => "its time is in the future",
        KeepReason::UnknownType(_) => "its media type is unknown",
        KeepReason::Unreadable(_) => "it could not be read",
        KeepReason::RegistryRefuses(_) => "the registry refuses to delete it",
        KeepReason::NotInPlan => "the plan that is applied does not have it",
        KeepReason::ChildOf(_) => "an index lists it that stays",
        KeepReason::ReferrerOf(_) => "it is a referrer of a manifest that stays",
        KeepReason::SubjectOf(_) => "its referrer stays",
        KeepReason::MayBeListed(_) => "a manifest that could not be read may list it",
        KeepReason::TagWithManifest | KeepReason::ManifestStays => "its image stays",
    }
}

fn tag_fate_phrase(fate: &TagFate) -> String {
    match fate {
        TagFate::Goes(reason) => format!("goes: {reason}"),
        TagFate::Stays(reason) => format!("stays: {reason}"),
    }
}

fn manifest_fate_phrase(fate: &ManifestFate) -> String {
    let age = fate
        .age
        .map(|age| format!(", of {} ({})", age.time, age.source));
    let age = age.unwrap_or_default();
    match &fate.deletion_reason {
        Some(reason) => format!("goes{age}: {reason}"),
        None => {
            let reasons = fate.keep_reasons.iter().map(ToString::to_string);
            format!("stays{age}: {}", reasons.collect::<Vec<_>>().join("; "))
        }
    }
}
