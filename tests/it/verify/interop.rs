//! Everything that cosign signs with a real Sigstore, in every form, verified here: over a registry
//! with the referrers API and one without. `scripts/interop.sh` starts the servers; the table in
//! docs/verifying.md is this one's.

use std::process::Command;

use crate::support::process::{Place, Ran};
use crate::support::table::{documented, yes};
use crate::support::*;

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/interop.sh"))
}

/// What is attested, in the terms of SLSA.
const PREDICATE: &str = r#"{
    "buildDefinition": {"buildType": "https://example.com/build", "externalParameters": {}},
    "runDetails": {"builder": {"id": "https://example.com/builder"}}
}"#;

/// One row: how cosign signs, and what `verify` is asked.
struct Row {
    name: String,
    cosign: Vec<String>,
    /// What accepts it.
    verify: Vec<String>,
    /// What does not, and why.
    refuses: (Vec<String>, &'static str),
    evidence: &'static str,
}

fn words(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

struct Flags {
    root: String,
    v1: Vec<String>,
    v2: Vec<String>,
    old: Vec<String>,
    fulcio: Vec<String>,
    log: Vec<String>,
    timestamp: Vec<String>,
    identity: Vec<String>,
    other_identity: Vec<String>,
    key: Vec<String>,
    other_key: Vec<String>,
}

impl Flags {
    fn read() -> Self {
        let root = variable("SIGSTACK_TRUSTED_ROOT");
        let config =
            |name: &str| words(&["--trusted-root", &root, "--signing-config", &variable(name)]);
        let issuer = format!(
            "--certificate-oidc-issuer={}",
            variable("SIGSTACK_OIDC_ISSUER")
        );
        let trusted = format!("--trusted-root={root}");
        let identity = format!("--certificate-identity={}", variable("SIGSTACK_IDENTITY"));
        let other = "--certificate-identity=https://github.com/octo-org/other/*";
        Self {
            v1: config("SIGSTACK_SIGNING_CONFIG_REKOR1"),
            v2: config("SIGSTACK_SIGNING_CONFIG"),
            old: words(&["--new-bundle-format=false", "--use-signing-config=false"]),
            fulcio: words(&[
                "--trusted-root",
                &root,
                "--fulcio-url",
                &variable("SIGSTACK_FULCIO_URL"),
            ]),
            log: words(&["--rekor-url", &variable("SIGSTACK_REKOR1_URL")]),
            timestamp: words(&["--timestamp-server-url", &variable("SIGSTACK_TSA_URL")]),
            identity: words(&[&identity, &issuer, &trusted]),
            other_identity: words(&[other, &issuer, &trusted]),
            key: words(&["--key=ours.pub", &trusted]),
            other_key: words(&["--key=other.pub", &trusted]),
            root,
        }
    }

    /// A signature of a key that a log has.
    fn logged_key(&self, kind: &str, file: &str, form: &str, log: &[String]) -> Row {
        let key = format!("--key={file}.key");
        let root = format!("--trusted-root={}", self.root);
        let public = format!("--key={file}.pub");
        Row {
            name: format!("{kind} key, {form} (`transparency-log: on`)"),
            cosign: [words(&["sign", "--yes", &key]), log.to_vec()].concat(),
            verify: words(&[&public, &root, "--transparency-log=on"]),
            refuses: (
                [
                    self.other_key.as_slice(),
                    &words(&["--transparency-log=on"]),
                ]
                .concat(),
                "signed with another key",
            ),
            evidence: "in a transparency log",
        }
    }

    fn rows(&self) -> Vec<Row> {
        let logged = |flags: &[String]| [flags, &words(&["--transparency-log=on"])].concat();
        let unlogged = |flags: &[String]| [flags, &words(&["--transparency-log=off"])].concat();
        let legacy = [self.old.as_slice(), &self.log].concat();
        let predicate = |kind: &str| words(&["--type", kind, "--predicate", "predicate.json"]);
        let attested =
            |flags: &[String], rule: &str| [flags, &[format!("--attestation={rule}")]].concat();
        let key = words(&["--key", "ours.key"]);
        let no_log = words(&["--tlog-upload=false"]);
        let no_config = words(&["--use-signing-config=false"]);
        let verb =
            |verb: &str, flags: &[&[String]]| [words(&[verb, "--yes"]), flags.concat()].concat();
        let (identity, other) = (&self.identity, &self.other_identity);
        let keyless = |name: &str, cosign, evidence| Row {
            name: name.to_owned(),
            cosign,
            verify: identity.clone(),
            refuses: (other.clone(), "signed by "),
            evidence,
        };
        let rsa = words(&["--key", "rsa.key"]);
        let by_rsa = words(&["--key=rsa.pub", &format!("--trusted-root={}", self.root)]);
        // cosign 3.1 signs with these, and verifies no such signature itself.
        let p384 = words(&["--key", "p384.key"]);
        let p521 = words(&["--key", "p521.key"]);
        let provenance = predicate("slsaprovenance1");
        let spdx = predicate("spdxjson");
        let rule =
            "https://slsa.dev/provenance/v1,/buildDefinition/buildType=https://example.com/*";
        vec![
            keyless(
                "keyless, bundle, Rekor v2, timestamp",
                verb("sign", &[&self.v2]),
                "in a transparency log",
            ),
            keyless(
                "keyless, bundle, Rekor v1, timestamp",
                verb("sign", &[&self.v1]),
                "in a transparency log",
            ),
            keyless(
                "keyless, legacy, Rekor v1",
                verb("sign", &[&self.old, &self.fulcio, &self.log]),
                "in a transparency log",
            ),
            keyless(
                "keyless, legacy, Rekor v1, timestamp",
                verb(
                    "sign",
                    &[&self.old, &self.fulcio, &self.log, &self.timestamp],
                ),
                "in a transparency log",
            ),
            Row {
                name: "keyless, legacy, timestamp, no log (`transparency-log: off`)".to_owned(),
                cosign: verb("sign", &[&self.old, &self.fulcio, &no_log, &self.timestamp]),
                verify: unlogged(identity),
                refuses: (identity.clone(), "no transparency log entry"),
                evidence: "signed at",
            },
            Row {
                name: "key, bundle, Rekor v2, timestamp (`transparency-log: on`)".to_owned(),
                cosign: verb("sign", &[&key, &self.v2]),
                verify: logged(&self.key),
                refuses: (logged(&self.other_key), "signed with another key"),
                evidence: "in a transparency log",
            },
            Row {
                name: "key, bundle, Rekor v1, timestamp (`transparency-log: on`)".to_owned(),
                cosign: verb("sign", &[&key, &self.v1]),
                verify: logged(&self.key),
                refuses: (logged(&self.other_key), "signed with another key"),
                evidence: "in a transparency log",
            },
            Row {
                name: "key, bundle, no log".to_owned(),
                cosign: verb("sign", &[&key, &no_config, &no_log]),
                verify: self.key.clone(),
                refuses: (logged(&self.key), "no transparency log entry"),
                evidence: "good",
            },
            Row {
                name: "key, legacy, Rekor v1 (`transparency-log: on`)".to_owned(),
                cosign: verb("sign", &[&self.old, &key, &self.log]),
                verify: logged(&self.key),
                refuses: (logged(&self.other_key), "signed with another key"),
                evidence: "in a transparency log",
            },
            Row {
                name: "key, legacy, no log".to_owned(),
                cosign: verb("sign", &[&self.old, &key, &no_log]),
                verify: self.key.clone(),
                refuses: (logged(&self.key), "no transparency log entry"),
                evidence: "good",
            },
            Row {
                name: "RSA key, bundle, no log".to_owned(),
                cosign: verb("sign", &[&rsa, &no_config, &no_log]),
                verify: words(&["--key=rsa.pub"]),
                refuses: (self.key.clone(), "signed with another key"),
                evidence: "good",
            },
            Row {
                name: "RSA key, bundle, Rekor v1, timestamp (`transparency-log: on`)".to_owned(),
                cosign: verb("sign", &[&rsa, &self.v1]),
                verify: logged(&by_rsa),
                refuses: (logged(&self.key), "signed with another key"),
                evidence: "in a transparency log",
            },
            Row {
                name: "RSA key, legacy, Rekor v1 (`transparency-log: on`)".to_owned(),
                cosign: verb("sign", &[&self.old, &rsa, &self.log]),
                verify: logged(&by_rsa),
                refuses: (logged(&self.key), "signed with another key"),
                evidence: "in a transparency log",
            },
            Row {
                name: "P-384 key, bundle, no log".to_owned(),
                cosign: verb("sign", &[&p384, &no_config, &no_log]),
                verify: words(&["--key=p384.pub"]),
                refuses: (self.key.clone(), "signed with another key"),
                evidence: "good",
            },
            Row {
                name: "P-521 key, legacy, no log".to_owned(),
                cosign: verb("sign", &[&self.old, &p521, &no_log]),
                verify: words(&["--key=p521.pub"]),
                refuses: (self.key.clone(), "signed with another key"),
                evidence: "good",
            },
            self.logged_key("RSA", "rsa", "bundle, Rekor v2, timestamp", &self.v2),
            self.logged_key("P-384", "p384", "bundle, Rekor v2, timestamp", &self.v2),
            self.logged_key("P-384", "p384", "legacy, Rekor v1", &legacy),
            self.logged_key("P-521", "p521", "bundle, Rekor v2, timestamp", &self.v2),
            self.logged_key("P-521", "p521", "legacy, Rekor v1", &legacy),
            Row {
                name: "keyless attestation, bundle, Rekor v2, timestamp".to_owned(),
                cosign: verb("attest", &[&self.v2, &provenance]),
                verify: attested(identity, rule),
                refuses: (
                    attested(
                        identity,
                        "https://slsa.dev/provenance/v1,/runDetails/builder/id=https://example.com/other",
                    ),
                    "/runDetails/builder/id in the predicate is",
                ),
                evidence: "good: https://slsa.dev/provenance/v1",
            },
            Row {
                name: "keyless attestation, bundle, Rekor v1, timestamp".to_owned(),
                cosign: verb("attest", &[&self.v1, &provenance]),
                verify: attested(identity, rule),
                refuses: (attested(other, rule), "signed by "),
                evidence: "good: https://slsa.dev/provenance/v1",
            },
            Row {
                name: "keyless attestation, legacy, Rekor v1".to_owned(),
                cosign: verb("attest", &[&self.old, &self.fulcio, &self.log, &spdx]),
                verify: attested(identity, "https://spdx.dev/Document"),
                refuses: (identity.clone(), "has no valid signature"),
                evidence: "good: https://spdx.dev/Document",
            },
            Row {
                name: "key attestation, bundle, Rekor v2, timestamp (`transparency-log: on`)"
                    .to_owned(),
                cosign: verb("attest", &[&key, &self.v2, &spdx]),
                verify: attested(&logged(&self.key), "https://spdx.dev/Document"),
                refuses: (
                    attested(&self.other_key, "https://spdx.dev/Document"),
                    "signed with another key",
                ),
                evidence: "in a transparency log",
            },
            Row {
                name: "key attestation, legacy, Rekor v1 (`transparency-log: on`)".to_owned(),
                cosign: verb("attest", &[&self.old, &key, &self.log, &spdx]),
                verify: attested(&logged(&self.key), "https://spdx.dev/Document"),
                refuses: (
                    attested(&self.other_key, "https://spdx.dev/Document"),
                    "signed with another key",
                ),
                evidence: "in a transparency log",
            },
        ]
    }
}

/// cosign, with the servers of the stack in its environment and the keys in its folder.
fn cosign(place: &Place, arguments: &[String]) {
    let mut command = Command::new("cosign");
    command.args(arguments).current_dir(place.root());
    command.env("COSIGN_PASSWORD", "not a secret");
    command
        .env("SIGSTORE_NO_CACHE", "1")
        .env("HOME", place.root());
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("cosign: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cosign {arguments:?}: {errors}");
}

#[tokio::test]
#[ignore = "needs cosign, a Sigstore and its registries: scripts/interop.sh"]
async fn everything_that_cosign_signs_is_verified_here() {
    let flags = Flags::read();
    let place = Place::new();
    for name in ["ours", "other"] {
        cosign(
            &place,
            &words(&["generate-key-pair", "--output-key-prefix", name]),
        );
    }
    for (name, options) in [
        ("rsa", &["RSA", "-pkeyopt", "rsa_keygen_bits:2048"][..]),
        ("p384", &["EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
        ("p521", &["EC", "-pkeyopt", "ec_paramgen_curve:P-521"]),
    ] {
        let mut command = Command::new("openssl");
        command
            .args(["genpkey", "-out", name, "-algorithm"])
            .args(options);
        let made = command.current_dir(place.root()).output().unwrap();
        assert!(made.status.success(), "openssl {options:?}: {made:?}");
        let import = [
            "import-key-pair",
            "--yes",
            "--key",
            name,
            "--output-key-prefix",
            name,
        ];
        cosign(&place, &words(&import));
    }
    std::fs::write(place.path("predicate.json"), PREDICATE).unwrap();
    assert!(!flags.root.is_empty());
    let registries = ["SIGSTACK_REFREGISTRY", "SIGSTACK_REGISTRY"].map(variable);
    let mut rows = Vec::new();
    for (at, row) in flags.rows().into_iter().enumerate() {
        let mut cells = format!("| {} |", row.name);
        for registry in &registries {
            let repository = format!("{registry}/verified-{}/{at}", std::process::id());
            let verified = row.is_verified(&place, &repository).await;
            if let Err(told) = &verified {
                println!("{} at {registry}: {told}", row.name);
            }
            cells += &format!(" {} |", yes(verified.is_ok()));
        }
        rows.push(cells);
    }
    let head = "| signed by cosign | with the referrers API | without |\n|---|---|---|\n";
    documented("docs/verifying.md", "<!-- cosign -->\n", head, &rows);
}

impl Row {
    /// Has cosign sign an image of its own, and verifies that: what is to be accepted is, and what is
    /// to be refused is refused with its reason.
    async fn is_verified(&self, place: &Place, repository: &str) -> Result<(), String> {
        let image = push(&example(), &[repository], "refs/heads/main");
        let outcome = done(image, &context()).await;
        let image = format!("{repository}@{}", outcome.root);
        let mut arguments = self.cosign.clone();
        if arguments[0] == "sign" {
            // RSA signs the same alike, which Rekor v2 takes once.
            arguments.extend(["-a".to_owned(), format!("place={repository}")]);
        }
        arguments.push(image.clone());
        cosign(place, &arguments);
        let says = |flags: &[String], status: i32, part: &str| {
            let mut command = place.command();
            command.args(["verify", "--source", &image]).args(flags);
            let ran = Ran::of(command.output().unwrap());
            let told = format!("{}{}", ran.out, ran.log);
            match ran.status == Some(status) && told.contains(part) {
                true => Ok(()),
                false => Err(told),
            }
        };
        says(&self.verify, 0, self.evidence)?;
        let (flags, part) = &self.refuses;
        says(flags, 1, part)
    }
}
