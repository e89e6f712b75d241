//! Rules of retention of an environment, as `policy` shows them.

use serde_json::{Value, json};

use super::policy_places::TEXT_LIMIT;
use crate::notices::to_printable;
use crate::policy::EnvironmentRules;
use crate::retention::{KeepRules, PruneRule, PruneSelector};
use crate::tagging::TagPattern;

/// Returns a line for each rule.
pub(super) fn retention_lines(environment: &EnvironmentRules) -> Vec<String> {
    let rules = environment.retention();
    if rules.prune.is_empty() {
        return vec!["prune deletes nothing: no prune rules (default)".to_owned()];
    }
    let prune = rules.prune.iter().map(|rule| format!("prune {rule}"));
    let mut lines = keep_lines(&rules.keep);
    lines.extend(prune);
    lines.push(format!("grace: {}", rules.grace));
    let limits = rules.limits;
    lines.push(format!(
        "limits: share: {}%, images: {}",
        limits.share, limits.images
    ));
    let apis = rules.apis.iter().map(|rule| format!("api: {rule}"));
    lines.extend(apis);
    lines
        .iter()
        .map(|line| to_printable(line, TEXT_LIMIT))
        .collect()
}

fn keep_lines(keep: &KeepRules) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(released) = &keep.released {
        lines.push(format!("keep released: {released}"));
    }
    if let Some(rollback) = keep.rollback {
        lines.push(format!("keep rollback: {rollback}"));
    }
    if !keep.tags.is_empty() {
        lines.push(format!("keep tags: {}", texts(&keep.tags).join(" ")));
    }
    if !keep.pinned.is_empty() {
        lines.push(format!("keep pinned: {}", keep.pinned.join(" ")));
    }
    lines
}

fn texts(patterns: &[TagPattern]) -> Vec<&str> {
    patterns.iter().map(TagPattern::as_str).collect()
}

/// Returns the rules as JSON.
pub(super) fn retention_json(environment: &EnvironmentRules) -> Value {
    let rules = environment.retention();
    let keep = &rules.keep;
    let prune: Vec<Value> = rules.prune.iter().map(prune_json).collect();
    let apis: Vec<String> = rules.apis.iter().map(ToString::to_string).collect();
    json!({
        "keep": {
            "released": keep.released.as_ref().map(ToString::to_string),
            "rollback": keep.rollback,
            "tags": texts(&keep.tags),
            "pinned": keep.pinned,
        },
        "prune": prune,
        "grace": rules.grace.to_string(),
        "limits": {"share": rules.limits.share, "images": rules.limits.images},
        "apis": apis,
    })
}

fn prune_json(rule: &PruneRule) -> Value {
    let (tags, versions, orphans) = match &rule.selector {
        PruneSelector::Tags(patterns) => (texts(patterns), Vec::new(), None),
        PruneSelector::Versions(patterns) => (Vec::new(), texts(patterns), None),
        PruneSelector::Untagged { orphans } => (Vec::new(), Vec::new(), Some(*orphans)),
    };
    json!({
        "tags": tags,
        "versions": versions,
        "untagged": orphans.is_some(),
        "orphans": orphans.unwrap_or(false),
        "olderThan": rule.older_than.as_ref().map(ToString::to_string),
        "keepLast": rule.keep_last,
    })
}
