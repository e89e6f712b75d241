//! Nothing is left behind silently: random manifests, promoted to a registry and a layout. Where that does, all
//! below the root is at both, or is a foreign layer that the report names; where it is refused, there is no tag.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use shipmark::tagging::TagRules;
use shipmark::transfer::ForeignLayers;

use crate::registry::{Profile, Registry, digest};
use crate::support::named_descriptors::{NamedDescriptor, named_descriptors};
use crate::support::*;

const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const OCI_ARTIFACT: &str = "application/vnd.oci.artifact.manifest.v1+json";
const ORAS_ARTIFACT: &str = "application/vnd.cncf.oras.artifact.manifest.v1+json";

/// Media types of blobs, those that may stay at their addresses among them.
const BLOB_TYPES: [&str; 9] = [
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    "application/vnd.buildkit.cacheconfig.v0",
    "application/vnd.in-toto+json",
    "text/html",
    "layer",
    "application/vnd.oci.empty.v1+json",
];

/// A descriptor of a blob: which content, and what is said of it.
#[derive(Debug, Clone)]
struct BlobPlan {
    content: u8,
    media_type: usize,
    urls: u8,
    data: u8,
    annotations: u8,
}

/// A manifest: its form, its blobs, the earlier manifests that it lists, and which of its members are empty
/// or null.
#[derive(Debug, Clone)]
struct ManifestPlan {
    form: u8,
    blobs: Vec<BlobPlan>,
    children: Vec<(usize, u8)>,
    nulls: u8,
}

fn blob_plan() -> impl Strategy<Value = BlobPlan> {
    let parts = (0_u8..8, 0..BLOB_TYPES.len(), 0_u8..5, 0_u8..5, 0_u8..3);
    parts.prop_map(|(content, media_type, urls, data, annotations)| BlobPlan {
        content,
        media_type,
        urls,
        data,
        annotations,
    })
}

fn manifest_plans() -> impl Strategy<Value = Vec<ManifestPlan>> {
    let blobs = proptest::collection::vec(blob_plan(), 0..5);
    let children = proptest::collection::vec((any::<usize>(), 0_u8..6), 0..4);
    let one = (0_u8..10, blobs, children, any::<u8>());
    let one = one.prop_map(|(form, blobs, children, nulls)| ManifestPlan {
        form,
        blobs,
        children,
        nulls,
    });
    proptest::collection::vec(one, 1..6)
}

/// A repository of the source that is filled.
struct Source<'a> {
    registry: &'a Registry,
    repository: &'a str,
    /// Whether foreign layers are there.
    has_foreign: bool,
}

impl Source<'_> {
    fn put_blob(&self, plan: &BlobPlan) -> Value {
        let media_type = BLOB_TYPES[plan.media_type];
        let is_foreign = [2, 3].contains(&plan.media_type) && plan.urls > 2;
        let content = match is_foreign {
            true => format!("foreign {}", plan.content),
            false => format!("content {}", plan.content),
        };
        if !is_foreign || self.has_foreign {
            self.registry.put_blob(self.repository, content.clone());
        }
        let mut blob = json!({
            "mediaType": media_type, "digest": digest(content.as_bytes()), "size": content.len(),
        });
        match plan.urls {
            0 => {}
            1 => blob["urls"] = Value::Null,
            2 => blob["urls"] = json!([]),
            _ => blob["urls"] = json!(["https://example.com/layer"]),
        }
        match plan.data {
            0 | 1 => {}
            2 => blob["data"] = Value::Null,
            3 => blob["data"] = BASE64_STANDARD.encode(&content).into(),
            _ => blob["data"] = BASE64_STANDARD.encode("something else").into(),
        }
        match plan.annotations {
            0 => {}
            1 => blob["annotations"] = Value::Null,
            _ => blob["annotations"] = json!({"org.example": ""}),
        }
        blob
    }

    /// Puts a manifest in place and gives the descriptor of it.
    fn put_manifest(&self, plan: &ManifestPlan, earlier: &[Value], tag: Option<&str>) -> Value {
        let blobs: Vec<_> = plan.blobs.iter().map(|blob| self.put_blob(blob)).collect();
        let config = || {
            blobs
                .first()
                .cloned()
                .unwrap_or_else(|| self.put_blob(&EMPTY))
        };
        let layers = blobs.iter().skip(1).cloned().collect::<Vec<_>>();
        let mut entries = plan.to_entries(earlier);
        let (media_type, mut manifest) = match plan.form {
            0 | 1 => (IMAGE, json!({"config": config(), "layers": layers})),
            2 => (DOCKER_IMAGE, json!({"config": config(), "layers": layers})),
            3 => (OCI_ARTIFACT, json!({"blobs": blobs})),
            4 => (ORAS_ARTIFACT, json!({"blobs": blobs})),
            5 => (DOCKER_LIST, json!({"manifests": entries})),
            6 => {
                entries.extend(blobs);
                (INDEX, json!({"manifests": entries}))
            }
            _ => (INDEX, json!({"manifests": entries})),
        };
        manifest["schemaVersion"] = 2.into();
        let needs_type = [2, 3, 4, 5].contains(&plan.form);
        if needs_type || plan.nulls & 1 == 0 {
            manifest["mediaType"] = media_type.into();
        }
        for (bit, name) in [(2, "annotations"), (4, "subject"), (8, "artifactType")] {
            if plan.nulls & bit != 0 {
                manifest[name] = Value::Null;
            }
        }
        if plan.nulls & 16 != 0 && plan.form < 3 {
            manifest["manifests"] = Value::Null;
            manifest["blobs"] = json!([]);
        }
        if plan.nulls & 32 != 0 {
            manifest["subject"] = json!({"mediaType": IMAGE, "digest": digest(b"gone"), "size": 4});
        }
        let text = manifest.to_string();
        let (named, size) = (digest(text.as_bytes()), text.len());
        self.registry
            .put_manifest(self.repository, tag.unwrap_or(&named), media_type, text);
        json!({"mediaType": media_type, "digest": named, "size": size})
    }
}

const EMPTY: BlobPlan = BlobPlan {
    content: 0,
    media_type: 1,
    urls: 0,
    data: 0,
    annotations: 0,
};

impl ManifestPlan {
    fn to_entries(&self, earlier: &[Value]) -> Vec<Value> {
        let children = self.children.iter().filter(|_| !earlier.is_empty());
        let entries = children.map(|(at, says)| {
            let mut entry = earlier[at % earlier.len()].clone();
            match says {
                0 => entry["mediaType"] = "".into(),
                1 => entry["platform"] = Value::Null,
                2 => entry["platform"] = json!({"os": "linux", "architecture": "amd64"}),
                3 => entry["urls"] = json!(["https://example.com/manifest"]),
                4 => drop(entry.as_object_mut().unwrap().remove("mediaType")),
                _ => {}
            }
            entry
        });
        entries.collect()
    }
}

/// What is read at a place: a manifest's bytes, and whether a blob is there.
trait Place {
    fn manifest(&self, digest: &str) -> Option<Vec<u8>>;
    fn has_blob(&self, digest: &str) -> bool;
}

impl Place for (&Registry, &str) {
    fn manifest(&self, digest: &str) -> Option<Vec<u8>> {
        let found = self.0.manifest(self.1, digest);
        found.map(|(_, bytes)| bytes.to_vec())
    }

    fn has_blob(&self, digest: &str) -> bool {
        self.0.has_blob(self.1, digest)
    }
}

impl Place for &Path {
    fn manifest(&self, digest: &str) -> Option<Vec<u8>> {
        fs::read(
            self.join("blobs/sha256")
                .join(digest.strip_prefix("sha256:")?),
        )
        .ok()
    }

    fn has_blob(&self, digest: &str) -> bool {
        self.manifest(digest).is_some()
    }
}

/// Checks that all below a manifest is at a place, or named as left behind.
fn check_below(source: &impl Place, place: &impl Place, root: &str, notes: &str) {
    let (mut open, mut seen) = (vec![root.to_owned()], BTreeSet::new());
    while let Some(of) = open.pop() {
        if !seen.insert(of.clone()) {
            continue;
        }
        let manifest = source.manifest(&of).unwrap();
        assert_eq!(place.manifest(&of).as_ref(), Some(&manifest), "{of}");
        for named in named_descriptors(&manifest) {
            if named.member == "manifests" && source.manifest(&named.digest).is_some() {
                open.push(named.digest);
            } else {
                check_blob(place, &named, notes);
            }
        }
    }
}

fn check_blob(place: &impl Place, named: &NamedDescriptor, notes: &str) {
    let is_told = named.may_stay() && notes.contains(&named.digest);
    assert!(
        is_told || place.has_blob(&named.digest),
        "{named:?}\n{notes}"
    );
}

/// Promotes the image of the plans. Returns whether that was done.
async fn promote_random(
    (from, to): (&Registry, &Registry),
    repository: &str,
    plans: &[ManifestPlan],
    foreign_layers: ForeignLayers,
) -> bool {
    let source = Source {
        registry: from,
        repository,
        has_foreign: foreign_layers == ForeignLayers::Copy,
    };
    let (last, others) = plans.split_last().unwrap();
    let mut earlier = Vec::new();
    for plan in others {
        let entry = source.put_manifest(plan, &earlier, None);
        earlier.push(entry);
    }
    let root = source.put_manifest(last, &earlier, Some("v"));
    let root = root["digest"].as_str().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let layout = folder.path().join("layout");
    let places = [
        format!("{}/{repository}", to.host()),
        format!("oci:{}", layout.display()),
    ];
    let places: Vec<_> = places.iter().map(String::as_str).collect();
    let from_tag = format!("{}/{repository}:v", from.host());
    let mut request = promote(&from_tag, &places, "refs/heads/main");
    request.rules = TagRules::parse(["it"]).unwrap();
    request.foreign_layers = foreign_layers;
    let Ok(outcome) = Box::pin(shipmark::release::run(&request, &context())).await else {
        assert!(to.tags(repository).is_empty(), "{:?}", to.tags(repository));
        return false;
    };
    let notes = match foreign_layers {
        ForeignLayers::Copy => String::new(),
        ForeignLayers::Skip => outcome.notes.join("\n"),
    };
    let source = (from, repository);
    check_below(&source, &(to, repository), root, &notes);
    check_below(&source, &layout.as_path(), root, &notes);
    true
}

#[test]
fn promise_9_nothing_below_a_released_root_is_left_behind_unsaid() {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    let (from, to) = runtime.block_on(async {
        let from = Registry::start(Profile::plain()).await;
        (from, Registry::start(Profile::plain()).await)
    });
    let (tried, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut runner = TestRunner::new(Config {
        cases: 96,
        failure_persistence: None,
        ..Config::default()
    });
    let result = runner.run(&(manifest_plans(), any::<bool>()), |(plans, copies)| {
        let repository = format!("case/{}", tried.fetch_add(1, Ordering::Relaxed));
        let foreign_layers = match copies {
            true => ForeignLayers::Copy,
            false => ForeignLayers::Skip,
        };
        let run = promote_random((&from, &to), &repository, &plans, foreign_layers);
        if runtime.block_on(run) {
            done.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    });
    result.unwrap();
    // A test of refusals alone would show nothing.
    let (tried, done) = (tried.into_inner(), done.into_inner());
    assert!(2 * done > tried, "{done} of {tried}");
}
