//! Finds the source of a release that does not name its image: by the commit that the image was built from, by a
//! tag or digest in one of several environments, or as the newest release.

use std::borrow::Cow;

use futures_util::future::try_join_all;

use super::commit_candidates::find_candidates;
use super::open_origin::OpenOrigin;
use super::several_images::{SoughtName, choose_candidate};
use super::unbuilt_commit::unbuilt_failure;
use crate::image::{Digest, NamedCommit, TagOrDigest};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::records::timeline_view::TimelineView;
use crate::release::request::ReleaseRequest;
use crate::release::source_lookup::SourceLookup;
use crate::release::source_search::{CommitSearch, MergedCommit, SoughtImage};
use crate::transfer::Side;

/// Request whose source is found.
pub(crate) struct FoundSource<'a> {
    pub(crate) request: Cow<'a, ReleaseRequest>,
    /// Timelines that the search listed.
    pub(crate) timelines: Vec<TimelineView>,
}

/// Image that is found.
struct FoundImage {
    /// Number of the place that it comes from.
    origin: usize,
    /// Its name there.
    target: TagOrDigest,
    /// Commit that it was found by.
    lookup: Option<SourceLookup>,
    /// How it was found, for the log.
    remark: String,
}

/// Returns the request with the source that is found, where it asks for a search; else the request itself.
///
/// # Errors
/// No image, or several.
pub(crate) async fn find_source<'a>(
    request: &'a ReleaseRequest,
    context: &ReleaseContext,
) -> Result<FoundSource<'a>, Failure> {
    let Some(search) = &request.search else {
        return Ok(FoundSource {
            request: Cow::Borrowed(request),
            timelines: Vec::new(),
        });
    };
    let origins = search.origins.iter();
    let origins = origins.map(|origin| OpenOrigin::open(context, origin));
    let origins = origins.collect::<Result<Vec<_>, _>>()?;
    let found = match &search.sought {
        SoughtImage::OfCommit(commit) => Box::pin(find_by_commit(&origins, commit)).await?,
        SoughtImage::Named(target) => find_named(&origins, target).await?,
        SoughtImage::Newest => find_newest(&origins).await?,
    };
    let request = with_source(request, &origins, found, context);
    let timelines = origins.into_iter().filter_map(OpenOrigin::into_timeline);
    Ok(FoundSource {
        request: Cow::Owned(request),
        timelines: timelines.collect(),
    })
}

/// Returns the request of the image that is found: the environment that it comes from is known now.
fn with_source(
    request: &ReleaseRequest,
    origins: &[OpenOrigin<'_>],
    found: FoundImage,
    context: &ReleaseContext,
) -> ReleaseRequest {
    let origin = origins[found.origin].origin;
    let source = origin.place.to_source(found.target);
    context
        .notices
        .info(format!("source: {}: {source}", found.remark));
    let mut request = ReleaseRequest {
        source,
        lookup: found.lookup,
        search: None,
        ..request.clone()
    };
    if let Some(timeline) = &origin.timeline {
        request.from = Some(origin.place.clone());
        request.path.from = Some(timeline.environment.clone());
        request.naming.commit_tag_form.clone_from(&origin.form);
        if let Some(record) = &mut request.record {
            record.source = Some(timeline.clone());
            let others = origins.iter().enumerate();
            let others = others.filter(|(at, _)| *at != found.origin);
            let others = others.filter_map(|(_, other)| other.origin.timeline.clone());
            record.other_sources = others.collect();
        }
    }
    request
}

/// Finds the image of a commit; of a pushed merge commit that of its second parent, if its own does not exist.
async fn find_by_commit(
    origins: &[OpenOrigin<'_>],
    search: &CommitSearch,
) -> Result<FoundImage, Failure> {
    if let Some(found) = find_image_of(origins, search).await? {
        return Ok(found);
    }
    let MergedCommit::Parent(parent) = &search.merged else {
        return Err(unbuilt_failure(search, origins).await);
    };
    let merged = CommitSearch {
        commit: NamedCommit::Whole(parent.clone()),
        named_by: format!("the merge commit {}", search.commit),
        short_sha: search.short_sha,
        merged: MergedCommit::NotSought,
    };
    match find_image_of(origins, &merged).await? {
        Some(found) => Ok(found),
        None => Err(unbuilt_failure(&merged, origins).await),
    }
}

async fn find_image_of(
    origins: &[OpenOrigin<'_>],
    search: &CommitSearch,
) -> Result<Option<FoundImage>, Failure> {
    let CommitSearch {
        commit, named_by, ..
    } = search;
    let candidates = find_candidates(origins, commit, search.short_sha).await?;
    if candidates.is_empty() {
        return Ok(None);
    }
    let sought = SoughtName { commit, named_by };
    let chosen = choose_candidate(origins, &sought, candidates).await?;
    let origin = origins[chosen.origin].origin;
    let target = chosen.target();
    let whereabouts = match &target {
        TagOrDigest::Tag(tag) => format!("as tag {tag}"),
        TagOrDigest::Digest(_) => format!("by its record in {}", origins[chosen.origin].name()),
    };
    Ok(Some(FoundImage {
        origin: chosen.origin,
        remark: format!("found by commit {commit}, which {named_by} names, {whereabouts}"),
        target,
        lookup: Some(SourceLookup {
            commit: commit.clone(),
            named_by: named_by.clone(),
            place: origin.place.clone(),
            form: origin.form.clone(),
            found: chosen.digest,
            recorded: chosen.recorded_commit(),
        }),
    }))
}

/// Finds a tag or digest: in the first place with a record of its release, else in the first that has it.
async fn find_named(
    origins: &[OpenOrigin<'_>],
    target: &TagOrDigest,
) -> Result<FoundImage, Failure> {
    let each = origins.iter().map(|origin| resolve_named(origin, target));
    let found = try_join_all(each).await?;
    let has = |at: &usize| found[*at].is_some_and(|image| image.is_recorded);
    let first_of = |is_it: &dyn Fn(&usize) -> bool| (0..found.len()).find(is_it);
    let origin = first_of(&has).or_else(|| first_of(&|at| found[*at].is_some()));
    let Some(origin) = origin else {
        let places = origins.iter().map(|it| it.image(target).to_string());
        let names: Vec<_> = origins.iter().map(OpenOrigin::name).collect();
        return Err(Failure::refused(format!(
            "there is no {}",
            places.collect::<Vec<_>>().join(" and no ")
        ))
        .with_reason(format!("the image must be in {}", names.join(" or ")))
        .with_hint("check the name, or release the image there first"));
    };
    Ok(FoundImage {
        origin,
        target: target.clone(),
        lookup: None,
        remark: format!("found in {}", origins[origin].name()),
    })
}

/// Image that a place has under a tag or digest.
#[derive(Clone, Copy)]
struct NamedImage {
    is_recorded: bool,
}

async fn resolve_named(
    origin: &OpenOrigin<'_>,
    target: &TagOrDigest,
) -> Result<Option<NamedImage>, Failure> {
    let digest = match target {
        TagOrDigest::Tag(tag) => origin.resolve_tag(tag).await?,
        TagOrDigest::Digest(digest) => has_digest(origin, *digest).await?.then_some(*digest),
    };
    let Some(digest) = digest else {
        return Ok(None);
    };
    let release = match origin.timeline().await? {
        Some(timeline) => timeline.read_newest_release(digest).await?,
        None => None,
    };
    let is_recorded = release.is_some();
    Ok(Some(NamedImage { is_recorded }))
}

async fn has_digest(origin: &OpenOrigin<'_>, digest: Digest) -> Result<bool, Failure> {
    let target = TagOrDigest::Digest(digest);
    let found = origin.store.get_manifest(&target).await;
    let found = found
        .map_err(|error| Failure::from_store_error(Side::Source, &origin.image(&target), error))?;
    Ok(found.is_some())
}

/// Finds the image of the newest release that is current in its environment.
async fn find_newest(origins: &[OpenOrigin<'_>]) -> Result<FoundImage, Failure> {
    let each = origins.iter().map(|origin| async {
        let Some(timeline) = origin.timeline().await? else {
            return Ok(None);
        };
        let state = timeline.read_state(&[]).await?;
        let Some((entry, root)) = state.current() else {
            return Ok(None);
        };
        // A rollback made it current again; it is as old as its release.
        let release = timeline.read_newest_release(root).await?;
        let release = release.as_ref().and_then(|reading| reading.counted());
        let released_at = release.map_or(entry.planned_at, |record| record.entry.planned_at);
        Ok::<_, Failure>(Some((released_at, root)))
    });
    let current = try_join_all(each).await?;
    let newest = current.into_iter().enumerate();
    let newest = newest.filter_map(|(at, current)| Some((current?, at)));
    let Some(((released_at, root), origin)) = newest.max() else {
        let names: Vec<_> = origins.iter().map(OpenOrigin::name).collect();
        return Err(
            Failure::refused(format!("no release is current in {}", names.join(" or ")))
                .with_reason(
                    "source: newest is the release that the newest counted record made current",
                )
                .with_hint(
                    "release an image there first, or name the tag or digest that was tested",
                ),
        );
    };
    Ok(FoundImage {
        origin,
        target: TagOrDigest::Digest(root),
        lookup: None,
        remark: format!(
            "the newest release of {}, of {released_at}",
            origins[origin].name()
        ),
    })
}
