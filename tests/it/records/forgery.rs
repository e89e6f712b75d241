//! Entries as a forger writes them, from an honest record.

use bytes::Bytes;
use serde_json::{Value, json};
use shipmark::image::Digest;
use shipmark::record::{
    EntryName, RecordAction, RecordBlob, RecordId, STATEMENT_MEDIA_TYPE, build_entry_manifest,
    entry_config,
};

use super::Stage;
use crate::registry::Registry;
use crate::support::records::{minute, record};

/// Entry as somebody who may push writes it, and why it does not count.
pub struct Forgery {
    pub what: &'static str,
    pub name: EntryName,
    pub manifest: Bytes,
    /// Blobs that the repository has.
    pub blobs: Vec<Bytes>,
    pub reason: &'static str,
}

/// The honest record of the stage's first release, and what a forger makes of it.
pub struct Honest {
    pub name: EntryName,
    pub statement: Value,
    pub root: Digest,
}

impl Honest {
    pub fn read(stage: &Stage) -> Self {
        let name: EntryName = stage.entries()[0].parse().unwrap();
        let record = record(&stage.registry, "prod", &name.to_string());
        Self {
            name,
            statement: serde_json::from_slice(&record.to_statement()).unwrap(),
            root: record.root,
        }
    }

    /// A rollback of the release, one minute after it, with these members of the statement changed.
    pub fn rollback(&self, edit: impl Fn(&mut Value)) -> Vec<u8> {
        let mut statement = self.statement.clone();
        statement["predicate"]["action"] = json!("rollback");
        statement["predicate"]["plannedAt"] = json!(minute(1).to_string());
        edit(&mut statement);
        statement.to_string().into_bytes()
    }

    /// The name that the timeline would give that rollback.
    pub fn name_of(&self, blob: &[u8]) -> EntryName {
        EntryName::new(
            self.name.environment.clone(),
            minute(1),
            RecordAction::Rollback,
            self.root,
            RecordId::from_blob(blob),
        )
    }

    /// The rollback with the entry that belongs to it, its name changed.
    pub fn renamed(
        &self,
        what: &'static str,
        reason: &'static str,
        rename: impl Fn(EntryName) -> EntryName,
    ) -> Forgery {
        let blob = self.rollback(|_| {});
        let mut forged = self.with_blob(what, reason, blob);
        forged.name = rename(forged.name);
        forged
    }

    /// A stored blob with the entry that belongs to it.
    pub fn with_blob(&self, what: &'static str, reason: &'static str, blob: Vec<u8>) -> Forgery {
        let name = self.name_of(&blob);
        let record = stored(blob);
        Forgery {
            what,
            name,
            manifest: build_entry_manifest(&record, &[]).bytes,
            blobs: vec![record.content, entry_config()],
            reason,
        }
    }

    /// The rollback with a changed manifest.
    pub fn with_manifest(
        &self,
        what: &'static str,
        reason: &'static str,
        edit: impl Fn(&mut Value),
    ) -> Forgery {
        let mut forged = self.with_blob(what, reason, self.rollback(|_| {}));
        let mut manifest: Value = serde_json::from_slice(&forged.manifest).unwrap();
        edit(&mut manifest);
        forged.manifest = manifest.to_string().into();
        forged
    }
}

pub fn stored(blob: Vec<u8>) -> RecordBlob {
    RecordBlob {
        media_type: STATEMENT_MEDIA_TYPE.to_owned(),
        content: blob.into(),
    }
}

impl Forgery {
    pub fn put(&self, registry: &Registry) {
        for blob in &self.blobs {
            registry.put_blob("prod", blob.clone());
        }
        let manifest: Value = serde_json::from_slice(&self.manifest).unwrap();
        let kind = manifest["mediaType"].as_str().unwrap();
        let name = self.name.to_string();
        registry.put_manifest("prod", &name, kind, self.manifest.clone());
    }
}
