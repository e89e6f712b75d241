//! What is written before any tag: the image, what stands beside it, and its signatures, in the order of
//! promise 2 of the design. All blobs go side by side; then the manifests below the root, then the root,
//! then all that is about it, then what lists that. What was copied and what is made here may add to the
//! same tags, so there the one comes after the other.

use futures_util::future::{try_join, try_join_all, try_join3};

use super::{Destination, Failure, Prepared, carry, sign, transfer};
use crate::referrers::Travelled;
use crate::transfer::Content;
use sign::Signed;

/// What a destination was brought.
pub(super) struct Brought {
    pub(super) content: Content,
    pub(super) beside: Travelled,
    pub(super) signatures: Vec<Signed>,
}

/// What is missing at the destinations.
pub(super) struct Ahead<'a> {
    destinations: &'a [Destination],
    image: transfer::Work<'a>,
    beside: Vec<Option<carry::Work<'a>>>,
    signatures: Vec<Vec<sign::Work<'a>>>,
}

impl<'a> Ahead<'a> {
    /// Looks at all of it at once.
    pub(super) async fn look(prepared: &'a Prepared<'_>) -> Result<Self, Failure> {
        let (image, beside, signatures) = try_join3(
            transfer::look(prepared),
            carry::look(prepared),
            sign::look(prepared),
        )
        .await?;
        Ok(Self {
            destinations: &prepared.destinations,
            image,
            beside,
            signatures,
        })
    }

    /// Whether nothing but the image may be missing.
    pub(super) fn is_image_alone(&self) -> bool {
        let mut signatures = self.signatures.iter().flatten();
        self.is_carried() && signatures.all(sign::Work::is_done)
    }

    fn is_carried(&self) -> bool {
        self.beside.iter().flatten().all(carry::Work::is_done)
    }

    /// What a tag has to be added to for that is there. A registry that makes tags immutable refuses
    /// it: then nothing of the release has been written.
    pub(super) async fn add_to_tags(&mut self) -> Result<(), Failure> {
        let each = self.beside.iter_mut().zip(&mut self.signatures);
        let added = each.map(|(beside, signatures)| async move {
            let mut after = false;
            if let Some(beside) = beside {
                beside.add_to_tags().await?;
                after = beside.adds_to_tags();
            }
            let to_tags = signatures.iter_mut().filter(|work| work.changes_tag());
            try_join_all(to_tags.map(|work| work.attach(after))).await
        });
        try_join_all(added).await.map(drop)
    }

    /// Brings all blobs.
    pub(super) async fn blobs(&mut self) -> Result<(), Failure> {
        let beside = self.beside.iter_mut().flatten();
        let signatures = self.signatures.iter_mut().flatten();
        try_join3(
            self.image.blobs(),
            try_join_all(beside.map(|work| work.blobs())),
            try_join_all(signatures.map(|work| work.blobs(Some(&self.image)))),
        )
        .await?;
        Ok(())
    }

    /// Writes the image's manifests below its root.
    pub(super) async fn below(&mut self) -> Result<(), Failure> {
        for destination in self.destinations {
            destination.store.holds_something();
        }
        self.image.below().await
    }

    /// Writes the root.
    pub(super) async fn root(&mut self) -> Result<(), Failure> {
        self.image.root().await
    }

    /// Counts the root where tags have brought it.
    pub(super) fn count_roots(&self) {
        self.image.count_roots();
    }

    /// Writes the manifests of what is beside the root, which is there.
    pub(super) async fn beside(&mut self) -> Result<(), Failure> {
        let beside = self.beside.iter_mut().flatten();
        let signatures = self.signatures.iter_mut().flatten();
        try_join(
            try_join_all(beside.map(carry::Work::manifests)),
            try_join_all(signatures.map(sign::Work::manifests)),
        )
        .await?;
        Ok(())
    }

    /// Has the destinations list what is beside the root.
    pub(super) async fn lists(&mut self) -> Result<(), Failure> {
        let each = self.beside.iter_mut().zip(&mut self.signatures);
        let lists = each.map(|(beside, signatures)| async move {
            let mut after = false;
            if let Some(beside) = beside {
                beside.lists().await?;
                after = beside.adds_to_tags();
            }
            let lists = signatures.iter_mut().map(|work| work.lists(after));
            try_join_all(lists).await.map(drop)
        });
        try_join_all(lists).await.map(drop)
    }

    /// Looks once more at the tags that other runs add to as well.
    pub(super) async fn settle(&mut self) -> Result<(), Failure> {
        let each = self.beside.iter_mut().zip(&mut self.signatures);
        let settled = each.map(|(beside, signatures)| async move {
            if let Some(beside) = beside {
                beside.settle().await?;
            }
            try_join_all(signatures.iter_mut().map(sign::Work::settle)).await
        });
        try_join_all(settled).await.map(drop)
    }

    /// What came of it at each destination; before it is written, what is to come.
    pub(super) fn brought(&self) -> Vec<Brought> {
        let content = self.image.content().into_iter();
        let each = content.zip(&self.beside).zip(&self.signatures);
        let each = each.map(|((content, beside), signatures)| Brought {
            content,
            beside: beside
                .as_ref()
                .map(carry::Work::travelled)
                .unwrap_or_default(),
            signatures: signatures.iter().flat_map(sign::Work::results).collect(),
        });
        each.collect()
    }
}
