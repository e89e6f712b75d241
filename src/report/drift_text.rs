//! Texts about tags that name something else than the records say, and about releases without an entry.

use super::record_words::{seconds, word};
use crate::notices::to_printable;
use crate::record::TagDrift;
use crate::release::{HistoryOutcome, ReleaseAccount};

/// Most characters of the address of a run.
const ADDRESS_LIMIT: usize = 300;

/// Returns what differs between a tag and the records.
pub(super) fn drift_phrase(drift: &TagDrift) -> String {
    let tag = drift.tag.as_str();
    let named = |root: crate::image::Digest, version: &Option<String>| match version {
        Some(version) => format!("{root} ({})", word(version)),
        None => root.to_string(),
    };
    let found = drift.found.map(|root| named(root, &drift.found_version));
    let expected = drift.expected;
    let expected = expected.map(|root| named(root, &drift.expected_version));
    match (found, expected) {
        (Some(found), Some(expected)) => {
            format!("drift: {tag} names {found}, expected {expected}")
        }
        (Some(found), None) => format!("drift: {tag} names {found}, expected no image"),
        (None, Some(expected)) => format!("drift: {tag} is missing, expected {expected}"),
        (None, None) => format!("drift: {tag}"),
    }
}

/// Returns the differences between tags and records, with the releases that left them, and the ways to mend them.
pub(super) fn drift_lines(history: &HistoryOutcome) -> Vec<String> {
    let drift = history.drift.iter().map(drift_phrase);
    let unfinished = history.unfinished.iter();
    let unfinished = unfinished.map(|release| unfinished_phrase(release, true));
    drift.chain(unfinished).chain(drift_ways(history)).collect()
}

fn drift_ways(history: &HistoryOutcome) -> Vec<String> {
    let mut ways = Vec::new();
    let own_tag = history.environment.tag();
    let own = history.drift.iter().find(|drift| drift.tag == *own_tag);
    if let Some(found) = own.and_then(|drift| drift.found) {
        let repeat = match history.unfinished.is_empty() {
            true => "release the expected image again",
            false => "repeat the unfinished run",
        };
        ways.push(format!(
            "mend {own_tag}: {repeat}, or roll back with withdraw: {found}"
        ));
    }
    let moving = history.drift.iter();
    let mut moving = moving.filter(|drift| drift.tag != *own_tag && !drift.is_immutable);
    if moving.next().is_some() {
        ways.push("mend a version line: release its highest version again".to_owned());
    }
    for drift in history.drift.iter().filter(|drift| drift.is_immutable) {
        ways.extend(immutable_way(drift));
    }
    ways
}

/// Returns how an immutable tag is mended; `None` for a moving one.
pub(super) fn immutable_way(drift: &TagDrift) -> Option<String> {
    let expected = drift.expected.filter(|_| drift.is_immutable)?;
    Some(format!(
        "mend {}: no release moves an immutable tag; point it to {expected} by hand",
        drift.tag
    ))
}

/// Returns what is to be said of a release without an entry. Without a policy the entry can be elsewhere.
pub(super) fn unfinished_phrase(release: &ReleaseAccount, has_policy: bool) -> String {
    let record = &release.predicate;
    let version = record.version.as_deref();
    let version = version.map_or_else(String::new, |version| format!(" {}", word(version)));
    let run = record.run.as_ref().and_then(|run| run.uri.as_deref());
    let run = run.map(|run| format!(", by the run {}", to_printable(run, ADDRESS_LIMIT)));
    let elsewhere = match has_policy {
        true => "",
        false => ", or the entry is in another repository, which the policy names in records",
    };
    format!(
        "unfinished: {}{version}, planned at {}{}, has no timeline entry{elsewhere}",
        record.action,
        seconds(record.planned_at),
        run.unwrap_or_default(),
    )
}
