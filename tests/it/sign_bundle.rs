//! The verb `sign-bundle`: a file signed into a bundle, which `verify-bundle` and others check.

use crate::registry::{Effect, Fault};
use crate::sigstore::{self, Sigstore};
use crate::support::keys;
use crate::support::process::{Place, Ran};

const SUMS: &str = "0000  shipmark-linux-amd64\n";

/// The command with `sign: keyless` at an instance of its own.
fn keyless(place: &Place, sigstore: &Sigstore, more: &[&str]) -> std::process::Command {
    std::fs::write(place.path("root.json"), sigstore.trusted_root()).unwrap();
    std::fs::write(place.path("SUMS"), SUMS).unwrap();
    let mut command = place.command();
    command
        .args([
            "sign-bundle",
            "--artifact=SUMS",
            "--bundle=SUMS.sigstore.json",
        ])
        .args(["--sign=keyless", "--trusted-root=root.json"])
        .arg(format!("--fulcio-url={}", sigstore.url("/fulcio")))
        .arg(format!("--rekor-url={}", sigstore.url("/rekor")))
        .args(more)
        .env(
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            sigstore.tokens().url.as_str(),
        )
        .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", sigstore::REQUEST_TOKEN);
    command
}

async fn ran(mut command: std::process::Command) -> Ran {
    tokio::task::spawn_blocking(move || Ran::of(command.output().unwrap()))
        .await
        .unwrap()
}

fn identity() -> [String; 2] {
    [
        format!(
            "--certificate-identity=https://github.com/{}",
            sigstore::WORKFLOW
        ),
        format!("--certificate-oidc-issuer={}", sigstore::ISSUER),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_6_a_file_signed_keyless_is_verified_and_no_other() {
    let sigstore = Sigstore::start().await;
    let place = Place::new();
    let signed = ran(keyless(&place, &sigstore, &[])).await;
    assert_eq!(signed.status, Some(0), "{}", signed.log);
    assert!(signed.out.starts_with("signed SUMS\n"), "{}", signed.out);
    let verify = |artifact: &str, workflow: &str| {
        let mut command = place.command();
        command
            .args(["verify-bundle", "--bundle=SUMS.sigstore.json"])
            .args(["--trusted-root=root.json", "--artifact", artifact])
            .args(identity().map(|text| text.replace("release.yml", workflow)));
        command
    };
    std::fs::write(place.path("other"), SUMS.replace("0000", "0001")).unwrap();
    for (artifact, workflow, expected) in [
        ("SUMS", "release.yml", 0),
        ("other", "release.yml", 1),
        ("SUMS", "other.yml", 1),
    ] {
        let found = ran(verify(artifact, workflow)).await;
        let case = format!("{artifact} {workflow}: {}", found.log);
        assert_eq!(found.status, Some(expected), "{case}");
    }
    let bundle = place.read("SUMS.sigstore.json");
    let bundle: serde_json::Value = serde_json::from_str(&bundle).unwrap();
    let kind = bundle["mediaType"].as_str().unwrap();
    assert_eq!(kind, "application/vnd.dev.sigstore.bundle.v0.3+json");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_signed_with_a_key_and_a_log_is_verified() {
    let sigstore = Sigstore::start().await;
    let place = Place::new();
    let pem = keys::pem();
    let key = shipmark::signing::PrivateKey::parse(&pem, "").unwrap();
    std::fs::write(place.path("key.pem"), pem).unwrap();
    std::fs::write(place.path("key.pub"), key.public().to_pem()).unwrap();
    std::fs::write(place.path("root.json"), sigstore.trusted_root()).unwrap();
    std::fs::write(place.path("SUMS"), SUMS).unwrap();
    std::fs::create_dir(place.path("out")).unwrap();
    let names = [
        "--artifact=SUMS",
        "--bundle=out/SUMS.json",
        "--trusted-root=root.json",
    ];
    let sign = ["sign-bundle", "--sign=key", "--signing-key=key.pem"];
    let refused = place.run(&[&sign[..], &names[..2]].concat());
    assert_eq!(refused.status, Some(2), "{}", refused.log);
    assert!(refused.log.contains("needs transparency-log: on"));
    // What is there is replaced, whole.
    std::fs::write(place.path("out/SUMS.json"), "x".repeat(10_000)).unwrap();
    let rekor = format!("--rekor-url={}", sigstore.url("/rekor"));
    let mut command = place.command();
    command
        .args(sign)
        .args(names)
        .args(["--transparency-log=on", &rekor]);
    let signed = ran(command).await;
    assert_eq!(signed.status, Some(0), "{}", signed.log);
    let mut command = place.command();
    command.args(["verify-bundle", "--key=key.pub"]).args(names);
    let found = ran(command).await;
    assert_eq!(found.status, Some(0), "{}", found.log);
    let left = std::fs::read_dir(place.path("out")).unwrap();
    assert_eq!(left.count(), 1);
}

/// Nothing is written, neither where it is asked for wrongly nor where a service fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_signed_leaves_no_bundle() {
    let sigstore = Sigstore::start().await;
    for (more, status, reason) in [
        (&["--artifact=nosuch"][..], 2, "cannot be read"),
        (&["--sign=off"], 2, "nothing says how to sign"),
        (&["--sign=key"], 2, "is given"),
        (&["--bundle=nosuch/bundle.json"], 2, "cannot be written"),
        (&["--transparency-log=off"], 2, "always has a log entry"),
        (&[], 3, "Fulcio"),
    ] {
        let place = Place::new();
        if status == 3 {
            sigstore.fault(Fault::on("POST", "/fulcio", Effect::status(403)).always());
        }
        let mut command = keyless(&place, &sigstore, &[]);
        if !more.is_empty() {
            let name = more[0].split_once('=').unwrap().0;
            let mut other = place.command();
            let is_replaced =
                |text: &&std::ffi::OsStr| text.to_string_lossy().starts_with(&format!("{name}="));
            other.args(command.get_args().filter(|text| !is_replaced(text)));
            other.args(more);
            other.envs(
                command
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            );
            command = other;
        }
        let ran = ran(command).await;
        assert_eq!(ran.status, Some(status), "{more:?}: {}", ran.log);
        assert!(ran.log.contains(reason), "{more:?}: {}", ran.log);
        assert!(!place.path("SUMS.sigstore.json").exists(), "{more:?}");
    }
}

/// The script of a release holds the files against the checksums before it signs these.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_6_only_checksums_that_are_right_are_signed() {
    let sigstore = Sigstore::start().await;
    for (content, expected) in [("what is released", true), ("something else", false)] {
        let place = Place::new();
        let signs = keyless(&place, &sigstore, &[]);
        std::fs::write(place.path("asset"), content).unwrap();
        // The digest of "what is released".
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, b"what is released");
        let digest: String = digest.as_ref().iter().map(|b| format!("{b:02x}")).collect();
        std::fs::write(place.path("SHA256SUMS"), format!("{digest}  asset\n")).unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/release-sums.sh");
        let mut command = std::process::Command::new(script);
        command
            .current_dir(place.root())
            .args([env!("CARGO_BIN_EXE_shipmark"), "SHA256SUMS"])
            .args(
                signs
                    .get_args()
                    .filter(|text| text.to_string_lossy().contains("-url=")),
            )
            .arg("--trusted-root=root.json")
            .envs(
                signs
                    .get_envs()
                    .filter_map(|(name, value)| Some((name, value?))),
            );
        let ran = ran(command).await;
        assert_eq!(ran.status == Some(0), expected, "{content}: {}", ran.log);
        let bundle = place.path("SHA256SUMS.sigstore.json");
        assert_eq!(bundle.exists(), expected, "{content}");
    }
}

/// A bundle replaces what has its name, which must not be the file that it is for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_9_a_bundle_does_not_replace_the_file_that_it_is_for() {
    let sigstore = Sigstore::start().await;
    for bundle in ["SUMS", "./SUMS", "folder/../SUMS", "link"] {
        let place = Place::new();
        std::fs::create_dir(place.path("folder")).unwrap();
        std::os::unix::fs::symlink("SUMS", place.path("link")).unwrap();
        let mut command = keyless(&place, &sigstore, &[]);
        let mut other = place.command();
        let is_bundle = |text: &&std::ffi::OsStr| text.to_string_lossy().starts_with("--bundle=");
        other.args(command.get_args().filter(|text| !is_bundle(text)));
        other.arg(format!("--bundle={bundle}"));
        for (name, value) in command.get_envs() {
            if let Some(value) = value.filter(|_| name.to_string_lossy().starts_with("ACTIONS_")) {
                other.env(name, value);
            }
        }
        command = other;
        let found = ran(command).await;
        assert_eq!(found.status, Some(2), "{bundle}: {}", found.log);
        assert!(
            found.log.contains("would replace"),
            "{bundle}: {}",
            found.log
        );
        assert_eq!(place.read("SUMS"), SUMS, "{bundle}");
    }
}
