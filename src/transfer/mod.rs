//! The copy engine: brings roots and everything below them from a source to stores, the roots last.
//!
//! Look, then move, in steps that the caller takes, since other things are written beside: what is
//! missing at the destinations is found out first, many questions at once; then blobs travel, the
//! largest first, each read once for all destinations that lack it, hashed on its way and committed
//! only if its size and digest are right; then manifests, children before parents, as the bytes they
//! came as. No tag is written here.

mod blob;
mod content;
mod error;
mod known;
mod meter;
mod plan;
mod send;
mod share;
mod source;
mod store;
mod target;
mod verified;

pub use content::{Amount, Content};
pub use error::{Error, Side, StoreError};
pub use known::Known;
pub use meter::Meter;
pub use source::{ReadStream, Source};
pub use store::Store;

use std::collections::HashMap;

use futures_util::future::join_all;
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::image::{Descriptor, Digest, Manifest};
use crate::notice::Notices;
pub use plan::MANIFESTS_LIMIT;
use plan::{Depth, Plan, Planned};
use target::Target;

/// Blobs that are asked for or under way at the same time.
const BLOBS: usize = 64;
/// Manifests under way at the same time, to one destination.
const MANIFESTS: usize = 64;

/// Images, or what stands beside one, and where they are to be.
pub struct Copy<'a> {
    /// Where they are.
    pub source: &'a Source,
    /// They.
    pub roots: Vec<Root>,
    /// Whether a destination may have a root already.
    pub roots_at: Roots,
    /// Where they are to be, each place once.
    pub destinations: Vec<&'a Store>,
    /// What the run knows of blobs.
    pub known: &'a Known,
    /// Where to say what is retried.
    pub notices: &'a Notices,
    /// Counts the bytes of all copies of a run.
    pub meter: &'a Meter,
}

/// A manifest to be copied with all below it.
#[derive(Debug, Clone)]
pub enum Root {
    /// This one, which is in memory.
    Read(Box<Manifest>),
    /// The one with this digest, which is read when it is needed.
    Named(Digest),
}

impl Root {
    fn digest(&self) -> Digest {
        match self {
            Self::Read(manifest) => manifest.digest,
            Self::Named(digest) => *digest,
        }
    }
}

/// What is known of roots before any destination is asked for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roots {
    /// Nothing.
    Unknown,
    /// No destination has one, by its own list.
    Missing,
}

/// A copy of which is known what the destinations lack. Each of its steps is taken at all of them
/// before the next.
pub struct Bringing<'a> {
    copy: Copy<'a>,
    /// The destinations, and what each of them lacks.
    targets: Vec<(Target<'a>, Plan)>,
}

/// The first destination that failed, by its place, and how. What was written by then stays and is
/// named by nothing.
#[derive(Debug, Clone)]
pub struct Failed {
    /// Its place among the destinations.
    pub at: usize,
    /// How.
    pub error: Error,
}

impl<'a> Copy<'a> {
    /// Finds out what the destinations lack.
    ///
    /// # Errors
    /// Whatever cannot be read.
    pub async fn look(self) -> Result<Bringing<'a>, Failed> {
        let looks = self.destinations.iter().map(|store| async {
            let target = Target::new(store);
            let plan = plan::missing(&self, store, Depth::Missing).await;
            let plan = target.take(plan).unwrap_or_default();
            (target, plan)
        });
        let targets = join_all(looks).await;
        let bringing = Bringing {
            copy: self,
            targets,
        };
        bringing.so_far().await?;
        Ok(bringing)
    }
}

impl Copy<'_> {
    /// Brings all below the roots, whatever the destinations have: they say that they lack some of it.
    ///
    /// # Errors
    /// As [`Bringing::blobs`].
    pub async fn everything(self) -> Result<(), Failed> {
        let targets = self.destinations.iter().map(|store| Target::new(store));
        let targets = targets.map(|target| (target, Plan::default())).collect();
        let bringing = Bringing {
            copy: self,
            targets,
        };
        let each = bringing.targets.iter().map(|(target, _)| async {
            target.take(bringing.write_anew(target, Levels::BelowRoots).await);
        });
        join_all(each).await;
        bringing.so_far().await
    }
}

impl Bringing<'_> {
    /// Whether the destination at this place has a blob once the blobs are brought, as far as the roots
    /// are to thank for it.
    pub fn brings(&self, at: usize, blob: Digest) -> bool {
        let target = self.targets.get(at);
        target.is_some_and(|(_, plan)| plan.blobs.contains_key(&blob))
    }

    /// Brings the blobs that are missing.
    ///
    /// # Errors
    /// What cannot be read, is not what its digest says, or cannot be written.
    pub async fn blobs(&self) -> Result<(), Failed> {
        let each = self.targets.iter().map(|(target, plan)| (target, plan));
        self.place_blobs(each.collect()).await;
        self.so_far().await
    }

    /// Writes the manifests below the roots.
    ///
    /// # Errors
    /// As [`Bringing::blobs`].
    pub async fn below(&self) -> Result<(), Failed> {
        self.write(Levels::BelowRoots).await
    }

    /// Writes the roots, by their digests: the destinations have them, and all below.
    ///
    /// # Errors
    /// As [`Bringing::blobs`].
    pub async fn roots(&self) -> Result<(), Failed> {
        self.write(Levels::Roots).await
    }

    /// Counts the roots as written, where tags have written them and not [`Bringing::roots`].
    pub fn count_roots(&self) {
        for (target, plan) in &self.targets {
            target.count(|content| content.manifests_written += plan.roots.len() as u64);
        }
    }

    /// What was done, in the order of the destinations.
    pub fn content(&self) -> Vec<Content> {
        let targets = self.targets.iter();
        targets.map(|(target, _)| target.content()).collect()
    }

    /// The largest blobs are first, so that none of them is left to travel alone at the end.
    async fn place_blobs(&self, at: Vec<(&Target<'_>, &Plan)>) {
        let mut lacking: HashMap<Digest, (&Descriptor, Vec<&Target>)> = HashMap::new();
        for (target, plan) in at {
            for blob in plan.blobs.values() {
                self.copy.meter.expect(blob.size);
                let (_, targets) = lacking.entry(blob.digest).or_insert((blob, Vec::new()));
                targets.push(target);
            }
        }
        let mut lacking: Vec<_> = lacking.into_values().collect();
        lacking.sort_by_key(|(blob, _)| (std::cmp::Reverse(blob.size), blob.digest));
        let copy = &self.copy;
        stream::iter(lacking)
            .for_each_concurrent(BLOBS, |(blob, targets)| blob::place(copy, blob, targets))
            .await;
    }

    async fn write(&self, levels: Levels) -> Result<(), Failed> {
        let written = self.targets.iter().map(|(target, plan)| async move {
            match write_manifests(&self.copy, target, levels.of(plan)).await {
                // Whoever has a manifest has what it names, unless it says itself that it has not.
                Err(error) if error.is_incomplete() => {
                    let text = format!("{error}; going through the whole image once more");
                    self.copy.notices.warning(text);
                    target.begin_anew();
                    target.take(self.write_anew(target, levels).await);
                }
                outcome => {
                    target.take(outcome);
                }
            }
        });
        join_all(written).await;
        self.so_far().await
    }

    /// Brings everything, whatever a destination has.
    async fn write_anew(&self, target: &Target<'_>, levels: Levels) -> Result<(), Error> {
        let plan = plan::missing(&self.copy, target.store, Depth::Everything).await?;
        self.place_blobs(vec![(target, &plan)]).await;
        write_manifests(&self.copy, target, Levels::BelowRoots.of(&plan)).await?;
        match levels {
            Levels::BelowRoots => Ok(()),
            Levels::Roots => write_manifests(&self.copy, target, levels.of(&plan)).await,
        }
    }

    /// That nothing has failed; what has closes what it has open.
    async fn so_far(&self) -> Result<(), Failed> {
        let targets = self.targets.iter().enumerate();
        let failed = targets.filter_map(|(at, (target, _))| Some((at, target, target.error()?)));
        let failed: Vec<_> = failed.collect();
        join_all(
            failed
                .iter()
                .map(|(_, target, _)| target.store.close_uploads()),
        )
        .await;
        match failed.into_iter().next() {
            None => Ok(()),
            Some((at, _, error)) => Err(Failed { at, error }),
        }
    }
}

/// Some of the manifests of a plan.
#[derive(Debug, Clone, Copy)]
enum Levels {
    BelowRoots,
    Roots,
}

impl Levels {
    fn of(self, plan: &Plan) -> &[Vec<Planned>] {
        match self {
            Self::BelowRoots => &plan.below,
            Self::Roots => std::slice::from_ref(&plan.roots),
        }
    }
}

/// Writes manifests, a level after the other.
async fn write_manifests(
    copy: &Copy<'_>,
    target: &Target<'_>,
    levels: &[Vec<Planned>],
) -> Result<(), Error> {
    for level in levels {
        if target.has_failed() {
            return Ok(());
        }
        stream::iter(level)
            .map(|planned| planned.write(copy, target.store))
            .buffer_unordered(MANIFESTS)
            .try_collect::<()>()
            .await?;
        target.count(|content| content.manifests_written += level.len() as u64);
    }
    Ok(())
}
