//! A transparency log: a Merkle tree with signed checkpoints, spoken to as Rekor v1 or v2.

use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::clock::Clock;
use super::key::Key;
use super::{base64, bytes, sha256};

/// What it calls itself in checkpoints.
const ORIGIN: &str = "rekor.example";

pub struct Ledger {
    key: Key,
    entries: Mutex<Vec<Vec<u8>>>,
    pub clock: Clock,
}

/// Where an entry is, and that it is there.
struct Proof {
    index: usize,
    size: usize,
    root: [u8; 32],
    hashes: Vec<[u8; 32]>,
    checkpoint: String,
}

impl Ledger {
    pub fn new() -> Self {
        Self {
            key: Key::new(),
            entries: Mutex::default(),
            clock: Clock::default(),
        }
    }

    pub fn trusted(&self) -> Value {
        self.key.trusted(&format!("https://{ORIGIN}"))
    }

    pub fn len(&self) -> usize {
        self.entries.lock().unwrap().len()
    }

    /// Adds what Rekor v1 makes of a proposed entry; `Err` with its name where it is there already.
    pub fn add_v1(&self, proposed: &Value) -> Result<(String, Value), String> {
        let body = match proposed["kind"].as_str() {
            Some("dsse") => dsse(proposed),
            _ => proposed.to_string(),
        };
        let body = body.into_bytes();
        let name = hex(&sha256(&body));
        match self.add(body) {
            Some(index) => Ok((name, self.entry_v1(index))),
            None => Err(name),
        }
    }

    /// The entry of a name, as Rekor v1 has it.
    pub fn named(&self, name: &str) -> Option<Value> {
        let entries = self.entries.lock().unwrap().clone();
        let index = entries.iter().position(|body| hex(&sha256(body)) == name)?;
        Some(self.entry_v1(index))
    }

    fn entry_v1(&self, index: usize) -> Value {
        let body = self.entries.lock().unwrap()[index].clone();
        let time = self.clock.since_1970();
        let promised = self.promised(&body, time.as_secs(), index);
        let proof = self.prove(index);
        let mut entry = promised.clone();
        entry["verification"] = json!({
            "signedEntryTimestamp": base64(&self.key.sign(promised.to_string().as_bytes())),
            "inclusionProof": {
                "logIndex": proof.index,
                "treeSize": proof.size,
                "rootHash": hex(&proof.root),
                "hashes": proof.hashes.iter().map(|hash| hex(hash)).collect::<Vec<_>>(),
                "checkpoint": proof.checkpoint,
            },
        });
        entry
    }

    /// Adds what Rekor v2 makes of a request; none where it is there already.
    pub fn add_v2(&self, request: &Value) -> Option<Value> {
        let request = &request["hashedRekordRequestV002"];
        // Each kind of key has its one hash.
        let details = request["signature"]["verifier"]["keyDetails"].as_str()?;
        let algorithm = match details.rsplit("SHA").next()? {
            "_384" => "SHA2_384",
            "_512" => "SHA2_512",
            _ => "SHA2_256",
        };
        let body = json!({
            "apiVersion": "0.0.2",
            "kind": "hashedrekord",
            "spec": {"hashedRekordV002": {
                "data": {"algorithm": algorithm, "digest": request["digest"]},
                "signature": request["signature"],
            }},
        });
        let known = self.entries.lock().unwrap();
        let is_new = !known.contains(&body.to_string().into_bytes());
        drop(known);
        is_new.then(|| self.hold(&body, None))
    }

    /// Adds a body, and proves it as bundles have it; with a time it is promised for that.
    pub fn hold(&self, content: &Value, at: Option<SystemTime>) -> Value {
        let body = content.to_string().into_bytes();
        let index = self.add(body.clone()).unwrap_or_default();
        let proof = self.prove(index);
        let time = at.map_or(0, |at| at.duration_since(UNIX_EPOCH).unwrap().as_secs());
        let mut entry = json!({
            "logIndex": index.to_string(),
            "logId": {"keyId": base64(&self.key.id())},
            "kindVersion": {"kind": content["kind"], "version": content["apiVersion"]},
            "integratedTime": time.to_string(),
            "inclusionProof": {
                "logIndex": proof.index.to_string(),
                "treeSize": proof.size.to_string(),
                "rootHash": base64(&proof.root),
                "hashes": proof.hashes.iter().map(|hash| base64(hash)).collect::<Vec<_>>(),
                "checkpoint": {"envelope": proof.checkpoint},
            },
            "canonicalizedBody": base64(&body),
        });
        if at.is_some() {
            let promised = self.promised(&body, time, index);
            let promise = self.key.sign(promised.to_string().as_bytes());
            entry["inclusionPromise"] = json!({"signedEntryTimestamp": base64(&promise)});
        }
        entry
    }

    /// What Rekor v1 signs of an entry. As RFC 8785 has it: the names in their order, and nothing
    /// between.
    fn promised(&self, body: &[u8], time: u64, index: usize) -> Value {
        json!({
            "body": base64(body),
            "integratedTime": time,
            "logID": hex(&self.key.id()),
            "logIndex": index,
        })
    }

    /// Adds a body; none where it is there already.
    fn add(&self, body: Vec<u8>) -> Option<usize> {
        let mut entries = self.entries.lock().unwrap();
        if entries.contains(&body) {
            return None;
        }
        entries.push(body);
        Some(entries.len() - 1)
    }

    fn prove(&self, index: usize) -> Proof {
        let entries = self.entries.lock().unwrap();
        let leaves: Vec<_> = entries.iter().map(|body| leaf(body)).collect();
        let root = root(&leaves);
        let said = format!("{ORIGIN}\n{}\n{}\n", leaves.len(), base64(&root));
        let signature = [&self.key.id()[..4], &self.key.sign(said.as_bytes())].concat();
        Proof {
            index,
            size: leaves.len(),
            root,
            hashes: path(&leaves, index),
            checkpoint: format!("{said}\n\u{2014} {ORIGIN} {}\n", base64(&signature)),
        }
    }
}

/// What Rekor v1 keeps of an envelope.
fn dsse(proposed: &Value) -> String {
    let content = &proposed["spec"]["proposedContent"];
    let text = content["envelope"].as_str().unwrap();
    let envelope: Value = serde_json::from_str(text).unwrap();
    let payload = bytes(envelope["payload"].as_str().unwrap());
    let hash = |bytes: &[u8]| json!({"algorithm": "sha256", "value": hex(&sha256(bytes))});
    json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {
            "envelopeHash": hash(text.as_bytes()),
            "payloadHash": hash(&payload),
            "signatures": [{
                "signature": envelope["signatures"][0]["sig"],
                "verifier": content["verifiers"][0],
            }],
        },
    })
    .to_string()
}

fn leaf(body: &[u8]) -> [u8; 32] {
    sha256(&[&[0], body].concat())
}

/// RFC 6962, 2.1.
fn root(leaves: &[[u8; 32]]) -> [u8; 32] {
    match leaves {
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            sha256(&[&[1][..], &root(left), &root(right)].concat())
        }
    }
}

/// RFC 6962, 2.1.1.
fn path(leaves: &[[u8; 32]], index: usize) -> Vec<[u8; 32]> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let half = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(half);
    let (mut path, beside) = match index < half {
        true => (path(left, index), root(right)),
        false => (path(right, index - half), root(left)),
    };
    path.push(beside);
    path
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
