//! Timestamps of Sigstore's timestamp authority, with keys of every kind in files. Left out of a plain
//! `cargo test`; scripts/interop.sh runs it.

use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::Recorded;
use crate::support::process::Place;
use crate::support::table::{documented, yes};

/// Kinds of keys, with what openssl makes them from.
const KINDS: [(&str, &[&str]); 6] = [
    ("RSA 2048", &["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
    ("RSA 4096", &["RSA", "-pkeyopt", "rsa_keygen_bits:4096"]),
    ("P-256", &["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
    ("P-384", &["EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
    ("P-521", &["EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
    ("Ed25519", &["ED25519"]),
];
const HASHES: [&str; 3] = ["sha256", "sha384", "sha512"];
const BEGIN: &str = "<!-- timestamps of timestamp-authority -->\n";
const HEAD: &str = "| key | SHA-256 | SHA-384 | SHA-512 |\n|---|---|---|---|\n";

/// A timestamp authority's key and certificates, in files.
struct AuthorityFiles {
    place: Place,
}

/// A server that is stopped at the end.
struct Server {
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl AuthorityFiles {
    fn new(kind: &[&str]) -> Self {
        let files = Self {
            place: Place::new(),
        };
        let stamps = "extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,digitalSignature\n";
        std::fs::write(files.place.path("stamps"), stamps).unwrap();
        let genpkey = |kind: &[&str], out: &str| {
            files.openssl(&[&["genpkey", "-out", out, "-algorithm"], kind].concat());
        };
        genpkey(kind, "key");
        genpkey(KINDS[3].1, "root.key");
        let root = [
            "req", "-x509", "-key", "root.key", "-subj", "/CN=root", "-days", "9",
        ];
        let issues = ["-addext", "keyUsage=critical,keyCertSign", "-out", "root"];
        files.openssl(&[&root[..], &issues].concat());
        let request = ["req", "-new", "-key", "key", "-subj", "/CN=timestamp"];
        files.openssl(&[&request[..], &["-out", "request"]].concat());
        let issue = ["x509", "-req", "-in", "request", "-CA", "root", "-CAkey"];
        let leaf = ["root.key", "-CAcreateserial", "-days", "8"];
        let extended = ["-extfile", "stamps", "-out", "leaf"];
        files.openssl(&[&issue[..], &leaf, &extended].concat());
        let pem = |name: &str| std::fs::read_to_string(files.place.path(name)).unwrap();
        std::fs::write(files.place.path("chain"), pem("leaf") + &pem("root")).unwrap();
        files
    }

    fn openssl(&self, arguments: &[&str]) -> Vec<u8> {
        let mut openssl = Command::new("openssl");
        let output = openssl
            .current_dir(self.place.root())
            .args(arguments)
            .output();
        let output = output.expect("openssl runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "openssl {arguments:?}: {errors}");
        output.stdout
    }

    /// The certificates in base64: the authority's own, and the root.
    fn chain(&self) -> Vec<String> {
        let der = |name| self.openssl(&["x509", "-in", name, "-outform", "DER"]);
        ["leaf", "root"]
            .map(|name| super::encode(&der(name)))
            .to_vec()
    }

    /// Starts an authority; `None` where the server does not take the key.
    async fn serve(&self, hash: &str) -> Option<Server> {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut command = Command::new("timestamp-server");
        command.current_dir(self.place.root()).args([
            "serve",
            "--host=127.0.0.1",
            &format!("--port={port}"),
            "--timestamp-signer=file",
            "--file-signer-key-path=key",
            "--certificate-chain-path=chain",
            &format!("--timestamp-signer-hash={hash}"),
            "--disable-ntp-monitoring",
        ]);
        let log = std::fs::File::create(self.place.path("log")).unwrap();
        command.stdout(log.try_clone().unwrap()).stderr(log);
        let mut server = Server {
            child: command.spawn().expect("timestamp-server runs"),
            url: format!("http://127.0.0.1:{port}"),
        };
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(20) {
            if reqwest::get(format!("{}/ping", server.url)).await.is_ok() {
                return Some(server);
            }
            if server.child.try_wait().unwrap().is_some() {
                return None;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("timestamp-server does not answer");
    }

    /// Has a signature stamped, with the authority's certificate in the token or not.
    async fn stamp(
        &self,
        server: &Server,
        signature: &[u8],
        hash: &str,
        certified: bool,
    ) -> Vec<u8> {
        std::fs::write(self.place.path("data"), signature).unwrap();
        let hash = format!("-{hash}");
        let mut query = vec!["ts", "-query", "-data", "data", "-no_nonce", &hash];
        if certified {
            query.push("-cert");
        }
        let request = reqwest::Client::new()
            .post(format!("{}/api/v1/timestamp", server.url))
            .header("content-type", "application/timestamp-query")
            .body(self.openssl(&query));
        let answer = request.send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        answer.bytes().await.unwrap().to_vec()
    }
}

/// Returns what cosign says of an authority's timestamps, and what is said here.
async fn outcomes(kind: &[&str], hash: &str) -> Vec<(bool, bool)> {
    let recorded = Recorded::load();
    let files = AuthorityFiles::new(kind);
    let Some(server) = files.serve(hash).await else {
        return Vec::new();
    };
    let mut outcomes = Vec::new();
    for (certified, from) in [(false, 0), (true, 0), (true, 1)] {
        let signature = recorded.signature();
        let token = files.stamp(&server, &signature, hash, certified).await;
        let chain = files.chain();
        let stamped = recorded.with(&super::encode(&token), &chain[from..], None);
        let here = stamped.check();
        println!("{kind:?} {hash} {certified} {from}: {here:?}");
        outcomes.push((stamped.cosign_accepts(), here.is_ok()));
    }
    outcomes
}

#[tokio::test]
#[ignore = "needs cosign, openssl and timestamp-server"]
async fn timestamps_of_sigstores_authority_are_taken_as_cosign_takes_them() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let mut rows = Vec::new();
    for (name, kind) in KINDS {
        let mut cells = Vec::new();
        for hash in HASHES {
            let outcomes = outcomes(kind, hash).await;
            let same = outcomes.iter().all(|(cosign, here)| cosign == here);
            assert!(same, "{name}, {hash}: {outcomes:?}");
            cells.push(match outcomes.first() {
                None => "the server refuses the key",
                Some((true, _)) => yes(true),
                Some((false, _)) => "refused by both",
            });
        }
        rows.push(format!("| {name} | {} |", cells.join(" | ")));
    }
    documented("docs/verifying.md", BEGIN, HEAD, &rows);
}
