//! Content that few images have, copied with what stands beside it: layers that live elsewhere, layers
//! that are read lazily, content inside manifests, BuildKit's attestations in their old form, and
//! cosign's older tags.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use shipmark::image::Digest;
use shipmark::referrers::ReferrerSelection;
use shipmark::release::{ReleaseContext, ReleaseOutcome};
use shipmark::tagging::TagRules;

use crate::registry::{Profile, Registry};
use crate::support::*;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// A blob that no registry has.
const ELSEWHERE: &str = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef";

/// A registry with such an image under `team/web:it`.
struct Source {
    registry: Registry,
    /// What its manifests carry themselves.
    inline: Vec<String>,
    manifests: Vec<String>,
    /// cosign's older tags.
    tags: Vec<String>,
}

impl Source {
    async fn start() -> Self {
        let mut source = Self {
            registry: Registry::start(Profile::plain()).await,
            inline: Vec::new(),
            manifests: Vec::new(),
            tags: Vec::new(),
        };
        let image = source.image();
        let said = source.attestation(&image);
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [image, said]});
        let root = source.put("it", INDEX, &index);
        for subject in [&root, &image, &said] {
            source.sign(subject);
        }
        for (subject, ending) in [(&root, ".sig"), (&image, ".att"), (&root, ".sbom")] {
            let digest = subject["digest"].as_str().unwrap();
            let tag = digest.replace(':', "-") + ending;
            let layers = [source.blob("text/plain", &format!("{ending} of {digest}"))];
            let config = source.blob(CONFIG, "{ }");
            source.put(&tag, MANIFEST, &manifest(&config, &layers));
            source.tags.push(tag);
        }
        source
    }

    fn image(&mut self) -> Value {
        let mut estargz = self.blob(LAYER, "read in parts");
        estargz["annotations"] = json!({
            "containerd.io/snapshot/stargz/toc.digest": ELSEWHERE,
            "io.containers.estargz.uncompressed-size": "4096",
        });
        let foreign = |kind: &str| {
            json!({
                "mediaType": kind, "digest": ELSEWHERE, "size": 1 << 30,
                "urls": ["https://elsewhere.example/base.tar.gz"],
            })
        };
        let layers = [
            foreign("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"),
            foreign("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
            estargz,
            self.inline(LAYER, "small enough to be carried"),
        ];
        let config = r#"{"architecture":"amd64","os":"windows","rootfs":{}}"#;
        let config = self.inline(CONFIG, config);
        let mut image = self.put("", MANIFEST, &manifest(&config, &layers));
        image["platform"] = json!({"os": "windows", "architecture": "amd64"});
        image
    }

    /// In BuildKit's old form: an image of no platform.
    fn attestation(&mut self, image: &Value) -> Value {
        let layers = [self.blob("application/vnd.in-toto+json", r#"{"predicate":{}}"#)];
        let config = self.blob(CONFIG, r#"{"os":"unknown"}"#);
        let mut said = self.put("", MANIFEST, &manifest(&config, &layers));
        said["platform"] = json!({"os": "unknown", "architecture": "unknown"});
        said["annotations"] = json!({
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": image["digest"],
        });
        said
    }

    /// A bundle about `subject`, which carries the empty config as oras writes it.
    fn sign(&mut self, subject: &Value) {
        let layers = [self.blob(BUNDLE, &format!("signed {}", subject["digest"]))];
        let config = self.inline("application/vnd.oci.empty.v1+json", "{}");
        let mut bundle = manifest(&config, &layers);
        bundle["artifactType"] = json!(BUNDLE);
        bundle["subject"] = subject.clone();
        bundle["annotations"] =
            json!({"dev.sigstore.bundle.predicateType": "https://sigstore.dev/cosign/sign/v1"});
        self.put("", MANIFEST, &bundle);
    }

    fn blob(&self, kind: &str, content: &str) -> Value {
        let digest = self.registry.put_blob("team/web", content.to_owned());
        json!({"mediaType": kind, "digest": digest, "size": content.len()})
    }

    /// Content in its descriptor, and nowhere else.
    fn inline(&mut self, kind: &str, content: &str) -> Value {
        let digest = Digest::from_bytes(content.as_bytes()).to_string();
        self.inline.push(digest.clone());
        let data = BASE64_STANDARD.encode(content);
        json!({"mediaType": kind, "digest": digest, "size": content.len(), "data": data})
    }

    /// Puts a manifest in place, under its digest where there is no tag.
    fn put(&mut self, tag: &str, kind: &str, manifest: &Value) -> Value {
        let bytes = manifest.to_string();
        let (digest, size) = (
            Digest::from_bytes(bytes.as_bytes()).to_string(),
            bytes.len(),
        );
        let under = if tag.is_empty() { &digest } else { tag };
        self.registry.put_manifest("team/web", under, kind, bytes);
        self.manifests.push(digest.clone());
        json!({"mediaType": kind, "digest": digest, "size": size})
    }

    /// That all of it is in `team/web` of the other, as it is here.
    fn assert_is_at(&self, other: &Registry, case: &str) {
        for digest in &self.manifests {
            let at = |registry: &Registry| registry.manifest("team/web", digest);
            assert!(at(other).is_some(), "{case}: {digest}");
            assert_eq!(at(other), at(&self.registry), "{case}: {digest}");
        }
        for tag in &self.tags {
            let at = |registry: &Registry| registry.tags("team/web")[tag].clone();
            assert_eq!(at(other), at(&self.registry), "{case}: {tag}");
        }
        for digest in &self.inline {
            assert!(other.has_blob("team/web", digest), "{case}: {digest}");
        }
        assert_eq!(other.dangling(), [""; 0], "{case}");
        let asked = |registry: &Registry| registry.requests().concat().contains(&ELSEWHERE[7..]);
        assert!(!asked(other) && !asked(&self.registry), "{case}");
    }
}

fn manifest(config: &Value, layers: &[Value]) -> Value {
    json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers})
}

async fn released(source: &str, place: &str, context: &ReleaseContext) -> ReleaseOutcome {
    let mut request = promote(source, &[place], "refs/heads/main");
    request.rules = TagRules::parse(["it"]).unwrap();
    request.referrers = ReferrerSelection::Known;
    done(request, context).await
}

/// From a registry and from a layout, to registries with and without the referrers API.
#[tokio::test]
async fn promise_1_unusual_content_travels_as_it_is() {
    let source = Source::start().await;
    // What a manifest carries need not be a blob anywhere.
    let is_blob = |digest: &String| source.registry.has_blob("team/web", digest);
    assert!(!source.inline.iter().any(is_blob));
    let image = format!("{}/team/web:it", source.registry.host());
    let disk = tempfile::tempdir().unwrap();
    let layout = format!("oci:{}", disk.path().join("layout").display());
    released(&image, &layout, &context()).await;
    for from in [image, format!("{layout}:it")] {
        for profile in [Profile::plain(), Profile::distribution(), Profile::gitlab()] {
            let target = Registry::start(profile).await;
            let place = format!("{}/team/web", target.host());
            let (context, _) = context_with(logged_in_to(&[&target]));
            let outcome = released(&from, &place, &context).await;
            let beside = &outcome.destinations[0].referrers;
            let copied: u64 = beside.copied.values().sum();
            assert_eq!((copied, beside.skipped.len()), (6, 0), "{from}: {beside:?}");
            source.assert_is_at(&target, &from);
        }
    }
}

/// BuildKit's attestations in the old form and as artifacts with a subject, one of each platform, and in
/// indexes below an index: they come from an archive, and on from there, with nothing added or lost.
#[tokio::test]
async fn promise_1_buildkits_attestations_travel_as_they_are() {
    let archive = |file| format!("oci-archive:{}", image(file).display());
    let nested = format!("oci:{}:top", image("regctl-nested-index").display());
    for (from, manifests) in [
        (archive("buildkit-single-provenance-min-slsa02.tar"), 3),
        (archive("buildkit-multi-provenance-max.tar"), 5),
        (archive("buildkit-multi-sbom-provenance.tar"), 5),
        (nested, 7),
    ] {
        for profile in [Profile::plain(), Profile::distribution()] {
            let [dev, prod] = [
                Registry::start(profile.clone()).await,
                Registry::start(profile).await,
            ];
            let places = [&dev, &prod].map(|at| format!("{}/team/web", at.host()));
            released(&from, &places[0], &context()).await;
            released(&format!("{}:it", places[0]), &places[1], &context()).await;
            let all = |at: &Registry| {
                let digests = at.manifests("team/web").into_iter();
                let named = digests.map(|it| (at.manifest("team/web", &it), it));
                named.collect::<Vec<_>>()
            };
            assert_eq!(all(&dev).len(), manifests, "{from}");
            assert_eq!(all(&dev), all(&prod), "{from}");
            assert_eq!(prod.dangling(), [""; 0], "{from}");
            assert_eq!(prod.tags("team/web").len(), 1, "{from}");
        }
    }
}
