//! Against the real cosign, over a registry with the referrers API and one without it. Left out of a
//! plain `cargo test`; scripts/interop.sh starts the servers and runs them.

use std::process::{Command, Output};

use shipmark::release::{CheckedSignature, SignatureFormat};
use shipmark::signing::{PrivateKey, PublicKey, VerificationError};
use shipmark::tagging::TagRules;

use crate::support::keys::*;
use crate::support::*;

pub const PASSWORD: &str = "not a secret";

/// To sign with a key, and tell no log.
const UNLOGGED: [&str; 3] = ["--yes", "--tlog-upload=false", "--use-signing-config=false"];

/// A folder with keys that cosign made, and the registries to use them with.
pub struct Bench {
    folder: tempfile::TempDir,
    test: String,
    repositories: [String; 2],
}

impl Bench {
    pub fn new(test: &str) -> Self {
        let variable = |name: &str| {
            std::env::var(name)
                .unwrap_or_else(|_| panic!("{name} is not set: run scripts/interop.sh"))
        };
        let test = format!("{test}-{}", std::process::id());
        let place = |name| format!("{}/{test}/web", variable(name));
        let bench = Self {
            folder: tempfile::tempdir().unwrap(),
            repositories: ["SHIPMARK_TEST_REGISTRY", "SHIPMARK_TEST_REFREGISTRY"].map(place),
            test,
        };
        for name in ["ours", "other"] {
            bench.must(&["generate-key-pair", "--output-key-prefix", name]);
        }
        bench
    }

    /// A repository of this test's own.
    pub fn repository(&self, host: &str, name: &str) -> String {
        format!("{host}/{}/{name}", self.test)
    }

    /// A file in the folder, and its name.
    pub fn file<'a>(&self, name: &'a str, content: &str) -> &'a str {
        std::fs::write(self.folder.path().join(name), content).unwrap();
        name
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        Command::new(program)
            .args(arguments)
            .current_dir(self.folder.path())
            .env("COSIGN_PASSWORD", PASSWORD)
            .env("HOME", self.folder.path())
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}"))
    }

    fn must(&self, arguments: &[&str]) -> String {
        self.must_run("cosign", arguments)
    }

    pub fn oras(&self, arguments: &[&str]) {
        self.must_run("oras", arguments);
    }

    pub fn must_run(&self, program: &str, arguments: &[&str]) -> String {
        let output = self.run(program, arguments);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{program} {arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The text of a file in the folder.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// The repositories of this test, one in each registry.
    pub fn places(&self) -> &[String] {
        &self.repositories
    }

    /// Signs in one of cosign's forms with one of the keys.
    pub fn sign(&self, key: &str, form: SignatureFormat, image: &str, more: &[&str]) {
        let (key, form) = (format!("--key={key}.key"), new_format(form));
        let arguments = ["sign", &key, &form, image];
        self.must(&[&arguments[..], &UNLOGGED, more].concat());
    }

    /// Attests something in one of cosign's forms with one of the keys.
    pub fn attest(&self, key: &str, form: SignatureFormat, image: &str) {
        let predicate = self.file("predicate.json", r#"{"a":"b"}"#);
        let predicate = format!("--predicate={predicate}");
        let (key, form) = (format!("--key={key}.key"), new_format(form));
        let arguments = ["attest", "--type=custom", &predicate, &key, &form, image];
        self.must(&[&arguments[..], &UNLOGGED].concat());
    }

    /// Whether cosign takes the image for signed.
    pub fn verifies(&self, key: &str, form: SignatureFormat, image: &str) -> bool {
        self.checks(&["verify"], key, form, image)
    }

    /// Whether cosign takes what [`Bench::attest`] says of the image for attested.
    pub fn attested(&self, key: &str, form: SignatureFormat, image: &str) -> bool {
        self.checks(&["verify-attestation", "--type=custom"], key, form, image)
    }

    fn checks(&self, verb: &[&str], key: &str, form: SignatureFormat, image: &str) -> bool {
        let (key, form) = (format!("--key={key}.pub"), new_format(form));
        let arguments = [&key, "--insecure-ignore-tlog", &form, image];
        let output = self.run("cosign", &[verb, &arguments[..]].concat());
        output.status.success()
    }

    fn private(&self, key: &str) -> PrivateKey {
        let text = std::fs::read_to_string(self.folder.path().join(format!("{key}.key"))).unwrap();
        PrivateKey::parse(&text, PASSWORD).unwrap()
    }

    fn public(&self, key: &str) -> PublicKey {
        let text = std::fs::read_to_string(self.folder.path().join(format!("{key}.pub"))).unwrap();
        PublicKey::parse(&text).unwrap()
    }
}

fn new_format(form: SignatureFormat) -> String {
    format!("--new-bundle-format={}", form == SignatureFormat::Bundle)
}

pub const FORMS: [SignatureFormat; 2] = [SignatureFormat::Bundle, SignatureFormat::Legacy];

pub async fn pushed(place: &str, key: Option<&PrivateKey>) -> String {
    let mut request = push(&example(), &[place], "refs/heads/main");
    request.rules = TagRules::parse(["it"]).unwrap();
    request.signing = key.map(signing);
    if let Some(signing) = &mut request.signing {
        signing
            .annotations
            .insert("team".to_owned(), "web".to_owned());
    }
    done(request, &context()).await;
    format!("{place}:it")
}

/// How many signatures of a form are good.
fn count(found: &[CheckedSignature], form: SignatureFormat) -> usize {
    let good = found
        .iter()
        .filter(|one| one.format == form && one.result.is_ok());
    good.count()
}

#[tokio::test]
#[ignore = "needs cosign and two registries: scripts/interop.sh"]
async fn cosign_verifies_what_is_signed_here() {
    let bench = Bench::new("signed");
    let key = bench.private("ours");
    assert_eq!(*key.public(), bench.public("ours"));
    for place in &bench.repositories {
        let image = pushed(place, Some(&key)).await;
        for form in FORMS {
            assert!(bench.verifies("ours", form, &image), "{image} {form:?}");
            assert!(!bench.verifies("other", form, &image), "{image} {form:?}");
            let form = new_format(form);
            let ignore = "--insecure-ignore-tlog";
            let said = bench.must(&[
                "verify",
                "--key=ours.pub",
                ignore,
                "-a",
                "team=web",
                &form,
                &image,
            ]);
            assert!(
                said.contains(r#""commit":"9f3c2a1ca84d1343b96baa8137c943ed1860e522""#),
                "{said}"
            );
        }
    }
}

#[tokio::test]
#[ignore = "needs cosign and two registries: scripts/interop.sh"]
async fn what_cosign_signs_is_verified_here() {
    let bench = Bench::new("cosigned");
    for place in &bench.repositories {
        let image = pushed(place, None).await;
        for form in FORMS {
            bench.sign("ours", form, &image, &[]);
        }
        let (ours, other) = (bench.private("ours"), bench.private("other"));
        let found = checked(&image, &ours, &context()).await.unwrap();
        assert_eq!(FORMS.map(|form| count(&found, form)), [1, 1], "{found:?}");
        let found = checked(&image, &other, &context()).await.unwrap();
        let flaws: Vec<_> = found
            .iter()
            .map(|one| one.result.clone().unwrap_err())
            .collect();
        assert!(
            matches!(
                flaws.as_slice(),
                [
                    VerificationError::OtherKey(_),
                    VerificationError::SignatureMismatch
                ]
            ),
            "{flaws:?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs cosign and two registries: scripts/interop.sh"]
async fn signatures_of_others_stay_before_and_after() {
    let bench = Bench::new("beside");
    for place in &bench.repositories {
        let image = pushed(place, None).await;
        for form in FORMS {
            bench.sign("other", form, &image, &[]);
        }
        let key = bench.private("ours");
        pushed(place, Some(&key)).await;
        pushed(place, Some(&key)).await;
        for form in FORMS {
            bench.sign("other", form, &image, &[]);
            for name in ["ours", "other"] {
                assert!(
                    bench.verifies(name, form, &image),
                    "{image} {name} {form:?}"
                );
            }
        }
        let found = checked(&image, &key, &context()).await.unwrap();
        assert_eq!(FORMS.map(|form| count(&found, form)), [1, 1], "{found:?}");
        assert!(found.len() >= 5, "{found:?}");
    }
}

#[tokio::test]
#[ignore = "needs cosign and two registries: scripts/interop.sh"]
async fn an_attestation_does_not_hide_a_signature() {
    let bench = Bench::new("attested");
    for place in &bench.repositories {
        let image = pushed(place, None).await;
        bench.attest("other", SignatureFormat::Bundle, &image);
        let key = bench.private("ours");
        pushed(place, Some(&key)).await;
        for form in FORMS {
            assert!(bench.verifies("ours", form, &image), "{image} {form:?}");
        }
        assert_eq!(good(&image, &key, &context()).await, FORMS);
    }
}
