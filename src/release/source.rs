//! Opening sources and destinations.

use futures_util::future::join;

use super::graph::{self, Node};
use super::subset::{self, Subset};
use super::{Context, Failure, Request, carry};
use crate::archive::Archive;
use crate::image::{
    DaemonImage, Digest, Location, Manifest, Place, Reference, Repository, Selector, Target,
};
use crate::layout::{Layout, LayoutError, LayoutFault};
use crate::registry::Access;
use crate::tagging::Origin;
use crate::transfer::{Side, Source, Store, StoreError};

/// An image that was found.
pub(super) struct Resolved {
    /// Where it was found, for messages.
    pub(super) location: Location,
    pub(super) source: Source,
    pub(super) root: Manifest,
    /// What it says of itself, where that was needed.
    pub(super) origin: Option<Origin>,
    /// What it is of, where it was made of some platforms of another.
    pub(super) subset: Option<Subset>,
    /// The manifests that were made here, the root among them.
    pub(super) made: Vec<Digest>,
}

impl Resolved {
    /// The digest that was found, of which the image may be a part.
    pub(super) fn found(&self) -> Digest {
        self.subset
            .as_ref()
            .map_or(self.root.digest, |subset| subset.of)
    }
}

/// The repositories of a release, and what it does there.
pub(super) fn needed(request: &Request) -> impl Iterator<Item = (&Repository, Access)> {
    let destinations = request.destinations.iter().filter_map(|place| match place {
        Place::Registry(repository) => Some((repository, Access::PullPush)),
        Place::Layout(_) => None,
    });
    let source = match &request.source {
        Location::Registry(reference) => Some((&reference.repository, Access::Pull)),
        _ => None,
    };
    destinations.chain(source)
}

/// The store that a destination is. Blobs can be mounted from a source on the same registry.
pub(super) fn destination(context: &Context, place: &Place, source: &Location) -> Store {
    match place {
        Place::Registry(repository) => {
            let from = match source {
                Location::Registry(reference) => vec![&reference.repository],
                _ => Vec::new(),
            };
            Store::Registry(
                context
                    .registry
                    .repository(repository, Access::PullPush, &from),
            )
        }
        Place::Layout(path) => Store::Layout(Layout::at(path)),
    }
}

/// Opens a place to read from it.
pub(super) fn at_place(context: &Context, place: &Place) -> Store {
    match place {
        Place::Registry(repository) => {
            let remote = context.registry.repository(repository, Access::Pull, &[]);
            Store::Registry(remote)
        }
        Place::Layout(path) => Store::Layout(Layout::at(path)),
    }
}

/// A manifest that the index `parent` lists.
///
/// # Errors
/// It is not there: an index without it is not whole.
pub(super) async fn child(
    image: &Resolved,
    parent: Digest,
    child: Digest,
) -> Result<Manifest, Failure> {
    let found = image.source.manifest(child).await;
    let found = found.and_then(|found| found.ok_or(StoreError::MissingChild { child, parent }));
    found.map_err(|error| Failure::store(Side::Source, &image.location, error))
}

/// The store of an image that is looked at with what stands beside it.
pub(super) fn store(context: &Context, source: &Location) -> Result<Store, Failure> {
    match source {
        Location::Registry(reference) => {
            let registry = &context.registry;
            let remote = registry.repository(&reference.repository, Access::Pull, &[]);
            Ok(Store::Registry(remote))
        }
        Location::Layout(path, _) => Ok(Store::Layout(Layout::to_read(path))),
        Location::Archive(..) => Err(Failure::input(format!(
            "source {source}: the signatures in an archive are not looked at"
        ))
        .hint("unpack it, and name the directory as oci:DIR")),
        Location::DockerArchive(..) | Location::Daemon(_) => Err(Failure::input(format!(
            "source {source}: what a Docker engine has or saves holds no signatures"
        ))
        .hint("name the image where it is released, in a registry or as oci:DIR")),
    }
}

/// That store, and the image's digest. A registry is not asked for what is named by it.
pub(super) async fn with_referrers(
    context: &Context,
    source: &Location,
) -> Result<(Store, Digest), Failure> {
    let store = store(context, source)?;
    let digest = match source {
        Location::Registry(Reference {
            target: Target::Digest(digest),
            ..
        }) => *digest,
        _ => digest(&store, source).await?,
    };
    Ok((store, digest))
}

/// The digest of an image that is there.
pub(super) async fn digest(store: &Store, source: &Location) -> Result<Digest, Failure> {
    let digest = match (store, source) {
        (Store::Registry(remote), Location::Registry(reference)) => remote
            .head(&reference.target)
            .await
            .map(|head| head.map(|head| head.digest))
            .map_err(StoreError::Registry),
        (_, Location::Layout(path, selector)) => in_index(path, selector)
            .await
            .map(Some)
            .map_err(StoreError::Layout),
        _ => Ok(None),
    };
    let digest = digest.map_err(|error| Failure::store(Side::Source, source, error))?;
    digest.ok_or_else(|| absent(source))
}

async fn in_index(path: &std::path::Path, selector: &Selector) -> Result<Digest, LayoutError> {
    Layout::open(path).await?.select(selector).await
}

/// That store, and the image with all manifests below it: it comes first.
pub(super) async fn with_all_below(
    context: &Context,
    source: &Location,
) -> Result<(Store, Vec<Node>), Failure> {
    let store = store(context, source)?;
    let failed = |error| Failure::store(Side::Source, source, error);
    let target = match source {
        Location::Registry(reference) => reference.target.clone(),
        Location::Layout(path, selector) => {
            let digest = in_index(path, selector).await;
            Target::Digest(digest.map_err(|error| failed(StoreError::Layout(error)))?)
        }
        _ => return Err(absent(source)),
    };
    let root = store.manifest(&target).await.map_err(failed)?;
    let root = root.ok_or_else(|| absent(source))?;
    let nodes = graph::manifests(&store, root).await.map_err(failed)?;
    Ok((store, nodes))
}

/// Finds the image that the request names. One on disk is looked at in whole, so that a broken one
/// is refused before anything is written.
pub(super) async fn resolve(request: &Request, context: &Context) -> Result<Resolved, Failure> {
    let found = match &request.source {
        Location::Registry(reference) => {
            on_registry(context, reference, carry::is_wanted(request)).await
        }
        Location::Layout(path, selector) => in_layout(path, selector).await,
        Location::Archive(path, selector) => in_archive(context, path, selector).await,
        Location::DockerArchive(path, selector) => in_docker_archive(context, path, selector).await,
        Location::Daemon(image) => at_daemon(context, image).await,
    };
    let (source, root) = found
        .map_err(|error| Failure::store(Side::Source, &request.source, error))?
        .ok_or_else(|| absent(&request.source))?;
    let mut image = Resolved {
        location: request.source.clone(),
        source,
        root,
        origin: None,
        subset: None,
        made: Vec::new(),
    };
    subset::choose(request, context, &mut image).await?;
    Ok(image)
}

type Found = Option<(Source, Manifest)>;

/// Its tags are listed meanwhile where they tell what stands beside it.
async fn on_registry(
    context: &Context,
    reference: &Reference,
    with_tags: bool,
) -> Result<Found, StoreError> {
    let remote = context
        .registry
        .repository(&reference.repository, Access::Pull, &[]);
    let source = Source::store(Store::Registry(remote.clone()));
    let listed = async {
        if with_tags {
            // What fails fails again where it matters.
            let _ = source.few_tags().await;
        }
    };
    let (root, ()) = join(remote.manifest(&reference.target), listed).await;
    Ok(root?.map(|root| {
        source.keep(root.clone());
        (source, root)
    }))
}

async fn in_layout(path: &std::path::Path, selector: &Selector) -> Result<Found, StoreError> {
    let layout = Layout::open(path).await?;
    let digest = layout.select(selector).await?;
    layout.check(digest).await?;
    with_root(Source::store(Store::Layout(layout)), digest).await
}

async fn in_archive(
    context: &Context,
    path: &std::path::Path,
    selector: &Selector,
) -> Result<Found, StoreError> {
    let archive = Archive::open(path, &context.unpacking).await?;
    let digest = archive.select(selector).await?;
    archive.check(digest).await?;
    with_root(Source::archive(archive), digest).await
}

async fn in_docker_archive(
    context: &Context,
    path: &std::path::Path,
    selector: &Selector,
) -> Result<Found, StoreError> {
    let Context {
        unpacking, notices, ..
    } = context;
    let (archive, digest) = Archive::open_docker(path, selector, unpacking, notices).await?;
    archive.check(digest).await?;
    with_root(Source::archive(archive), digest).await
}

async fn at_daemon(context: &Context, image: &DaemonImage) -> Result<Found, StoreError> {
    let (host, unpacking) = (context.docker_host.as_deref(), &context.unpacking);
    let (archive, digest) = Archive::of_daemon(image, host, unpacking, &context.notices).await?;
    archive.check(digest).await?;
    with_root(Source::archive(archive), digest).await
}

async fn with_root(source: Source, digest: Digest) -> Result<Found, StoreError> {
    let root = source.manifest(digest).await?;
    Ok(root.map(|root| (source, root)))
}

fn absent(source: &Location) -> Failure {
    Failure::input(format!("source {source}: there is no such image"))
        .hint("check the tag or digest; a registry may also answer so where the login may not see the repository")
}

/// The image that a store has under a digest.
pub(super) async fn at_store(
    store: &Store,
    place: &Place,
    digest: Digest,
) -> Result<Resolved, Failure> {
    let failed = |error| Failure::store(Side::Destination, place, error);
    let source = Source::store(store.clone());
    let root = source.manifest(digest).await.map_err(failed)?;
    let root = root.ok_or_else(|| {
        Failure::service(format!(
            "{place} names {digest} by a tag, but does not have it"
        ))
    })?;
    let location = match place {
        Place::Registry(repository) => {
            Location::Registry(repository.reference(crate::image::Target::Digest(digest)))
        }
        Place::Layout(path) => Location::Layout(path.clone(), Selector::Digest(digest)),
    };
    Ok(Resolved {
        location,
        source,
        root,
        origin: None,
        subset: None,
        made: Vec::new(),
    })
}

/// Whether a layout's refusal to write a tag is the rule of immutable tags, and what it names.
pub(super) fn taken_by(error: &LayoutError) -> Option<Digest> {
    match &error.fault {
        LayoutFault::TagTaken { there, .. } => Some(*there),
        _ => None,
    }
}
