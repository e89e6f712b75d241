//! Brings an image back by the registry's own API, which keeps what was deleted for some time: with all that it lists,
//! and with its evidence.

use std::collections::BTreeSet;

use super::open_api::{api_failure, open_vendor_api};
use super::repository_content::printable;
use super::restore_request::{RestoreOutcome, RestoreRequest, RestoredTag};
use crate::image::{Destination, Digest, RegistryVendor, Tag, TagOrDigest};
use crate::registry::RepositoryClient;
use crate::registry_api::{ApiRestore, RegistryApiError, RepositoryApi, RepositoryListing};
use crate::release::{Failure, ReleaseContext, open_to_read};
use crate::retention::ReservedTag;
use crate::transfer::{ImageStore, Side, StoreError};

/// What a run restores, and has restored.
struct VersionRestore<'a> {
    request: &'a RestoreRequest,
    api: &'a RepositoryApi,
    remote: RepositoryClient,
    deleted: RepositoryListing,
    /// Manifests to bring back if they are gone.
    pending: Vec<Digest>,
    /// Manifests that are there by now.
    seen: BTreeSet<Digest>,
    outcome: RestoreOutcome,
}

/// Brings an image back by the API of its registry.
///
/// # Errors
/// An image that the registry does not keep, and what cannot be read or restored.
pub(super) async fn restore_versions(
    request: &RestoreRequest,
    api: &RepositoryApi,
    context: &ReleaseContext,
) -> Result<RestoreOutcome, Failure> {
    let place = &request.place;
    let nothing = || {
        Failure::input(format!(
            "archive is required: {place} keeps nothing that was deleted"
        ))
        .with_hint("name the directory that prune wrote to with archive")
    };
    let listed = api.list_deleted().await.ok_or_else(nothing)?;
    let deleted = listed.map_err(|error| api_failure(place, &error))?;
    let ImageStore::Registry(remote) = open_to_read(context, place) else {
        return Err(nothing());
    };
    let mut run = VersionRestore {
        request,
        api,
        remote,
        deleted,
        pending: vec![request.digest],
        seen: BTreeSet::new(),
        outcome: RestoreOutcome {
            place: place.clone(),
            digest: request.digest,
            referrers: Vec::new(),
            tags: Vec::new(),
        },
    };
    while let Some(digest) = run.pending.pop() {
        if run.seen.insert(digest) {
            run.restore(digest).await?;
        }
    }
    Ok(run.outcome)
}

impl VersionRestore<'_> {
    /// Brings a manifest back, and adds what it lists and what is about it to the pending ones.
    async fn restore(&mut self, digest: Digest) -> Result<(), Failure> {
        let target = TagOrDigest::Digest(digest);
        let mut found = self.remote.get_manifest(&target).await;
        let is_gone = matches!(found, Ok(None));
        if is_gone {
            self.undo_deletion(digest).await?;
            found = self.remote.get_manifest(&target).await;
        }
        let failed = |error| {
            Failure::from_store_error(
                Side::Destination,
                &self.request.place,
                StoreError::Registry(error),
            )
        };
        let manifest = found.map_err(failed)?.ok_or_else(|| {
            Failure::incomplete(format!(
                "{}: {digest} is restored, and the registry does not serve it yet",
                self.request.place
            ))
            .with_hint("run it again in a minute: it goes on where this run ended")
        })?;
        self.add_tags(digest, is_gone);
        let children = manifest.children().map(|child| child.digest);
        self.pending.extend(children);
        let evidence = self
            .deleted
            .tags
            .iter()
            .filter(|(tag, _)| ReservedTag::parse(tag) == Some(ReservedTag::Evidence(digest)));
        let evidence: Vec<Digest> = evidence.map(|(_, listed)| listed.digest).collect();
        self.outcome.referrers.extend(&evidence);
        self.pending.extend(evidence);
        Ok(())
    }

    /// Undoes the deletion of a manifest.
    async fn undo_deletion(&self, digest: Digest) -> Result<(), Failure> {
        let place = &self.request.place;
        let listed = self.deleted.manifests.get(&digest);
        let id = listed
            .and_then(|listed| listed.id.as_deref())
            .ok_or_else(|| {
                Failure::input(format!(
                    "digest: {place} keeps no deleted manifest {digest}"
                ))
                .with_reason("a registry keeps what was deleted for some time: GHCR for 30 days")
                .with_hint("with an archive of prune, name its directory in archive")
            })?;
        let restored: Option<Result<ApiRestore, RegistryApiError>> =
            self.api.restore_manifest(id).await;
        match restored {
            Some(Ok(ApiRestore::Restored)) => Ok(()),
            Some(Err(error)) => Err(api_failure(place, &error)),
            Some(Ok(ApiRestore::Unknown)) | None => Err(Failure::refused(format!(
                "{place}: the registry does not bring {digest} back, version {}",
                printable(&id)
            ))
            .with_hint("the role Admin on the package is needed, and a package of the same name must not exist anew")),
        }
    }

    /// Adds the tags that a manifest had when it was deleted.
    fn add_tags(&mut self, digest: Digest, is_restored: bool) {
        let tags = self.deleted.tags.iter();
        let own = tags.filter(|(_, listed)| listed.digest == digest);
        let end = match is_restored {
            true => RestoredTag::Written,
            false => RestoredTag::Unchanged,
        };
        let own: Vec<(Tag, RestoredTag)> = own.map(|(tag, _)| (tag.clone(), end)).collect();
        self.outcome.tags.extend(own);
    }
}

/// Returns the API that brings images of a place back.
///
/// # Errors
/// A place whose registry has none, and a login that cannot be used.
pub(super) async fn open_restoring_api(
    request: &RestoreRequest,
    context: &ReleaseContext,
) -> Result<RepositoryApi, Failure> {
    let place = &request.place;
    let required = || {
        Failure::input(format!("archive is required: the registry of {place} brings nothing back that was deleted"))
            .with_hint("name the directory that prune wrote to with archive; without one, push the image again from a copy")
    };
    let Destination::Registry(repository) = place else {
        return Err(required());
    };
    let rule = request.api.as_ref();
    let vendor = rule.map(|rule| rule.vendor);
    let vendor = vendor.or_else(|| RegistryVendor::from_registry(repository.registry()));
    let vendor = vendor.filter(|vendor| *vendor == RegistryVendor::Ghcr);
    let vendor = vendor.ok_or_else(required)?;
    let address = rule.and_then(|rule| rule.address.clone());
    let opened = open_vendor_api(
        vendor,
        repository,
        address,
        &request.logins,
        request.clock.to_timestamp(),
        context,
    )
    .await?;
    opened
        .ok_or_else(required)?
        .map_err(|error| api_failure(place, &error))
}
