//! The input `verify-source`: a promotion checks its source before anything is copied.

use super::*;
use crate::support::process::{Place, Ran};

struct Stage {
    source: Registry,
    destination: Registry,
    place: Place,
}

impl Stage {
    /// A source with an image that `key` has signed, unless there is none.
    async fn signed_by(key: Option<&PrivateKey>) -> Self {
        let source = Registry::start(Profile::distribution()).await;
        let stage = Self {
            destination: Registry::start(Profile::distribution()).await,
            place: Place::new(),
            source,
        };
        let place = format!("{}/web", stage.source.host());
        let mut request = push(&example(), &[&place], "refs/heads/main");
        request.rules = TagRules::parse(["it"]).unwrap();
        request.signing = key.map(signing);
        done(request, &context_with(settings()).0).await;
        stage
    }

    fn promote(&self, more: &[(&str, &str)]) -> Ran {
        let source = format!("{}/web:it", self.source.host());
        let images = format!("{}/web", self.destination.host());
        let mut inputs = vec![
            ("command", "promote"),
            ("source", &*source),
            ("images", &*images),
            ("tags", "it"),
        ];
        inputs.extend(more);
        self.destination.clear_log();
        let mut step = self.place.step("refs/heads/main", &inputs);
        Ran::of(step.output().unwrap())
    }

    /// What was asked of the destination that could change it.
    fn writes(&self) -> Vec<String> {
        let lines = self.destination.requests().into_iter();
        let reads = ["GET ", "HEAD "];
        lines
            .filter(|line| !reads.iter().any(|method| line.starts_with(method)))
            .collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_6_what_fails_verify_source_is_not_copied() {
    let (ours, theirs) = (key(), key());
    let (ours_pem, theirs_pem) = (ours.public().to_pem(), theirs.public().to_pem());
    let signed = Stage::signed_by(Some(&ours)).await;
    let unsigned = Stage::signed_by(None).await;
    let verify = ("verify-source", "true");
    let sbom = ("attestation", "https://cyclonedx.org/bom");
    for (stage, more) in [
        (&unsigned, vec![verify, ("key", &*ours_pem)]),
        (&signed, vec![verify, ("key", &*theirs_pem)]),
        (&signed, vec![verify, ("key", &*ours_pem), sbom]),
    ] {
        let ran = stage.promote(&more);
        assert_eq!(ran.status, Some(1), "{more:?}: {}", ran.log);
        assert_eq!(stage.writes(), [""; 0], "{more:?}");
        assert!(stage.destination.tags("web").is_empty(), "{more:?}");
        let outcome = stage.place.output("outcome");
        assert_eq!(outcome, "refused", "{more:?}");
    }
    let ran = signed.promote(&[verify, ("key", &ours_pem)]);
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert!(signed.destination.tags("web").contains_key("it"));
}

/// What is said and would not be looked at is an error, and nothing is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_9_what_verify_source_would_not_look_at_is_refused() {
    let ours = key();
    let pem = ours.public().to_pem();
    let stage = Stage::signed_by(Some(&ours)).await;
    let verify = ("verify-source", "true");
    for (more, reason) in [
        (vec![("key", &*pem)], "key is given, and nothing is checked"),
        (
            vec![("verify-source", "false"), ("key", &*pem)],
            "key is given, and nothing is checked",
        ),
        (
            vec![("certificate-identity", "https://x.example")],
            "certificate-identity is given, and nothing is checked",
        ),
        (vec![verify], "no signer is given"),
        (
            vec![("verify-source", "maybe"), ("key", &*pem)],
            "verify-source",
        ),
        (
            vec![
                verify,
                ("key", &*pem),
                ("certificate-github-workflow-ref", "x"),
            ],
            "certificate-github-workflow-ref is given with key",
        ),
    ] {
        let ran = stage.promote(&more);
        assert_eq!(ran.status, Some(2), "{more:?}: {}", ran.log);
        assert!(ran.log.contains(reason), "{more:?}: {}", ran.log);
        assert_eq!(stage.writes(), [""; 0], "{more:?}");
    }
}
