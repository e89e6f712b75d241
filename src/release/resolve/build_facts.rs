//! Reads from which Dockerfile and target an image was built: from the provenance that BuildKit put next to it,
//! else from labels.

use serde_json::Value;

use super::image_origin::{INDEX_DEPTH_LIMIT, first_image, read_config};
use crate::image::{Descriptor, ImageLabels, Manifest, ManifestBody};
use crate::record::RecordedBuild;
use crate::transfer::{ImageReader, StoreError};

/// Most bytes of a provenance statement that is read.
const PROVENANCE_LIMIT: u64 = 8 << 20;
/// Annotation of a layer with its predicate type (BuildKit, "Attestation storage").
const PREDICATE_TYPE: &str = "in-toto.io/predicate-type";
const PROVENANCE_PREFIX: &str = "https://slsa.dev/provenance/";

/// Returns Dockerfile and target, as far as something says them. Of an image in a registry the config is not
/// read: its labels cost two requests more.
pub(crate) async fn read_build_facts(
    reader: &ImageReader,
    root: &Manifest,
) -> Result<RecordedBuild, StoreError> {
    let from_provenance = match read_provenance(reader, root).await? {
        Some(statement) => build_by_provenance(&statement),
        None => RecordedBuild::default(),
    };
    if from_provenance != RecordedBuild::default() {
        return Ok(from_provenance);
    }
    let by_annotations = build_by_labels(&root.labels());
    if by_annotations != RecordedBuild::default() || !reader.is_on_disk() {
        return Ok(by_annotations);
    }
    let Some(image) = first_image(reader, root, INDEX_DEPTH_LIMIT).await? else {
        return Ok(by_annotations);
    };
    let config = read_config(reader, &image).await?;
    Ok(config.map_or(by_annotations, |(labels, _)| build_by_labels(&labels)))
}

/// Reads the manifest of the first attestation in the image's index. It stays read.
pub(crate) async fn read_attestation_manifest(
    reader: &ImageReader,
    root: &Manifest,
) -> Result<Option<Manifest>, StoreError> {
    let mut entries = root.entries().iter();
    match entries.find(|entry| entry.says_attestation()) {
        Some(entry) => reader.get_manifest(entry.digest).await,
        None => Ok(None),
    }
}

/// Reads the first statement of provenance in the image's index.
async fn read_provenance(
    reader: &ImageReader,
    root: &Manifest,
) -> Result<Option<Value>, StoreError> {
    let Some(manifest) = read_attestation_manifest(reader, root).await? else {
        return Ok(None);
    };
    let ManifestBody::Image { layers, .. } = &manifest.body else {
        return Ok(None);
    };
    let is_provenance = |layer: &&Descriptor| {
        let kind = layer.annotations.get(PREDICATE_TYPE);
        kind.is_some_and(|kind| kind.starts_with(PROVENANCE_PREFIX))
    };
    let layer = layers.iter().find(is_provenance);
    let Some(layer) = layer.filter(|layer| layer.size <= PROVENANCE_LIMIT) else {
        return Ok(None);
    };
    let statement = reader.read_small_blob(layer, PROVENANCE_LIMIT).await?;
    Ok(serde_json::from_slice(&statement).ok())
}

/// Returns what a statement of BuildKit says (SLSA provenance v1 and v0.2).
fn build_by_provenance(statement: &Value) -> RecordedBuild {
    let predicate = &statement["predicate"];
    let text = |paths: [&str; 2]| {
        let mut found = paths
            .into_iter()
            .filter_map(|path| predicate.pointer(path)?.as_str());
        found.find(|text| !text.is_empty()).map(str::to_owned)
    };
    let file = text([
        "/buildDefinition/externalParameters/request/args/filename",
        "/invocation/parameters/args/filename",
    ]);
    let file = file.or_else(|| {
        text([
            "/buildDefinition/externalParameters/configSource/path",
            "/invocation/configSource/entryPoint",
        ])
    });
    let target = text([
        "/buildDefinition/externalParameters/request/args/target",
        "/invocation/parameters/args/target",
    ]);
    known_build(file, target, "provenance")
}

fn build_by_labels(labels: &ImageLabels) -> RecordedBuild {
    known_build(
        labels.dockerfile().map(str::to_owned),
        labels.target().map(str::to_owned),
        "labels",
    )
}

fn known_build(dockerfile: Option<String>, target: Option<String>, from: &str) -> RecordedBuild {
    let is_known = dockerfile.is_some() || target.is_some();
    RecordedBuild {
        dockerfile,
        target,
        from: is_known.then(|| from.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn both_versions_of_provenance_are_read() {
        let request = json!({"args": {"filename": "docker/web.Dockerfile", "target": "release"}});
        let v1 = json!({"predicate": {"buildDefinition": {"externalParameters": {
            "configSource": {"path": "Dockerfile"}, "request": request,
        }}}});
        let v02 = json!({"predicate": {"invocation": {
            "configSource": {"entryPoint": "docker/web.Dockerfile"},
            "parameters": {"args": {"target": "release"}},
        }}});
        for statement in [v1, v02] {
            let build = build_by_provenance(&statement);
            assert_eq!(build.dockerfile.as_deref(), Some("docker/web.Dockerfile"));
            assert_eq!(build.target.as_deref(), Some("release"));
            assert_eq!(build.from.as_deref(), Some("provenance"));
        }
    }

    #[test]
    fn a_statement_without_names_says_nothing() {
        for statement in [
            json!({}),
            json!({"predicate": {"buildDefinition": {"externalParameters": {"configSource": {}}}}}),
            json!({"predicate": {"invocation": {"configSource": {"entryPoint": ""}}}}),
        ] {
            assert_eq!(build_by_provenance(&statement), RecordedBuild::default());
        }
    }
}
