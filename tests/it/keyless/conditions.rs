//! The inputs that say what a certificate has to say of the run, to `verify` and where a promotion
//! checks its source.

use super::*;

/// Each with what the certificates of [`Sigstore`] say there.
const CONDITIONS: [(&str, &str); 7] = [
    ("certificate-github-workflow-repository", "acme/web"),
    ("certificate-github-workflow-ref", "refs/heads/main"),
    ("certificate-github-workflow-sha", sigstore::SHA),
    ("certificate-github-workflow-trigger", "push"),
    ("certificate-github-workflow-name", "Release it"),
    (
        "certificate-github-workflow-uri",
        "https://github.com/acme/web/.github/workflows/ci.yml@refs/heads/main",
    ),
    ("certificate-runner-environment", "github-hosted"),
];

/// Texts that are nearly the right one. Unlike an identity they are no patterns.
fn nearly(right: &str) -> Vec<String> {
    vec![
        "*".to_owned(),
        format!("{}*", &right[..3]),
        right[1..].to_owned(),
        right[..right.len() - 1].to_owned(),
        format!("{right}x"),
        right.to_uppercase(),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_6_a_certificate_of_another_run_does_not_count() {
    let sigstore = Sigstore::start().await;
    let place = Place::new();
    let signed = ran(step(&place, &sigstore, &[])).await;
    assert_eq!(signed.status, Some(0), "{}", signed.log);
    let identity = format!("https://github.com/{}", sigstore::WORKFLOW);
    let check = |verb: &str, condition: (&str, &str)| {
        let promotes = verb == "promote";
        let inputs = [
            ("command", verb),
            ("source", "oci:a:it"),
            ("images", if promotes { "oci:b" } else { "" }),
            ("tags", if promotes { "it" } else { "" }),
            ("sign", ""),
            ("fulcio-url", ""),
            ("rekor-url", ""),
            ("verify-source", if promotes { "true" } else { "" }),
            ("certificate-identity", &identity),
            ("certificate-oidc-issuer", sigstore::ISSUER),
            condition,
        ];
        ran(step(&place, &sigstore, &inputs))
    };
    for (name, right) in CONDITIONS {
        for wrong in nearly(right) {
            let found = check("verify", (name, &wrong)).await;
            assert_eq!(found.status, Some(1), "{name}: {wrong}: {}", found.log);
        }
        let refused = check("promote", (name, &nearly(right)[4])).await;
        assert_eq!(refused.status, Some(1), "{name}: {}", refused.log);
        assert!(!place.path("b").exists(), "{name}");
        let found = check("verify", (name, right)).await;
        assert_eq!(found.status, Some(0), "{name}: {}", found.log);
        let promoted = check("promote", (name, right)).await;
        assert_eq!(promoted.status, Some(0), "{name}: {}", promoted.log);
        std::fs::remove_dir_all(place.path("b")).unwrap();
    }
}
