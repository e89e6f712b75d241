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
use crate::referrers::{Artifact, Error, Listing, Shared, sig_layer, sig_tag};
use crate::signing::{BUNDLE, Claim, Flaw, PREDICATE, PrivateKey, SIMPLE_SIGNING};
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
    shared: Vec<Addition>,
}

/// What was added to a tag, to look whether it is still there.
struct Addition {
    tag: Shared,
    ours: Vec<Value>,
    blobs: Vec<Bytes>,
    seen: Vec<Value>,
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
                    shared: Vec::new(),
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
        let (store, key, digest) = (self.store(), self.signing.key.public(), self.root.digest);
        let bundles = async {
            match self.wants(Form::Bundle) {
                true => beside::bundles(store, key, digest, &[]).await.map(Some),
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
            let checked = beside::legacy(store, key, digest, Some(&image), &[]).await?;
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
            if let Ok(claim) = &checked.result
                && claim.says_as(&self.claim)
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
        let outcome = try_join(self.attach_bundle(), self.attach_legacy()).await;
        let (bundle, legacy) = outcome.map_err(|error| self.failed(error))?;
        for (signed, addition) in [bundle, legacy].into_iter().flatten() {
            let at = signed.at.as_ref().map(ToString::to_string);
            self.context.notices.info(format!(
                "{}: signed {} ({} {})",
                self.destination.place,
                self.root.digest.short(),
                name(signed.form),
                at.unwrap_or_default()
            ));
            self.done.insert(name(signed.form), signed);
            self.shared.extend(addition);
        }
        Ok(())
    }

    async fn attach_bundle(&self) -> Result<Option<(Signed, Option<Addition>)>, Error> {
        if !self.wants(Form::Bundle) {
            return Ok(None);
        }
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
        let artifact = Artifact::new(self.root, BUNDLE, content, annotations.into())
            .expect("what is made here is a manifest");
        let digest = artifact.manifest.digest;
        artifact.write(self.store(), &self.context.notices).await?;
        let addition = match &self.listing {
            Some(Listing::Tag(_)) => {
                let tag = Shared::list(self.root.digest);
                Some(
                    self.add(tag, artifact.descriptor().clone(), Vec::new())
                        .await?
                        .0,
                )
            }
            _ => None,
        };
        let key = self.signing.key.public();
        let found = beside::bundles(self.store(), key, self.root.digest, &self.bundles).await?;
        self.check(digest, found.checked)?;
        let signed = Signed {
            form: Form::Bundle,
            at: Some(Target::Digest(digest)),
            made: true,
        };
        Ok(Some((signed, addition)))
    }

    async fn attach_legacy(&self) -> Result<Option<(Signed, Option<Addition>)>, Error> {
        if !self.wants(Form::Legacy) {
            return Ok(None);
        }
        let made = self.signing.key.sign_detached(&self.claim);
        let digest = Digest::of(&made.payload);
        let signature = made.signature.unwrap_or_default();
        let layer = sig_layer(SIMPLE_SIGNING, &made.payload, &signature);
        let tag = Shared::sig(self.root.digest);
        let (addition, image) = self.add(tag, layer, vec![made.payload.into()]).await?;
        let key = self.signing.key.public();
        let (store, root) = (self.store(), self.root.digest);
        let image = image.map(|image| only(image, digest));
        let checked = beside::legacy(store, key, root, image.as_ref(), &[]).await?;
        self.check(digest, checked)?;
        let signed = Signed {
            form: Form::Legacy,
            at: Some(Target::Tag(sig_tag(root))),
            made: true,
        };
        Ok(Some((signed, Some(addition))))
    }

    async fn add(
        &self,
        tag: Shared,
        ours: Value,
        blobs: Vec<Bytes>,
    ) -> Result<(Addition, Option<Manifest>), Error> {
        let mut addition = Addition {
            tag,
            ours: vec![ours],
            blobs,
            seen: Vec::new(),
        };
        let there = addition.put(self.store(), self.context).await?;
        Ok((addition, there))
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
            Ok(claim) if claim == self.claim => Ok(()),
            other => Err(Error::Changed {
                digest,
                how: other.err().unwrap_or(Flaw::Tampered).to_string(),
            }),
        }
    }

    /// Looks once more at the tags that were added to: a run that read them before us may have
    /// written them after us.
    pub(super) async fn settle(&mut self) -> Result<(), Failure> {
        for addition in &mut self.shared {
            if matches!(self.destination.store, Store::Layout(_)) {
                continue;
            }
            let outcome = addition.put(&self.destination.store, self.context).await;
            if let Err(error) = outcome {
                let place = &self.destination.place;
                return Err(beside::failure(Side::Destination, place, error));
            }
        }
        Ok(())
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
    async fn put(&mut self, store: &Store, context: &Context) -> Result<Option<Manifest>, Error> {
        let Self {
            tag,
            ours,
            blobs,
            seen,
        } = self;
        tag.add(store, ours, blobs, seen, &context.notices).await
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
        let found = beside::all(&destination.store, signing.key.public(), root)
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
