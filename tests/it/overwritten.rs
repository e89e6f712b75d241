//! Tags of signatures and referrers that something has overwritten: named as such, and written anew by
//! the next promotion.

use serde_json::json;
use shipmark::referrers::ReferrerSelection;
use shipmark::release::{Failure, ReleaseRequest, ReleaseVerb, SignatureFormat};
use shipmark::signing::PrivateKey;
use shipmark::tagging::TagRules;

use crate::moves::labelled;
use crate::registry::{Profile, Registry};
use crate::support::keys::{checked, good, key, signing};
use crate::support::*;

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// What a build puts under a tag.
#[derive(Debug, Clone, Copy)]
enum Built {
    Image,
    DockerImage,
    Index,
    DockerList,
    IndexWithoutPlatforms,
}

const BUILT: [Built; 5] = [
    Built::Image,
    Built::DockerImage,
    Built::Index,
    Built::DockerList,
    Built::IndexWithoutPlatforms,
];

impl Built {
    fn put(self, registry: &Registry, tag: &str) -> String {
        let layer = registry.put_blob("web", "layer".to_owned());
        let config = registry.put_blob("web", r#"{"os":"linux"}"#.to_owned());
        let (image, config_type, layer_type) = match self {
            Self::DockerImage | Self::DockerList => (
                "application/vnd.docker.distribution.manifest.v2+json",
                "application/vnd.docker.container.image.v1+json",
                "application/vnd.docker.image.rootfs.diff.tar.gzip",
            ),
            _ => (
                IMAGE,
                "application/vnd.oci.image.config.v1+json",
                "application/vnd.oci.image.layer.v1.tar+gzip",
            ),
        };
        let manifest = json!({
            "schemaVersion": 2, "mediaType": image,
            "config": {"mediaType": config_type, "digest": config, "size": 14},
            "layers": [{"mediaType": layer_type, "digest": layer, "size": 5}],
        })
        .to_string();
        let digest = crate::registry::digest(manifest.as_bytes());
        let size = manifest.len();
        let kind = match self {
            Self::Image | Self::DockerImage => {
                return registry.put_manifest("web", tag, image, manifest);
            }
            Self::Index | Self::IndexWithoutPlatforms => INDEX,
            Self::DockerList => DOCKER_LIST,
        };
        registry.put_manifest("web", &digest, image, manifest);
        let mut entry = json!({"mediaType": image, "digest": digest, "size": size});
        if !matches!(self, Self::IndexWithoutPlatforms) {
            entry["platform"] = json!({"os": "linux", "architecture": "amd64"});
        }
        let index = json!({"schemaVersion": 2, "mediaType": kind, "manifests": [entry]});
        registry.put_manifest("web", tag, kind, index.to_string())
    }
}

fn promoted(from: &str, to: &str) -> ReleaseRequest {
    let mut request = request(ReleaseVerb::Promote, from, &[to], pushed("refs/heads/main"));
    request.rules = TagRules::parse(["it"]).unwrap();
    request.referrers = ReferrerSelection::Known;
    request
}

/// A signed image in a repository that keeps its lists under tags, and its copy in another one.
struct Stage {
    source: Registry,
    registry: Registry,
    key: PrivateKey,
    digest: String,
    forms: Vec<SignatureFormat>,
}

impl Stage {
    async fn set(forms: &[SignatureFormat]) -> Self {
        let source = Registry::start(Profile::distribution()).await;
        let registry = Registry::start(Profile::distribution()).await;
        let digest = labelled(&source, "web", Some(COMMIT), 1);
        let (key, forms) = (key(), forms.to_vec());
        let stage = Self {
            source,
            registry,
            key,
            digest,
            forms,
        };
        let place = format!("{}/web", stage.source.host());
        let mut sign = promoted(&stage.from(), &place);
        sign.signing = Some(stage.signing());
        done(sign, &context()).await;
        done(promoted(&stage.from(), &stage.place()), &context()).await;
        stage
    }

    fn signing(&self) -> shipmark::release::SigningOptions {
        shipmark::release::SigningOptions {
            allows_unbound: true,
            formats: self.forms.clone(),
            ..signing(&self.key)
        }
    }

    fn from(&self) -> String {
        format!("{}/web@{}", self.source.host(), self.digest)
    }

    fn place(&self) -> String {
        format!("{}/web", self.registry.host())
    }

    fn at(&self) -> String {
        format!("{}:it", self.place())
    }

    fn tag(&self, ending: &str) -> String {
        format!("{}{ending}", self.digest.replace(':', "-"))
    }
}

/// Each tag, whatever is put there, and both ways to mend it.
#[tokio::test]
async fn promise_2_an_overwritten_list_is_named_and_a_promotion_mends_it() {
    for (ending, forms) in [
        ("", vec![SignatureFormat::Bundle]),
        ("", vec![SignatureFormat::Bundle, SignatureFormat::Legacy]),
        (".sig", vec![SignatureFormat::Legacy]),
        (
            ".sig",
            vec![SignatureFormat::Bundle, SignatureFormat::Legacy],
        ),
    ] {
        for built in BUILT {
            for signs in [true, false] {
                let case = format!("{ending:?} {forms:?} {built:?} {signs}");
                let stage = Stage::set(&forms).await;
                let before = good(&stage.at(), &stage.key, &context()).await;
                assert_eq!(before, forms, "{case}");
                built.put(&stage.registry, &stage.tag(ending));
                let failure = checked(&stage.at(), &stage.key, &context()).await;
                let Err(Failure::Service(diagnostic)) = failure else {
                    panic!("{case}: {failure:?}");
                };
                let text = diagnostic.to_string();
                let named = format!("tag {} names an", stage.tag(ending));
                assert!(text.contains(&named), "{case}: {text}");
                assert!(
                    text.contains("something has overwritten it"),
                    "{case}: {text}"
                );

                let mut request = promoted(&stage.from(), &stage.place());
                if signs {
                    request.signing = Some(stage.signing());
                }
                let (context, said) = context_with(settings());
                let outcome = done(request.clone(), &context).await;
                assert!(outcome.has_changes(), "{case}");
                assert!(
                    said.warnings().contains("writes it again"),
                    "{case}: {}",
                    said.text()
                );
                let mut after = good(&stage.at(), &stage.key, &context).await;
                after.dedup();
                assert_eq!(after, forms, "{case}");
                assert!(!done(request, &context).await.has_changes(), "{case}");
            }
        }
    }
}

/// A list that was added to after something had overwritten it holds both: what is no referrer goes.
#[tokio::test]
async fn promise_2_a_list_that_is_partly_of_images_is_mended_and_keeps_its_referrers() {
    let stage = Stage::set(&[SignatureFormat::Bundle]).await;
    let tag = stage.tag("");
    let (kind, list) = stage.registry.manifest("web", &tag).unwrap();
    Built::Index.put(&stage.registry, "app");
    let (_, app) = stage.registry.manifest("web", "app").unwrap();
    let [mut list, app]: [serde_json::Value; 2] =
        [list, app].map(|bytes| serde_json::from_slice(&bytes).unwrap());
    let ours = list["manifests"][0].clone();
    let both = json!([app["manifests"][0], ours]);
    list["manifests"] = both;
    stage
        .registry
        .put_manifest("web", &tag, &kind, list.to_string());
    assert!(checked(&stage.at(), &stage.key, &context()).await.is_err());

    // Another key signs it, where it is.
    let other = key();
    let mut sign = promoted(&stage.at(), &stage.place());
    sign.signing = Some(shipmark::release::SigningOptions {
        allows_unbound: true,
        formats: vec![SignatureFormat::Bundle],
        ..signing(&other)
    });
    done(sign, &context()).await;
    for key in [&stage.key, &other] {
        assert_eq!(
            good(&stage.at(), key, &context()).await,
            [SignatureFormat::Bundle]
        );
    }
    let (_, list) = stage.registry.manifest("web", &tag).unwrap();
    let list: serde_json::Value = serde_json::from_slice(&list).unwrap();
    let entries = list["manifests"].as_array().unwrap();
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert!(entries.iter().all(|entry| entry["platform"].is_null()));
}

/// What cannot be read at the source is not left behind in silence.
#[tokio::test]
async fn promise_6_a_promotion_from_an_overwritten_list_is_refused_by_name() {
    for ending in ["", ".sig", ".att"] {
        let stage = Stage::set(&[SignatureFormat::Bundle]).await;
        Built::Image.put(&stage.source, &stage.tag(ending));
        let to = format!("{}/other", stage.registry.host());
        let (_, text) = failed(promoted(&stage.from(), &to), &context()).await;
        assert!(
            text.contains(&format!("tag {}", stage.tag(ending))),
            "{ending}: {text}"
        );
        assert!(
            text.contains("something has overwritten it"),
            "{ending}: {text}"
        );
        assert!(stage.registry.tags("other").is_empty(), "{ending}");
    }
}

/// An artifact under the tag of an SBOM may have layers of any type: oras writes that of a filesystem
/// where nothing else is said.
#[tokio::test]
async fn promise_2_an_sbom_that_oras_pushed_is_not_taken_for_an_image() {
    const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
    let stage = Stage::set(&[SignatureFormat::Legacy]).await;
    let blob = |content: &str, kind: &str| {
        let digest = stage.source.put_blob("web", content.to_owned());
        json!({"mediaType": kind, "digest": digest, "size": content.len()})
    };
    let sbom = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "text/spdx",
        "config": blob("{}", "application/vnd.oci.empty.v1+json"),
        "layers": [blob("an SBOM", "application/vnd.oci.image.layer.v1.tar")],
    });
    let tag = stage.tag(".sbom");
    let digest = stage
        .source
        .put_manifest("web", &tag, MANIFEST, sbom.to_string());
    let to = format!("{}/other", stage.registry.host());
    done(promoted(&stage.from(), &to), &context()).await;
    assert_eq!(stage.registry.tags("other")[&tag], digest.to_string());
}
