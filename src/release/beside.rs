//! What signatures an image has, each checked against who has to have made it.

use futures_util::future::try_join3;

use super::Failure;
use crate::image::{Digest, Manifest, Tag, Target};
use crate::referrers::{
    Ending, Error, Found, Listing, Prior, Shared, SigLayer, sig_layers, sig_tag,
};
use crate::signing::{
    AttestationRule, Attested, Detached, Flaw, Opened, PREDICATE, Requirement, Verified,
};
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

impl std::fmt::Display for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Bundle => "bundle",
            Self::Legacy => "legacy",
        })
    }
}

/// One signature, checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// What it stands beside.
    pub of: Digest,
    /// Its form.
    pub form: Form,
    /// Where it is: a bundle's own manifest, or the `.sig` tag.
    pub at: Target,
    /// The digest of what holds it: a bundle's manifest, or a payload.
    pub digest: Digest,
    /// What it says, or why it does not count.
    pub result: Result<Verified, Flaw>,
}

/// One attestation, checked.
#[derive(Debug, Clone)]
pub struct Attestation {
    /// What it stands beside.
    pub of: Digest,
    /// Its form.
    pub form: Form,
    /// Where it is: a bundle's own manifest, or the `.att` tag.
    pub at: Target,
    /// The digest of what holds it: a bundle's manifest, or an envelope.
    pub digest: Digest,
    /// What it says, or why it does not count.
    pub result: Result<Attested, Flaw>,
}

/// What stands beside an image, checked.
#[derive(Default)]
pub(super) struct Everything {
    pub(super) signatures: Vec<Checked>,
    pub(super) attestations: Vec<Attestation>,
}

/// Bundles that were found, by the digests of their manifests, and how they are listed.
pub(super) struct Bundles {
    pub(super) listing: Listing,
    pub(super) opened: Vec<(Digest, Result<Opened, Flaw>)>,
}

/// The bundles about `subject` that may hold a predicate of one of `kinds`.
pub(super) async fn bundles(
    store: &Store,
    prior: &Prior,
    requirement: &Requirement,
    subject: Digest,
    kinds: &[&str],
) -> Result<Bundles, Error> {
    let wanted = (PREDICATE_TYPE, |kind: &str| kinds.contains(&kind));
    let look = |found: Found| {
        let content = found.content.map_err(Flaw::Malformed);
        let open = |content: bytes::Bytes| requirement.open_bundle(&content, subject);
        (found.digest, content.and_then(open))
    };
    let (listing, opened) = Listing::read(store, prior, subject, BUNDLES, wanted, look).await?;
    Ok(Bundles { listing, opened })
}

/// The signatures in a `.sig` image.
pub(super) async fn legacy(
    store: &Store,
    requirement: &Requirement,
    subject: Digest,
    image: Option<&Manifest>,
) -> Result<Vec<Checked>, Error> {
    let tag: Tag = sig_tag(subject);
    let look = |layer: SigLayer| Checked {
        of: subject,
        form: Form::Legacy,
        at: Target::Tag(tag.clone()),
        digest: layer.digest,
        result: detached(&layer).and_then(|signed| requirement.check_detached(&signed, subject)),
    };
    sig_layers(store, image, look).await
}

fn detached(layer: &SigLayer) -> Result<Detached, Flaw> {
    match &layer.payload {
        Ok(payload) => Ok(Detached::of_layer(payload.to_vec(), &layer.annotations)),
        Err(problem) => Err(Flaw::Malformed(problem.clone())),
    }
}

impl Checked {
    fn bundle(of: Digest, digest: Digest, result: Result<Verified, Flaw>) -> Self {
        Self {
            of,
            form: Form::Bundle,
            at: Target::Digest(digest),
            digest,
            result,
        }
    }
}

/// Every signature of `subject`, of both forms.
pub(super) async fn all(
    store: &Store,
    requirement: &Requirement,
    subject: Digest,
) -> Result<Vec<Checked>, Error> {
    let all = everything(store, requirement, subject, &[]).await?;
    Ok(all.signatures)
}

/// Every signature of `subject`, and every attestation that a rule is about, of both forms.
pub(super) async fn everything(
    store: &Store,
    requirement: &Requirement,
    subject: Digest,
    rules: &[&AttestationRule],
) -> Result<Everything, Error> {
    let signatures = async {
        let image = Shared::sig(subject).read(store).await?;
        legacy(store, requirement, subject, image.as_ref()).await
    };
    let (bundles, signatures, attestations) = try_join3(
        said_by_bundles(store, requirement, subject, rules),
        signatures,
        legacy_attestations(store, requirement, subject, rules),
    )
    .await?;
    let mut all = Everything::default();
    for said in bundles {
        match said {
            Said::Signature(checked) => all.signatures.push(checked),
            Said::Attestation(attestation) => all.attestations.push(attestation),
        }
    }
    all.signatures.extend(signatures);
    all.attestations.extend(attestations);
    Ok(all)
}

/// What one bundle turned out to hold.
enum Said {
    Signature(Checked),
    Attestation(Attestation),
}

async fn said_by_bundles(
    store: &Store,
    requirement: &Requirement,
    subject: Digest,
    rules: &[&AttestationRule],
) -> Result<Vec<Said>, Error> {
    let is_asked = |kind: &str| rules.iter().any(|rule| rule.is_about(kind));
    let wanted = |kind: &str| kind == PREDICATE || is_asked(kind);
    let look = |found: Found| {
        let opened = match found.content {
            Ok(content) => requirement.open_bundle(&content, subject),
            Err(problem) => Err(Flaw::Malformed(problem)),
        };
        // What does not hold is sorted by what is written on it.
        let kind = match (&opened, &found.says) {
            (Ok(opened), _) => opened.predicate_type().to_owned(),
            (Err(_), says) => says.clone().unwrap_or_default(),
        };
        if kind == PREDICATE || !is_asked(&kind) {
            let result = opened.and_then(Opened::into_signature);
            return Said::Signature(Checked::bundle(subject, found.digest, result));
        }
        Said::Attestation(Attestation {
            of: subject,
            form: Form::Bundle,
            at: Target::Digest(found.digest),
            digest: found.digest,
            result: opened.and_then(|opened| asked(opened.into_attestation(), rules)),
        })
    };
    let wanted = (PREDICATE_TYPE, wanted);
    Found::everywhere(store, subject, BUNDLES, wanted, look).await
}

/// The attestations in the `.att` image.
async fn legacy_attestations(
    store: &Store,
    requirement: &Requirement,
    subject: Digest,
    rules: &[&AttestationRule],
) -> Result<Vec<Attestation>, Error> {
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let image = Shared::layers(subject, Ending::Att).read(store).await?;
    let found = attested(store, requirement, subject, image.as_ref()).await?;
    let checked = found.into_iter().map(|(digest, attested)| Attestation {
        of: subject,
        form: Form::Legacy,
        at: Target::Tag(Ending::Att.tag(subject)),
        digest,
        result: attested.and_then(|attested| asked(attested, rules)),
    });
    Ok(checked.collect())
}

/// The attestations in an `.att` image, by the digests of their envelopes.
pub(super) async fn attested(
    store: &Store,
    requirement: &Requirement,
    subject: Digest,
    image: Option<&Manifest>,
) -> Result<Vec<(Digest, Result<Attested, Flaw>)>, Error> {
    let look = |layer: SigLayer| {
        let check = |signed: Detached| requirement.check_detached_attestation(&signed, subject);
        (layer.digest, detached(&layer).and_then(check))
    };
    sig_layers(store, image, look).await
}

/// An attestation that a rule accepts, or what the rule about it misses.
fn asked(attested: Attested, rules: &[&AttestationRule]) -> Result<Attested, Flaw> {
    let mut flaw = None;
    let about = |rule: &&&AttestationRule| rule.is_about(&attested.predicate_type);
    for rule in rules.iter().filter(about) {
        match rule.check(&attested) {
            Ok(()) => return Ok(attested),
            Err(missed) => flaw = Some(missed),
        }
    }
    Err(flaw.unwrap_or(Flaw::Attestation(attested.predicate_type)))
}

/// That what stands beside an image cannot be read or added to.
pub(super) fn failure(side: Side, at: &dyn std::fmt::Display, error: Error) -> Failure {
    match error {
        Error::Store(error) => Failure::store(side, at, error),
        Error::Frozen { .. } => Failure::refused(format!("{side} {at}: {error}"))
            .why("the repository makes tags immutable, and signatures are added to this one")
            .hint("exclude tags that match sha256-* from immutability; on a registry with the referrers API signature-format: bundle needs no tag"),
        Error::Foreign { .. } => Failure::service(format!("{side} {at}: {error}"))
            .why("tags of this form are for what says something about an image, and what this one named cannot be told any more")
            .hint("promote the image to there once more from where its signatures are, or sign it there again: either writes the tag anew"),
        error => Failure::service(format!("{side} {at}: {error}")),
    }
}
