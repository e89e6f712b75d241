//! The copy engine: brings a root and everything below it from a source to stores, the root last.
//!
//! Plan, then move: what is missing at the destinations is found out first, many questions at once;
//! then blobs travel, the largest first, each read once for all destinations that lack it, hashed on
//! its way and committed only if its size and digest are right; then manifests, children before
//! parents, as the bytes they came as. No tag is written here.

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
use plan::{Depth, Plan};
use target::Target;

/// Blobs that are asked for or under way at the same time.
const BLOBS: usize = 64;
/// Manifests under way at the same time, to one destination.
const MANIFESTS: usize = 64;

/// A copy of an image to one or more destinations.
pub struct Copy<'a> {
    /// Where the image is.
    pub source: &'a Source,
    /// The image.
    pub root: &'a Manifest,
    /// Where it is to be, each place once.
    pub destinations: Vec<&'a Store>,
    /// What the run knows of blobs.
    pub known: &'a Known,
    /// Where to say what is retried.
    pub notices: &'a Notices,
    /// Counts the bytes of all copies of a run.
    pub meter: &'a Meter,
}

/// Whether the root itself is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    Written,
    Left,
}

impl Copy<'_> {
    /// Copies what is missing. Where it says so, the destination has the root, by digest, and all
    /// below it. The answers are in the order of the destinations.
    ///
    /// # Errors
    /// For each destination by itself: whatever cannot be read, is not what its digest says, or
    /// cannot be written. What was written by then stays and is named by nothing.
    pub async fn run(&self) -> Vec<Result<Content, Error>> {
        self.bring(Root::Written).await
    }

    /// Copies all below the root; the root is for the caller to write, by its tags.
    ///
    /// # Errors
    /// As [`Copy::run`].
    pub async fn run_below(&self) -> Vec<Result<Content, Error>> {
        self.bring(Root::Left).await
    }

    async fn bring(&self, root: Root) -> Vec<Result<Content, Error>> {
        let mut outcomes = self.pass(&self.destinations, root, Depth::Missing).await;
        for (at, outcome) in outcomes.iter_mut().enumerate() {
            // Whoever has a manifest has what it names, unless it says itself that it has not.
            let Err(error) = outcome else { continue };
            if error.is_incomplete() {
                self.notices
                    .warning(format!("{error}; going through the whole image once more"));
                let store = &self.destinations[at..=at];
                let again = self.pass(store, root, Depth::Everything).await;
                *outcome = again.into_iter().next().expect("one store, one outcome");
            }
        }
        outcomes
    }

    async fn pass(
        &self,
        stores: &[&Store],
        root: Root,
        depth: Depth,
    ) -> Vec<Result<Content, Error>> {
        let targets: Vec<Target> = stores.iter().map(|store| Target::new(store)).collect();
        let plans = targets.iter().map(|target| async {
            let plan = plan::missing(self, target.store, depth).await;
            target.take(plan).unwrap_or_default()
        });
        let plans = join_all(plans).await;
        self.place_blobs(&targets, &plans).await;
        let written = targets.iter().zip(&plans).map(|(target, plan)| async {
            target.take(self.write_manifests(target, plan, root).await);
        });
        join_all(written).await;
        let failed = targets.iter().filter(|target| target.has_failed());
        join_all(failed.map(|target| target.store.close_uploads())).await;
        targets.into_iter().map(Target::into_outcome).collect()
    }

    /// The largest blobs are first, so that none of them is left to travel alone at the end.
    async fn place_blobs(&self, targets: &[Target<'_>], plans: &[Plan]) {
        let mut lacking: HashMap<Digest, (&Descriptor, Vec<&Target>)> = HashMap::new();
        for (target, plan) in targets.iter().zip(plans) {
            for blob in plan.blobs.values() {
                self.meter.expect(blob.size);
                let (_, targets) = lacking.entry(blob.digest).or_insert((blob, Vec::new()));
                targets.push(target);
            }
        }
        let mut lacking: Vec<_> = lacking.into_values().collect();
        lacking.sort_by_key(|(blob, _)| (std::cmp::Reverse(blob.size), blob.digest));
        stream::iter(lacking)
            .for_each_concurrent(BLOBS, |(blob, targets)| blob::place(self, blob, targets))
            .await;
    }

    async fn write_manifests(
        &self,
        target: &Target<'_>,
        plan: &Plan,
        root: Root,
    ) -> Result<(), Error> {
        let skipped = usize::from(root == Root::Left);
        for level in plan.levels.iter().skip(skipped).rev() {
            if target.has_failed() {
                return Ok(());
            }
            stream::iter(level)
                .map(|manifest| target.store.put_manifest(manifest))
                .buffer_unordered(MANIFESTS)
                .try_collect::<()>()
                .await?;
            target.count(|content| content.manifests_written += level.len() as u64);
        }
        Ok(())
    }
}
