//! Manifests as tools write them: artifacts, charts, attestations of BuildKit, indexes of other types.

use bytes::Bytes;

use super::support::*;
use crate::image::{Digest, Manifest};
use crate::retention::*;

fn read(json: &str) -> (Digest, ObservedManifest) {
    let manifest = Manifest::parse(Bytes::copy_from_slice(json.as_bytes()), None).unwrap();
    let mut observed = ObservedManifest::from_manifest(&manifest);
    observed.times.pushed = Some(days_ago(90));
    (manifest.digest, observed)
}

fn descriptor(media_type: &str, digest: Digest) -> String {
    format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":7}}"#)
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

#[test]
fn charts_and_artifacts_are_images_with_blobs() {
    let config = descriptor("application/vnd.cncf.helm.config.v1+json", digest("config"));
    let layer = descriptor(
        "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
        digest("chart"),
    );
    let subject = descriptor(MANIFEST, digest("I"));
    let json = format!(
        r#"{{"schemaVersion":2,"artifactType":"application/x","config":{config},"layers":[{layer}],"subject":{subject}}}"#
    );
    let (_, chart) = read(&json);
    let links = chart.links().unwrap();
    assert_eq!(links.artifact_type.as_deref(), Some("application/x"));
    assert_eq!(links.subject, Some(digest("I")));
    let mut blobs: Vec<String> = links.blobs.iter().map(|blob| name(blob.digest)).collect();
    blobs.sort();
    assert_eq!(blobs, ["chart", "config"]);
    assert_eq!(chart.size, json.len() as u64);
    let old = "application/vnd.oci.artifact.manifest.v1+json";
    let (_, artifact) = read(&format!(
        r#"{{"mediaType":"{old}","artifactType":"a","blobs":[{layer}]}}"#
    ));
    assert_eq!(artifact.links().unwrap().blobs.len(), 1);
}

#[test]
fn an_index_keeps_what_it_lists_by_any_media_type() {
    for media_type in [
        MANIFEST,
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/x",
        "",
    ] {
        let mut web = repository();
        web.image("listed", 90);
        let entry = descriptor(media_type, digest("listed"));
        let json = format!(r#"{{"schemaVersion":2,"manifests":[{entry}]}}"#);
        let (index, observed) = read(&json);
        web.manifests.insert(index, observed);
        let target = ObservedTag {
            digest: index,
            pushed: None,
        };
        web.tags.insert(tag("1.0"), target);
        let plan = plan_web(&web, &rules([untagged()]));
        let reason = [KeepReason::ChildOf(index)];
        assert_eq!(plan.reasons("listed"), reason, "{media_type}");
    }
}

#[test]
fn an_index_of_layers_lists_blobs() {
    let layer = descriptor(
        "application/vnd.oci.image.layer.v1.tar+gzip",
        digest("layer"),
    );
    let json = format!(r#"{{"schemaVersion":2,"manifests":[{layer}]}}"#);
    let (index, observed) = read(&json);
    let mut web = repository();
    web.manifests.insert(index, observed);
    let target = ObservedTag {
        digest: index,
        pushed: None,
    };
    web.tags.insert(tag("buildcache"), target);
    web.image("other", 90);
    web.tag("1.0", "other");
    assert_eq!(plan_web(&web, &rules([])).gone(), [""; 0]);
    let plan = plan_web(&web, &rules([tags("buildcache").older("3d")]));
    assert_eq!(plan.images.condemned, 1);
    assert_eq!(plan.freed.bytes, 7 + json.len() as u64);
}
