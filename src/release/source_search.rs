//! Search for the image of a release, as a request says it: what is sought, and where it may be.

use crate::image::{CommitId, Destination, Digest, ImageSource, NamedCommit, Tag, TagOrDigest};
use crate::release::records::location::TimelineLocation;
use crate::tagging::{CommitTagForm, EnvironmentName, usual_commit_tags};

/// Search for the image of a release.
#[derive(Debug, Clone)]
pub struct SourceSearch {
    /// What is sought.
    pub sought: SoughtImage,
    /// Places that are searched, in their order: at least one.
    pub origins: Vec<SourceOrigin>,
}

/// Image that is sought.
#[derive(Debug, Clone)]
pub enum SoughtImage {
    /// The image that was built from a commit.
    OfCommit(CommitSearch),
    /// The image under a tag or digest.
    Named(TagOrDigest),
    /// The image of the newest release.
    Newest,
}

/// Place that an image may come from.
#[derive(Debug, Clone)]
pub struct SourceOrigin {
    /// Repository or image layout.
    pub place: Destination,
    /// Timeline of the environment whose place it is; `None` if no policy names one.
    pub timeline: Option<TimelineLocation>,
    /// Rule that spells SHA tags there; `None`: the usual spellings.
    pub form: Option<CommitTagForm>,
}

/// Search by commit.
#[derive(Debug, Clone)]
pub struct CommitSearch {
    /// Commit.
    pub commit: NamedCommit,
    /// What names the commit, for people: `the tag v1.4.0`. Printable.
    pub named_by: String,
    /// Number of digits of a short SHA.
    pub short_sha: usize,
    /// Commit to go on with if no image of `commit` exists.
    pub merged: MergedCommit,
}

/// Commit that a push to a branch merged, if it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergedCommit {
    /// The search is not for a push to a branch.
    NotSought,
    /// Second parent of the pushed merge commit.
    Parent(CommitId),
    /// The pushed commit has one parent, or none: it was squashed, rebased or pushed directly.
    NoMerge,
    /// The pushed commit has more than two parents.
    SeveralParents,
    /// The clone does not have the commit or its parents.
    NotInClone,
    /// The merge commit names a branch of a fork, as `owner/branch`. Printable.
    OfFork(String),
}

impl SourceOrigin {
    /// Returns the environment, if a policy names one.
    pub(crate) fn environment(&self) -> Option<&EnvironmentName> {
        self.timeline.as_ref().map(|timeline| &timeline.environment)
    }

    /// Returns the SHA tags that the image of a commit may have, the usual ones first; none if too few
    /// digits of the commit are known.
    pub(crate) fn commit_tags(&self, commit: &NamedCommit, short_sha: usize) -> Vec<Tag> {
        match &self.form {
            Some(form) => form.tags_of(commit),
            None => usual_commit_tags(commit, short_sha),
        }
    }
}

impl SourceSearch {
    /// Returns a name for the image before it is found, in the first place.
    pub(crate) fn placeholder(&self) -> ImageSource {
        let origin = &self.origins[0];
        let target = match &self.sought {
            SoughtImage::Named(target) => target.clone(),
            SoughtImage::OfCommit(search) => {
                let tags = origin.commit_tags(&search.commit, search.short_sha);
                let digits = search.commit.digits();
                let tag = tags.into_iter().next().or_else(|| digits.parse().ok());
                tag.map_or_else(unknown_target, TagOrDigest::Tag)
            }
            SoughtImage::Newest => unknown_target(),
        };
        origin.place.to_source(target)
    }

    /// Returns what is known of the image, for people.
    pub(crate) fn phrase(&self) -> String {
        let places = self.origins.iter().map(|origin| origin.place.to_string());
        let places = places.collect::<Vec<_>>().join(" or ");
        match &self.sought {
            SoughtImage::Named(TagOrDigest::Tag(tag)) => format!("the tag {tag} in {places}"),
            SoughtImage::Named(TagOrDigest::Digest(digest)) => format!("{digest} in {places}"),
            SoughtImage::OfCommit(search) => {
                format!("the image of commit {} in {places}", search.commit)
            }
            SoughtImage::Newest => format!("the newest release in {places}"),
        }
    }
}

/// Returns a digest that no image has: a name must have a target.
fn unknown_target() -> TagOrDigest {
    TagOrDigest::Digest(Digest::from_bytes(b""))
}
