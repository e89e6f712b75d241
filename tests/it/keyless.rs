//! Releases that are signed as the job that runs, against services in this process.

mod conditions;
mod github;
mod large_attestations;
mod rsa_timestamps;
mod visibility;

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use shipmark::http::{HttpSettings, ProxySettings};
use shipmark::image::Digest;
use shipmark::registry::RegistrySettings;
use shipmark::release::{Failure, ReleaseOutcome, ReleaseRequest, SignatureFormat, SigningOptions};
use shipmark::signing::{
    InstanceSource, KeylessSigner, Predicate, PredicateSource, Signer, TufRepository,
};
use shipmark::tagging::TagRules;

use crate::registry::{Effect, Fault, Profile, Registry};
use crate::sigstore::{self, Rekor, Sigstore};
use crate::support::keys;
use crate::support::process::{Place, Ran};
use crate::support::*;

const BUNDLE: &[SignatureFormat] = &[SignatureFormat::Bundle];
const LEGACY: &[SignatureFormat] = &[SignatureFormat::Legacy];
const BOTH: &[SignatureFormat] = &[SignatureFormat::Bundle, SignatureFormat::Legacy];

fn signing(signer: &Arc<KeylessSigner>, forms: &[SignatureFormat]) -> SigningOptions {
    SigningOptions {
        allows_unbound: true,
        assigns_reports: false,
        signer: Signer::Keyless(signer.clone()),
        formats: forms.to_vec(),
        annotations: Default::default(),
        recursive: false,
        attestations: Vec::new(),
        github: None,
        created: "2026-11-20T21:48:08Z".to_owned(),
    }
}

fn signed(places: &[&str], signing: SigningOptions) -> ReleaseRequest {
    let mut request = push(&example(), places, "refs/heads/main");
    request.rules = TagRules::parse(["it"]).unwrap();
    request.signing = Some(signing);
    request
}

/// How many signatures were made, and how many were there.
fn made(outcome: &ReleaseOutcome) -> [usize; 2] {
    let all = outcome
        .destinations
        .iter()
        .flat_map(|released| &released.signatures);
    let (made, there): (Vec<_>, Vec<_>) = all.partition(|signed| signed.is_new);
    [made.len(), there.len()]
}

/// The manifests that were written, apart from those of the image itself.
fn beside(registry: &Registry) -> Vec<String> {
    let lines = registry.requests().into_iter();
    let written = lines.filter(|line| line.starts_with("PUT ") && line.contains("/manifests/"));
    let image: Vec<String> = IMAGE
        .iter()
        .map(|digest| format!("sha256:{digest}"))
        .collect();
    let own = |line: &String| image.iter().any(|digest| line.contains(digest.as_str()));
    written.filter(|line| !own(line)).collect()
}

/// The manifests of [`example`], by how their digests begin.
const IMAGE: [&str; 5] = [
    "daabd5f7f767",
    "37ef5a526a8a",
    "606c692587b0",
    "d5b4a3cff799",
    "f15b6fb9df3e",
];

#[tokio::test]
async fn promise_2_what_is_released_keyless_is_signed_before_a_tag_names_it() {
    for (rekor, forms) in [
        (Rekor::V1, BUNDLE),
        (Rekor::V2, BUNDLE),
        (Rekor::V1, LEGACY),
        (Rekor::V1, BOTH),
    ] {
        for profile in [Profile::plain(), Profile::distribution()] {
            let sigstore = Sigstore::start().await;
            let registry = Registry::start(profile).await;
            let place = format!("{}/team/web", registry.host());
            let signer = Arc::new(sigstore.signer(rekor));
            let request = signed(&[&place], signing(&signer, forms));
            let outcome = done(request.clone(), &context()).await;
            assert_eq!(made(&outcome), [forms.len(), 0], "{rekor:?} {forms:?}");
            let stamped = match rekor {
                Rekor::V1 => 0,
                Rekor::V2 => 1,
            };
            assert_eq!(sigstore.counts(), [1, 1, forms.len(), stamped]);
            let log = registry.requests();
            let position = |part: &str| log.iter().rposition(|line| line.contains(part));
            let tagged = position("PUT /v2/team/web/manifests/it ").unwrap();
            let beside = log[tagged..]
                .iter()
                .find(|line| line.contains("PUT ") && line.contains("sha256"));
            assert_eq!(beside, None);
            assert_eq!(registry.dangling(), Vec::<String>::new());
            // Another run of the same workflow adds nothing: its token tells who it is.
            registry.clear_log();
            let signer = Arc::new(sigstore.signer(rekor));
            let again = done(signed(&[&place], signing(&signer, forms)), &context()).await;
            assert_eq!(made(&again), [0, forms.len()], "{rekor:?} {forms:?}");
            assert_eq!(sigstore.counts(), [2, 1, forms.len(), stamped]);
            assert_eq!(beside_none(&registry), None);
        }
    }
}

fn beside_none(registry: &Registry) -> Option<String> {
    let mut lines = registry.requests().into_iter();
    lines.find(|line| !line.starts_with("GET ") && !line.starts_with("HEAD "))
}

/// A bill of materials and provenance.
fn attestations() -> Vec<Predicate> {
    let sbom = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []});
    let provenance = json!({"builder": {"id": "https://builder.example"}, "buildType": "x"});
    [
        (PredicateSource::Sbom, sbom),
        (PredicateSource::Provenance, provenance),
    ]
    .map(|(document, json)| Predicate::parse(document, json.to_string().as_bytes()).unwrap())
    .into()
}

#[tokio::test]
async fn promise_2_what_is_attested_is_there_before_a_tag_too() {
    for profile in [Profile::plain(), Profile::distribution()] {
        let sigstore = Sigstore::start().await;
        let registry = Registry::start(profile).await;
        let place = format!("{}/web", registry.host());
        let signing = || SigningOptions {
            attestations: attestations(),
            recursive: true,
            ..signing(&Arc::new(sigstore.signer(Rekor::V1)), BOTH)
        };
        let outcome = done(signed(&[&place], signing()), &context()).await;
        // Five signatures and, of the root alone, two attestations, in both forms.
        assert_eq!(made(&outcome), [14, 0]);
        assert_eq!(sigstore.counts(), [1, 1, 14, 0]);
        let log = registry.requests();
        let tagged = log
            .iter()
            .position(|line| line.starts_with("PUT /v2/web/manifests/it "));
        let written = |line: &&String| line.starts_with("PUT ") && line.contains("sha256");
        let mut later = log[tagged.unwrap()..].iter();
        assert_eq!(later.find(written), None);
        assert_eq!(registry.dangling(), Vec::<String>::new());
        let signatures = outcome.destinations[0].signatures.iter();
        let attested = signatures.filter(|signed| signed.predicate_type.is_some());
        let of: Vec<_> = attested.map(|signed| signed.of).collect();
        assert_eq!(of, [example_root(); 4]);
        // Nothing is attested twice.
        registry.clear_log();
        let again = done(signed(&[&place], signing()), &context()).await;
        assert_eq!(made(&again), [0, 14]);
        assert_eq!(beside_none(&registry), None);
        // A change of one of them is attested for itself.
        let mut changed = signing();
        changed.attestations[0].content["components"] = json!([{"name": "zlib"}]);
        let again = done(signed(&[&place], changed), &context()).await;
        assert_eq!(made(&again), [2, 12]);
    }
}

#[tokio::test]
async fn a_key_attests_as_well() {
    for profile in [Profile::plain(), Profile::distribution()] {
        let registry = Registry::start(profile).await;
        let place = format!("{}/web", registry.host());
        let signing = SigningOptions {
            attestations: attestations(),
            ..keys::signing(&keys::key())
        };
        let outcome = done(signed(&[&place], signing.clone()), &context()).await;
        assert_eq!(made(&outcome), [6, 0]);
        let again = done(signed(&[&place], signing.clone()), &context()).await;
        assert_eq!(made(&again), [0, 6]);
        // Another key has said nothing yet.
        let other = SigningOptions {
            signer: Signer::Key(keys::key().into()),
            ..signing
        };
        assert_eq!(
            made(&done(signed(&[&place], other), &context()).await),
            [6, 0]
        );
    }
}

#[tokio::test]
async fn a_statement_about_another_image_is_refused() {
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let statement = |hex: &str| {
        let json = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": "web", "digest": {"sha256": hex}}],
            "predicateType": "https://slsa.dev/provenance/v0.2",
            "predicate": {"builder": {"id": "https://builder.example"}, "buildType": "x"},
        });
        Predicate::parse(PredicateSource::Provenance, json.to_string().as_bytes()).unwrap()
    };
    let signing = |predicate| SigningOptions {
        attestations: vec![predicate],
        ..keys::signing(&keys::key())
    };
    let other = statement(&"0".repeat(64));
    let (failure, text) = failed(signed(&[&place], signing(other)), &context()).await;
    assert!(matches!(failure, Failure::Input(_)), "{failure:?}");
    assert!(text.contains("names another image"), "{text}");
    assert_eq!(beside_none(&registry), None);
    let own = statement(&example_root().to_hex().to_string());
    done(signed(&[&place], signing(own)), &context()).await;
}

#[tokio::test]
async fn another_workflow_is_another_signer() {
    let other = json!({"job_workflow_ref": "acme/web/.github/workflows/x.yml@refs/heads/main"});
    let sigstore = Sigstore::with(Duration::from_secs(600), json!({})).await;
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let signer = Arc::new(sigstore.signer(Rekor::V1));
    done(signed(&[&place], signing(&signer, BOTH)), &context()).await;
    // The same authorities, and a token of another workflow.
    sigstore.claim(other);
    let signer = Arc::new(sigstore.signer(Rekor::V1));
    let again = done(signed(&[&place], signing(&signer, BOTH)), &context()).await;
    assert_eq!(made(&again), [2, 0]);
    let again = done(signed(&[&place], signing(&signer, BOTH)), &context()).await;
    assert_eq!(made(&again), [0, 2]);
}

#[tokio::test]
async fn one_token_and_one_certificate_do_for_a_whole_run() {
    let sigstore = Sigstore::start().await;
    let registries = [
        Registry::start(Profile::plain()).await,
        Registry::start(Profile::distribution()).await,
    ];
    let places = registries
        .each_ref()
        .map(|registry| format!("{}/web", registry.host()));
    let signer = Arc::new(sigstore.signer(Rekor::V1));
    let signing = SigningOptions {
        recursive: true,
        ..signing(&signer, BOTH)
    };
    let places = places.each_ref().map(String::as_str);
    let outcome = done(signed(&places, signing.clone()), &context()).await;
    // The index and its four manifests, in both forms, at two places.
    assert_eq!(made(&outcome), [20, 0]);
    assert_eq!(sigstore.counts(), [1, 1, 20, 0]);
    let of: std::collections::BTreeSet<Digest> = outcome.destinations[0]
        .signatures
        .iter()
        .map(|signed| signed.of)
        .collect();
    assert_eq!(of.len(), 5);
    // So it is for the next image of the same run.
    let other = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", other.host());
    let outcome = done(signed(&[&place], signing), &context()).await;
    assert_eq!(made(&outcome), [10, 0]);
    assert_eq!(sigstore.counts(), [1, 1, 30, 0]);
}

/// A log that takes its time for each entry takes it for all of them at once.
#[tokio::test]
async fn the_manifests_of_an_index_are_signed_at_the_same_time() {
    let sigstore = Sigstore::start().await;
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let one = Duration::from_millis(400);
    sigstore.fault(Fault::on("POST", "/rekor", Effect::Delay(one)).always());
    let signing = SigningOptions {
        recursive: true,
        ..signing(&Arc::new(sigstore.signer(Rekor::V2)), BUNDLE)
    };
    let began = std::time::Instant::now();
    let outcome = done(signed(&[&place], signing), &context()).await;
    assert_eq!(made(&outcome), [5, 0]);
    assert!(began.elapsed() < 4 * one, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_certificate_that_nears_its_end_is_replaced() {
    let sigstore = Sigstore::with(Duration::from_secs(3), json!({})).await;
    let registry = Registry::start(Profile::plain()).await;
    let signer = Arc::new(sigstore.signer(Rekor::V2));
    for (name, wait, counts) in [
        ("a", 0, [1, 1, 1, 1]),
        // Its life is eight seconds: it begins five before it is issued.
        ("b", 0, [1, 1, 2, 2]),
        ("c", 4100, [2, 2, 3, 3]),
    ] {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let place = format!("{}/{name}", registry.host());
        done(signed(&[&place], signing(&signer, BUNDLE)), &context()).await;
        assert_eq!(sigstore.counts(), counts, "{name}");
    }
}

/// What a service can do instead of its part, and how that is told.
#[tokio::test]
async fn a_service_that_fails_is_named_and_nothing_is_half_written() {
    let html = || Effect::status_with(200, &[("content-type", "text/html")], "<html>hello</html>");
    let slow = || Effect::Delay(Duration::from_secs(20));
    let (token, fulcio, rekor, stamp) = (
        "the runner's token service",
        "Fulcio",
        "Rekor",
        "the timestamp authority",
    );
    for (version, path, service) in [
        (Rekor::V1, "/token", token),
        (Rekor::V1, "/fulcio", fulcio),
        (Rekor::V1, "/rekor", rekor),
        (Rekor::V2, "/rekor", rekor),
        (Rekor::V2, "/stamp", stamp),
    ] {
        for (effect, said) in [
            (Effect::status(500), "answers 500"),
            (Effect::status(503), "answers 503"),
            (Effect::status(404), "answers 404"),
            (
                Effect::status_with(403, &[], r#"{"message":"not for you"}"#),
                "answers 403 Forbidden: not for you",
            ),
            (Effect::ResetBefore, "does not answer"),
            (slow(), "does not answer"),
            (html(), "sent an invalid response"),
            (
                Effect::status_with(200, &[], "{}"),
                "sent an invalid response",
            ),
            (Effect::Truncate(40), "sent an invalid response"),
            (Effect::EndlessBody, "a body of more than 4194304 bytes"),
        ] {
            let sigstore = Sigstore::start().await;
            let registry = Registry::start(Profile::plain()).await;
            let place = format!("{}/web", registry.host());
            sigstore.fault(Fault::on("*", path, effect.clone()).always());
            let signer = Arc::new(sigstore.signer(version));
            let request = signed(&[&place], signing(&signer, BUNDLE));
            let (failure, text) = failed(request, &context()).await;
            let case = format!("{version:?} {path} {effect:?}: {text}");
            assert!(matches!(failure, Failure::Service(_)), "{case}");
            assert!(text.contains(said) && text.contains(service), "{case}");
            assert!(text.len() < 900, "{case}");
            assert!(registry.tags("web").is_empty(), "{case}");
            assert_eq!(beside(&registry), Vec::<String>::new(), "{case}");
        }
    }
}

/// Nothing listens there at all.
#[tokio::test]
async fn a_service_that_is_down_is_named() {
    let down = || "http://127.0.0.1:9/x".parse().unwrap();
    let sigstore = Sigstore::start().await;
    for (signer, service) in [
        (
            sigstore.signer_with(Rekor::V1, |tokens, _| tokens.url = down()),
            "the runner's token service",
        ),
        (
            sigstore.signer_with(Rekor::V1, |_, services| services.fulcio = down()),
            "Fulcio",
        ),
        (
            sigstore.signer_with(Rekor::V1, |_, services| services.logs.v1 = Some(down())),
            "Rekor",
        ),
        (
            sigstore.signer_with(Rekor::V2, |_, services| services.logs.v2 = Some(down())),
            "Rekor",
        ),
        (
            sigstore.signer_with(Rekor::V2, |_, services| {
                services.logs.authority = Some(down());
            }),
            "the timestamp authority",
        ),
    ] {
        let registry = Registry::start(Profile::plain()).await;
        let place = format!("{}/web", registry.host());
        let request = signed(&[&place], signing(&Arc::new(signer), BUNDLE));
        let (failure, text) = failed(request, &context()).await;
        assert!(
            matches!(failure, Failure::Service(_)),
            "{service}: {failure:?}"
        );
        let start = format!("{service} (127.0.0.1:9) does not answer");
        assert!(text.starts_with(&start), "{text}");
        assert!(registry.tags("web").is_empty(), "{service}");
        assert_eq!(beside(&registry), Vec::<String>::new(), "{service}");
    }
}

/// RFC 3161, 2.4.2: status 2 is a rejection, with an answer of 200.
#[tokio::test]
async fn a_timestamp_that_is_not_granted_is_no_timestamp() {
    let sigstore = Sigstore::start().await;
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let rejection = Effect::status_with(200, &[], "\x30\x05\x30\x03\x02\x01\x02");
    sigstore.fault(Fault::on("POST", "/stamp", rejection).always());
    let signer = Arc::new(sigstore.signer(Rekor::V2));
    let (_, text) = failed(signed(&[&place], signing(&signer, BUNDLE)), &context()).await;
    assert!(
        text.contains("the timestamp authority") && text.contains("PKI status 2"),
        "{text}"
    );
    assert!(registry.tags("web").is_empty());
}

/// A damaged answer leads to no signature that does not count; some damage harms nothing.
#[tokio::test]
async fn damage_is_found_out_before_anything_is_written() {
    for (version, path, length) in [
        (Rekor::V1, "/fulcio", 3200),
        (Rekor::V1, "/rekor", 2800),
        (Rekor::V2, "/rekor", 2800),
        (Rekor::V2, "/stamp", 400),
    ] {
        let sigstore = Sigstore::start().await;
        for byte in (0..length).step_by(89) {
            let registry = Registry::start(Profile::plain()).await;
            let place = format!("{}/web", registry.host());
            sigstore.fault(Fault::on("*", path, Effect::FlipByte(byte)));
            let signer = Arc::new(sigstore.signer(version));
            let request = signed(&[&place], signing(&signer, BUNDLE));
            match shipmark::release::run(&request, &context()).await {
                Ok(_) => {
                    let again = done(request, &context()).await;
                    assert_eq!(made(&again), [0, 1], "{path} {byte}");
                }
                Err(failure) => {
                    assert!(
                        matches!(failure, Failure::Service(_)),
                        "{path} {byte}: {failure:?}"
                    );
                    assert!(registry.tags("web").is_empty(), "{path} {byte}");
                    assert_eq!(beside(&registry), Vec::<String>::new(), "{path} {byte}");
                }
            }
        }
    }
}

fn public<S>() -> InstanceSource<S> {
    let now = "2026-11-20T21:48:08Z".parse().unwrap();
    InstanceSource::Public(Box::new(TufRepository::new(now, None)))
}

/// Without a way to the outside the copy of the public instance's root is taken, and said to be.
#[tokio::test]
async fn without_tuf_the_copy_in_the_program_is_taken() {
    let sigstore = Sigstore::start().await;
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let signer = Arc::new(KeylessSigner::new(sigstore.tokens(), public(), false));
    let (context, said) = context_with(RegistrySettings {
        http: HttpSettings {
            proxies: ProxySettings {
                https: Some("http://127.0.0.1:9".to_owned()),
                ..ProxySettings::default()
            },
            ..settings().http
        },
        ..settings()
    });
    let (failure, text) = failed(signed(&[&place], signing(&signer, BUNDLE)), &context).await;
    assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
    assert!(
        text.starts_with("Fulcio (fulcio.sigstore.dev) does not answer"),
        "{text}"
    );
    let said = said.text();
    assert!(
        said.contains("the keys and services built into this program"),
        "{said}"
    );
    assert!(registry.tags("web").is_empty());
}

/// A token tells of a private repository where the event does not.
#[tokio::test]
async fn a_token_of_a_private_repository_is_not_shown_to_the_public_instance() {
    let claims = json!({"repository_visibility": "private"});
    let sigstore = Sigstore::with(Duration::from_secs(600), claims).await;
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let signer = Arc::new(KeylessSigner::new(sigstore.tokens(), public(), false));
    let (context, _) = context_with(RegistrySettings {
        http: HttpSettings {
            proxies: ProxySettings {
                https: Some("http://127.0.0.1:9".to_owned()),
                ..ProxySettings::default()
            },
            ..settings().http
        },
        ..settings()
    });
    let (failure, text) = failed(signed(&[&place], signing(&signer, BUNDLE)), &context).await;
    assert!(matches!(failure, Failure::Input(_)), "{failure:?}");
    assert!(text.contains("transparency-log: on"), "{text}");
    assert_eq!(beside_none(&registry), None);
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let sigstore = Sigstore::start().await;
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    sigstore.fault(Fault::on("GET", "/token", Effect::status(403)).always());
    let signer = Arc::new(sigstore.signer(Rekor::V1));
    let (_, text) = failed(signed(&[&place], signing(&signer, BUNDLE)), &context()).await;
    assert!(text.contains("id-token: write"), "{text}");
    // Before anything was moved.
    assert_eq!(beside_none(&registry), None);
}

#[tokio::test]
async fn what_passes_is_waited_for() {
    for (version, path) in [
        (Rekor::V1, "/token"),
        (Rekor::V1, "/fulcio"),
        (Rekor::V1, "/rekor"),
        (Rekor::V2, "/rekor"),
        (Rekor::V2, "/stamp"),
    ] {
        for effect in [
            Effect::status(503),
            Effect::status_with(429, &[("retry-after", "0")], ""),
            Effect::ResetBefore,
            Effect::ResetAfter,
        ] {
            let sigstore = Sigstore::start().await;
            let registry = Registry::start(Profile::plain()).await;
            let place = format!("{}/web", registry.host());
            sigstore.fault(Fault::on("*", path, effect.clone()).times(2));
            let signer = Arc::new(sigstore.signer(version));
            let (context, said) = context_with(settings());
            let outcome = done(signed(&[&place], signing(&signer, BUNDLE)), &context).await;
            assert_eq!(made(&outcome), [1, 0], "{path} {effect:?}");
            assert!(said.text().contains("trying again"), "{}", said.text());
            // An entry whose answer was lost is found where Rekor v1 says that it is; version 2 does
            // not say, and takes another signature of the same.
            let lost = matches!(
                (version, path, &effect),
                (Rekor::V2, "/rekor", Effect::ResetAfter)
            );
            let entries = if lost { 2 } else { 1 };
            assert_eq!(sigstore.entries(), entries, "{path} {effect:?}");
        }
    }
}

#[tokio::test]
async fn a_conflict_that_leads_nowhere_is_a_failure() {
    for location in [
        None,
        Some("https://elsewhere.example/x"),
        Some("/rekor/api/v1/log/entries/x"),
    ] {
        let sigstore = Sigstore::start().await;
        let registry = Registry::start(Profile::plain()).await;
        let place = format!("{}/web", registry.host());
        let headers: Vec<_> = location
            .map(|location| ("location", location))
            .into_iter()
            .collect();
        let conflict = Effect::status_with(409, &headers, "");
        sigstore.fault(Fault::on("POST", "/rekor", conflict).always());
        let signer = Arc::new(sigstore.signer(Rekor::V1));
        let (failure, text) = failed(signed(&[&place], signing(&signer, BOTH)), &context()).await;
        assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
        assert!(text.contains("Rekor"), "{text}");
        assert!(registry.tags("web").is_empty());
    }
}

#[tokio::test]
async fn a_log_that_has_every_entry_already_is_a_failure() {
    let sigstore = Sigstore::start().await;
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let body = r#"{"code":6,"message":"an equivalent entry already exists"}"#;
    let conflict = Effect::status_with(409, &[], body);
    sigstore.fault(Fault::on("POST", "/rekor", conflict).always());
    let signer = Arc::new(sigstore.signer(Rekor::V2));
    let (failure, text) = failed(signed(&[&place], signing(&signer, BUNDLE)), &context()).await;
    assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
    assert!(
        text.contains("answers 409 Conflict: an equivalent entry"),
        "{text}"
    );
    assert_eq!(sigstore.counts()[2], 2);
    assert!(registry.tags("web").is_empty());
}

/// The services' clocks go a little before this machine's, or after it by any time: cosign goes by
/// theirs alone.
#[tokio::test]
async fn a_clock_that_goes_a_little_wrong_is_waited_for() {
    for (rekor, forms, ahead) in [
        (Rekor::V1, BOTH, 2),
        (Rekor::V2, BUNDLE, 2),
        (Rekor::V2, BUNDLE, 3600),
        (Rekor::V1, BOTH, -3600),
        (Rekor::V2, BUNDLE, -3600),
    ] {
        let sigstore = Sigstore::ahead(ahead).await;
        let registry = Registry::start(Profile::plain()).await;
        let place = format!("{}/web", registry.host());
        let signer = Arc::new(sigstore.signer(rekor));
        let outcome = done(signed(&[&place], signing(&signer, forms)), &context()).await;
        assert_eq!(made(&outcome), [forms.len(), 0], "{rekor:?} {ahead}");
    }
}

#[tokio::test]
async fn a_clock_that_goes_wrong_is_named() {
    let sigstore = Sigstore::ahead(3600).await;
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let signer = Arc::new(sigstore.signer(Rekor::V1));
    let (failure, text) = failed(signed(&[&place], signing(&signer, BOTH)), &context()).await;
    assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
    let clock =
        "the clock of this machine is behind, or that of the log is ahead: integrated time 2";
    assert!(text.contains(clock), "{text}");
    assert!(text.contains("hint: set this machine's clock"), "{text}");
    assert!(registry.tags("web").is_empty());
    assert_eq!(beside(&registry), Vec::<String>::new());
}

#[tokio::test]
async fn a_token_that_died_is_replaced() {
    let sigstore = Sigstore::start().await;
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let expired = r#"{"code":3,"message":"There was an error processing the identity token"}"#;
    sigstore.fault(Fault::on(
        "POST",
        "/fulcio",
        Effect::status_with(400, &[], expired),
    ));
    let signer = Arc::new(sigstore.signer(Rekor::V1));
    let outcome = done(signed(&[&place], signing(&signer, BUNDLE)), &context()).await;
    assert_eq!(made(&outcome), [1, 0]);
    assert_eq!(sigstore.counts(), [2, 2, 1, 0]);
    // A new one that is refused as well is not asked for again.
    sigstore.fault(Fault::on("POST", "/fulcio", Effect::status_with(400, &[], expired)).always());
    let signer = Arc::new(sigstore.signer(Rekor::V1));
    let place = format!("{}/other", registry.host());
    let (_, text) = failed(signed(&[&place], signing(&signer, BUNDLE)), &context()).await;
    assert!(
        text.contains("error processing the identity token"),
        "{text}"
    );
    assert_eq!(sigstore.counts(), [4, 4, 1, 0]);
}

#[tokio::test]
async fn what_does_not_stand_up_to_the_trusted_root_is_not_written() {
    let (sigstore, other) = (Sigstore::start().await, Sigstore::start().await);
    let registry = Registry::start(Profile::plain()).await;
    let place = format!("{}/web", registry.host());
    let signer = Arc::new(sigstore.signer_trusting(Rekor::V1, &other));
    let (failure, text) = failed(signed(&[&place], signing(&signer, BOTH)), &context()).await;
    assert!(matches!(failure, Failure::Service(_)), "{failure:?}");
    assert!(text.contains("its log is not trusted"), "{text}");
    assert!(registry.tags("web").is_empty());
    assert_eq!(beside(&registry), Vec::<String>::new());
}

#[tokio::test]
async fn a_dry_run_asks_for_no_certificate() {
    let sigstore = Sigstore::start().await;
    let registry = Registry::start(Profile::plain()).await;
    let signer = Arc::new(sigstore.signer(Rekor::V2));
    let place = format!("{}/web", registry.host());
    let mut request = signed(&[&place], signing(&signer, BUNDLE));
    request.dry_run = true;
    assert_eq!(made(&done(request, &context()).await), [1, 0]);
    assert_eq!(sigstore.counts(), [1, 0, 0, 0]);
}

/// A step that signs keyless, with the services of `sigstore`.
fn step(place: &Place, sigstore: &Sigstore, more: &[(&str, &str)]) -> std::process::Command {
    std::fs::write(place.path("root.json"), sigstore.trusted_root()).unwrap();
    let (fulcio, rekor, source) = (sigstore.url("/fulcio"), sigstore.url("/rekor"), example());
    let mut inputs = vec![
        ("command", "push"),
        ("source", &source),
        ("images", "oci:a"),
        ("tags", "it"),
        ("sign", "keyless"),
        ("fulcio-url", fulcio.as_str()),
        ("rekor-url", rekor.as_str()),
        ("trusted-root", "root.json"),
    ];
    for (name, value) in more {
        inputs.retain(|(known, _)| known != name);
        inputs.push((name, value));
    }
    let mut step = place.step("refs/heads/main", &inputs);
    step.env(
        "ACTIONS_ID_TOKEN_REQUEST_URL",
        sigstore.tokens().url.as_str(),
    )
    .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", sigstore::REQUEST_TOKEN);
    step
}

async fn ran(mut step: std::process::Command) -> Ran {
    tokio::task::spawn_blocking(move || Ran::of(step.output().unwrap()))
        .await
        .unwrap()
}

/// Each way to name the services of an instance, and whose token is used for whom.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_instance_is_named_as_a_whole_or_service_by_service() {
    let sigstore = Sigstore::start().await;
    let service = |path: &str, version: u32| {
        json!({
            "url": sigstore.url(path).as_str(),
            "majorApiVersion": version,
            "validFor": {"start": "2020-01-01T00:00:00Z"},
            "operator": "test",
        })
    };
    let config = json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": [service("/fulcio", 1)],
        "rekorTlogUrls": [service("/rekor", 2)],
        "tsaUrls": [service("/stamp", 1)],
        "rekorTlogConfig": {"selector": "ANY"},
        "tsaConfig": {"selector": "ANY"},
    });
    let stamp = sigstore.url("/stamp");
    let alone = [
        ("fulcio-url", ""),
        ("rekor-url", ""),
        ("signing-config", "config.json"),
    ];
    let with = |more: (&'static str, &'static str)| [alone.as_slice(), &[more]].concat();
    let mut counts = [0; 4];
    for (inputs, asked) in [
        (alone.to_vec(), [1, 1, 1, 1]),
        (vec![("tsa-url", stamp.as_str())], [1, 1, 1, 1]),
        (with(("oidc-issuer", sigstore::ISSUER)), [1, 1, 1, 1]),
        (vec![("transparency-log", "on")], [1, 1, 1, 0]),
    ] {
        let place = Place::new();
        std::fs::write(place.path("config.json"), config.to_string()).unwrap();
        let ran = ran(step(&place, &sigstore, &inputs)).await;
        assert_eq!(ran.status, Some(0), "{inputs:?}: {}", ran.log);
        counts = std::array::from_fn(|at| counts[at] + asked[at]);
        assert_eq!(sigstore.counts(), counts, "{inputs:?}");
    }
    for (input, message) in [
        (
            ("oidc-issuer", "https://other.example"),
            "a token of https://token.example, not of https://other.example (oidc-issuer)",
        ),
        (
            ("oidc-audience", "other"),
            "set oidc-issuer and oidc-audience",
        ),
    ] {
        let place = Place::new();
        let ran = ran(step(&place, &sigstore, &[input])).await;
        assert_eq!(ran.status, Some(3), "{input:?}: {}", ran.log);
        assert!(ran.log.contains(message), "{input:?}: {}", ran.log);
    }
}

/// What is signed and attested on disk is found there again by `verify`, in either form, and travels
/// on to a registry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_signed_keyless_in_a_layout_is_verified_there() {
    let sigstore = Sigstore::start().await;
    let sbom = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": []});
    let identity = format!(
        "--certificate-identity=https://github.com/{}",
        sigstore::WORKFLOW
    );
    let issuer = format!("--certificate-oidc-issuer={}", sigstore::ISSUER);
    let place = Place::new();
    std::fs::write(place.path("sbom.json"), sbom.to_string()).unwrap();
    std::fs::write(place.path("root.json"), sigstore.trusted_root()).unwrap();
    let verify = |source: &str, more: &[&str]| {
        let mut command = place.command();
        command
            .args(["verify", "--trusted-root=root.json", &identity, &issuer])
            .args(["--source", source])
            .args(more);
        command
    };
    let child = format!("sha256:{CHILD}");
    for form in ["bundle", "legacy", "both"] {
        let images = format!("oci:{form}");
        let inputs = [
            ("images", images.as_str()),
            ("signature-format", form),
            ("sbom", "sbom.json"),
            ("unbound", "allow"),
            ("recursive", "true"),
        ];
        let signed = ran(step(&place, &sigstore, &inputs)).await;
        assert_eq!(signed.status, Some(0), "{form}: {}", signed.log);
        let registry = Registry::start(Profile::distribution()).await;
        let copied = format!("{}/web", registry.host());
        let promoted = [
            ("command", "promote"),
            ("source", &format!("{images}:it")),
            ("images", &copied),
            ("sign", ""),
            ("fulcio-url", ""),
            ("rekor-url", ""),
            ("trusted-root", ""),
        ];
        let promoted = ran(step(&place, &sigstore, &promoted)).await;
        assert_eq!(promoted.status, Some(0), "{form}: {}", promoted.log);
        for at in [images.as_str(), &copied] {
            let (it, below) = (format!("{at}:it"), format!("{at}@{child}"));
            for (source, more) in [
                (&it, &["--attestation=signature"][..]),
                (&it, &["--attestation=https://cyclonedx.org/bom"]),
                (&below, &["--attestation=signature"]),
            ] {
                let found = ran(verify(source, more)).await;
                assert_eq!(
                    found.status,
                    Some(0),
                    "{form} {source} {more:?}: {}",
                    found.log
                );
            }
            // The bill of materials is of the index, not of what is below it.
            let none = ran(verify(&below, &["--attestation=https://cyclonedx.org/bom"])).await;
            assert_eq!(none.status, Some(1), "{form} {below}: {}", none.log);
            let other = ["--certificate-github-workflow-repository=acme/other"];
            let other = ran(verify(&it, &other)).await;
            assert_eq!(other.status, Some(1), "{form} {at}: {}", other.log);
        }
    }
}

/// A manifest below the root of [`example`].
const CHILD: &str = "37ef5a526a8a21e3913dbb33bbd715ef3f8aa83b75b329c43042fa7bdf84696f";

/// Neither the token to ask with nor the identity token is left anywhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_7_no_token_is_left_anywhere() {
    let sigstore = Sigstore::start().await;
    let refused = r#"{"message":"the token IDENTITY was refused"}"#;
    for fails in [false, true] {
        let place = Place::new();
        if fails {
            sigstore.fault(
                Fault::on("POST", "/fulcio", Effect::status_with(403, &[], refused)).always(),
            );
        }
        let ran = ran(step(&place, &sigstore, &[])).await;
        assert_eq!(ran.status, Some(if fails { 3 } else { 0 }), "{}", ran.log);
        let said = ran
            .log
            .lines()
            .filter(|line| !line.starts_with("::add-mask::"));
        let said = said.collect::<Vec<_>>().join("\n") + &ran.out;
        let left = said + &place.read("output") + &place.read("summary");
        for secret in [sigstore::REQUEST_TOKEN, "signature-of-the-token"] {
            assert!(
                ran.log.contains(&format!("::add-mask::{secret}")) || secret.starts_with("sig"),
                "{}",
                ran.log
            );
            assert!(!left.contains(secret), "{secret}: {left}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_keyless_signing_lacks_is_said_before_anything_is_done() {
    let sigstore = Sigstore::start().await;
    for (more, message) in [
        (&[("trusted-root", "")][..], "without trusted-root"),
        (&[("fulcio-url", "")], "not where to sign"),
        (
            &[("fulcio-url", "http://fulcio.example")],
            "is not an https address",
        ),
        (&[("rekor-url", "log")], "is not an https address"),
        (&[("signing-config", "nosuch.json")], "cannot be read"),
        (
            &[("signing-config", "root.json")],
            "is not a Sigstore signing config",
        ),
        (&[("trusted-root", "nosuch.json")], "cannot be read"),
        (&[("trusted-root", "it.json")], "is not a trusted root"),
        (&[("signing-key", "x")], "keyless signs without it"),
        (&[("sign", "key")], "a key signs without it"),
        (&[("sign", "off")], "nothing is signed"),
        (
            &[("sbom", "nosuch.json")],
            "sbom, line 1: \"nosuch.json\" cannot be read",
        ),
        (&[("sbom", "it.json")], "is not a bill of materials"),
        (&[("scan-report", "it.json")], "is not a scan report"),
        (
            &[("provenance", "it.json")],
            "is no SLSA provenance: /builder/id",
        ),
        (
            &[("verification-summary", "it.json")],
            "is no SLSA verification summary",
        ),
        (&[("sign", "off"), ("sbom", "it.json")], "nothing is signed"),
        (
            &[("sign-annotations", "commit=x")],
            "is what every signature says by itself",
        ),
    ] {
        let place = Place::new();
        std::fs::write(place.path("it.json"), "{}").unwrap();
        let ran = ran(step(&place, &sigstore, more)).await;
        assert_eq!(ran.status, Some(2), "{more:?}: {}", ran.log);
        assert!(ran.log.contains(message), "{more:?}: {}", ran.log);
        assert!(!place.path("a").exists(), "{more:?}");
    }
    let place = Place::new();
    let mut without = step(&place, &sigstore, &[]);
    without.env_remove("ACTIONS_ID_TOKEN_REQUEST_URL");
    let ran_without = ran(without).await;
    assert_eq!(ran_without.status, Some(2));
    assert!(
        ran_without.log.contains("permissions: id-token: write"),
        "{}",
        ran_without.log
    );
    let place = Place::new();
    let mut open = step(&place, &sigstore, &[]);
    open.env("ACTIONS_ID_TOKEN_REQUEST_URL", "http://token.example/");
    let open = ran(open).await;
    assert_eq!(open.status, Some(2), "{}", open.log);
    let public = [("fulcio-url", ""), ("rekor-url", ""), ("trusted-root", "")];
    let place = Place::new();
    let mut private = step(&place, &sigstore, &public);
    std::fs::write(
        place.path("event.json"),
        r#"{"repository":{"private":true}}"#,
    )
    .unwrap();
    private.env("GITHUB_EVENT_PATH", place.path("event.json"));
    let private = ran(private).await;
    assert_eq!(private.status, Some(2), "{}", private.log);
    assert!(
        private.log.contains("transparency-log: on"),
        "{}",
        private.log
    );
    assert_eq!(sigstore.counts(), [0; 4]);
}
