//! Long timelines, of which only some entries have content: those that a reader reads.

use std::collections::BTreeMap;

use shipmark::image::Digest;
use shipmark::record::{
    DigestPrefix, EntryName, PAST_LIMIT, PastRelease, RecordAction, RecordBlob, RecordId,
    RecordTime, ReleasePredicate, ReleaseRecord, STATEMENT_MEDIA_TYPE, build_entry_manifest,
};

use super::records::minute;
use crate::registry::Registry;

/// Minutes between two entries.
const PACE: i64 = 30;

/// Timeline of the environment `prod` in the repository `prod` of a registry.
pub struct LongTimeline {
    destination: String,
    tags: BTreeMap<String, String>,
    past: Vec<PastRelease>,
    count: usize,
}

impl LongTimeline {
    pub fn new(registry: &Registry) -> Self {
        Self {
            destination: format!("{}/prod", registry.host()),
            tags: registry.tags("prod"),
            past: Vec::new(),
            count: 0,
        }
    }

    /// Adds releases up to `count`; those have content whose number from the end `has_content` accepts.
    pub fn extend(
        &mut self,
        registry: &Registry,
        count: usize,
        has_content: impl Fn(usize) -> bool,
    ) {
        let begin = self.count;
        self.count += count;
        for number in begin..self.count {
            let time = minute(i64::try_from(number).unwrap() * PACE);
            match has_content(self.count - 1 - number) {
                true => self.add_record(registry, number, time),
                false => self.add_name(number, time),
            }
        }
        registry.set_tags("prod", self.tags.clone());
    }

    /// Returns the time of the newest entry.
    pub fn newest(&self) -> RecordTime {
        minute(i64::try_from(self.count - 1).unwrap() * PACE)
    }

    fn add_name(&mut self, number: usize, time: RecordTime) {
        let id = RecordId::from_blob(format!("record {number}").as_bytes());
        self.add_past(number, time, id);
        let name = self.name(number, time, id);
        let digest = Digest::from_bytes(b"no manifest").to_string();
        self.tags.insert(name, digest);
    }

    fn add_record(&mut self, registry: &Registry, number: usize, time: RecordTime) {
        let json = serde_json::json!({
            "environment": "prod", "destination": self.destination, "action": "promote",
            "version": version(number), "commit": {"sha": commit(number)}, "tool": "test", "plannedAt": time.to_string(),
        });
        let mut predicate: ReleasePredicate = serde_json::from_value(json).unwrap();
        predicate.past = self.past.iter().rev().take(PAST_LIMIT).cloned().collect();
        predicate.previous = self
            .past
            .last()
            .map(|past| past.record)
            .into_iter()
            .collect();
        let record = ReleaseRecord {
            root: root(number),
            predicate,
        };
        let blob = RecordBlob {
            media_type: STATEMENT_MEDIA_TYPE.to_owned(),
            content: record.to_statement().into(),
        };
        let id = RecordId::from_blob(&blob.content);
        let manifest = build_entry_manifest(&blob, &[]);
        let name = self.name(number, time, id);
        let kind = manifest.media_type.as_str().to_owned();
        let digest = registry.put_manifest("prod", &name, &kind, manifest.bytes.clone());
        self.tags.insert(name, digest);
        self.add_past(number, time, id);
    }

    fn add_past(&mut self, number: usize, time: RecordTime, id: RecordId) {
        self.past.push(PastRelease {
            record: id,
            action: RecordAction::Promote,
            root: root(number),
            planned_at: time,
            version: Some(version(number)),
            commit: Some(commit(number)),
            actor: None,
            restores: None,
            hold: None,
        });
    }

    fn name(&self, number: usize, time: RecordTime, id: RecordId) -> String {
        let name = EntryName {
            environment: "prod".parse().unwrap(),
            planned_at: time,
            action: RecordAction::Promote,
            root: DigestPrefix::from_digest(root(number)),
            record: DigestPrefix::from_digest(id.digest()),
        };
        name.to_string()
    }
}

/// Returns the root of a release.
pub fn root(number: usize) -> Digest {
    Digest::from_bytes(format!("image {number}").as_bytes())
}

/// Returns the commit of a release.
pub fn commit(number: usize) -> String {
    format!("{:040x}", number + 1)
}

/// Returns the version of a release.
pub fn version(number: usize) -> String {
    format!("1.{number}.0")
}
