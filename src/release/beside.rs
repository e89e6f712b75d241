//! What signatures an image has, each checked against who has to have made it.

use futures_util::future::try_join;

use super::Failure;
use crate::image::{Digest, Manifest, Tag, Target};
use crate::referrers::{Error, Found, Listing, Shared, SigImage, sig_tag};
use crate::signing::{Detached, Flaw, PREDICATE, Requirement, Verified};
use crate::transfer::{Side, Store};

/// The annotation that says what a bundle holds.
pub(super) const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";
/// What the types of bundles of all versions begin with.
const BUNDLES: &str = "application/vnd.dev.sigstore.bundle";

/// The two forms of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A bundle, as a referrer.
    Bundle,
    /// A layer of the image under the tag `sha256-<hex>.sig`.
    Legacy,
}

/// One signature, checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// Its form.
    pub form: Form,
    /// Where it is: a bundle's own manifest, or the `.sig` tag.
    pub at: Target,
    /// The digest of what holds it: a bundle's manifest, or a payload.
    pub digest: Digest,
    /// What it says, or why it does not count.
    pub result: Result<Verified, Flaw>,
}

/// Bundles that were found, and how they are listed.
pub(super) struct Bundles {
    pub(super) listing: Listing,
    pub(super) checked: Vec<Checked>,
}

/// The bundles about `subject`, apart from those in `known`.
pub(super) async fn bundles(
    store: &Store,
    requirement: &Requirement,
    subject: Digest,
    known: &[Digest],
) -> Result<Bundles, Error> {
    let apart = (PREDICATE_TYPE, PREDICATE);
    let (listing, found) = Listing::read(store, subject, BUNDLES, apart, known).await?;
    let checked = found
        .into_iter()
        .map(|found| bundle(requirement, subject, found));
    Ok(Bundles {
        listing,
        checked: checked.collect(),
    })
}

/// One bundle about `subject`.
pub(super) fn bundle(requirement: &Requirement, subject: Digest, found: Found) -> Checked {
    Checked {
        form: Form::Bundle,
        at: Target::Digest(found.digest),
        digest: found.digest,
        result: match found.content {
            Ok(content) => requirement.check_bundle(&content, subject),
            Err(problem) => Err(Flaw::Malformed(problem)),
        },
    }
}

/// The signatures in a `.sig` image, apart from those in `known`.
pub(super) async fn legacy(
    store: &Store,
    requirement: &Requirement,
    subject: Digest,
    image: Option<&Manifest>,
    known: &[(Digest, Option<String>)],
) -> Result<Vec<Checked>, Error> {
    let tag: Tag = sig_tag(subject);
    let image = SigImage::read(store, image, known).await?;
    let checked = image.layers.into_iter().map(|layer| Checked {
        form: Form::Legacy,
        at: Target::Tag(tag.clone()),
        digest: layer.digest,
        result: match layer.payload {
            Ok(payload) => {
                let signed = Detached::of_layer(payload.to_vec(), &layer.annotations);
                requirement.check_detached(&signed, subject)
            }
            Err(problem) => Err(Flaw::Malformed(problem)),
        },
    });
    Ok(checked.collect())
}

/// Every signature of `subject`, of both forms.
pub(super) async fn all(
    store: &Store,
    requirement: &Requirement,
    subject: Digest,
) -> Result<Vec<Checked>, Error> {
    let sig = Shared::sig(subject);
    let legacy = async {
        let image = sig.read(store).await?;
        legacy(store, requirement, subject, image.as_ref(), &[]).await
    };
    let (bundles, legacy) = try_join(bundles(store, requirement, subject, &[]), legacy).await?;
    Ok(bundles.checked.into_iter().chain(legacy).collect())
}

/// That what stands beside an image cannot be read or added to.
pub(super) fn failure(side: Side, at: &dyn std::fmt::Display, error: Error) -> Failure {
    match error {
        Error::Store(error) => Failure::store(side, at, error),
        Error::Frozen { .. } => Failure::refused(format!("{side} {at}: {error}"))
            .why("the repository makes tags immutable, and signatures are added to this one")
            .hint("exclude tags that match sha256-* from immutability; on a registry with the referrers API signature-format: bundle needs no tag"),
        error => Failure::service(format!("{side} {at}: {error}")),
    }
}
