//! Detects tags of referrers and signatures that another program has overwritten. A reader of such
//! a tag gets an error; a writer writes the tag anew, with those of its members that belong there.

use oci_client::manifest::{IMAGE_CONFIG_MEDIA_TYPE, IMAGE_DOCKER_CONFIG_MEDIA_TYPE};
use serde_json::Value;

use super::appendable_tag::TagContent;
use super::index_entry_json::IndexEntryJson;
use super::tag_members::read_members;
use super::{AppendableTag, ReferrerError};
use crate::image::{Manifest, ManifestBody, MediaType};
use crate::notices::Notices;

impl AppendableTag {
    /// Accepts what was found under the tag, if it is what the tag is for.
    pub(super) fn accept(&self, found: Manifest) -> Result<Manifest, ReferrerError> {
        match self.problem(&found) {
            None => Ok(found),
            Some(problem) => Err(ReferrerError::UnexpectedTagContent {
                tag: self.tag.clone(),
                problem,
            }),
        }
    }

    /// Says what else the tag names, where something has overwritten it.
    fn problem(&self, found: &Manifest) -> Option<&'static str> {
        let all = || read_members(found, self.member_name());
        let is_foreign = |value: &Value| self.is_foreign(value);
        match (self.content, &found.body) {
            (
                TagContent::ReferrersIndex,
                ManifestBody::Image { .. } | ManifestBody::Artifact(_),
            ) => Some("an image, not a list of referrers"),
            (TagContent::CosignImage, ManifestBody::Artifact(_)) => {
                Some("an artifact manifest, not a list of signatures or attestations")
            }
            (TagContent::CosignImage, ManifestBody::Index(_)) => {
                Some("an index, not a list of signatures or attestations")
            }
            (TagContent::ReferrersIndex, ManifestBody::Index(_)) => IndexEntryJson::all(found)
                .iter()
                .any(IndexEntryJson::is_foreign)
                .then_some("an index of images, not a list of referrers"),
            (TagContent::CosignImage, ManifestBody::Image { .. }) => (has_image_config(found)
                && all().iter().any(is_foreign))
            .then_some("an image to run, not a list of signatures or attestations"),
        }
    }

    /// Whether a member is none that the tag can have. An entry of a list of referrers says of what
    /// type the referrer is; one of an image index says for which platform the image is, or nothing.
    fn is_foreign(&self, value: &Value) -> bool {
        let text = |name: &str| value[name].as_str().unwrap_or_default();
        match self.content {
            TagContent::CosignImage => is_filesystem(text("mediaType")),
            TagContent::ReferrersIndex => {
                let is_image = MediaType::parse(text("mediaType")).is_some_and(MediaType::is_image);
                let says_nothing = is_image && value["annotations"].is_null();
                text("artifactType").is_empty() && (!value["platform"].is_null() || says_nothing)
            }
        }
    }

    /// Returns the entries of the list that the tag names, as far as they are entries of such a list.
    pub(super) fn listed(&self, there: &Manifest) -> Vec<IndexEntryJson> {
        let mut listed = IndexEntryJson::all(there);
        listed.retain(|entry| !entry.is_foreign());
        listed
    }

    /// Returns the members of what the tag names, as far as they are such that the tag can have.
    pub(super) fn members(&self, there: &Manifest) -> Vec<Value> {
        let mut members = read_members(there, self.member_name());
        // An artifact's layers may have any type: oras writes that of a filesystem by default.
        if self.content == TagContent::ReferrersIndex || has_image_config(there) {
            members.retain(|value| !self.is_foreign(value));
        }
        members
    }

    /// Warns that what the tag names is about to be replaced, where something has overwritten it.
    pub fn warn_of_overwritten(&self, there: Option<&Manifest>, notices: &Notices) {
        if let Some((there, problem)) = there.and_then(|it| Some((it, self.problem(it)?))) {
            notices.warning(format!(
                "tag {} names {problem} ({}): something has overwritten it; shipmark writes it again with the known content",
                self.tag, there.digest
            ));
        }
    }

    /// Returns whether another program has overwritten the tag.
    pub(super) fn is_overwritten(&self, there: &Manifest) -> bool {
        self.problem(there).is_some()
    }
}

/// Returns whether a manifest has the config of a container image, and not that of an artifact.
pub(super) fn has_image_config(manifest: &Manifest) -> bool {
    let kinds = [IMAGE_CONFIG_MEDIA_TYPE, IMAGE_DOCKER_CONFIG_MEDIA_TYPE];
    match &manifest.body {
        ManifestBody::Image { config, .. } => kinds.contains(&config.media_type.as_str()),
        ManifestBody::Index(_) | ManifestBody::Artifact(_) => false,
    }
}

/// Returns whether layers of this media type hold the file system of a container image.
pub(super) fn is_filesystem(media_type: &str) -> bool {
    let kinds = [
        "application/vnd.oci.image.layer.",
        "application/vnd.docker.image.rootfs.",
    ];
    kinds.iter().any(|kind| media_type.starts_with(kind))
}
