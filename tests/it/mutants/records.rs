//! Mutants of release records and of the names and manifests of their entries: no damaged record counts.

use fastrand::Rng;
use serde_json::Value;
use shipmark::notices::Notices;
use shipmark::record::{
    EntryName, RecordBlob, RecordId, ReleaseRecord, TimelinePlace, build_entry_manifest,
};
use shipmark::release::{RecordSigner, RecordTrust, read_record};
use shipmark::signing::{BUNDLE_TYPE, Requirement, Signer};

use super::{context, keys, spoil, spoilt_json};

#[path = "../../../fuzz/records.rs"]
mod drive;

/// A record as it is stored, with the name of its entry.
struct Stored {
    blob: Vec<u8>,
    name: EntryName,
    place: TimelinePlace,
    trust: Option<RecordTrust>,
}

impl Stored {
    fn new(statement: &[u8], blob: Vec<u8>, trust: Option<RecordTrust>) -> Self {
        let record = ReleaseRecord::parse_statement(statement).unwrap();
        Self {
            name: record.entry_name(RecordId::from_blob(&blob)),
            place: TimelinePlace {
                environment: record.predicate.environment.clone(),
                destination: record.predicate.destination,
            },
            blob,
            trust,
        }
    }

    /// Whether these bytes are read, and count under a name.
    fn counts(&self, blob: &[u8], name: &EntryName) -> (bool, bool) {
        match read_record(self.trust.as_ref(), blob) {
            Ok(read) => {
                let checked = read.record.check_entry(read.id, name, &self.place);
                (true, checked.is_ok())
            }
            Err(_) => (false, false),
        }
    }
}

async fn signed(statement: &[u8]) -> Stored {
    let key = keys::key();
    let (context, notices) = (context(), Notices::new(|_| ()));
    let trust = RecordTrust::new(vec![RecordSigner {
        requirement: Requirement::Key {
            key: key.public().clone(),
            log: None,
        },
        actions: None,
        until: None,
    }]);
    let signer = Signer::Key(key.into());
    let http = context.registry.http();
    let blob = signer.sign_record(http, &notices, statement.to_vec()).await;
    Stored::new(statement, blob.unwrap(), Some(trust))
}

/// Tries so many; returns how many were read as something.
pub async fn records(count: u64) -> u64 {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/records/release.json"
    );
    let pretty = std::fs::read(path).unwrap();
    let statement: Value = serde_json::from_slice(&pretty).unwrap();
    let statement = statement.to_string().into_bytes();
    let all = [
        Stored::new(&pretty, pretty.clone(), None),
        Stored::new(&statement, statement.clone(), None),
        signed(&statement).await,
    ];
    for stored in &all {
        assert_eq!(stored.counts(&stored.blob, &stored.name), (true, true));
    }
    let mut read = 0;
    for seed in 0..count {
        let mut random = Rng::with_seed(seed);
        let stored = &all[random.usize(..all.len())];
        read += u64::from(match random.u8(..4) {
            0 => spoil_name(stored, &mut random),
            1 => spoil_manifest(stored, &mut random),
            _ => spoil_blob(stored, &mut random),
        });
    }
    read
}

fn spoil_blob(stored: &Stored, random: &mut Rng) -> bool {
    let blob = spoilt_json(&stored.blob, random);
    drive::drive(&blob);
    let (is_read, counts) = stored.counts(&blob, &stored.name);
    assert_eq!(counts, blob == stored.blob);
    is_read
}

fn spoil_name(stored: &Stored, random: &mut Rng) -> bool {
    let mut name = stored.name.to_string().into_bytes();
    spoil(&mut name, random);
    drive::drive(&name);
    let name = String::from_utf8_lossy(&name).parse::<EntryName>();
    let Ok(name) = name else {
        return false;
    };
    let (_, counts) = stored.counts(&stored.blob, &name);
    assert_eq!(counts, name == stored.name);
    true
}

fn spoil_manifest(stored: &Stored, random: &mut Rng) -> bool {
    let blob = RecordBlob {
        media_type: BUNDLE_TYPE.to_owned(),
        content: stored.blob.clone().into(),
    };
    let manifest = build_entry_manifest(&blob, &[]);
    drive::drive(&spoilt_json(&manifest.bytes, random))
}
