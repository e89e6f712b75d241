//! What is signed and attested of one manifest at one destination.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::{try_join, try_join_all};
use serde_json::Value;

use super::said::{Content, Said, changed};
use super::{Signed, Signing};
use crate::image::{Body, Descriptor, Digest, Manifest, Target};
use crate::notice::Notices;
use crate::referrers::{
    Additions, Artifact, Error, Listing, Pair, Shared, annotations_over, att_tag, sig_layer,
    sig_tag,
};
use crate::registry::Client;
use crate::release::beside::{self, Bundles, Form, PREDICATE_TYPE};
use crate::release::{Context, Destination, Failure};
use crate::signing::{BUNDLE, Detached, ENVELOPE, Flaw, Requirement, SIMPLE_SIGNING, Signer};
use crate::transfer::{Side, Store};

/// How often what was written is looked for where other runs write too.
const READS: usize = 3;

/// The work on one manifest.
pub(in super::super) struct Work<'a> {
    pub(super) signing: &'a Signing,
    pub(super) context: &'a Context,
    pub(super) destination: &'a Destination,
    /// What is signed.
    pub(super) subject: Descriptor,
    /// What has to hold of what is made.
    pub(super) requirement: Requirement,
    items: Vec<Item>,
    listing: Option<Listing>,
    /// The bundles that were there beforehand, which need not be checked again.
    known: Vec<Digest>,
    /// Which of the tags that every run adds to are there.
    there: Vec<Shelf>,
    shared: Option<Addition>,
}

/// Something that is to be said, and in which forms it is.
struct Item {
    said: Said,
    done: Vec<Signed>,
}

/// Where what is made is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shelf {
    /// The list of referrers.
    List,
    /// The `.sig` image.
    Signatures,
    /// The `.att` image.
    Attestations,
}

/// What making and checking go by.
pub(super) struct Making<'a> {
    pub(super) registry: &'a Client,
    pub(super) notices: &'a Notices,
    pub(super) signer: &'a Signer,
    pub(super) requirement: &'a Requirement,
    pub(super) image: Digest,
}

/// What was made, and is not written yet.
struct Made {
    /// Which of the items it says.
    item: usize,
    form: Form,
    part: Part,
}

enum Part {
    Artifact(Box<Artifact>),
    Layer { value: Value, payload: Bytes },
}

/// What was added to tags, to look whether it is still there.
struct Addition {
    root: Digest,
    /// Whether the list of referrers and the `.sig` image hold each other's members.
    both: bool,
    additions: Additions,
    attestations: Attestations,
}

/// What is added to the `.att` image.
#[derive(Default)]
struct Attestations {
    ours: Vec<Value>,
    blobs: Vec<Bytes>,
    seen: Vec<Value>,
}

/// The images under the tags that were added to.
#[derive(Default)]
struct Images {
    signatures: Option<Manifest>,
    attestations: Option<Manifest>,
}

impl<'a> Work<'a> {
    /// The work, with what is there already.
    pub(super) async fn look(
        signing: &'a Signing,
        context: &'a Context,
        destination: &'a Destination,
        subject: Descriptor,
        requirement: Requirement,
        said: Vec<Said>,
    ) -> Result<Self, Failure> {
        let items = said.into_iter().map(|said| Item {
            said,
            done: Vec::new(),
        });
        let mut work = Self {
            signing,
            context,
            destination,
            subject,
            requirement,
            items: items.collect(),
            listing: None,
            known: Vec::new(),
            there: Vec::new(),
            shared: None,
        };
        let looked = work.look_beside().await;
        looked.map_err(|error| work.failed(error))?;
        Ok(work)
    }

    /// Whether a tag that is there has to be added to.
    pub(in super::super) fn changes_tag(&self) -> bool {
        let wanted = self.wanted();
        let mut shelves = wanted.iter().map(|(item, form)| self.shelf(*item, *form));
        shelves.any(|shelf| self.there.contains(&shelf))
    }

    fn failed(&self, error: Error) -> Failure {
        beside::failure(Side::Destination, &self.destination.place, error)
    }

    fn store(&self) -> &Store {
        &self.destination.store
    }

    fn making(&self) -> Making<'_> {
        Making {
            registry: &self.context.registry,
            notices: &self.context.notices,
            signer: &self.signing.signer,
            requirement: &self.requirement,
            image: self.subject.digest,
        }
    }

    /// The items that are not there yet, by their place, and in which form.
    fn wanted(&self) -> Vec<(usize, Form)> {
        let is_done = |item: &Item, form| item.done.iter().any(|signed| signed.form == form);
        let each = self.items.iter().enumerate().flat_map(|(at, item)| {
            let forms = self.signing.forms.iter().copied();
            let missing = forms.filter(move |form| !is_done(item, *form));
            missing.map(move |form| (at, form))
        });
        each.collect()
    }

    fn shelf(&self, item: usize, form: Form) -> Shelf {
        match (form, self.items[item].said.attests()) {
            (Form::Bundle, _) => Shelf::List,
            (Form::Legacy, None) => Shelf::Signatures,
            (Form::Legacy, Some(_)) => Shelf::Attestations,
        }
    }

    fn attests(&self) -> bool {
        self.items.iter().any(|item| item.said.attests().is_some())
    }

    async fn look_beside(&mut self) -> Result<(), Error> {
        let forms = &self.signing.forms;
        let (store, subject) = (self.store(), self.subject.digest);
        let bundles = async {
            match forms.contains(&Form::Bundle) {
                true => self.bundles(&[]).await.map(Some),
                false => Ok(None),
            }
        };
        let images = async {
            if !forms.contains(&Form::Legacy) {
                return Ok(Images::default());
            }
            let signatures = Shared::sig(subject);
            let attestations = async {
                match self.attests() {
                    true => Shared::att(subject).read(store).await,
                    false => Ok(None),
                }
            };
            let (signatures, attestations) = try_join(signatures.read(store), attestations).await?;
            Ok::<_, Error>(Images {
                signatures,
                attestations,
            })
        };
        let (bundles, images) = try_join(bundles, images).await?;
        if let Some(bundles) = bundles {
            self.note_bundles(bundles);
        }
        self.note_layers(&images).await
    }

    async fn bundles(&self, known: &[Digest]) -> Result<Bundles, Error> {
        let kinds: Vec<&str> = self.items.iter().map(|item| item.said.kind()).collect();
        let subject = self.subject.digest;
        beside::bundles(self.store(), &self.requirement, subject, &kinds, known).await
    }

    /// Keeps the first bundle that is equal to each of ours.
    fn note_bundles(&mut self, bundles: Bundles) {
        if matches!(bundles.listing, Listing::Tag(_)) && !bundles.opened.is_empty() {
            self.there.push(Shelf::List);
        }
        self.known = bundles.opened.iter().map(|(digest, _)| *digest).collect();
        self.listing = Some(bundles.listing);
        for (digest, opened) in bundles.opened {
            let Ok(opened) = opened else { continue };
            let at = Target::Digest(digest);
            self.note(Form::Bundle, &at, |said| said.is_said_by(&opened));
        }
    }

    async fn note_layers(&mut self, images: &Images) -> Result<(), Error> {
        let (store, subject) = (self.store(), self.subject.digest);
        let requirement = &self.requirement;
        let (signatures, attestations) = try_join(
            beside::legacy(store, requirement, subject, images.signatures.as_ref(), &[]),
            beside::attested(store, requirement, subject, images.attestations.as_ref()),
        )
        .await?;
        let shelves = [
            (&images.signatures, Shelf::Signatures),
            (&images.attestations, Shelf::Attestations),
        ];
        let there = shelves.into_iter().filter(|(image, _)| image.is_some());
        self.there.extend(there.map(|(_, shelf)| shelf));
        for found in signatures
            .iter()
            .filter_map(|found| found.result.as_ref().ok())
        {
            let at = Target::Tag(sig_tag(subject));
            self.note(Form::Legacy, &at, |said| said.is_signed_by(found));
        }
        for found in attestations
            .iter()
            .filter_map(|(_, found)| found.as_ref().ok())
        {
            let at = Target::Tag(att_tag(subject));
            self.note(Form::Legacy, &at, |said| said.is_attested_by(found));
        }
        Ok(())
    }

    fn note(&mut self, form: Form, at: &Target, is_it: impl Fn(&Said) -> bool) {
        for item in 0..self.items.len() {
            let is_done = self.items[item]
                .done
                .iter()
                .any(|signed| signed.form == form);
            if !is_done && is_it(&self.items[item].said) {
                let signed = self.signed(item, form, Some(at.clone()), false);
                self.items[item].done.push(signed);
            }
        }
    }

    fn signed(&self, item: usize, form: Form, at: Option<Target>, made: bool) -> Signed {
        Signed {
            of: self.subject.digest,
            attests: self.items[item].said.attests(),
            form,
            at,
            made,
        }
    }

    /// Makes what is not there, attaches it, reads it back and checks it.
    pub(in super::super) async fn attach(&mut self) -> Result<(), Failure> {
        let made = self.make().await?;
        self.write(&made)
            .await
            .map_err(|error| self.failed(error))?;
        for Made { item, form, part } in made {
            let at = match (&part, self.shelf(item, form)) {
                (Part::Artifact(artifact), _) => Target::Digest(artifact.manifest.digest),
                (_, Shelf::Attestations) => Target::Tag(att_tag(self.subject.digest)),
                _ => Target::Tag(sig_tag(self.subject.digest)),
            };
            let signed = self.signed(item, form, Some(at), true);
            self.say(&signed);
            self.items[item].done.push(signed);
        }
        Ok(())
    }

    fn say(&self, signed: &Signed) {
        let what = match signed.attests {
            Some(kind) => format!("attested {kind} of"),
            None => "signed".to_owned(),
        };
        let at = signed.at.as_ref().map(ToString::to_string);
        self.context.notices.info(format!(
            "{}: {what} {} ({} {})",
            self.destination.place,
            self.subject.digest.short(),
            signed.form,
            at.unwrap_or_default()
        ));
    }

    /// What is not there yet: good, before anything of it is written.
    async fn make(&self) -> Result<Vec<Made>, Failure> {
        let making = &self.making();
        let each = self.wanted().into_iter().map(|(item, form)| async move {
            let said = &self.items[item].said;
            let content = match self.begun(said, form) {
                Some(begun) => Content::Layer(begun),
                None => said.make(making, form).await?,
            };
            Ok(Made {
                item,
                form,
                part: self.part(said, content),
            })
        });
        try_join_all(each).await
    }

    /// The equal signature of a run that died before it was in the `.sig` image.
    fn begun(&self, said: &Said, form: Form) -> Option<Detached> {
        let (Some(Listing::Tag(beside)), Said::Signature(claim), Form::Legacy) =
            (&self.listing, said, form)
        else {
            return None;
        };
        let payload = claim.payload();
        beside
            .iter()
            .filter_map(|layer| annotations_over(layer, &payload))
            .map(|annotations| Detached::of_layer(payload.clone(), &annotations))
            .find(|begun| {
                said.check(&self.making(), &Content::Layer(begun.clone()))
                    .is_ok()
            })
    }

    fn part(&self, said: &Said, content: Content) -> Part {
        let layer = match content {
            Content::Bundle(bundle) => {
                return Part::Artifact(Box::new(self.artifact(said, bundle)));
            }
            Content::Layer(layer) => layer,
        };
        let mut annotations = layer.annotations();
        let media_type = match said.attests() {
            None => SIMPLE_SIGNING,
            Some(kind) => {
                annotations.insert("predicateType", kind);
                ENVELOPE
            }
        };
        Part::Layer {
            value: sig_layer(media_type, &layer.payload, &annotations),
            payload: layer.payload.clone().into(),
        }
    }

    fn artifact(&self, said: &Said, bundle: Vec<u8>) -> Artifact {
        let annotations: BTreeMap<_, _> = [
            (
                "org.opencontainers.image.created",
                self.signing.created.as_str(),
            ),
            ("dev.sigstore.bundle.content", "dsse-envelope"),
            (PREDICATE_TYPE, said.kind()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        Artifact::new(&self.subject, BUNDLE, bundle, annotations)
            .expect("what is made here is a manifest")
    }

    async fn write(&mut self, made: &[Made]) -> Result<(), Error> {
        let notices = &self.context.notices;
        let artifacts = made.iter().filter_map(|made| match &made.part {
            Part::Artifact(artifact) => Some(artifact),
            Part::Layer { .. } => None,
        });
        try_join_all(
            artifacts
                .clone()
                .map(|artifact| artifact.write(self.store(), notices)),
        )
        .await?;
        let is_listed = matches!(self.listing, Some(Listing::Tag(_)));
        let listed = artifacts.filter(|_| is_listed);
        let listed = listed
            .map(|artifact| artifact.descriptor().clone())
            .collect();
        let mut images = self.add(made, listed).await?;
        for _ in 0..READS {
            match try_join(self.read_bundles(made), self.read_layers(made, images)).await {
                // A write of another run was under way; what it took away is put back.
                Err(Error::Missing { .. }) if is_listed => images = self.put().await?,
                outcome => return outcome.map(drop),
            }
        }
        try_join(self.read_bundles(made), self.read_layers(made, images)).await?;
        Ok(())
    }

    /// Adds once more what is missing of what was added.
    async fn put(&mut self) -> Result<Images, Error> {
        match &mut self.shared {
            Some(shared) => shared.put(&self.destination.store, self.context).await,
            None => Ok(Images::default()),
        }
    }

    /// Adds to the tags that every run adds to.
    async fn add(&mut self, made: &[Made], listed: Vec<Value>) -> Result<Images, Error> {
        let mut additions = Additions::default();
        let mut attestations = Attestations::default();
        additions.ours[0] = listed;
        for Made { item, form, part } in made {
            let Part::Layer { value, payload } = part else {
                continue;
            };
            let (ours, blobs) = match self.shelf(*item, *form) {
                Shelf::Attestations => (&mut attestations.ours, &mut attestations.blobs),
                _ => (&mut additions.ours[1], &mut additions.blobs[1]),
            };
            ours.push(value.clone());
            blobs.push(payload.clone());
        }
        let both = matches!(self.listing, Some(Listing::Tag(_)))
            && self.signing.forms.contains(&Form::Legacy);
        let mut shared = Addition {
            root: self.subject.digest,
            both,
            additions,
            attestations,
        };
        let images = shared.put(self.store(), self.context).await?;
        self.shared = Some(shared);
        Ok(images)
    }

    /// That the bundles that were just written are listed, and good.
    async fn read_bundles(&self, made: &[Made]) -> Result<(), Error> {
        let ours = made.iter().filter_map(|made| match &made.part {
            Part::Artifact(artifact) => Some((artifact.manifest.digest, made.item)),
            Part::Layer { .. } => None,
        });
        let ours: Vec<_> = ours.collect();
        if ours.is_empty() {
            return Ok(());
        }
        let found = self.bundles(&self.known).await?.opened;
        for (digest, item) in ours {
            let opened = found.iter().find(|(found, _)| *found == digest);
            let (_, opened) = opened.ok_or(missing(digest))?;
            let opened = opened.as_ref().map_err(|flaw| changed(digest, flaw))?;
            if !self.items[item].said.is_said_by(opened) {
                return Err(changed(digest, &Flaw::Tampered));
            }
        }
        Ok(())
    }

    /// That the layers that were just written are there, and good.
    async fn read_layers(&self, made: &[Made], images: Images) -> Result<(), Error> {
        let (store, subject) = (self.store(), self.subject.digest);
        let layers = made.iter().filter_map(|made| match &made.part {
            Part::Layer { payload, .. } => Some((Digest::of(payload), made.item)),
            Part::Artifact(_) => None,
        });
        let layers: Vec<_> = layers.collect();
        let ours: Vec<Digest> = layers.iter().map(|(digest, _)| *digest).collect();
        let signatures = images.signatures.map(|image| only(image, &ours));
        let attestations = images.attestations.map(|image| only(image, &ours));
        let requirement = &self.requirement;
        let (signatures, attestations) = try_join(
            beside::legacy(store, requirement, subject, signatures.as_ref(), &[]),
            beside::attested(store, requirement, subject, attestations.as_ref()),
        )
        .await?;
        for (digest, item) in layers {
            let said = &self.items[item].said;
            let signed = signatures.iter().filter(|found| found.digest == digest);
            let signed = signed.map(|found| match &found.result {
                Ok(found) => Ok(said.is_signed_by(found)),
                Err(flaw) => Err(flaw.clone()),
            });
            let attested = attestations.iter().filter(|(found, _)| *found == digest);
            let attested = attested.map(|(_, found)| match found {
                Ok(found) => Ok(said.is_attested_by(found)),
                Err(flaw) => Err(flaw.clone()),
            });
            // Another key may have signed the same words.
            let results: Vec<_> = signed.chain(attested).collect();
            if results.contains(&Ok(true)) {
                continue;
            }
            return Err(match results.into_iter().next() {
                None => missing(digest),
                Some(result) => changed(digest, &result.err().unwrap_or(Flaw::Tampered)),
            });
        }
        Ok(())
    }

    /// Looks once more at a tag that was added to alone: a run that read it before us may have
    /// written it after us.
    pub(in super::super) async fn settle(&mut self) -> Result<(), Failure> {
        let Destination { place, store } = self.destination;
        match &mut self.shared {
            Some(shared) if matches!(store, Store::Registry(_)) => {
                let outcome = shared.settle(store, self.context).await;
                outcome.map_err(|error| beside::failure(Side::Destination, place, error))
            }
            _ => Ok(()),
        }
    }

    /// What became of all that is to be said.
    pub(in super::super) fn results(&self) -> Vec<Signed> {
        let each = self.items.iter().enumerate().flat_map(|(at, item)| {
            self.signing.forms.iter().map(move |form| {
                let done = item.done.iter().find(|signed| signed.form == *form);
                done.cloned()
                    .unwrap_or_else(|| self.signed(at, *form, None, true))
            })
        });
        each.collect()
    }
}

fn missing(digest: Digest) -> Error {
    Error::Missing {
        what: "signature",
        digest,
    }
}

impl Addition {
    /// Adds what is missing.
    async fn put(&mut self, store: &Store, context: &Context) -> Result<Images, Error> {
        let signatures = match self.both && !self.additions.is_empty() {
            true => {
                let pair = Pair::of(self.root);
                let [_, sig] = pair
                    .add(store, &mut self.additions, &context.notices)
                    .await?;
                sig
            }
            false => self.put_each(store, context).await?,
        };
        Ok(Images {
            signatures,
            attestations: self.put_attestations(store, context).await?,
        })
    }

    /// Adds to the list and to the `.sig` image, each for itself. Returns the latter.
    async fn put_each(
        &mut self,
        store: &Store,
        context: &Context,
    ) -> Result<Option<Manifest>, Error> {
        let Additions { ours, blobs, seen } = &mut self.additions;
        let mut last = None;
        for (which, tag) in [Shared::list(self.root), Shared::sig(self.root)]
            .into_iter()
            .enumerate()
        {
            if !ours[which].is_empty() {
                let (ours, blobs) = (&ours[which], &blobs[which]);
                last = tag
                    .add(store, ours, blobs, &mut seen[which], &context.notices)
                    .await?;
            }
        }
        Ok(last)
    }

    async fn put_attestations(
        &mut self,
        store: &Store,
        context: &Context,
    ) -> Result<Option<Manifest>, Error> {
        let Attestations { ours, blobs, seen } = &mut self.attestations;
        if ours.is_empty() {
            return Ok(None);
        }
        let tag = Shared::att(self.root);
        tag.add(store, ours, blobs, seen, &context.notices).await
    }

    async fn settle(&mut self, store: &Store, context: &Context) -> Result<(), Error> {
        if !self.both {
            self.put_each(store, context).await?;
        }
        self.put_attestations(store, context).await.map(drop)
    }
}

/// The image with these layers alone: the others were looked at before, or are others' affair.
fn only(mut image: Manifest, digests: &[Digest]) -> Manifest {
    if let Body::Image { layers, .. } = &mut image.body {
        layers.retain(|layer| digests.contains(&layer.digest));
    }
    image
}
