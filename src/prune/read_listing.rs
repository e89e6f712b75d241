//! What a registry's own API lists, as facts of a repository: manifests that nothing names, times, ids and refusals.

use jiff::Timestamp;

use super::repository_content::RepositoryContent;
use crate::image::{Digest, Tag};
use crate::notices::to_printable;
use crate::record::RecordTime;
use crate::registry_api::{ListedManifest, RepositoryListing};
use crate::retention::ObservedContent;

/// Longest words of a registry about a manifest, in characters.
const WORDS_LIMIT: usize = 300;

/// Manifests and tags of a listing that are to be read.
pub(super) struct ListedNames {
    pub(super) manifests: Vec<Digest>,
    pub(super) tags: Vec<Tag>,
}

/// Adds the manifests of a listing that cannot be read, and returns the names of all others.
pub(super) fn add_unreadable(
    content: &mut RepositoryContent,
    listing: &RepositoryListing,
) -> ListedNames {
    let mut manifests = Vec::with_capacity(listing.manifests.len());
    for (digest, listed) in &listing.manifests {
        match &listed.unreadable {
            Some(reason) => {
                let reason = to_printable(reason, WORDS_LIMIT);
                content.add_unknown(*digest, ObservedContent::Unreadable(reason));
            }
            None => manifests.push(*digest),
        }
    }
    ListedNames {
        manifests,
        tags: listing.tags.keys().cloned().collect(),
    }
}

/// Adds what a listing says of the manifests and tags that were read. A listed manifest that the registry does not
/// serve cannot be read: what it names is not known.
pub(super) fn add_listed_facts(content: &mut RepositoryContent, listing: RepositoryListing) {
    for (digest, listed) in listing.manifests {
        if content.snapshot.absent.remove(&digest) {
            let reason = "the registry lists it, and answers 404 to its digest".to_owned();
            content.add_unknown(digest, ObservedContent::Unreadable(reason));
        }
        add_manifest_facts(content, digest, listed);
    }
    for (tag, listed) in listing.tags {
        let target = content.snapshot.tags.get_mut(&tag);
        // A tag that moved since has another time.
        if let Some(target) = target.filter(|target| target.digest == listed.digest) {
            target.pushed = listed.pushed.and_then(RecordTime::from_timestamp);
        }
    }
    content.notes.extend(listing.notes);
}

fn add_manifest_facts(content: &mut RepositoryContent, digest: Digest, listed: ListedManifest) {
    let time = |time: Option<Timestamp>| time.and_then(RecordTime::from_timestamp);
    if let Some(observed) = content.snapshot.manifests.get_mut(&digest) {
        observed.times.pushed = time(listed.pushed);
        observed.times.updated = time(listed.updated);
        observed.refusal = listed.refusal.map(|text| to_printable(&text, WORDS_LIMIT));
    }
    if let Some(id) = listed.id {
        content.ids.insert(digest, id);
    }
}
