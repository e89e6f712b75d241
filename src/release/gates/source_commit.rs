//! The commit that an image was built from, as far as a signature proves it.

use super::gate_request::GateRequest;
use super::gated_release::GatedRelease;
use crate::gate::{GithubFact, JudgedImage, UnknownFact};
use crate::image::ImageLabels;
use crate::record::RecordAction;
use crate::release::Failure;

/// Label with the commit (OCI image specification, "Pre-Defined Annotation Keys").
const REVISION_LABEL: &str = "org.opencontainers.image.revision";

/// Returns the commit by the run itself or by the signed record of the environment that the image comes from; `None` if
/// neither names one.
///
/// # Errors
/// A store that cannot tell.
pub(super) async fn recorded_source_commit(
    request: &GateRequest,
    release: &GatedRelease<'_>,
) -> Result<Option<String>, Failure> {
    let github = request.github.as_ref();
    if let Some(commit) = github.and_then(|github| github.pushed_commit()) {
        return Ok(Some(commit.to_string()));
    }
    let signed = release
        .source
        .filter(|view| view.location().trust.is_some());
    let Some(view) = signed else {
        return Ok(None);
    };
    let root = release.image.source_digest();
    let names = view.names_of(root, RecordAction::is_release);
    for name in names.rev() {
        let reading = view.read(name).await?;
        let commit = reading.counted().and_then(|record| record.commit());
        if let Some(commit) = commit {
            return Ok(Some(commit.to_string()));
        }
    }
    Ok(None)
}

/// Returns the commit by the labels of the image, where the release needs a signature of it: whatever this commit leads
/// to, an image without the signature does not pass.
pub(super) fn labelled_source_commit(
    request: &GateRequest,
    image: Option<&JudgedImage>,
) -> GithubFact<String> {
    let unknown = |reason: String| UnknownFact {
        reason,
        permission: None,
    };
    if request.signature.is_none() {
        return Err(unknown(
            "no signed record names the source commit, and no signature gate proves the image's label: set sign and signers in the environment that images come from, or add the gate signature".to_owned(),
        ));
    }
    let platforms = image.into_iter().flat_map(JudgedImage::released_platforms);
    let mut commits = Vec::new();
    for platform in platforms {
        let labels = platform.content.as_ref().map(|config| &config.labels);
        match labels.and_then(ImageLabels::revision) {
            Some(commit) if !commits.contains(&commit) => commits.push(commit),
            Some(_) => {}
            None => {
                return Err(unknown(format!(
                    "the label {REVISION_LABEL} names no full commit"
                )));
            }
        }
    }
    match commits.as_slice() {
        [commit] => Ok(commit.to_string()),
        [] => Err(unknown(format!("no image has the label {REVISION_LABEL}"))),
        _ => Err(unknown(
            "the labels of the platforms name several commits".to_owned(),
        )),
    }
}
