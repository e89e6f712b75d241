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
    Additions, Artifact, Ending, Error, Listing, Pair, Prior, Shared, annotations_over, sig_layer,
    sig_tag,
};
use crate::registry::{Client, Vouched};
use crate::release::beside::{self, Bundles, Form, PREDICATE_TYPE};
use crate::release::{Context, Destination, Failure, transfer};
use crate::signing::{BUNDLE, Detached, ENVELOPE, Flaw, Requirement, SIMPLE_SIGNING, Signer};
use crate::transfer::{Side, Store, StoreError};

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
    read: Read,
    /// Which of the tags that every run adds to are there.
    there: Vec<Shelf>,
    /// What was made and is not done with yet.
    made: Vec<Made>,
    shared: Option<Addition>,
}

/// Something that is to be said, and in which forms it is.
struct Item {
    said: Said,
    done: Vec<Signed>,
}

/// What is added to, as it was read last.
#[derive(Default)]
struct Read {
    /// Where bundles are listed, where any are wanted.
    listing: Option<Listing>,
    images: Images,
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
    /// Where GitHub shows it, if it is kept there.
    shown: Option<Url>,
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

/// The images under tags.
#[derive(Clone, Default)]
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
        prior: &Prior,
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
            read: Read::default(),
            there: Vec::new(),
            made: Vec::new(),
            shared: None,
        };
        let looked = work.look_beside(prior).await;
        looked.map_err(|error| work.failed(error))?;
        Ok(work)
    }

    /// Whether nothing is missing.
    pub(in super::super) fn is_done(&self) -> bool {
        self.wanted().is_empty()
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

    async fn look_beside(&mut self, prior: &Prior) -> Result<(), Error> {
        let forms = &self.asked.signing.forms;
        let (store, subject) = (self.store(), self.asked.subject.digest);
        let kinds: Vec<&str> = self.items.iter().map(|item| item.said.kind()).collect();
        let bundles = async {
            match forms.contains(&Form::Bundle) {
                true => beside::bundles(store, prior, &self.asked.requirement, subject, &kinds)
                    .await
                    .map(Some),
                false => Ok(None),
            }
        };
        let images = self.read_images(prior);
        let (bundles, images) = try_join(bundles, images).await?;
        if let Some(bundles) = bundles {
            self.note_bundles(bundles);
        }
        self.note_layers(&images).await?;
        self.read.images = images;
        Ok(())
    }

    /// Reads the images under tags that layers are going to be in.
    async fn read_images(&self, prior: &Prior) -> Result<Images, Error> {
        let (store, subject) = (self.store(), self.asked.subject.digest);
        let read = |ending, is_wanted| async move {
            match is_wanted {
                true => Shared::layers(subject, ending).look(store, prior).await,
                false => Ok(None),
            }
        };
        let is_legacy = self.asked.signing.forms.contains(&Form::Legacy);
        let (signatures, attestations) = try_join(
            read(Ending::Sig, is_legacy),
            read(Ending::Att, is_legacy && self.attests()),
        )
        .await?;
        Ok(Images {
            signatures,
            attestations,
        })
    }

    /// Keeps the first bundle that is equal to each of ours.
    fn note_bundles(&mut self, bundles: Bundles) {
        if matches!(bundles.listing, Listing::Tag(_)) && !bundles.opened.is_empty() {
            self.there.push(Shelf::List);
        }
        self.read.listing = Some(bundles.listing);
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

    /// Makes and attaches what is not there, in all steps; `after` is as in [`Work::lists`].
    pub(in super::super) async fn attach(&mut self, after: bool) -> Result<(), Failure> {
        self.blobs(None).await?;
        self.manifests().await?;
        self.lists(after).await
    }

    /// Makes what is not there, and brings its blobs, but those that come with the `image`. What GitHub
    /// is to keep goes there first: a run that dies in between finds nothing here, and makes it again.
    pub(in super::super) async fn blobs(
        &mut self,
        image: Option<&transfer::Work<'_>>,
    ) -> Result<(), Failure> {
        let mut made = self.make().await?;
        self.upload(&mut made).await?;
        let brings = |blob| image.is_some_and(|image| image.brings(self.destination, blob));
        let brought = self.put_blobs(&made, brings(Artifact::config())).await;
        brought.map_err(|error| self.failed(error.into()))?;
        self.made = made;
        Ok(())
    }

    /// Writes the bundles, reads them back and checks them; what the tags that are added to name is
    /// read meanwhile.
    pub(in super::super) async fn manifests(&mut self) -> Result<(), Failure> {
        if self.made.is_empty() {
            return Ok(());
        }
        let step = try_join(self.write_artifacts(), self.read_again()).await;
        let (unlisted, read) = step.map_err(|error| self.failed(error))?;
        self.read = read.unwrap_or_else(|| std::mem::take(&mut self.read));
        let listed = self.look_for(&unlisted).await;
        listed.map_err(|error| self.failed(error))
    }

    /// Adds to the tags that every run adds to, and sees to it that all is there and good. If it comes
    /// `after` this run itself has added to them, they are read once more.
    pub(in super::super) async fn lists(&mut self, after: bool) -> Result<(), Failure> {
        if self.made.is_empty() {
            return Ok(());
        }
        let named = async {
            if after && let Some(read) = self.read_again().await? {
                self.read = read;
            }
            // By what it has said meanwhile, the registry may list them itself.
            if let Some(listing) = &self.read.listing
                && listing
                    .is_own_by_now(self.store(), self.asked.subject.digest)
                    .await?
            {
                self.read.listing = Some(Listing::Own);
            }
            self.name(!after).await
        };
        let named = named.await;
        self.shared = Some(named.map_err(|error| self.failed(error))?);
        for Made {
            item,
            form,
            part,
            shown,
        } in std::mem::take(&mut self.made)
        {
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
                shown: None,
            })
        });
        try_join_all(each).await
    }

    /// The equal signature of a run that died before it was in the `.sig` image.
    fn begun(&self, said: &Said, form: Form) -> Option<Detached> {
        let (Said::Signature(claim), Form::Legacy) = (said, form) else {
            return None;
        };
        let beside = self.read.listing.as_ref()?.beside();
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

    /// Has GitHub keep the attestations, where it is to.
    async fn upload(&self, made: &mut [Made]) -> Result<(), Failure> {
        let Some(github) = &self.asked.signing.github else {
            return Ok(());
        };
        let each = made.iter_mut().map(|made| async move {
            if let Part::Artifact(artifact) = &made.part
                && self.items[made.item].said.attests().is_some()
            {
                let kept = github.upload(&self.context.registry, artifact.content());
                made.shown = Some(kept.await.map_err(not_kept)?);
            }
            Ok(())
        });
        try_join_all(each).await.map(drop)
    }

    async fn put_blobs(&self, made: &[Made], has_config: bool) -> Result<(), StoreError> {
        let store = self.store();
        let each = made.iter().map(|made| async move {
            match &made.part {
                Part::Artifact(artifact) => artifact.put_blobs(store, has_config).await,
                Part::Layer { payload, .. } => store.put_blob(payload).await,
            }
        });
        try_join_all(each).await.map(drop)
    }

    /// Writes the bundles' manifests. Returns those of which the registry does not say that it lists
    /// them.
    async fn write_artifacts(&self) -> Result<Vec<Digest>, Error> {
        let artifacts = self.made.iter().filter_map(|made| match &made.part {
            Part::Artifact(artifact) => Some(self.write_artifact(made.item, artifact)),
            Part::Layer { .. } => None,
        });
        let written = try_join_all(artifacts).await?.into_iter();
        let unlisted = written.filter(|(_, vouched)| !vouched.listed);
        Ok(unlisted.map(|(digest, _)| digest).collect())
    }

    /// That the registry lists them, where it has lists of its own; under a tag they are listed by us.
    async fn look_for(&self, unlisted: &[Digest]) -> Result<(), Error> {
        if unlisted.is_empty() || !matches!(self.read.listing, Some(Listing::Own)) {
            return Ok(());
        }
        let subject = self.asked.subject.digest;
        let lacking = Listing::lacks(self.store(), subject, unlisted).await?;
        lacking.map_or(Ok(()), |digest| Err(missing(digest)))
    }

    /// What is added to, read again just before. Of two tags that are added to together, the first is
    /// written after what was read long before: see `pair.rs`.
    async fn read_again(&self) -> Result<Option<Read>, Error> {
        let (store, subject) = (self.store(), self.asked.subject.digest);
        if let (true, Some(listing)) = (self.is_pair(), &self.read.listing)
            && !listing.is_own_by_now(store, subject).await?
        {
            return Ok(None);
        }
        let listing = async {
            match &self.read.listing {
                Some(listing) => listing.read_again(store, subject).await.map(Some),
                None => Ok(None),
            }
        };
        let (listing, images) = try_join(listing, self.read_images(&Prior::Unknown)).await?;
        Ok(Some(Read { listing, images }))
    }

    /// Whether the list of referrers and the `.sig` image are added to together.
    fn is_pair(&self) -> bool {
        let is_legacy = self.asked.signing.forms.contains(&Form::Legacy);
        is_legacy && matches!(self.read.listing, Some(Listing::Tag(_)))
    }

    /// Writes a bundle's manifest, and reads the bundle back. Returns what the registry says of it.
    async fn write_artifact(
        &self,
        item: usize,
        artifact: &Artifact,
    ) -> Result<(Digest, Vouched), Error> {
        let (store, digest) = (self.store(), artifact.manifest.digest);
        let (vouched, content) = try_join(artifact.write(store), artifact.read_back(store)).await?;
        if !vouched.stored && store.manifest(&Target::Digest(digest)).await?.is_none() {
            return Err(missing(digest));
        }
        let content = Content::Bundle(content.to_vec());
        let checked = self.items[item].said.check(&self.making(), &content);
        checked.map_err(|flaw| changed(digest, &flaw))?;
        Ok((digest, vouched))
    }

    /// Adds to the tags that every run adds to, and reads back the layers in them. `fresh` says whether
    /// this run has written none of them since they were read.
    async fn name(&self, fresh: bool) -> Result<Addition, Error> {
        let list = match &self.read.listing {
            Some(Listing::Tag(list)) => Some(list.as_deref().cloned()),
            _ => None,
        };
        let mut addition = Addition {
            root: self.asked.subject.digest,
            both: self.is_pair(),
            additions: Additions::default(),
            attestations: Attestations::default(),
        };
        let [listed, signatures] = &mut addition.additions.ours;
        for Made {
            item, form, part, ..
        } in &self.made
        {
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
        let (list, images) = (list.flatten(), self.read.images.clone());
        let images = addition
            .put(self.store(), self.context, (list, images), fresh)
            .await?;
        self.read_layers(images).await?;
        Ok(addition)
    }

    /// That the layers that were just written are there, and good.
    async fn read_layers(&self, images: Images) -> Result<(), Error> {
        let (store, subject) = (self.store(), self.asked.subject.digest);
        let layers = self.made.iter().filter_map(|made| match &made.part {
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
        let Destination { place, store, .. } = self.destination;
        match &mut self.shared {
            Some(shared) if matches!(store, Store::Registry(_)) => {
                let outcome = shared
                    .settle(store, self.context, self.asked.tags_follow)
                    .await;
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
    /// Adds what is missing to what the tags named when they were read; `fresh` says whether this run
    /// has written neither since.
    async fn put(
        &mut self,
        store: &Store,
        context: &Context,
        (list, images): (Option<Manifest>, Images),
        fresh: bool,
    ) -> Result<Images, Error> {
        let read = [list, images.signatures];
        for (tag, there) in Self::tags(self.root).iter().zip(&read) {
            tag.warn_of_overwritten(there.as_ref(), &context.notices);
        }
        let signatures = match self.both && !self.additions.is_empty() {
            true => {
                let pair = Pair::of(self.root);
                let [_, sig] = pair.add(store, read, fresh, &mut self.additions).await?;
                sig
            }
            false => self.put_each(store, context, read).await?,
        };
        let Attestations { ours, seen } = &mut self.attestations;
        let attestations = match ours.is_empty() {
            true => None,
            false => {
                let tag = Shared::layers(self.root, Ending::Att);
                let (there, notices) = (images.attestations, &context.notices);
                tag.warn_of_overwritten(there.as_ref(), notices);
                tag.add(store, there, ours, None, seen, notices).await?;
                tag.settle(store, ours, seen, notices).await?
            }
        };
        Ok(Images {
            signatures,
            attestations,
        })
    }

    /// Adds to the list and to the `.sig` image, each for itself. Returns the latter as it is read
    /// back, since it holds the signatures; of the list, which only names them, the registry's answer
    /// is enough.
    async fn put_each(
        &mut self,
        store: &Store,
        context: &Context,
        [list, sig]: [Option<Manifest>; 2],
    ) -> Result<Option<Manifest>, Error> {
        let notices = &context.notices;
        let Additions {
            ours: [listed, signatures],
            seen: [seen_listed, seen_signatures],
        } = &mut self.additions;
        let [list_tag, sig_tag] = Self::tags(self.root);
        if !listed.is_empty() {
            let add = list_tag.add(store, list, listed, None, seen_listed, notices);
            add.await?;
        }
        if signatures.is_empty() {
            return Ok(None);
        }
        let add = sig_tag.add(store, sig, signatures, None, seen_signatures, notices);
        add.await?;
        sig_tag
            .settle(store, signatures, seen_signatures, notices)
            .await
    }

    fn tags(root: Digest) -> [Shared; 2] {
        [Shared::list(root), Shared::sig(root)]
    }

    /// Looks once more at the list, and at the images if it is a while since they were read back.
    async fn settle(
        &mut self,
        store: &Store,
        context: &Context,
        images: bool,
    ) -> Result<(), Error> {
        let notices = &context.notices;
        let Additions {
            ours: [listed, signatures],
            seen: [seen_listed, seen_signatures],
        } = &mut self.additions;
        let [list_tag, sig_tag] = Self::tags(self.root);
        if !self.both && !listed.is_empty() {
            let settle = list_tag.settle(store, listed, seen_listed, notices);
            settle.await?;
        }
        if images && !self.both && !signatures.is_empty() {
            let settle = sig_tag.settle(store, signatures, seen_signatures, notices);
            settle.await?;
        }
        let Attestations { ours, seen } = &mut self.attestations;
        if images && !ours.is_empty() {
            let tag = Shared::layers(self.root, Ending::Att);
            tag.settle(store, ours, seen, notices).await?;
        }
        Ok(())
    }
}

/// The image with these layers alone: the others were looked at before, or are others' affair.
fn only(mut image: Manifest, digests: &[Digest]) -> Manifest {
    if let Body::Image { layers, .. } = &mut image.body {
        layers.retain(|layer| digests.contains(&layer.digest));
    }
    image
}
