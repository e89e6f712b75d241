//! A repository of The Update Framework, signed with keys of its own and served over real HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use url::Url;

use super::ledger::hex;
use super::sha256;
use crate::registry::{Answer, Bound, Call, Fault, Handler, Host, Issuer};

/// A repository, until this is dropped.
pub struct Repository {
    host: Host,
    files: Arc<Files>,
    /// Who signs roots, and who signs the rest.
    pub root_key: Key,
    pub online_key: Key,
}

#[derive(Default)]
struct Files(Mutex<BTreeMap<String, Vec<u8>>>);

pub struct Key(Ed25519KeyPair);

/// When what a repository says ends to hold, apart from its root.
pub const EXPIRES: &str = "2030-01-01T00:00:00Z";

impl Key {
    pub fn new() -> Self {
        Self(Ed25519KeyPair::generate().unwrap())
    }

    fn id(&self) -> String {
        hex(&sha256(self.0.public_key().as_ref()))
    }

    fn public(&self) -> Value {
        json!({
            "keytype": "ed25519",
            "scheme": "ed25519",
            "keyval": {"public": hex(self.0.public_key().as_ref())},
        })
    }
}

/// A file of metadata with its signatures. What is signed is canonical as it is: its members are
/// sorted, and its texts have nothing to escape.
pub fn signed(content: &Value, keys: &[&Key]) -> Vec<u8> {
    let text = content.to_string();
    let signature = |key: &&Key| {
        let signature = key.0.sign(text.as_bytes());
        json!({"keyid": key.id(), "sig": hex(signature.as_ref())})
    };
    let signatures: Vec<_> = keys.iter().map(signature).collect();
    json!({"signatures": signatures, "signed": content})
        .to_string()
        .into_bytes()
}

/// A root: the keys of the roles are these.
pub fn root(version: u64, root: &Key, online: &Key) -> Value {
    let role = |key: &Key| json!({"keyids": [key.id()], "threshold": 1});
    json!({
        "_type": "root",
        "spec_version": "1.0.31",
        "version": version,
        "expires": "2035-01-01T00:00:00Z",
        "consistent_snapshot": true,
        "keys": {root.id(): root.public(), online.id(): online.public()},
        "roles": {
            "root": role(root),
            "timestamp": role(online),
            "snapshot": role(online),
            "targets": role(online),
        },
    })
}

/// Metadata of the role that lists `meta`.
pub fn metadata(role: &str, version: u64, expires: &str, name: &str, meta: Value) -> Value {
    json!({
        "_type": role,
        "spec_version": "1.0.31",
        "version": version,
        "expires": expires,
        name: meta,
    })
}

impl Repository {
    pub async fn start() -> Self {
        let bound = Bound::new(None).await;
        let files = Arc::new(Files::default());
        let host = bound.serve(files.clone());
        Self {
            host,
            files,
            root_key: Key::new(),
            online_key: Key::new(),
        }
    }

    pub fn url(&self) -> Url {
        self.host.url.parse().unwrap()
    }

    /// The first root, with which trust begins.
    pub fn first_root(&self) -> Vec<u8> {
        let keys = (&self.root_key, &self.online_key);
        signed(&root(1, keys.0, keys.1), &[keys.0])
    }

    /// Publishes targets, as a version of everything below the root.
    pub fn publish(&self, version: u64, targets: &[(&str, &str)]) {
        self.publish_until(version, EXPIRES, targets);
    }

    /// As [`Self::publish`], with a timestamp that holds until then.
    pub fn publish_until(&self, version: u64, expires: &str, targets: &[(&str, &str)]) {
        let key = &[&self.online_key];
        let mut listed = json!({});
        for (name, text) in targets {
            let digest = hex(&sha256(text.as_bytes()));
            self.put(&format!("targets/{digest}.{name}"), text.as_bytes());
            listed[name] = json!({"length": text.len(), "hashes": {"sha256": digest}});
        }
        let targets = metadata("targets", version, EXPIRES, "targets", listed);
        self.put(&format!("{version}.targets.json"), &signed(&targets, key));
        let meta = json!({"targets.json": {"version": version}});
        let snapshot = metadata("snapshot", version, EXPIRES, "meta", meta);
        self.put(&format!("{version}.snapshot.json"), &signed(&snapshot, key));
        let meta = json!({"snapshot.json": {"version": version}});
        let timestamp = metadata("timestamp", version, expires, "meta", meta);
        self.put("timestamp.json", &signed(&timestamp, key));
    }

    pub fn put(&self, path: &str, content: &[u8]) {
        let mut files = self.files.0.lock().unwrap();
        files.insert(path.to_owned(), content.to_vec());
    }

    pub fn get(&self, path: &str) -> Vec<u8> {
        self.files.0.lock().unwrap()[path].clone()
    }

    pub fn fault(&self, fault: Fault) {
        self.host.front.fault(fault);
    }

    /// What was asked for since it was last asked, in order.
    pub fn asked(&self) -> Vec<String> {
        let log = self.host.front.log();
        self.host.front.clear_log();
        log.iter().map(|exchange| exchange.line()).collect()
    }
}

impl Handler for Files {
    fn handle<'a>(&'a self, call: &'a mut Call) -> BoxFuture<'a, Answer> {
        async move {
            let path = call.path.trim_start_matches('/');
            match self.0.lock().unwrap().get(path) {
                Some(content) => Answer::new(200).bytes(content.clone()),
                None => Answer::new(404),
            }
        }
        .boxed()
    }

    fn issuer(&self) -> Option<&Issuer> {
        None
    }
}
