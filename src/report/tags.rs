//! What the verb `tags` has to say, in the outputs of docker/metadata-action.

use std::path::{Path, PathBuf};

use serde::ser::{SerializeMap, Serializer};
use serde_json::{Value, json};

use super::markdown::{code, row, text as escaped};
use crate::tagging::{Expanded, Expansion, Finding, Labels};

/// Tags, labels and annotations.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tagged {
    /// The images' names; none where the tags stand alone.
    pub images: Vec<String>,
    /// The tags.
    pub expansion: Expansion,
    /// The labels.
    pub labels: Labels,
    /// The annotations, without their levels.
    pub annotations: Labels,
    /// The levels that each annotation is put on.
    pub levels: Vec<String>,
    /// What stands between entries of the outputs.
    pub separators: Separators,
    /// The target that the bake files are about.
    pub bake_target: String,
    /// What a person should know of it.
    pub findings: Vec<Finding>,
    /// Whether the outputs become variables for later steps too.
    pub exported: bool,
}

/// What stands between entries of the outputs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Separators {
    /// Between tags.
    pub tags: String,
    /// Between labels.
    pub labels: String,
    /// Between annotations.
    pub annotations: String,
}

/// A bake file: the output that names it, its name, its content.
pub(super) struct BakeFile {
    pub(super) output: &'static str,
    pub(super) name: &'static str,
    pub(super) content: String,
}

impl Tagged {
    fn version(&self) -> &str {
        self.expansion.version().unwrap_or_default()
    }

    /// Every tag of every image.
    fn tags(&self) -> Vec<String> {
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

    fn leveled(&self) -> Vec<String> {
        let lines = self.annotations.lines();
        let on = |level: &String| {
            let put = |line: &String| format!("{level}:{line}");
            lines.iter().map(put).collect::<Vec<_>>()
        };
        self.levels.iter().flat_map(on).collect()
    }

    /// All outputs but the bake files.
    pub(super) fn outputs(&self) -> Vec<(&'static str, String)> {
        let Separators {
            tags,
            labels,
            annotations,
        } = &self.separators;
        vec![
            ("version", self.version().to_owned()),
            ("tags", self.tags().join(tags)),
            ("tag-names", self.expansion.names().join(tags)),
            ("labels", self.labels.lines().join(labels)),
            ("annotations", self.leveled().join(annotations)),
            ("json", self.json()),
        ]
    }

    fn json(&self) -> String {
        let document = Document {
            tags: self.tags(),
            names: self.expansion.names(),
            labels: &self.labels,
            annotations: self.leveled(),
        };
        // Texts and lists alone: this cannot fail.
        serde_json::to_string(&document).unwrap_or_default()
    }

    pub(super) fn bake_files(&self) -> Vec<BakeFile> {
        let labels = as_object(&self.labels, serde_json::value::Serializer).unwrap_or_default();
        let arguments = json!({
            "DOCKER_META_IMAGES": self.images.join(","),
            "DOCKER_META_VERSION": self.version(),
        });
        let tags = self.tags();
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
                json!({"annotations": self.leveled()}),
            ),
        ]
    }

    /// The report as plain text.
    pub(super) fn text(&self) -> String {
        let mut text = self.tags().join("\n");
        if text.is_empty() {
            text += "no tags";
        }
        if let Some(version) = self.expansion.version() {
            text += &format!("\n\nversion {version}\n");
        }
        for tag in self.planned() {
            text += &format!("\n  {}  {} ({})", tag.text, tag.kind, tag.rule);
        }
        text += "\n\nlabels\n";
        for label in self.labels.lines() {
            text += &format!("\n  {label}");
        }
        text.trim_end().to_owned()
    }

    /// The report as the markdown of a job's summary.
    pub(super) fn summary(&self) -> String {
        let title = match self.version() {
            "" => "none".to_owned(),
            version => code(version),
        };
        let mut page = format!("## shipmark tags: {title}\n\n");
        page += &row(&["Tag", "", "Why"]);
        page += &row(&["---", "---", "---"]);
        for tag in self.planned() {
            let kind = tag.kind.to_string();
            page += &row(&[&code(&tag.text), &escaped(&kind), &escaped(&tag.rule)]);
        }
        if !self.findings.is_empty() {
            page += "\n### Skipped, defaulted and doubtful\n\n";
        }
        for finding in &self.findings {
            page += &format!("- {}\n", escaped(&finding.text));
        }
        page + "\n"
    }

    fn planned(&self) -> impl Iterator<Item = &Expanded> {
        self.expansion.tags.iter().chain(&self.expansion.latest)
    }
}

/// The variable that an output becomes.
pub(super) fn variable(output: &str) -> String {
    format!(
        "DOCKER_METADATA_OUTPUT_{}",
        output.replace('-', "_").to_uppercase()
    )
}

/// Where later steps find a file that this one leaves in the runner's folder: in a container that
/// folder is mounted at another path, and outputs are not translated back.
pub(super) fn outside(folder: &Path, workspaces: Option<&Path>) -> PathBuf {
    match workspaces.and_then(Path::parent) {
        Some(work) if folder == Path::new("/github/runner_temp") => work.join("_temp"),
        _ => folder.to_owned(),
    }
}

#[derive(serde::Serialize)]
struct Document<'a> {
    tags: Vec<String>,
    #[serde(rename = "tag-names")]
    names: Vec<&'a str>,
    #[serde(serialize_with = "as_object")]
    labels: &'a Labels,
    annotations: Vec<String>,
}

fn as_object<S: Serializer>(labels: &Labels, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    for (key, value) in &labels.0 {
        map.serialize_entry(key, value)?;
    }
    map.end()
}
