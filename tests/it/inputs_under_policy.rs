//! What each input may do in a release to an environment of the policy: a run for each row of the table in
//! docs/policy.md.

use std::collections::BTreeSet;

use shipmark::cli::{Input, PolicyEffect};
use shipmark::signing::PrivateKey;

use crate::support::checkout::commit;
use crate::support::process::{Place, Ran};
use crate::support::*;

/// `stage` has tags of its own, a scan gate and a key that signs; `keyless` takes its images from an environment
/// with a keyless signer.
const POLICY: &str = "\
environments:
  dev: {repository: 'oci:dev', tags: 'type=raw,value=v1'}
  next: {repository: 'oci:next', from: dev}
  stage:
    repository: oci:stage
    from: dev
    tags: type=raw,value=live
    sign: key
    signers: [{key: own.pub}]
  scanned:
    repository: oci:scanned
    from: dev
    gates: {scan: {fail-on: high, vex: [web.openvex.json]}}
  keyless:
    repository: oci:keyless
    from: dev
    sign: keyless
    signers: [{identity: 'https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main'}]
  after: {repository: 'oci:after', from: keyless}
";

/// How a run ends.
#[derive(Clone, Copy)]
enum End {
    /// With this status and text.
    Refused(i32, &'static str),
    /// The input adds a rule, or changes nothing of the rules.
    Passes,
}
use End::{Passes, Refused};

const OWN_KEY: (&str, &str) = ("signing-key", "own.key");
/// Digest of no image.
const NOWHERE: &str = "sha256:2222222222222222222222222222222222222222222222222222222222222222";

/// Rows: input, value, environment, further inputs, and how the run ends.
type Row = (
    Input,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    End,
);

/// Check of the source that no image of `dev` passes.
const KEYLESS_CHECK: &[(&str, &str)] = &[
    ("verify-source", "true"),
    ("certificate-identity", "https://github.com/acme/web/*"),
    (
        "certificate-oidc-issuer",
        "https://token.actions.githubusercontent.com",
    ),
    ("offline", "true"),
];

const INPUT_OF: &str = "in a release to the environment";
const KEYLESS: &str = "with keyless signers of a policy";

const ROWS: &[Row] = &[
    (
        Input::Source,
        "oci:elsewhere:v1",
        "next",
        &[],
        Refused(1, "next takes its images from dev"),
    ),
    (
        Input::Plan,
        "sha256:0000000000000000000000000000000000000000000000000000000000000000",
        "next",
        &[],
        Refused(1, "the plan of this release is"),
    ),
    (
        Input::Sources,
        NOWHERE,
        "next",
        &[],
        Refused(2, "has no manifest"),
    ),
    (
        Input::Images,
        "oci:elsewhere",
        "next",
        &[],
        Refused(2, "images names no repository of it"),
    ),
    (Input::Platforms, "linux/amd64", "next", &[], Passes),
    (
        Input::Tags,
        "type=raw,value=x",
        "stage",
        &[OWN_KEY],
        Refused(1, INPUT_OF),
    ),
    (
        Input::Flavor,
        "latest=true",
        "stage",
        &[OWN_KEY],
        Refused(1, INPUT_OF),
    ),
    (
        Input::Version,
        "1.4.0",
        "stage",
        &[OWN_KEY],
        Refused(2, "version and tag rules are both given"),
    ),
    (
        Input::ExcludeVersions,
        "1.4.0",
        "next",
        &[],
        Refused(1, INPUT_OF),
    ),
    (Input::Existing, "keep", "next", &[], Refused(1, INPUT_OF)),
    (Input::Existing, "fail", "next", &[], Passes),
    (
        Input::Ref,
        "refs/heads/main",
        "next",
        &[],
        Refused(1, INPUT_OF),
    ),
    (
        Input::Commit,
        COMMIT,
        "next",
        &[("source", "")],
        Refused(1, INPUT_OF),
    ),
    (Input::Event, "push", "next", &[], Refused(1, INPUT_OF)),
    (
        Input::Policy,
        "loose.yml",
        "next",
        &[],
        Refused(2, "differs in loose.yml"),
    ),
    (Input::Record, "off", "next", &[], Refused(1, INPUT_OF)),
    (Input::Sign, "off", "stage", &[], Refused(1, INPUT_OF)),
    (Input::Unbound, "allow", "next", &[], Refused(1, INPUT_OF)),
    (
        Input::SigningKey,
        "other.key",
        "stage",
        &[],
        Refused(1, "this run signs as the key"),
    ),
    (
        Input::TransparencyLog,
        "attestations",
        "after",
        &[("sign", "key"), OWN_KEY],
        Refused(1, KEYLESS),
    ),
    (
        Input::TrustedRoot,
        "root.json",
        "after",
        KEYLESS_CHECK,
        Refused(1, KEYLESS),
    ),
    (
        Input::ScanFailOn,
        "critical",
        "scanned",
        &[],
        Refused(1, INPUT_OF),
    ),
    (
        Input::ScanFailOn,
        "medium",
        "next",
        &[],
        Refused(2, "no gate scan of a policy"),
    ),
    (
        Input::IgnoreUnfixed,
        "true",
        "scanned",
        &[],
        Refused(1, INPUT_OF),
    ),
    (
        Input::Vex,
        "mine.openvex.json",
        "scanned",
        &[],
        Refused(1, INPUT_OF),
    ),
    (
        Input::OverrideFreeze,
        "urgent",
        "next",
        &[],
        Refused(2, "no gate freeze of a policy"),
    ),
    (
        Input::VerifySource,
        "true",
        "next",
        &[("key", "other.pub")],
        Refused(1, "signature"),
    ),
    (
        Input::Attestation,
        "https://example.com/x",
        "next",
        &[("verify-source", "true"), ("key", "other.pub")],
        Refused(1, "no valid attestation"),
    ),
    (
        Input::CertificateIdentity,
        "https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main",
        "next",
        KEYLESS_CHECK,
        Refused(1, "signature"),
    ),
    (
        Input::CertificateOidcIssuer,
        "https://token.example.com",
        "next",
        KEYLESS_CHECK,
        Refused(1, "signature"),
    ),
    (
        Input::CertificateGithubWorkflowRepository,
        "acme/web",
        "next",
        KEYLESS_CHECK,
        Refused(1, "signature"),
    ),
    (
        Input::CertificateGithubWorkflowRef,
        "refs/heads/main",
        "next",
        KEYLESS_CHECK,
        Refused(1, "signature"),
    ),
    (
        Input::CertificateGithubWorkflowSha,
        COMMIT,
        "next",
        KEYLESS_CHECK,
        Refused(1, "signature"),
    ),
    (
        Input::CertificateGithubWorkflowTrigger,
        "push",
        "next",
        KEYLESS_CHECK,
        Refused(1, "signature"),
    ),
    (
        Input::CertificateGithubWorkflowName,
        "release",
        "next",
        KEYLESS_CHECK,
        Refused(1, "signature"),
    ),
    (
        Input::CertificateGithubWorkflowUri,
        "https://github.com/acme/web/.github/workflows/release.yml@refs/heads/main",
        "next",
        KEYLESS_CHECK,
        Refused(1, "signature"),
    ),
    (
        Input::CertificateRunnerEnvironment,
        "github-hosted",
        "next",
        KEYLESS_CHECK,
        Refused(1, "signature"),
    ),
    (Input::Lines, "off", "next", &[], Passes),
    (
        Input::Key,
        "other.pub",
        "next",
        &[("verify-source", "true")],
        Refused(1, "signature"),
    ),
];

/// Inputs of other instances than the trusted one, of which a test of records shows the row.
const INSTANCE: [Input; 6] = [
    Input::FulcioUrl,
    Input::RekorUrl,
    Input::TsaUrl,
    Input::OidcIssuer,
    Input::OidcAudience,
    Input::SigningConfig,
];
const INSTANCE_TEST: &str =
    "async fn promise_2_a_record_that_would_not_count_is_found_before_a_tag_is_written";

fn place() -> (Place, String) {
    let place = Place::new();
    let write = |name: &str, text: &str| std::fs::write(place.path(name), text).unwrap();
    let mut public = String::new();
    for name in ["own", "other"] {
        let pem = keys::pem();
        let key = PrivateKey::parse(&pem, "").unwrap().public().to_pem();
        write(&format!("{name}.key"), &pem);
        write(&format!("{name}.pub"), &key);
        if name == "own" {
            public = key;
        }
    }
    write(
        "root.json",
        include_str!("../data/sigstore/trusted_root.json"),
    );
    let loose = POLICY.replace(
        "next: {repository: 'oci:next', from: dev}",
        "next: {repository: 'oci:next'}",
    );
    let files = [
        (".github/shipmark.yml", POLICY),
        ("loose.yml", loose.as_str()),
        ("own.pub", public.as_str()),
    ];
    let policy = commit(place.root(), &files);
    std::fs::create_dir(place.path(".github")).unwrap();
    write(".github/shipmark.yml", POLICY);
    let ran = place.run(&["push", "--environment=dev", "--source", &example()]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    (place, policy)
}

#[test]
fn promise_5_each_input_only_tightens() {
    let (place, policy) = place();
    for (input, value, environment, more, end) in ROWS {
        let mut inputs = vec![("command", "promote"), ("environment", *environment)];
        if !matches!(input, Input::Source | Input::Sources) {
            inputs.push(("source", "v1"));
        }
        inputs.extend_from_slice(more);
        inputs.push((input.name(), value));
        let mut step = place.step("refs/heads/main", &inputs);
        step.env("GITHUB_WORKFLOW_SHA", &policy)
            .env("GITHUB_WORKSPACE", place.root());
        let ran = Ran::of(step.output().unwrap());
        let name = input.name();
        let is_written = place.path(environment).join("index.json").exists();
        match end {
            Passes => assert_eq!(ran.status, Some(0), "{name}: {}", ran.log),
            Refused(status, part) => {
                assert_eq!(ran.status, Some(*status), "{name} {value}: {}", ran.log);
                assert!(
                    ran.log.contains(part),
                    "{name} {value}: {part}: {}",
                    ran.log
                );
                assert!(!is_written, "{name} {value}");
            }
        }
        let _ = std::fs::remove_dir_all(place.path(environment));
    }
}

#[test]
fn each_row_of_the_table_has_a_run() {
    let runs = ROWS.iter().map(|row| row.0);
    let runs: BTreeSet<Input> = runs.chain(INSTANCE).collect();
    assert!(include_str!("record_trust/releases.rs").contains(INSTANCE_TEST));
    let is_bound = |input: &Input| input.under_policy() != PolicyEffect::Free;
    let bound: BTreeSet<Input> = Input::ALL.iter().copied().filter(is_bound).collect();
    let names = |inputs: &BTreeSet<Input>, others: &BTreeSet<Input>| {
        let names = inputs.difference(others).map(|input| input.name());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&bound, &runs), [""; 0], "rows without a run");
    assert_eq!(names(&runs, &bound), [""; 0], "runs without a row");
}
