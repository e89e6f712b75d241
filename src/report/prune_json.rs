//! Outputs of the step of `prune` and `restore`.

use serde_json::{Value, json};

use super::json_output::service_failure_json;
use super::prune_report::{PruneReport, RepositorySection, keep_kind};
use super::text_report;
use crate::prune::{AppliedRepository, RestoreOutcome, RestoredTag};
use crate::retention::{DeletionStep, ManifestFate};

impl PruneReport {
    /// Returns the outputs of the step.
    pub(super) fn to_outputs(&self) -> Vec<(&'static str, String)> {
        let applied = self.applied.iter().flatten();
        let records = applied.flat_map(|it| &it.records);
        let records = records.filter_map(|(_, it)| Some(it.id?.to_string()));
        vec![
            ("record", records.collect::<Vec<_>>().join("\n")),
            ("json", self.to_json().to_string()),
            ("outcome", self.outcome_word().to_owned()),
        ]
    }

    fn to_json(&self) -> Value {
        let sections = self.sections();
        let repositories = sections.iter().map(|section| self.section_json(section));
        json!({
            "verb": "prune",
            "outcome": self.outcome_word(),
            "applied": self.applied.is_some(),
            "plannedAt": self.plan.planned_at.to_string(),
            "planFile": self.plan_file,
            "requests": self.requests,
            "repositories": repositories.collect::<Vec<_>>(),
            "warnings": self.warnings(),
        })
    }

    fn section_json(&self, section: &RepositorySection<'_>) -> Value {
        let plan = section.plan;
        let steps = plan.steps().iter();
        let kept = plan.manifests.values().filter(|fate| !fate.goes());
        let refused = section.refused_by_registry().into_iter();
        let refused =
            refused.map(|(digest, reason)| json!({"name": digest.to_string(), "reason": reason}));
        json!({
            "repository": section.planned.place.to_string(),
            "snapshot": section.planned.snapshot.to_string(),
            "images": plan.images.total,
            "condemned": plan.images.condemned,
            "freedBytes": plan.freed.bytes,
            "freedAtMost": plan.freed.is_upper_bound,
            "stops": section.stops(),
            "deletions": steps.map(|step| step_json(section, step)).collect::<Vec<_>>(),
            "kept": kept_json(kept),
            "refused": refused.collect::<Vec<_>>(),
            "unnamedBlobs": section.planned.unnamed_blobs.len(),
            "explanation": self.explain(section),
            "result": section.applied.map(|applied| self.applied_json(applied)),
        })
    }

    fn applied_json(&self, applied: &AppliedRepository) -> Value {
        let deletions = applied.deletions.iter().map(|deletion| {
            let (tag, digest) = step_names(&deletion.step);
            json!({"tag": tag, "digest": digest, "reason": deletion.reason_text(), "wasAbsent": deletion.was_absent})
        });
        let refusals = applied.refusals.iter();
        let refusals = refusals.map(|it| json!({"name": it.name, "reason": it.reason}));
        let holes = applied.holes.iter().map(|hole| {
            let command = hole.restore_command(&applied.place, self.archive.as_deref());
            json!({"namedBy": hole.named_by, "digest": hole.missing.to_string(), "restore": command})
        });
        let failure = applied.failure.as_ref().map(|failure| {
            service_failure_json(text_report::failure_title(failure), Some(failure))
        });
        json!({
            "deletions": deletions.collect::<Vec<_>>(),
            "blobs": applied.blobs,
            "changes": applied.changes,
            "refusals": refusals.collect::<Vec<_>>(),
            "holes": holes.collect::<Vec<_>>(),
            "records": applied.records.iter().filter_map(|(_, it)| Some(it.id?.to_string())).collect::<Vec<_>>(),
            "failure": failure,
        })
    }
}

fn step_names(step: &DeletionStep) -> (Option<String>, String) {
    match step {
        DeletionStep::Tag { tag, digest } => (Some(tag.to_string()), digest.to_string()),
        DeletionStep::Manifest { digest, .. } => (None, digest.to_string()),
    }
}

fn step_json(section: &RepositorySection<'_>, step: &DeletionStep) -> Value {
    let (tag, digest) = step_names(step);
    let reason = section.reason_of(step);
    let tags = match step {
        DeletionStep::Manifest { tags, .. } => tags.iter().map(ToString::to_string).collect(),
        DeletionStep::Tag { .. } => Vec::new(),
    };
    json!({"tag": tag, "digest": digest, "tags": tags, "reason": reason})
}

/// Returns why manifests stay, with their number.
fn kept_json<'a>(kept: impl Iterator<Item = &'a ManifestFate>) -> Value {
    let mut counts = serde_json::Map::new();
    for fate in kept {
        if let Some(reason) = fate.keep_reasons.first() {
            let count = counts.entry(keep_kind(reason)).or_insert(0.into());
            *count = (count.as_u64().unwrap_or_default() + 1).into();
        }
    }
    let counts = counts.into_iter();
    let counts =
        counts.map(|(reason, manifests)| json!({"reason": reason, "manifests": manifests}));
    Value::Array(counts.collect())
}

/// Returns the outputs of the step of `restore`.
pub(super) fn restore_outputs(outcome: &RestoreOutcome) -> Vec<(&'static str, String)> {
    let tags = outcome.tags.iter().map(|(tag, end)| {
        let (word, names) = match end {
            RestoredTag::Written => ("written", None),
            RestoredTag::Unchanged => ("unchanged", None),
            RestoredTag::Taken(digest) => ("taken", Some(digest.to_string())),
        };
        json!({"tag": tag.as_str(), "change": word, "names": names})
    });
    let json = json!({
        "verb": "restore",
        "outcome": "restored",
        "repository": outcome.place.to_string(),
        "digest": outcome.digest.to_string(),
        "referrers": outcome.referrers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "tags": tags.collect::<Vec<_>>(),
    });
    vec![
        ("digest", outcome.digest.to_string()),
        ("json", json.to_string()),
        ("outcome", "restored".to_owned()),
    ]
}
