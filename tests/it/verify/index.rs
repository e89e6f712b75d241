//! What an index says of its entries was written by whoever made it: nothing of it leaves an entry out
//! of a check. Each case is an index that lists a good image, which is attested, and something else.

use serde_json::{Value, json};
use shipmark::image::Digest;
use shipmark::release::{Failure, VerifyRequest, verify};

use super::images::{INDEX, MANIFEST, SBOM, Signed};
use crate::registry::{Profile, Registry, digest};
use crate::support::keys;
use crate::support::*;

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
const IN_TOTO: &str = "application/vnd.in-toto+json";
const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// A registry with an image that is attested.
struct Attested {
    signed: Signed,
    good: Digest,
}

impl Attested {
    async fn start() -> Self {
        let signed = Signed {
            registry: Registry::start(Profile::plain()).await,
            key: keys::key(),
        };
        let attested = Self {
            good: "sha256:0000000000000000000000000000000000000000000000000000000000000000"
                .parse()
                .unwrap(),
            signed,
        };
        let good = attested.put(&attested.image(CONFIG, &[LAYER]));
        let sbom = attested.signed.sbom_of(good).await;
        attested.signed.attach(Some(good), SBOM, &sbom);
        Self { good, ..attested }
    }

    /// A manifest with a config and layers of these types. Every one has another content.
    fn image(&self, config: &str, layers: &[&str]) -> Value {
        let blob = |kind: &str, text: String| {
            let size = text.len();
            let digest = self.signed.registry.put_blob("web", text);
            json!({"mediaType": kind, "digest": digest, "size": size})
        };
        let config = match config {
            EMPTY => blob(EMPTY, "{}".to_owned()),
            other => blob(
                other,
                json!({"os": "linux", "architecture": "amd64"}).to_string(),
            ),
        };
        let number = fastrand::u64(..);
        let layers: Vec<Value> = layers
            .iter()
            .enumerate()
            .map(|(at, kind)| blob(kind, format!("layer {at} {number}")))
            .collect();
        json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers,
            "annotations": {"number": number.to_string()},
        })
    }

    fn put(&self, manifest: &Value) -> Digest {
        let kind = manifest["mediaType"].as_str().unwrap();
        let bytes = manifest.to_string();
        let digest = digest(bytes.as_bytes());
        self.signed
            .registry
            .put_manifest("web", &digest, kind, bytes);
        digest.parse().unwrap()
    }

    fn index(&self, entries: &[Value]) -> Value {
        json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries})
    }

    /// What is missing of an index that lists the good image too.
    async fn missing(&self, mut entries: Vec<Value>) -> Vec<Digest> {
        let mut good = entry(self.good);
        good["platform"] = platform("linux", "amd64");
        entries.push(good);
        let index = self.index(&entries).to_string();
        self.signed.registry.put_manifest("web", "it", INDEX, index);
        let found = self.signed.verify(true, &[SBOM]).await;
        assert_eq!(found.passed(), found.missing.is_empty());
        found
            .missing
            .iter()
            .map(|missing| missing.of.digest)
            .collect()
    }
}

fn entry(digest: Digest) -> Value {
    json!({"mediaType": MANIFEST, "digest": digest.to_string(), "size": 100})
}

fn platform(os: &str, architecture: &str) -> Value {
    json!({"os": os, "architecture": architecture})
}

/// As BuildKit marks its attestations.
fn annotated(of: Digest) -> Value {
    json!({
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": of.to_string(),
    })
}

/// What an entry may say of what is no attestation: each counts.
#[tokio::test]
async fn promise_6_no_word_of_an_index_keeps_an_image_from_being_checked() {
    let attested = Attested::start().await;
    let platforms = [
        None,
        Some(json!({})),
        Some(platform("", "")),
        Some(platform("linux", "amd64")),
        Some(platform("linux", "arm64")),
        Some(platform("unknown", "unknown")),
        Some(platform("Unknown", "Unknown")),
        Some(platform("unknown", "amd64")),
        Some(platform("linux", "unknown")),
        Some(json!({"os": "unknown", "architecture": "unknown", "variant": "v8"})),
    ];
    let annotations = [None, Some(json!({})), Some(annotated(attested.good))];
    let kinds = [
        MANIFEST,
        INDEX,
        DOCKER,
        "",
        "application/octet-stream",
        IN_TOTO,
    ];
    let mut tried = 0;
    for (platform, annotations) in platforms
        .iter()
        .flat_map(|platform| annotations.iter().map(move |said| (platform, said)))
    {
        for kind in kinds {
            for is_first in [true, false] {
                let evil = attested.put(&attested.image(CONFIG, &[LAYER]));
                let mut entry = entry(evil);
                entry["mediaType"] = json!(kind);
                entry["artifactType"] =
                    json!("application/vnd.docker.attestation.manifest.v1+json");
                if let Some(platform) = platform {
                    entry["platform"] = platform.clone();
                }
                if let Some(annotations) = annotations {
                    entry["annotations"] = annotations.clone();
                }
                let mut all = vec![entry.clone()];
                if !is_first {
                    // Listed once more, as what it is not.
                    entry["platform"] = self::platform("unknown", "unknown");
                    all.push(entry.clone());
                }
                let missing = attested.missing(all).await;
                assert_eq!(missing, [evil], "{entry}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 360);
}

/// What a manifest may be that is listed for no platform: only statements in an empty config's image
/// are left out.
#[tokio::test]
async fn promise_6_only_a_manifest_of_statements_for_no_platform_goes_unchecked() {
    let attested = Attested::start().await;
    let artifact = "application/vnd.docker.attestation.manifest.v1+json";
    let statements = |layers: &[&str]| {
        let mut manifest = attested.image(EMPTY, layers);
        manifest["artifactType"] = json!(artifact);
        manifest
    };
    let unlike = |change: fn(&mut Value)| {
        let mut manifest = statements(&[IN_TOTO]);
        change(&mut manifest);
        manifest
    };
    let mut image_config = attested.image(CONFIG, &[IN_TOTO]);
    image_config["artifactType"] = json!(artifact);
    let nested = attested.image(CONFIG, &[LAYER]);
    let nested = attested.put(&nested);
    for (name, manifest) in [
        ("an image's config", image_config),
        ("a layer beside", statements(&[IN_TOTO, LAYER])),
        ("a layer before", statements(&[LAYER, IN_TOTO])),
        ("layers of an image", statements(&[LAYER])),
        ("no layers", statements(&[])),
        (
            "a type like that",
            statements(&["application/vnd.in-toto+json+gzip"]),
        ),
        ("another config of that type", {
            let mut manifest = attested.image(CONFIG, &[IN_TOTO]);
            manifest["config"]["mediaType"] = json!(EMPTY);
            manifest
        }),
        (
            "an empty config of another type",
            unlike(|manifest| manifest["config"]["mediaType"] = json!(CONFIG)),
        ),
    ] {
        let other = attested.put(&manifest);
        let mut listed = entry(other);
        listed["platform"] = platform("unknown", "unknown");
        listed["annotations"] = annotated(attested.good);
        assert_eq!(attested.missing(vec![listed]).await, [other], "{name}");
    }
    // An index that is listed for no platform, and what it lists.
    for (platform_of_index, kind) in [
        ("unknown", INDEX),
        ("unknown", MANIFEST),
        ("linux", INDEX),
        ("linux", ""),
    ] {
        let mut below = entry(nested);
        below["platform"] = platform("unknown", "unknown");
        let mut listed = entry(attested.put(&attested.index(&[below])));
        listed["mediaType"] = json!(kind);
        listed["platform"] = platform(platform_of_index, "unknown");
        listed["annotations"] = annotated(attested.good);
        assert_eq!(attested.missing(vec![listed]).await, [nested], "{kind}");
    }
    // What does go unchecked, and what of that does not.
    for annotations in [None, Some(annotated(attested.good))] {
        let statement = attested.put(&statements(&[IN_TOTO, IN_TOTO]));
        let mut listed = entry(statement);
        listed["platform"] = platform("unknown", "unknown");
        if let Some(annotations) = annotations {
            listed["annotations"] = annotations;
        }
        assert_eq!(attested.missing(vec![listed.clone()]).await, []);
        for (os, architecture) in [
            ("linux", "amd64"),
            ("unknown", "amd64"),
            ("linux", "unknown"),
        ] {
            let mut other = listed.clone();
            other["platform"] = platform(os, architecture);
            assert_eq!(attested.missing(vec![other.clone()]).await, [statement]);
            // Under both, in either order.
            let twice = vec![listed.clone(), other.clone()];
            assert_eq!(attested.missing(twice).await, [statement]);
            assert_eq!(
                attested.missing(vec![other, listed.clone()]).await,
                [statement]
            );
        }
        let mut bare = listed.clone();
        bare.as_object_mut().unwrap().remove("platform");
        assert_eq!(attested.missing(vec![bare]).await, [statement]);
    }
}

/// An entry that is not there cannot be looked at.
#[tokio::test]
async fn promise_6_an_index_with_a_missing_manifest_is_not_verified() {
    let attested = Attested::start().await;
    let gone = Digest::from_bytes(b"gone");
    for kind in [MANIFEST, INDEX, "", "application/octet-stream"] {
        let mut entry = entry(gone);
        entry["mediaType"] = json!(kind);
        entry["platform"] = platform("unknown", "unknown");
        let index = attested.index(&[entry]).to_string();
        attested
            .signed
            .registry
            .put_manifest("web", "it", INDEX, index);
        let request = VerifyRequest {
            source: format!("{}:it", attested.signed.place()).parse().unwrap(),
            recursive: true,
        };
        let check = async { Ok(keys::signed_by(attested.signed.key.public())) };
        let failure = verify(&request, check, &context()).await.unwrap_err();
        let told = failure.diagnostic().unwrap().to_string();
        assert!(told.contains(&gone.to_string()), "{told}");
        assert!(!matches!(failure, Failure::Refused(_)), "{failure:?}");
    }
}

/// Go's readers take a member in other letters, or the last of several, for the one that they look for:
/// docker and crane would run another image than the one that is attested.
#[tokio::test]
async fn promise_6_a_manifest_that_others_read_otherwise_is_not_verified() {
    let attested = Attested::start().await;
    let evil = attested.put(&attested.image(CONFIG, &[LAYER]));
    let listed = |digest: Digest| {
        let mut listed = entry(digest);
        listed["platform"] = platform("linux", "amd64");
        listed.to_string()
    };
    let (good, other) = (listed(attested.good), listed(evil));
    let statement = format!(
        r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"{EMPTY}","digest":"{}","size":2}},"layers":[],"Layers":[]}}"#,
        Digest::from_bytes(b"{}"),
    );
    let digest = digest(statement.as_bytes());
    let registry = &attested.signed.registry;
    registry.put_manifest("web", &digest, MANIFEST, statement);
    let nowhere = r#""os":"unknown","architecture":"unknown""#;
    for members in [
        format!(r#""manifests":[{good}],"Manifests":[{other}]"#),
        format!(r#""manifests":[{good}],"MANIFESTS":[{other}]"#),
        format!(r#""manifests":[{good}],"manife\u017fts":[{other}]"#),
        format!(r#""manifests":[{good}],"manifests":[{other}]"#),
        format!(
            r#""manifests":[{},"Digest":"{evil}"}}]"#,
            good.strip_suffix('}').unwrap()
        ),
        format!(
            r#""manifests":[{good},{{"digest":"{evil}","size":1,"platform":{{{nowhere},"OS":"linux"}}}}]"#
        ),
        format!(
            r#""manifests":[{good},{{"digest":"{digest}","size":1,"platform":{{{nowhere}}}}}]"#
        ),
    ] {
        let index = format!(r#"{{"schemaVersion":2,"mediaType":"{INDEX}",{members}}}"#);
        registry.put_manifest("web", "it", INDEX, index);
        let request = VerifyRequest {
            source: format!("{}:it", attested.signed.place()).parse().unwrap(),
            recursive: true,
        };
        let check = async { Ok(keys::signed_by(attested.signed.key.public())) };
        let failure = verify(&request, check, &context()).await.unwrap_err();
        let told = failure.diagnostic().unwrap().to_string();
        assert!(told.contains("is not a manifest"), "{members}: {told}");
    }
}
