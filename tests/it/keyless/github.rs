//! Attestations that GitHub keeps too, against an API in this process.

use std::sync::Mutex;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use shipmark::github::AttestationStore;
use shipmark::release::run;
use shipmark::signing::Requirement;

use super::*;
use crate::registry::{Answer, Bound, Call, Handler, Host, Issuer};

const TOKEN: &str = "token-of-this-job";
const KINDS: [&str; 2] = [
    "https://cyclonedx.org/bom",
    "https://slsa.dev/provenance/v0.2",
];

/// The API of an enterprise server, whose addresses begin with `/api/v3`.
struct GitHub {
    host: Host,
    kept: Arc<Kept>,
}

#[derive(Default)]
struct Kept(Mutex<Vec<Value>>);

impl GitHub {
    async fn start() -> Self {
        let bound = Bound::new(None).await;
        let kept = Arc::new(Kept::default());
        let host = bound.serve(kept.clone());
        Self { host, kept }
    }

    fn api(&self) -> String {
        format!("{}/api/v3", self.host.url)
    }

    fn attestations(&self) -> Option<AttestationStore> {
        let (api, server) = (self.api(), "https://github.example/");
        let [api, server] = [api.as_str(), server].map(|url| url.parse().unwrap());
        AttestationStore::new(&api, &server, "acme/web", TOKEN.into()).ok()
    }

    fn fault(&self, fault: Fault) {
        self.host.front.fault(fault);
    }

    /// The bundles about an image that hold a predicate of a type, as `gh attestation verify` asks for
    /// them.
    fn kept(&self, image: Digest, kind: &str) -> Vec<Value> {
        let mut kept = self.kept.0.lock().unwrap().clone();
        kept.retain(|bundle| {
            let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
            let payload = BASE64_STANDARD.decode(payload).unwrap();
            let statement: Value = serde_json::from_slice(&payload).unwrap();
            statement["subject"][0]["digest"]["sha256"] == *image.to_hex().to_string()
                && statement["predicateType"] == kind
        });
        kept
    }

    /// How many are kept of the example, of each kind; all of them good.
    async fn good(&self, signer: &KeylessSigner) -> [usize; 2] {
        let (context, _) = context_with(settings());
        let requirement = signer.requirement(context.registry.http(), &context.notices);
        let requirement: Requirement = requirement.await.unwrap();
        KINDS.map(|kind| {
            let kept = self.kept(example_root(), kind);
            for bundle in &kept {
                let bundle = bundle.to_string();
                let opened = requirement.verify_bundle(bundle.as_bytes(), example_root());
                assert_eq!(opened.unwrap().predicate_type(), kind);
            }
            kept.len()
        })
    }
}

impl Handler for Kept {
    fn handle<'a>(&'a self, call: &'a mut Call) -> BoxFuture<'a, Answer> {
        async move {
            let body = call.read(24 << 20).await.unwrap_or_default();
            let refused = |status, message: &str| Answer::new(status).json(&json!({
                "message": message,
                "documentation_url": "https://docs.github.com/rest/repos/attestations#create-an-attestation",
            }));
            if call.path != "/api/v3/repos/acme/web/attestations" || call.method != "POST" {
                return refused(404, "Not Found");
            }
            if call.header("authorization") != Some(&format!("Bearer {TOKEN}")) {
                return refused(401, "Bad credentials");
            }
            if call.header("x-github-api-version") != Some("2022-11-28") {
                return refused(400, "no version of the API");
            }
            let mut body: Value = serde_json::from_slice(&body).unwrap_or_default();
            let bundle = body["bundle"].take();
            if bundle["verificationMaterial"]["certificate"]["rawBytes"].as_str().is_none() {
                return refused(422, "Invalid Argument");
            }
            let mut kept = self.0.lock().unwrap();
            kept.push(bundle);
            Answer::new(201).json(&json!({"id": 1000 + kept.len()}))
        }
        .boxed()
    }

    fn issuer(&self) -> Option<&Issuer> {
        None
    }
}

fn kept_too(signer: &Arc<KeylessSigner>, github: &GitHub) -> SigningOptions {
    SigningOptions {
        allows_unbound: true,
        attestations: attestations(),
        github: github.attestations(),
        ..signing(signer, BOTH)
    }
}

/// The example, signed and attested, on a registry of its own.
struct Stage {
    sigstore: Sigstore,
    registry: Registry,
    github: GitHub,
    signer: Arc<KeylessSigner>,
}

impl Stage {
    async fn set(profile: Profile) -> Self {
        let sigstore = Sigstore::start().await;
        let signer = Arc::new(sigstore.signer(Rekor::V1));
        Self {
            sigstore,
            registry: Registry::start(profile).await,
            github: GitHub::start().await,
            signer,
        }
    }

    fn request(&self) -> ReleaseRequest {
        let place = format!("{}/web", self.registry.host());
        signed(&[&place], kept_too(&self.signer, &self.github))
    }

    async fn good(&self) -> [usize; 2] {
        self.github.good(&self.signer).await
    }
}

#[tokio::test]
async fn github_keeps_what_is_attested_and_no_signature() {
    for profile in [Profile::plain(), Profile::distribution()] {
        let stage = Stage::set(profile).await;
        let mut request = stage.request();
        request.dry_run = true;
        done(request.clone(), &context()).await;
        assert_eq!(stage.github.host.front.log().len(), 0);
        request.dry_run = false;
        request.signing.as_mut().unwrap().recursive = true;
        let outcome = done(request, &context()).await;
        assert_eq!(stage.good().await, [1, 1]);
        assert_eq!(stage.github.host.front.log().len(), 2);
        let signatures = outcome.destinations[0].signatures.iter();
        let shown = signatures.filter_map(|signed| {
            let shown = signed.url.as_ref()?;
            Some((
                signed.predicate_type?,
                signed.format,
                shown.path().to_owned(),
            ))
        });
        let mut shown: Vec<_> = shown.collect();
        shown.sort_by_key(|(kind, ..)| *kind);
        let [
            (bom, SignatureFormat::Bundle, first),
            (provenance, SignatureFormat::Bundle, second),
        ] = &shown[..]
        else {
            panic!("{shown:?}");
        };
        assert_eq!([*bom, *provenance], KINDS);
        assert_ne!(first, second);
        for path in [first, second] {
            assert!(path.starts_with("/acme/web/attestations/100"), "{path}");
        }
        // What the registry has is made no second time, so it is not kept twice either.
        let again = done(stage.request(), &context()).await;
        assert_eq!(made(&again)[0], 0);
        assert_eq!(stage.good().await, [1, 1]);
    }
}

/// Wherever a run dies, what a tag names is attested at both, and the next run ends right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_2_a_run_that_dies_leaves_no_tag_that_github_knows_nothing_of() {
    let stage = Stage::set(Profile::distribution()).await;
    done(stage.request(), &context()).await;
    let counts = [stage.registry.count(), stage.github.host.front.log().len()];
    assert_eq!(counts[1], 2);
    for (which, count) in counts.into_iter().enumerate() {
        for at in 1..=count {
            let stage = Stage::set(Profile::distribution()).await;
            let when = format!("service {which}, request {at} of {count}");
            let request = stage.request();
            let context = context();
            let work = run(&request, &context);
            match which {
                0 => {
                    let registry = &stage.registry;
                    registry.fault(Fault::at(at, Effect::StopForGoodAfter));
                    tokio::select! {
                        outcome = work => panic!("{when}: {outcome:?}"),
                        () = registry.stopped() => {}
                    }
                    registry.clear_faults();
                    registry.resume();
                }
                _ => {
                    let front = &stage.github.host.front;
                    front.fault(Fault::at(at, Effect::StopForGoodAfter));
                    tokio::select! {
                        outcome = work => panic!("{when}: {outcome:?}"),
                        () = front.stopped() => {}
                    }
                    front.clear_faults();
                    front.resume();
                }
            }
            if stage.registry.tags("web").contains_key("it") {
                let good = stage.good().await;
                assert!(good.iter().all(|count| *count > 0), "{when}: {good:?}");
            }
            done(stage.request(), &super::context()).await;
            let good = stage.good().await;
            assert!(good.iter().all(|count| *count > 0), "{when}: {good:?}");
            assert!(stage.registry.tags("web").contains_key("it"), "{when}");
        }
    }
}

#[tokio::test]
async fn what_github_does_not_keep_is_said_with_its_reason_and_nothing_is_tagged() {
    let not_kept = "private ones only on GitHub Enterprise Cloud";
    let message = |status, message: &str| {
        let body = json!({"message": message}).to_string();
        Effect::status_with(status, &[], &body)
    };
    for (effect, said, hint) in [
        (
            message(403, "Resource not accessible by integration"),
            "answers 403 Forbidden to POST /api/v3/repos/acme/web/attestations: Resource not accessible by integration",
            "permissions: attestations: write",
        ),
        (
            message(
                403,
                "Feature not available for user-owned private repositories.",
            ),
            "Feature not available",
            not_kept,
        ),
        (message(404, "Not Found"), "answers 404", not_kept),
        (
            message(401, "Bad credentials"),
            "answers 401",
            "github-token",
        ),
        (
            message(422, "Invalid Argument - values do not match: x != y"),
            "values do not match: x != y",
            "GITHUB_REPOSITORY",
        ),
        (Effect::status(500), "answers 500", ""),
        (Effect::status(503), "answers 503", ""),
        (Effect::ResetBefore, "does not answer", ""),
        (
            Effect::Delay(Duration::from_secs(20)),
            "does not answer",
            "",
        ),
        (Effect::Truncate(3), "invalid response: no JSON object", ""),
        (
            Effect::status_with(201, &[], "<html>hello</html>"),
            "invalid response: no JSON object",
            "",
        ),
        (
            Effect::status_with(201, &[], r#"{"id":""}"#),
            "invalid response: no JSON object",
            "",
        ),
        (Effect::EndlessBody, "a body of more than", ""),
    ] {
        let stage = Stage::set(Profile::plain()).await;
        stage
            .github
            .fault(Fault::on("POST", "/attestations", effect.clone()).always());
        let (failure, text) = failed(stage.request(), &context()).await;
        let case = format!("{effect:?}: {text}");
        assert!(matches!(failure, Failure::Service(_)), "{case}");
        assert!(text.starts_with("GitHub's API (127.0.0.1:"), "{case}");
        assert!(text.contains(said) && text.contains(hint), "{case}");
        assert!(text.len() < 900 && !text.contains(TOKEN), "{case}");
        assert!(stage.registry.tags("web").is_empty(), "{case}");
        assert_eq!(beside(&stage.registry), Vec::<String>::new(), "{case}");
    }
}

#[tokio::test]
async fn what_passes_at_github_is_waited_for() {
    for effect in [
        Effect::status(502),
        Effect::status_with(429, &[("retry-after", "0")], ""),
        // The secondary limit.
        Effect::status_with(403, &[("retry-after", "0")], ""),
        Effect::ResetBefore,
        Effect::ResetAfter,
    ] {
        let stage = Stage::set(Profile::plain()).await;
        stage
            .github
            .fault(Fault::on("POST", "/attestations", effect.clone()).times(2));
        let (context, said) = context_with(settings());
        done(stage.request(), &context).await;
        let said = said.text();
        assert!(said.contains("GitHub's API: "), "{effect:?}: {said}");
        let good = stage.good().await;
        assert!(good.iter().all(|count| *count > 0), "{effect:?}: {good:?}");
        assert_eq!(stage.sigstore.counts()[..2], [1, 1]);
    }
}

/// A step that attests a bill of materials keyless and has GitHub keep it.
fn keeping(place: &Place, stage: &Stage, more: &[(&str, &str)]) -> std::process::Command {
    let sbom = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []});
    std::fs::write(place.path("sbom.json"), sbom.to_string()).unwrap();
    let mut inputs = vec![
        ("sbom", "sbom.json"),
        ("unbound", "allow"),
        ("github-attestations", "true"),
        ("github-token", TOKEN),
    ];
    for (name, value) in more {
        inputs.retain(|(known, _)| known != name);
        inputs.push((name, value));
    }
    let mut step = step(place, &stage.sigstore, &inputs);
    step.env("GITHUB_API_URL", stage.github.api())
        .env("GITHUB_SERVER_URL", "https://github.example");
    step
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_says_where_github_shows_its_attestations() {
    let stage = Stage::set(Profile::plain()).await;
    let place = Place::new();
    let ran = ran(keeping(&place, &stage, &[])).await;
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let url = "https://github.example/acme/web/attestations/1001";
    assert_eq!(place.output("attestation-urls"), url);
    assert!(place.read("summary").contains(&format!("<{url}>")));
    assert!(place.output("json").contains(&format!(r#""url":"{url}""#)));
    assert_eq!(stage.good().await, [1, 0]);
    let said = ran
        .log
        .lines()
        .filter(|line| !line.starts_with("::add-mask::"));
    let said = said.collect::<Vec<_>>().join("\n") + &ran.out;
    for left in [said, place.read("output"), place.read("summary")] {
        assert!(!left.contains(TOKEN), "{left}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_github_could_not_keep_is_said_before_anything_is_done() {
    let stage = Stage::set(Profile::plain()).await;
    let key = [
        ("sign", "key"),
        ("fulcio-url", ""),
        ("rekor-url", ""),
        ("trusted-root", ""),
    ];
    let pem = keys::pem();
    let key: Vec<_> = key
        .into_iter()
        .chain([("signing-key", pem.as_str())])
        .collect();
    let off = [
        ("sign", "off"),
        ("fulcio-url", ""),
        ("rekor-url", ""),
        ("trusted-root", ""),
        ("sbom", ""),
        ("unbound", ""),
    ];
    for (more, message) in [
        (&key[..], "github-attestations is given, and a key signs"),
        (&off, "github-attestations is given, and nothing is signed"),
        (&[("signature-format", "legacy")], "legacy makes no bundles"),
        (&[("sbom", "")], "nothing is attested"),
        (&[("github-token", "")], "needs github-token"),
    ] {
        let place = Place::new();
        let ran = ran(keeping(&place, &stage, more)).await;
        assert_eq!(ran.status, Some(2), "{more:?}: {}", ran.log);
        assert!(ran.log.contains(message), "{more:?}: {}", ran.log);
        assert!(!place.path("a").exists(), "{more:?}");
    }
    for (variable, value, message) in [
        (
            "GITHUB_API_URL",
            "http://github.example/api/v3",
            "is not an https address",
        ),
        ("GITHUB_REPOSITORY", "", "GITHUB_REPOSITORY is not set"),
    ] {
        let place = Place::new();
        let mut step = keeping(&place, &stage, &[]);
        step.env(variable, value);
        let ran = ran(step).await;
        assert_eq!(ran.status, Some(2), "{variable}: {}", ran.log);
        assert!(ran.log.contains(message), "{variable}: {}", ran.log);
    }
    assert_eq!(stage.sigstore.counts(), [0; 4]);
    assert_eq!(stage.github.host.front.log().len(), 0);
}
