//! Report of `tags`, with the outputs of docker/metadata-action.

use std::path::{Path, PathBuf};

use serde::ser::{SerializeMap, Serializer};
use serde_json::{Value, json};

use crate::tagging::{ExpandedTag, Finding, OrderedLabels, RuleExpansion};

/// Derived tags, labels and annotations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TagsResult {
    /// Names of the images; empty if the tags have no image name.
    pub images: Vec<String>,
    /// Tags.
    pub expansion: RuleExpansion,
    /// Labels.
    pub labels: OrderedLabels,
    /// Annotations, without their levels.
    pub annotations: OrderedLabels,
    /// Levels of every annotation, such as `manifest`.
    pub levels: Vec<String>,
    /// Separators between entries of the outputs.
    pub separators: OutputSeparators,
    /// Name of the target in the bake files.
    pub bake_target: String,
    /// Notes and warnings about the rules.
    pub findings: Vec<Finding>,
    /// Whether the outputs are also exported as environment variables.
    pub exports_variables: bool,
}

/// Separators between entries of the outputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutputSeparators {
    /// Between tags.
    pub tags: String,
    /// Between labels.
    pub labels: String,
    /// Between annotations.
    pub annotations: String,
}

/// Bake file: output that names the file, file name, content.
pub(super) struct BakeFile {
    pub(super) output: &'static str,
    pub(super) name: &'static str,
    pub(super) content: String,
}

impl TagsResult {
    pub(super) fn main_version(&self) -> &str {
        self.expansion.version().unwrap_or_default()
    }

    /// Returns every tag of every image.
    pub(super) fn image_tags(&self) -> Vec<String> {
        let names = self.expansion.names();
        let full = |image: &str, name: &str| match image {
            "" => name.to_owned(),
            image => format!("{image}:{name}"),
        };
        let bare = [String::new()];
        let images: &[String] = if self.images.is_empty() {
            &bare
        } else {
            &self.images
        };
        let of_image = |image| names.iter().map(move |name| full(image, name));
        images
            .iter()
            .flat_map(|image| of_image(image.as_str()))
            .collect()
    }

    pub(super) fn leveled_annotations(&self) -> Vec<String> {
        let lines = self.annotations.lines();
        let on = |level: &String| {
            let put = |line: &String| format!("{level}:{line}");
            lines.iter().map(put).collect::<Vec<_>>()
        };
        self.levels.iter().flat_map(on).collect()
    }

    /// Returns all outputs except the bake files.
    pub(super) fn to_outputs(&self) -> Vec<(&'static str, String)> {
        let OutputSeparators {
            tags,
            labels,
            annotations,
        } = &self.separators;
        vec![
            ("version", self.main_version().to_owned()),
            ("tags", self.image_tags().join(tags)),
            ("tag-names", self.expansion.names().join(tags)),
            ("labels", self.labels.lines().join(labels)),
            ("annotations", self.leveled_annotations().join(annotations)),
            ("json", self.to_json()),
        ]
    }

    fn to_json(&self) -> String {
        let document = TagsJson {
            tags: self.image_tags(),
            names: self.expansion.names(),
            labels: &self.labels,
            annotations: self.leveled_annotations(),
        };
        // Texts and lists always serialize.
        serde_json::to_string(&document).unwrap_or_default()
    }

    pub(super) fn bake_files(&self) -> Vec<BakeFile> {
        let labels = as_object(&self.labels, serde_json::value::Serializer).unwrap_or_default();
        let arguments = json!({
            "DOCKER_META_IMAGES": self.images.join(","),
            "DOCKER_META_VERSION": self.main_version(),
        });
        let tags = self.image_tags();
        let file = |output, name, target: Value| BakeFile {
            output,
            name,
            content: format!(
                "{:#}\n",
                json!({"target": {self.bake_target.as_str(): target}})
            ),
        };
        vec![
            file(
                "bake-file",
                "docker-metadata-action-bake.json",
                json!({"tags": tags, "labels": labels, "args": arguments}),
            ),
            file(
                "bake-file-tags",
                "docker-metadata-action-bake-tags.json",
                json!({"tags": tags, "args": arguments}),
            ),
            file(
                "bake-file-labels",
                "docker-metadata-action-bake-labels.json",
                json!({"labels": labels}),
            ),
            file(
                "bake-file-annotations",
                "docker-metadata-action-bake-annotations.json",
                json!({"annotations": self.leveled_annotations()}),
            ),
        ]
    }

    /// Returns the report as plain text.
    pub(super) fn to_text(&self) -> String {
        let mut text = self.image_tags().join("\n");
        if text.is_empty() {
            text += "no tags";
        }
        if let Some(version) = self.expansion.version() {
            text += &format!("\n\nversion {version}\n");
        }
        for tag in self.planned_tags() {
            text += &format!("\n  {}  {} ({})", tag.text, tag.kind, tag.rule);
        }
        text += "\n\nlabels\n";
        for label in self.labels.lines() {
            text += &format!("\n  {label}");
        }
        text.trim_end().to_owned()
    }

    pub(super) fn planned_tags(&self) -> impl Iterator<Item = &ExpandedTag> {
        self.expansion.tags.iter().chain(&self.expansion.latest)
    }
}

/// Returns the name of the environment variable for an output.
pub(super) fn output_variable(output: &str) -> String {
    format!(
        "DOCKER_METADATA_OUTPUT_{}",
        output.replace('-', "_").to_uppercase()
    )
}

/// Returns the path of `RUNNER_TEMP` for later steps: in a container that folder is mounted at another
/// path, and GitHub does not translate paths in outputs.
pub(super) fn path_outside_container(folder: &Path, workspaces: Option<&Path>) -> PathBuf {
    match workspaces.and_then(Path::parent) {
        Some(work) if folder == Path::new("/github/runner_temp") => work.join("_temp"),
        _ => folder.to_owned(),
    }
}

#[derive(serde::Serialize)]
struct TagsJson<'a> {
    tags: Vec<String>,
    #[serde(rename = "tag-names")]
    names: Vec<&'a str>,
    #[serde(serialize_with = "as_object")]
    labels: &'a OrderedLabels,
    annotations: Vec<String>,
}

fn as_object<S: Serializer>(labels: &OrderedLabels, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    for (key, value) in &labels.0 {
        map.serialize_entry(key, value)?;
    }
    map.end()
}
