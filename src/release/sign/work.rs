//! What is signed and attested of one manifest at one destination.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::{try_join, try_join_all};
use serde_json::Value;
use url::Url;

use super::said::{Content, Said, changed};
use super::{Signed, Signing};
use crate::github::UploadError;
use crate::image::{Body, Descriptor, Digest, Manifest, Target};
use crate::notice::Notices;
use crate::referrers::{
    Additions, Artifact, Ending, Error, Listing, Pair, Shared, annotations_over, sig_layer, sig_tag,
};
use crate::registry::Client;
use crate::release::beside::{self, Bundles, Form, PREDICATE_TYPE};
use crate::release::{Context, Destination, Failure};
use crate::signing::{BUNDLE, Detached, ENVELOPE, Flaw, Requirement, SIMPLE_SIGNING, Signer};
use crate::transfer::{Side, Store};

/// What is asked for.
pub(super) struct Asked<'a> {
    pub(super) signing: &'a Signing,
    /// What has to hold of what is made.
    pub(super) requirement: Requirement,
    /// What is signed.
    pub(super) subject: Descriptor,
    /// Whether tags are written after this.
    pub(super) tags_follow: bool,
}

/// The work on one manifest.
pub(in super::super) struct Work<'a> {
    asked: Asked<'a>,
    context: &'a Context,
    destination: &'a Destination,
    items: Vec<Item>,
    listing: Option<Listing>,
    /// The `.sig` image that was there.
    sig: Option<Manifest>,
    /// Which of the tags that every run adds to are there.
    there: Vec<Shelf>,
    /// Whether those are as they were looked at, as far as this run is concerned.
    fresh: bool,
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
        asked: Asked<'a>,
        context: &'a Context,
        destination: &'a Destination,
        said: Vec<Said>,
    ) -> Result<Self, Failure> {
        let items = said.into_iter().map(|said| Item {
            said,
            done: Vec::new(),
        });
        let mut work = Self {
            asked,
            context,
            destination,
            items: items.collect(),
            listing: None,
            sig: None,
            there: Vec::new(),
            fresh: true,
            shared: None,
        };
        let looked = work.look_beside().await;
        looked.map_err(|error| work.failed(error))?;
        Ok(work)
    }

    /// Notes that this run writes to the same tags before.
    pub(in super::super) fn comes_after_others(&mut self) {
        self.fresh = false;
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
            signer: &self.asked.signing.signer,
            requirement: &self.asked.requirement,
            image: self.asked.subject.digest,
        }
    }

    /// The items that are not there yet, by their place, and in which form.
    fn wanted(&self) -> Vec<(usize, Form)> {
        let is_done = |item: &Item, form| item.done.iter().any(|signed| signed.form == form);
        let each = self.items.iter().enumerate().flat_map(|(at, item)| {
            let forms = self.asked.signing.forms.iter().copied();
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
        let forms = &self.asked.signing.forms;
        let (store, subject) = (self.store(), self.asked.subject.digest);
        let kinds: Vec<&str> = self.items.iter().map(|item| item.said.kind()).collect();
        let bundles = async {
            match forms.contains(&Form::Bundle) {
                true => beside::bundles(store, &self.asked.requirement, subject, &kinds)
                    .await
                    .map(Some),
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
                    true => Shared::layers(subject, Ending::Att).read(store).await,
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
        self.note_layers(&images).await?;
        self.sig = images.signatures;
        Ok(())
    }

    /// Keeps the first bundle that is equal to each of ours.
    fn note_bundles(&mut self, bundles: Bundles) {
        if matches!(bundles.listing, Listing::Tag(_)) && !bundles.opened.is_empty() {
            self.there.push(Shelf::List);
        }
        self.listing = Some(bundles.listing);
        for (digest, opened) in bundles.opened {
            let Ok(opened) = opened else { continue };
            let at = Target::Digest(digest);
            self.note(Form::Bundle, &at, |said| said.is_said_by(&opened));
        }
    }

    async fn note_layers(&mut self, images: &Images) -> Result<(), Error> {
        let (store, subject) = (self.store(), self.asked.subject.digest);
        let requirement = &self.asked.requirement;
        let (signatures, attestations) = try_join(
            beside::legacy(store, requirement, subject, images.signatures.as_ref()),
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
            let at = Target::Tag(Ending::Att.tag(subject));
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
            of: self.asked.subject.digest,
            attests: self.items[item].said.attests(),
            form,
            at,
            shown: None,
            made,
        }
    }

    /// Makes what is not there, attaches it, reads it back and checks it. What GitHub is to keep goes
    /// there first: a run that dies in between finds nothing here, and makes it again.
    pub(in super::super) async fn attach(&mut self) -> Result<(), Failure> {
        let made = self.make().await?;
        let shown = self.upload(&made).await?;
        self.write(&made)
            .await
            .map_err(|error| self.failed(error))?;
        for (Made { item, form, part }, shown) in made.into_iter().zip(shown) {
            let at = match (&part, self.shelf(item, form)) {
                (Part::Artifact(artifact), _) => Target::Digest(artifact.manifest.digest),
                (_, Shelf::Attestations) => Target::Tag(Ending::Att.tag(self.asked.subject.digest)),
                _ => Target::Tag(sig_tag(self.asked.subject.digest)),
            };
            let signed = Signed {
                shown,
                ..self.signed(item, form, Some(at), true)
            };
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
            self.asked.subject.digest.short(),
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
        let (Said::Signature(claim), Form::Legacy) = (said, form) else {
            return None;
        };
        let beside = self.listing.as_ref()?.beside();
        let payload = claim.payload();
        beside
            .iter()
            .filter_map(|layer| annotations_over(layer, &payload))
            .map(|annotations| Detached::of_layer(payload.clone(), &annotations))
            .find(|begun| {
                let content = Content::Layer(begun.clone());
                said.check(&self.making(), &content).is_ok()
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
                self.asked.signing.created.as_str(),
            ),
            ("dev.sigstore.bundle.content", "dsse-envelope"),
            (PREDICATE_TYPE, said.kind()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        Artifact::new(&self.asked.subject, BUNDLE, bundle, annotations)
            .expect("what is made here is a manifest")
    }

    /// Has GitHub keep the attestations, where it is to. Returns where it shows each of what was made.
    async fn upload(&self, made: &[Made]) -> Result<Vec<Option<Url>>, Failure> {
        let each = made.iter().map(|made| async move {
            match (&self.asked.signing.github, &made.part) {
                (Some(github), Part::Artifact(artifact))
                    if self.items[made.item].said.attests().is_some() =>
                {
                    let kept = github.upload(&self.context.registry, artifact.content());
                    kept.await.map(Some).map_err(not_kept)
                }
                _ => Ok(None),
            }
        });
        try_join_all(each).await
    }

    async fn write(&mut self, made: &[Made]) -> Result<(), Error> {
        if let Some(listing) = &self.listing
            && listing
                .is_own_by_now(self.store(), self.asked.subject.digest)
                .await?
        {
            self.listing = Some(Listing::Own);
        }
        let images = match self.listing {
            // A list names what is there.
            Some(Listing::Tag(_)) => {
                try_join(self.write_artifacts(made), self.write_payloads(made)).await?;
                self.add(made).await?
            }
            _ => {
                let layers = async {
                    self.write_payloads(made).await?;
                    self.add(made).await
                };
                let ((), images) = try_join(self.write_artifacts(made), layers).await?;
                images
            }
        };
        let (shared, images) = images;
        self.shared = Some(shared);
        self.read_layers(made, images).await
    }

    /// Writes the bundles, reads them back and checks them.
    async fn write_artifacts(&self, made: &[Made]) -> Result<(), Error> {
        let store = self.store();
        let artifacts = made.iter().filter_map(|made| match &made.part {
            Part::Artifact(artifact) => Some((artifact.as_ref(), made.item)),
            Part::Layer { .. } => None,
        });
        let written = artifacts.map(|(artifact, item)| async move {
            let digest = artifact.manifest.digest;
            let vouched = artifact.write(store).await?;
            let at = Target::Digest(digest);
            if !vouched.stored && store.manifest(&at).await?.is_none() {
                return Err(missing(digest));
            }
            let content = Content::Bundle(artifact.read_back(store).await?.to_vec());
            let said = &self.items[item].said;
            let checked = said.check(&self.making(), &content);
            checked.map_err(|flaw| changed(digest, &flaw))?;
            Ok((digest, vouched.listed))
        });
        let written = try_join_all(written).await?;
        // Under a tag they are listed by us, and that is read back by itself.
        let unlisted = written.into_iter().filter(|(_, listed)| !listed);
        let unlisted: Vec<Digest> = unlisted.map(|(digest, _)| digest).collect();
        if unlisted.is_empty() || matches!(self.listing, Some(Listing::Tag(_))) {
            return Ok(());
        }
        let lacking = Listing::lacks(store, self.asked.subject.digest, &unlisted).await?;
        lacking.map_or(Ok(()), |digest| Err(missing(digest)))
    }

    async fn write_payloads(&self, made: &[Made]) -> Result<(), Error> {
        let store = self.store();
        let payloads = made.iter().filter_map(|made| match &made.part {
            Part::Layer { payload, .. } => Some(payload),
            Part::Artifact(_) => None,
        });
        try_join_all(payloads.map(|payload| store.put_blob(payload))).await?;
        Ok(())
    }

    /// Adds to the tags that every run adds to.
    async fn add(&self, made: &[Made]) -> Result<(Addition, Images), Error> {
        let list = match &self.listing {
            Some(Listing::Tag(list)) => Some(list.as_deref().cloned()),
            _ => None,
        };
        let is_pair = self.asked.signing.forms.contains(&Form::Legacy);
        let mut addition = Addition {
            root: self.asked.subject.digest,
            both: list.is_some() && is_pair,
            additions: Additions::default(),
            attestations: Attestations::default(),
        };
        let [listed, signatures] = &mut addition.additions.ours;
        for Made { item, form, part } in made {
            match (part, self.shelf(*item, *form)) {
                (Part::Artifact(artifact), _) if list.is_some() => {
                    listed.push(artifact.descriptor().clone());
                }
                (Part::Artifact(_), _) => {}
                (Part::Layer { value, .. }, Shelf::Attestations) => {
                    addition.attestations.ours.push(value.clone());
                }
                (Part::Layer { value, .. }, _) => signatures.push(value.clone()),
            }
        }
        let read = [list.flatten(), self.sig.clone()];
        let images = addition
            .put(self.store(), self.context, read, self.fresh)
            .await?;
        Ok((addition, images))
    }

    /// That the layers that were just written are there, and good.
    async fn read_layers(&self, made: &[Made], images: Images) -> Result<(), Error> {
        let (store, subject) = (self.store(), self.asked.subject.digest);
        let layers = made.iter().filter_map(|made| match &made.part {
            Part::Layer { payload, .. } => Some((Digest::of(payload), made.item)),
            Part::Artifact(_) => None,
        });
        let layers: Vec<_> = layers.collect();
        let ours: Vec<Digest> = layers.iter().map(|(digest, _)| *digest).collect();
        let signatures = images.signatures.map(|image| only(image, &ours));
        let attestations = images.attestations.map(|image| only(image, &ours));
        let requirement = &self.asked.requirement;
        let (signatures, attestations) = try_join(
            beside::legacy(store, requirement, subject, signatures.as_ref()),
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
            Some(shared) if self.asked.tags_follow && matches!(store, Store::Registry(_)) => {
                let outcome = shared.settle(store, self.context).await;
                outcome.map_err(|error| beside::failure(Side::Destination, place, error))
            }
            _ => Ok(()),
        }
    }

    /// What became of all that is to be said.
    pub(in super::super) fn results(&self) -> Vec<Signed> {
        let each = self.items.iter().enumerate().flat_map(|(at, item)| {
            self.asked.signing.forms.iter().map(move |form| {
                let done = item.done.iter().find(|signed| signed.form == *form);
                done.cloned()
                    .unwrap_or_else(|| self.signed(at, *form, None, true))
            })
        });
        each.collect()
    }
}

fn not_kept(error: UploadError) -> Failure {
    let failure = Failure::service(error.to_string());
    match error.hint() {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn missing(digest: Digest) -> Error {
    Error::Missing {
        what: "signature",
        digest,
    }
}

impl Addition {
    /// Adds what is missing; `read` is what the list and the `.sig` image were when they were looked
    /// at, and `fresh` whether this run has written neither since.
    async fn put(
        &mut self,
        store: &Store,
        context: &Context,
        read: [Option<Manifest>; 2],
        fresh: bool,
    ) -> Result<Images, Error> {
        let signatures = match self.both && !self.additions.is_empty() {
            true => {
                let pair = Pair::of(self.root);
                let [_, sig] = pair.add(store, read, fresh, &mut self.additions).await?;
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
        let Additions { ours, seen } = &mut self.additions;
        let mut last = None;
        for (which, tag) in [Shared::list(self.root), Shared::sig(self.root)]
            .into_iter()
            .enumerate()
        {
            if !ours[which].is_empty() {
                let (ours, seen) = (&ours[which], &mut seen[which]);
                last = tag.add(store, ours, None, seen, &context.notices).await?;
            }
        }
        Ok(last)
    }

    async fn put_attestations(
        &mut self,
        store: &Store,
        context: &Context,
    ) -> Result<Option<Manifest>, Error> {
        let Attestations { ours, seen } = &mut self.attestations;
        if ours.is_empty() {
            return Ok(None);
        }
        let tag = Shared::layers(self.root, Ending::Att);
        tag.add(store, ours, None, seen, &context.notices).await
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
