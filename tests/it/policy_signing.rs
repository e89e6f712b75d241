//! The keys `sign` and `signers` of an environment: a release has at least the signatures that the policy
//! demands.

use shipmark::signing::PrivateKey;

use crate::support::process::{Place, Ran, is_empty};
use crate::support::{example, keys};

/// Environments that demand signatures of a key, of the job's identity, and none.
const POLICY: &str = "\
environments:
  dev:
    repository: oci:dev
    sign: key
    signers: [{key: cosign.pub}]
  live:
    repository: oci:live
    sign: keyless
    signers: [{identity: 'https://github.com/acme/web/.github/workflows/live.yml@refs/heads/main'}]
  test:
    repository: oci:test
";

/// A folder with the policy, a key pair, and another one.
fn place() -> Place {
    let place = Place::new();
    std::fs::create_dir(place.path(".github")).unwrap();
    std::fs::write(place.path(".github/shipmark.yml"), POLICY).unwrap();
    let pem = keys::pem();
    let public = PrivateKey::parse(&pem, "").unwrap().public().to_pem();
    std::fs::write(place.path("cosign.pub"), public).unwrap();
    std::fs::write(place.path("cosign.key"), pem).unwrap();
    place
}

fn push(place: &Place, flags: &[&str]) -> Ran {
    let source = example();
    place.run(&[&["push", "--source", &source, "--tags=it"], flags].concat())
}

fn verify(place: &Place, layout: &str) -> Ran {
    let source = format!("oci:{layout}:it");
    place.run(&["verify", "--source", &source, "--key=cosign.pub"])
}

#[test]
fn promise_6_a_release_has_the_signatures_that_its_environment_demands() {
    let place = place();
    for target in ["--environment=dev", "--images=oci:dev"] {
        let ran = push(&place, &[target, "--signing-key=cosign.key"]);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        let told = "sign is key, by .github/shipmark.yml";
        assert!(ran.log.contains(told), "{}", ran.log);
        let verified = verify(&place, "dev");
        assert_eq!(verified.status, Some(0), "{}", verified.log);
    }
    let agreed = push(
        &place,
        &[
            "--environment=dev",
            "--sign=key",
            "--signing-key=cosign.key",
        ],
    );
    assert_eq!(agreed.status, Some(0), "{}", agreed.log);
}

#[test]
fn promise_6_an_input_takes_no_signature_away() {
    let place = place();
    for (target, sign, demanded) in [
        ("--environment=dev", "off", "key"),
        ("--images=oci:dev", "off", "key"),
        ("--environment=dev", "keyless", "key"),
        ("--environment=live", "off", "keyless"),
        ("--environment=live", "key", "keyless"),
    ] {
        let sign = format!("--sign={sign}");
        let ran = push(&place, &[target, &sign]);
        assert_eq!(ran.status, Some(1), "{target} {sign}: {}", ran.log);
        let reason = format!(".github/shipmark.yml demands sign: {demanded}");
        for part in [
            "the input sign in a release to the environment",
            &reason,
            "leave sign out",
        ] {
            assert!(ran.log.contains(part), "{part}: {}", ran.log);
        }
    }
    let without_key = push(&place, &["--environment=dev"]);
    assert_eq!(without_key.status, Some(2), "{}", without_key.log);
    let missing = "sign: key needs a key, and none is given";
    assert!(without_key.log.contains(missing), "{}", without_key.log);
    let outside = push(&place, &["--environment=live"]);
    assert_eq!(outside.status, Some(2), "{}", outside.log);
    assert!(outside.log.contains("sign: keyless"), "{}", outside.log);
    assert!(is_empty(&place.path("dev")) && is_empty(&place.path("live")));
}

#[test]
fn an_environment_without_sign_takes_the_input() {
    let place = place();
    let unsigned = push(&place, &["--environment=test"]);
    assert_eq!(unsigned.status, Some(0), "{}", unsigned.log);
    assert_eq!(verify(&place, "test").status, Some(1));
    let signed = push(
        &place,
        &[
            "--environment=test",
            "--sign=key",
            "--signing-key=cosign.key",
        ],
    );
    assert_eq!(signed.status, Some(0), "{}", signed.log);
    let verified = verify(&place, "test");
    assert_eq!(verified.status, Some(0), "{}", verified.log);
}

/// The runner gives every step the defaults of `action.yml`, which the policy could not tell from an input.
#[test]
fn promise_6_a_step_without_the_input_signs_as_the_policy_demands() {
    let action = include_str!("../../action.yml");
    let of_sign = action.split("\n  sign:\n").nth(1).unwrap();
    let of_sign = of_sign.split("\n  signing-key:").next().unwrap();
    assert!(!of_sign.contains("default:"), "{of_sign}");
}

/// The names of the timeline entries in a layout.
fn entries(place: &Place, layout: &str) -> usize {
    let index = place.path(layout).join("index.json");
    let text = std::fs::read_to_string(index).unwrap_or_default();
    text.matches("\"shipmark.dev.").count()
}

#[test]
fn promise_6_the_records_of_an_environment_are_where_the_policy_says_and_by_its_signers() {
    let place = place();
    let policy = POLICY.replace(
        "    sign: key\n",
        "    records: oci:records\n    sign: key\n",
    );
    std::fs::write(place.path(".github/shipmark.yml"), policy).unwrap();
    std::fs::write(place.path("other.key"), keys::pem()).unwrap();
    let foreign = push(&place, &["--environment=dev", "--signing-key=other.key"]);
    assert_eq!(foreign.status, Some(1), "{}", foreign.log);
    let told = "the environment dev of oci:dev does not accept the record of this run";
    assert!(foreign.log.contains(told), "{}", foreign.log);
    assert!(is_empty(&place.path("dev")) && is_empty(&place.path("records")));
    let mirrored = [
        "--images=oci:dev",
        "--images=oci:mirror",
        "--signing-key=cosign.key",
    ];
    let mirrored = push(&place, &mirrored);
    assert_eq!(mirrored.status, Some(1), "{}", mirrored.log);
    let told = "images names several repositories, and the records of dev are in oci:records";
    assert!(mirrored.log.contains(told), "{}", mirrored.log);
    let own = push(&place, &["--environment=dev", "--signing-key=cosign.key"]);
    assert_eq!(own.status, Some(0), "{}", own.log);
    assert_eq!([entries(&place, "dev"), entries(&place, "records")], [0, 1]);
}
