//! Signing: after the root is in place, and before any tag names it.
//!
//! What is there is read before anything is written, so that an equal signature is not made twice.
//! Where a tag that exists has to be added to, that is done before all else: a registry that makes
//! tags immutable refuses it, and then nothing of the release has been written.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::{try_join, try_join_all};
use serde_json::Value;

use super::beside::{self, Checked, Form, PREDICATE_TYPE};
use super::look::Seen;
use super::plan::Plan;
use super::{Change, Context, Destination, Failure};
use crate::image::{Digest, Manifest, Place, Target};
use crate::referrers::{
    Additions, Artifact, Error, Listing, Pair, Shared, sig_layer, sig_tag, signature_over,
};
use crate::signing::{
    BUNDLE, Claim, Detached, Flaw, PREDICATE, PrivateKey, Requirement, SIMPLE_SIGNING,
};
use crate::transfer::{Side, Store};

/// How a release is signed.
#[derive(Debug, Clone)]
pub struct Signing {
    /// With which key.
    pub key: PrivateKey,
    /// In which forms: at least one.
    pub forms: Vec<Form>,
    /// What the signature says beside commit, ref and version.
    pub annotations: BTreeMap<String, String>,
    /// When, as RFC 3339.
    pub created: String,
}

impl Signing {
    /// What a signature made so has to pass.
    fn requirement(&self) -> Requirement {
        Requirement::Key {
            key: self.key.public().clone(),
            log: None,
        }
    }
}

/// What became of one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Its form.
    pub form: Form,
    /// Where it is; none where it is not made yet.
    pub at: Option<Target>,
    /// Whether this run made it, or on a dry run would have.
    pub made: bool,
}

/// The signatures of one destination.
pub(super) struct Work<'a> {
    signing: &'a Signing,
    context: &'a Context,
    destination: &'a Destination,
    root: &'a Manifest,
    claim: Claim,
    listing: Option<Listing>,
    /// The equal signatures that were there or are made, by form.
    done: BTreeMap<&'static str, Signed>,
    /// What was there beforehand, which need not be checked again.
    bundles: Vec<Digest>,
    /// Whether a tag has to be added to.
    changes_tag: bool,
    shared: Option<Addition>,
}

/// What was added to tags, to look whether it is still there.
struct Addition {
    root: Digest,
    /// Whether the list of referrers and the `.sig` image hold each other's members.
    both: bool,
    additions: Additions,
}

/// The work at every destination that has, or is going to have, the root.
pub(super) async fn look<'a>(
    signing: &'a Signing,
    context: &'a Context,
    destinations: &'a [Destination],
    plans: &[Plan],
    root: &'a Manifest,
    facts: &BTreeMap<String, String>,
) -> Result<Vec<Option<Work<'a>>>, Failure> {
    try_join_all(
        destinations
            .iter()
            .zip(plans)
            .map(|(destination, plan)| async {
                let named = |step: &super::Step| step.writes() || step.change == Change::Unchanged;
                if !plan.steps.iter().any(named) {
                    return Ok(None);
                }
                let mut annotations = signing.annotations.clone();
                annotations.extend(facts.clone());
                let mut work = Work {
                    signing,
                    context,
                    destination,
                    root,
                    claim: Claim {
                        repository: claimed(&destination.place),
                        digest: root.digest,
                        annotations,
                    },
                    listing: None,
                    done: BTreeMap::new(),
                    bundles: Vec::new(),
                    changes_tag: false,
                    shared: None,
                };
                work.look().await.map_err(|error| work.failed(error))?;
                Ok(Some(work))
            }),
    )
    .await
}

/// The name that a signature is made for.
fn claimed(place: &Place) -> String {
    match place {
        Place::Registry(repository) => repository.to_string(),
        Place::Layout(path) => {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        }
    }
}

impl Work<'_> {
    /// Whether a tag that is there has to be added to.
    pub(super) fn changes_tag(&self) -> bool {
        self.changes_tag
    }

    fn failed(&self, error: Error) -> Failure {
        beside::failure(Side::Destination, &self.destination.place, error)
    }

    fn store(&self) -> &Store {
        &self.destination.store
    }

    fn wants(&self, form: Form) -> bool {
        self.signing.forms.contains(&form) && !self.done.contains_key(name(form))
    }

    async fn look(&mut self) -> Result<(), Error> {
        let (store, digest) = (self.store(), self.root.digest);
        let requirement = &self.signing.requirement();
        let bundles = async {
            match self.wants(Form::Bundle) {
                true => beside::bundles(store, requirement, digest, &[])
                    .await
                    .map(Some),
                false => Ok(None),
            }
        };
        let sig = async {
            if !self.wants(Form::Legacy) {
                return Ok(None);
            }
            let Some(image) = Shared::sig(digest).read(store).await? else {
                return Ok(None);
            };
            let checked = beside::legacy(store, requirement, digest, Some(&image), &[]).await?;
            Ok(Some(checked))
        };
        let (bundles, sig) = try_join(bundles, sig).await?;
        if let Some(bundles) = bundles {
            self.note(&bundles.checked);
            let listed = matches!(bundles.listing, Listing::Tag(_)) && !bundles.checked.is_empty();
            self.changes_tag |= listed && self.wants(Form::Bundle);
            self.bundles = bundles.checked.iter().map(|known| known.digest).collect();
            self.listing = Some(bundles.listing);
        }
        if let Some(checked) = sig {
            self.note(&checked);
            self.changes_tag |= self.wants(Form::Legacy);
        }
        Ok(())
    }

    /// Keeps the first signature that is equal to ours.
    fn note(&mut self, found: &[Checked]) {
        for checked in found {
            if let Ok(found) = &checked.result
                && found.claim.says_as(&self.claim)
            {
                self.done.entry(name(checked.form)).or_insert(Signed {
                    form: checked.form,
                    at: Some(checked.at.clone()),
                    made: false,
                });
            }
        }
    }

    /// Makes the signatures that are not there, attaches them, reads them back and checks them.
    pub(super) async fn attach(&mut self) -> Result<(), Failure> {
        let made = match self.attached().await {
            Ok(made) => made,
            Err(error) => return Err(self.failed(error)),
        };
        for signed in made {
            let at = signed.at.as_ref().map(ToString::to_string);
            self.context.notices.info(format!(
                "{}: signed {} ({} {})",
                self.destination.place,
                self.root.digest.short(),
                name(signed.form),
                at.unwrap_or_default()
            ));
            self.done.insert(name(signed.form), signed);
        }
        Ok(())
    }

    async fn attached(&mut self) -> Result<Vec<Signed>, Error> {
        let bundle = self.wants(Form::Bundle).then(|| self.bundle());
        let legacy = self.wants(Form::Legacy).then(|| self.legacy());
        if let Some(artifact) = &bundle {
            artifact.write(self.store(), &self.context.notices).await?;
        }
        let listed = bundle
            .as_ref()
            .filter(|_| matches!(self.listing, Some(Listing::Tag(_))));
        let image = self.add(listed, legacy.as_ref()).await?;
        let (bundle, legacy) = try_join(
            self.read_bundle(bundle.as_ref()),
            self.read_legacy(legacy.as_ref(), image),
        )
        .await?;
        Ok([bundle, legacy].into_iter().flatten().collect())
    }

    fn bundle(&self) -> Artifact {
        let annotations = [
            (
                "org.opencontainers.image.created",
                self.signing.created.as_str(),
            ),
            ("dev.sigstore.bundle.content", "dsse-envelope"),
            (PREDICATE_TYPE, PREDICATE),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let content = self.signing.key.sign_bundle(&self.claim);
        Artifact::new(self.root, BUNDLE, content, annotations.into())
            .expect("what is made here is a manifest")
    }

    /// The layer of a legacy signature, and its payload.
    fn legacy(&self) -> (Value, Bytes) {
        let made = self.signing.key.sign_detached(&self.claim);
        let signature = self.begun(&made).or(made.signature);
        let signature = signature.unwrap_or_default();
        let layer = sig_layer(SIMPLE_SIGNING, &made.payload, &signature);
        (layer, made.payload.into())
    }

    /// The equal signature of a run that died before it was in the `.sig` image.
    fn begun(&self, made: &Detached) -> Option<String> {
        let Some(Listing::Tag(beside)) = &self.listing else {
            return None;
        };
        let found = beside
            .iter()
            .filter_map(|layer| signature_over(layer, &made.payload));
        let is_ours = |signature: &String| {
            let signed = Detached {
                signature: Some(signature.clone()),
                ..made.clone()
            };
            let requirement = self.signing.requirement();
            requirement
                .check_detached(&signed, self.root.digest)
                .is_ok()
        };
        found.into_iter().find(is_ours)
    }

    /// Adds to the tags that every run adds to. Returns the `.sig` image where it was one of them.
    async fn add(
        &mut self,
        listed: Option<&Artifact>,
        legacy: Option<&(Value, Bytes)>,
    ) -> Result<Option<Manifest>, Error> {
        let mut additions = Additions::default();
        additions.ours[0].extend(listed.map(|artifact| artifact.descriptor().clone()));
        if let Some((layer, payload)) = legacy {
            additions.ours[1].push(layer.clone());
            additions.blobs[1].push(payload.clone());
        }
        if listed.is_none() && legacy.is_none() {
            return Ok(None);
        }
        let both = matches!(self.listing, Some(Listing::Tag(_)))
            && self.signing.forms.contains(&Form::Legacy);
        let mut shared = Addition {
            root: self.root.digest,
            both,
            additions,
        };
        let image = shared.put(&self.destination.store, self.context).await?;
        self.shared = Some(shared);
        Ok(image)
    }

    async fn read_bundle(&self, artifact: Option<&Artifact>) -> Result<Option<Signed>, Error> {
        let Some(artifact) = artifact else {
            return Ok(None);
        };
        let digest = artifact.manifest.digest;
        let requirement = self.signing.requirement();
        let (store, root) = (self.store(), self.root.digest);
        let found = beside::bundles(store, &requirement, root, &self.bundles).await?;
        self.check(digest, found.checked)?;
        Ok(Some(Signed {
            form: Form::Bundle,
            at: Some(Target::Digest(digest)),
            made: true,
        }))
    }

    async fn read_legacy(
        &self,
        made: Option<&(Value, Bytes)>,
        image: Option<Manifest>,
    ) -> Result<Option<Signed>, Error> {
        let Some((_, payload)) = made else {
            return Ok(None);
        };
        let digest = Digest::of(payload);
        let (store, root) = (self.store(), self.root.digest);
        let image = image.map(|image| only(image, digest));
        let requirement = self.signing.requirement();
        let checked = beside::legacy(store, &requirement, root, image.as_ref(), &[]).await?;
        self.check(digest, checked)?;
        Ok(Some(Signed {
            form: Form::Legacy,
            at: Some(Target::Tag(sig_tag(root))),
            made: true,
        }))
    }

    /// That what was just written is there, and good.
    fn check(&self, digest: Digest, found: Vec<Checked>) -> Result<(), Error> {
        // Another key may have signed the same words.
        let mut ours: Vec<_> = found
            .into_iter()
            .filter(|checked| checked.digest == digest)
            .collect();
        ours.sort_by_key(|checked| checked.result.is_err());
        let missing = Error::Missing {
            what: "signature",
            digest,
        };
        match ours.into_iter().next().ok_or(missing)?.result {
            Ok(found) if found.claim == self.claim => Ok(()),
            other => Err(Error::Changed {
                digest,
                how: other.err().unwrap_or(Flaw::Tampered).to_string(),
            }),
        }
    }

    /// Looks once more at a tag that was added to alone: a run that read it before us may have
    /// written it after us.
    pub(super) async fn settle(&mut self) -> Result<(), Failure> {
        let Destination { place, store } = self.destination;
        match &mut self.shared {
            Some(shared) if !shared.both && matches!(store, Store::Registry(_)) => {
                let outcome = shared.put(store, self.context).await;
                outcome
                    .map(drop)
                    .map_err(|error| beside::failure(Side::Destination, place, error))
            }
            _ => Ok(()),
        }
    }

    /// What became of the signatures.
    pub(super) fn results(&self) -> Vec<Signed> {
        let forms = self.signing.forms.iter();
        forms
            .map(|form| {
                self.done.get(name(*form)).cloned().unwrap_or(Signed {
                    form: *form,
                    at: None,
                    made: true,
                })
            })
            .collect()
    }
}

impl Addition {
    /// Adds what is missing. Returns the `.sig` image.
    async fn put(&mut self, store: &Store, context: &Context) -> Result<Option<Manifest>, Error> {
        let notices = &context.notices;
        if self.both {
            let pair = Pair::of(self.root);
            let [_, sig] = pair.add(store, &mut self.additions, notices).await?;
            return Ok(sig);
        }
        let Additions { ours, blobs, seen } = &mut self.additions;
        let mut last = None;
        for (which, tag) in [Shared::list(self.root), Shared::sig(self.root)]
            .into_iter()
            .enumerate()
        {
            if !ours[which].is_empty() {
                let (ours, blobs) = (&ours[which], &blobs[which]);
                last = tag
                    .add(store, ours, blobs, &mut seen[which], notices)
                    .await?;
            }
        }
        Ok(last)
    }
}

/// The image with one layer alone: the others were looked at before, or are others' affair.
fn only(mut image: Manifest, digest: Digest) -> Manifest {
    if let crate::image::Body::Image { layers, .. } = &mut image.body {
        layers.retain(|layer| layer.digest == digest);
    }
    image
}

fn name(form: Form) -> &'static str {
    match form {
        Form::Bundle => "bundle",
        Form::Legacy => "legacy",
    }
}

/// An image that was there already is only gone on with if this key has signed it: its labels could
/// say anything.
pub(super) async fn require(
    signing: &Signing,
    destinations: &[Destination],
    seen: &[Seen],
    root: Digest,
) -> Result<(), Failure> {
    let there = destinations.iter().zip(seen).filter(|(_, seen)| {
        let mut named = seen.named.values().flatten();
        named.any(|named| *named == root)
    });
    for (destination, _) in there {
        let place = &destination.place;
        let found = beside::all(&destination.store, &signing.requirement(), root)
            .await
            .map_err(|error| beside::failure(Side::Destination, place, error))?;
        if !found.iter().any(|checked| checked.result.is_ok()) {
            return Err(Failure::refused(format!(
                "{place} has the image {root} of the same commit, which is not signed with this key"
            ))
            .why("what is gone on with would be signed, and nothing but its own labels says what it is")
            .hint("sign what is there by promoting it by its digest, or say existing: fail"));
        }
    }
    Ok(())
}
