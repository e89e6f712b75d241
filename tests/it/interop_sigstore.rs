//! Signing against a real Sigstore (Fulcio, Rekor of both versions, a timestamp authority), over a
//! registry with the referrers API and one without it, verified by cosign and sigstore-python. Left
//! out of a plain `cargo test`; scripts/interop.sh starts the servers and runs them.
//!
//! What they say is the table in docs/signing.md: `UPDATE_DECLARED=1` writes it.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::support::process::Place;
use crate::support::table::{documented, yes};
use crate::support::{example, example_root};

/// The services, and one repository on each kind of registry.
pub struct Bench {
    pub place: Place,
    pub repositories: [(&'static str, String); 2],
}

/// How an image is signed.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    pub name: &'static str,
    /// The inputs beside the form.
    inputs: &'static [(&'static str, &'static str)],
    /// The signing config; none without a log.
    config: Option<&'static str>,
    pub keyless: bool,
    legacy: bool,
}

const KEYLESS: &[(&str, &str)] = &[("sign", "keyless")];
const KEY: &[(&str, &str)] = &[("sign", "key"), ("signing-key", "ours.key")];
const LOGGED_KEY: &[(&str, &str)] = &[
    ("sign", "key"),
    ("signing-key", "ours.key"),
    ("transparency-log", "on"),
];

pub const WAYS: [Way; 5] = [
    Way {
        name: "keyless, Rekor v1",
        inputs: KEYLESS,
        config: Some("SIGSTACK_SIGNING_CONFIG_REKOR1"),
        keyless: true,
        legacy: true,
    },
    Way {
        name: "keyless, Rekor v2 and timestamp",
        inputs: KEYLESS,
        config: Some("SIGSTACK_SIGNING_CONFIG"),
        keyless: true,
        legacy: false,
    },
    Way {
        name: "key, Rekor v1",
        inputs: LOGGED_KEY,
        config: Some("SIGSTACK_SIGNING_CONFIG_REKOR1"),
        keyless: false,
        legacy: true,
    },
    Way {
        name: "key, Rekor v2 and timestamp",
        inputs: LOGGED_KEY,
        config: Some("SIGSTACK_SIGNING_CONFIG"),
        keyless: false,
        legacy: false,
    },
    Way {
        name: "key, no log",
        inputs: KEY,
        config: None,
        keyless: false,
        legacy: true,
    },
];

const FORMS: [&str; 2] = ["bundle", "legacy"];

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run scripts/interop.sh"))
}

fn must(output: Output, what: &str) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{what}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

impl Bench {
    pub fn new(test: &str) -> Self {
        let at = |name| format!("{}/{test}-{}", variable(name), std::process::id());
        let bench = Self {
            place: Place::new(),
            repositories: [
                ("with", at("SHIPMARK_TEST_REFREGISTRY")),
                ("without", at("SHIPMARK_TEST_REGISTRY")),
            ],
        };
        let read = |name| -> Value {
            let text = std::fs::read_to_string(variable(name)).unwrap();
            serde_json::from_str(&text).unwrap()
        };
        let trust = json!({
            "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
            "trustedRoot": read("SIGSTACK_TRUSTED_ROOT"),
            "signingConfig": read("SIGSTACK_SIGNING_CONFIG"),
        });
        std::fs::write(bench.place.path("trust.json"), trust.to_string()).unwrap();
        let pair = ["generate-key-pair", "--output-key-prefix", "ours"];
        must(bench.cosign(&pair), "cosign generate-key-pair");
        bench
    }

    /// A program of others' in the bench's folder.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.place.root())
            .env("HOME", self.place.root())
            .env("COSIGN_PASSWORD", "not a secret");
        command
    }

    pub fn cosign(&self, arguments: &[&str]) -> Output {
        self.command("cosign").args(arguments).output().unwrap()
    }

    /// Releases the example, signed.
    pub fn sign(&self, way: Way, form: &str, place: &str, more: &[(&str, &str)]) {
        let source = example();
        let mut inputs = vec![
            ("command", "push"),
            ("source", source.as_str()),
            ("images", place),
            ("tags", "it"),
            ("signature-format", form),
            ("sign-annotations", "team=web"),
        ];
        let (config, root);
        if let Some(name) = way.config {
            (config, root) = (variable(name), variable("SIGSTACK_TRUSTED_ROOT"));
            inputs.extend([
                ("signing-config", config.as_str()),
                ("trusted-root", root.as_str()),
            ]);
        }
        inputs.extend(way.inputs);
        inputs.extend(more);
        let mut step = self.place.step("refs/heads/main", &inputs);
        step.env("COSIGN_PASSWORD", "not a secret");
        for name in [
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        ] {
            step.env(name, variable(name));
        }
        must(step.output().unwrap(), &format!("{way:?} {form} {place}"));
    }

    /// The flags by which cosign knows who has to have signed.
    pub fn trust(&self, way: Way, form: &str) -> Vec<String> {
        let mut flags = match way.keyless {
            true => vec![
                format!("--certificate-identity={}", variable("SIGSTACK_IDENTITY")),
                format!(
                    "--certificate-oidc-issuer={}",
                    variable("SIGSTACK_OIDC_ISSUER")
                ),
            ],
            false => vec!["--key=ours.pub".to_owned()],
        };
        flags.push(match way.config {
            Some(_) => format!("--trusted-root={}", variable("SIGSTACK_TRUSTED_ROOT")),
            // There is no log entry to look at.
            None => "--insecure-ignore-tlog".to_owned(),
        });
        if form == "legacy" {
            flags.push("--new-bundle-format=false".to_owned());
        }
        flags
    }

    pub fn cosign_verifies(&self, way: Way, form: &str, image: &str) -> bool {
        self.cosign_says(way, form, &["verify", "-a", "team=web", image])
    }

    pub fn cosign_finds(&self, way: Way, form: &str, kind: &str, image: &str) -> bool {
        self.cosign_says(way, form, &["verify-attestation", "--type", kind, image])
    }

    pub fn cosign_says(&self, way: Way, form: &str, arguments: &[&str]) -> bool {
        let trust = self.trust(way, form);
        let trust = trust.iter().map(String::as_str);
        let arguments: Vec<_> = arguments.iter().copied().chain(trust).collect();
        self.cosign(&arguments).status.success()
    }

    /// Whether sigstore-python takes the bundle of `subject` with a predicate type.
    pub fn python_verifies(&self, repository: &str, subject: &str, kind: &str) -> bool {
        std::fs::write(
            self.place.path("it.json"),
            self.bundle(repository, subject, kind),
        )
        .unwrap();
        let output = self
            .command("sigstore-python")
            .args([
                "--trust-config",
                "trust.json",
                "verify",
                "identity",
                "--offline",
            ])
            .args(["--bundle", "it.json"])
            .args(["--cert-identity", &variable("SIGSTACK_IDENTITY")])
            .args([
                "--cert-oidc-issuer",
                &variable("SIGSTACK_OIDC_ISSUER"),
                subject,
            ])
            .output()
            .unwrap();
        output.status.success()
    }

    /// The bundle as it lies in the registry.
    fn bundle(&self, repository: &str, subject: &str, kind: &str) -> Vec<u8> {
        let get = |what: String, accept: &str| {
            let (host, name) = repository.split_once('/').unwrap();
            let url = format!("http://{host}/v2/{name}/{what}");
            let mut command = self.command("curl");
            let output = command
                .args(["-sfH", &format!("Accept: {accept}"), &url])
                .output();
            output.unwrap().stdout
        };
        let json = |bytes: Vec<u8>| serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        let index = "application/vnd.oci.image.index.v1+json";
        let mut list: Value = json(get(format!("referrers/{subject}"), index));
        if !list["manifests"].is_array() {
            let tag = subject.replace(':', "-");
            list = json(get(format!("manifests/{tag}"), index));
        }
        let said = "dev.sigstore.bundle.predicateType";
        let entry = list["manifests"].as_array().unwrap().iter();
        let entry = entry
            .rev()
            .find(|entry| entry["annotations"][said] == kind)
            .unwrap();
        let manifest = "application/vnd.oci.image.manifest.v1+json";
        let digest = entry["digest"].as_str().unwrap();
        let manifest: Value = json(get(format!("manifests/{digest}"), manifest));
        let layer = manifest["layers"][0]["digest"].as_str().unwrap();
        get(format!("blobs/{layer}"), "*/*")
    }
}

/// A manifest below the root of the example.
const CHILD: &str = "sha256:37ef5a526a8a21e3913dbb33bbd715ef3f8aa83b75b329c43042fa7bdf84696f";
const SIGNATURE: &str = "https://sigstore.dev/cosign/sign/v1";

/// What is attested: the input, its content, and its type.
fn attested() -> [(&'static str, Value, &'static str); 5] {
    let scan = json!({"SchemaVersion": 2, "ArtifactName": "web", "CreatedAt": "2026-11-20T21:48:08Z", "Results": []});
    let provenance = json!({
        "buildDefinition": {"buildType": "https://build.example", "externalParameters": {}},
        "runDetails": {"builder": {"id": "https://builder.example"}},
    });
    let summary = json!({
        "verifier": {"id": "https://verifier.example"},
        "timeVerified": "2026-11-20T21:48:08Z",
        "resourceUri": "pkg:oci/web",
        "policy": {"uri": "https://policy.example"},
        "verificationResult": "PASSED",
        "verifiedLevels": ["SLSA_BUILD_LEVEL_3"],
    });
    let cyclonedx = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []});
    let spdx = json!({"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "web"});
    [
        ("sbom", cyclonedx, "https://cyclonedx.org/bom"),
        ("sbom", spdx, "https://spdx.dev/Document"),
        (
            "scan-report",
            scan,
            "https://cosign.sigstore.dev/attestation/vuln/v1",
        ),
        ("provenance", provenance, "https://slsa.dev/provenance/v1"),
        (
            "verification-summary",
            summary,
            "https://slsa.dev/verification_summary/v1",
        ),
    ]
}

#[test]
#[ignore = "needs a Sigstore, cosign, sigstore-python and two registries: scripts/interop.sh"]
fn what_is_signed_here_is_verified_by_others() {
    let bench = Bench::new("matrix");
    let attested = attested();
    let mut inputs: Vec<(&str, String)> = vec![
        ("recursive", "true".to_owned()),
        ("unbound", "allow".to_owned()),
    ];
    for (at, (input, content, _)) in attested.iter().enumerate() {
        let name = format!("{at}.json");
        std::fs::write(bench.place.path(&name), content.to_string()).unwrap();
        match inputs.iter_mut().find(|(known, _)| known == input) {
            Some((_, names)) => *names += &format!("\n{name}"),
            None => inputs.push((input, name)),
        }
    }
    let inputs: Vec<_> = inputs
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    let root = example_root().to_string();
    let mut rows = Vec::new();
    for way in WAYS {
        let forms = FORMS.into_iter();
        for form in forms.filter(|form| *form == "bundle" || way.legacy) {
            for (api, base) in &bench.repositories {
                let repository = format!("{base}/{}/{form}", way.name.replace([' ', ','], ""));
                let repository = repository.to_lowercase();
                bench.sign(way, form, &repository, &inputs);
                let python = form == "bundle" && way.keyless;
                let mut row = |what: &str, by_cosign: bool, by_python: &dyn Fn() -> bool| {
                    let by_python = if python { yes(by_python()) } else { "-" };
                    let (name, by_cosign) = (way.name, yes(by_cosign));
                    rows.push(format!(
                        "| {what} | {name} | {form} | {api} | {by_cosign} | {by_python} |"
                    ));
                };
                let images = [root.as_str(), CHILD];
                row(
                    "signature",
                    images.iter().all(|image| {
                        bench.cosign_verifies(way, form, &format!("{repository}@{image}"))
                    }),
                    &|| {
                        let mut images = images.iter();
                        images.all(|image| bench.python_verifies(&repository, image, SIGNATURE))
                    },
                );
                let image = format!("{repository}@{root}");
                row(
                    "attestations",
                    attested
                        .iter()
                        .all(|(.., kind)| bench.cosign_finds(way, form, kind, &image)),
                    &|| {
                        let mut kinds = attested.iter();
                        kinds.all(|(.., kind)| bench.python_verifies(&repository, &root, kind))
                    },
                );
            }
        }
    }
    let head = "| what | signed with | form | referrers API | cosign 3.1.3 | sigstore-python 4.5.1 |\n|---|---|---|---|---|---|\n";
    documented("docs/signing.md", "<!-- signed here -->\n", head, &rows);
}

/// Keys whose signatures are logged, by the arguments of `openssl genpkey`.
const LOGGED_KEYS: [(&str, &str, &str); 7] = [
    ("P-256", "EC", "ec_paramgen_curve:P-256"),
    ("P-384", "EC", "ec_paramgen_curve:P-384"),
    ("P-521", "EC", "ec_paramgen_curve:P-521"),
    ("Ed25519", "ED25519", ""),
    ("RSA 2048", "RSA", "rsa_keygen_bits:2048"),
    ("RSA 3072", "RSA", "rsa_keygen_bits:3072"),
    ("RSA 4096", "RSA", "rsa_keygen_bits:4096"),
];

#[test]
#[ignore = "needs a Sigstore, cosign, openssl and a registry: scripts/interop.sh"]
fn logged_keys_of_every_kind_are_verified_by_cosign() {
    let bench = Bench::new("logged");
    let (_, base) = &bench.repositories[0];
    let openssl = |arguments: &[&str]| {
        let made = bench.command("openssl").args(arguments).output().unwrap();
        must(made, &format!("openssl {arguments:?}"));
    };
    let mut rows = Vec::new();
    for (name, algorithm, option) in LOGGED_KEYS {
        let mut arguments = vec!["genpkey", "-out", "ours.key", "-algorithm", algorithm];
        if !option.is_empty() {
            arguments.extend(["-pkeyopt", option]);
        }
        openssl(&arguments);
        openssl(&["pkey", "-in", "ours.key", "-pubout", "-out", "ours.pub"]);
        let mut cells = Vec::new();
        for (way, form) in [
            (WAYS[2], "bundle"),
            (WAYS[2], "legacy"),
            (WAYS[3], "bundle"),
        ] {
            // Rekor takes Ed25519ph in their place.
            if name == "Ed25519" && (form == "legacy" || way.name.contains("v2")) {
                cells.push("not logged");
                continue;
            }
            let repository = format!("{base}/{}/{form}{}", name.replace(' ', ""), cells.len());
            let repository = repository.to_lowercase();
            bench.sign(way, form, &repository, &[]);
            let image = format!("{repository}:it");
            cells.push(match bench.cosign_verifies(way, form, &image) {
                true => "yes",
                false => "shipmark only",
            });
        }
        rows.push(format!("| {name} | {} |", cells.join(" | ")));
    }
    let head =
        "| key | Rekor v1, bundle | Rekor v1, legacy | Rekor v2, bundle |\n|---|---|---|---|\n";
    documented("docs/signing.md", "<!-- logged keys -->\n", head, &rows);
}

/// One identity's signature is no other's, and one image's no other's.
#[test]
#[ignore = "needs a Sigstore, cosign, sigstore-python and two registries: scripts/interop.sh"]
fn cosign_refuses_what_is_not_what_it_is_asked_for() {
    let bench = Bench::new("refused");
    for (_, base) in &bench.repositories {
        let repository = format!("{base}/web");
        bench.sign(WAYS[0], "both", &repository, &[]);
        let image = format!("{repository}:it");
        for form in FORMS {
            assert!(bench.cosign_verifies(WAYS[0], form, &image));
            let mut flags = bench.trust(WAYS[0], form);
            flags[0] = "--certificate-identity=https://github.com/octo-org/other".to_owned();
            let mut arguments = vec!["verify", image.as_str()];
            arguments.extend(flags.iter().map(String::as_str));
            assert!(!bench.cosign(&arguments).status.success(), "{image} {form}");
            // No manifest below the index was signed.
            assert!(!bench.cosign_verifies(WAYS[0], form, &format!("{repository}@{CHILD}")));
        }
    }
}
