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
use super::source::Resolved;
use super::{Change, Context, Destination, Failure, source};
use crate::image::{Descriptor, Digest, Manifest, MediaType, Place, Target};
use crate::referrers::{
    Additions, Artifact, Error, Found, Listing, Pair, Shared, annotations_over, sig_layer, sig_tag,
};
use crate::signing::{
    BUNDLE, Claim, Detached, Flaw, KeylessError, PREDICATE, Requirement, SIMPLE_SIGNING, Signer,
};
use crate::transfer::{Side, Store};

/// How a release is signed.
#[derive(Debug, Clone)]
pub struct Signing {
    /// With what.
    pub signer: Signer,
    /// In which forms: at least one.
    pub forms: Vec<Form>,
    /// What the signature says beside commit, ref and version.
    pub annotations: BTreeMap<String, String>,
    /// Whether each manifest of an index is signed as well.
    pub recursive: bool,
    /// When, as RFC 3339.
    pub created: String,
}

/// What became of one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// What it is of: the root, or a manifest below it.
    pub of: Digest,
    /// Its form.
    pub form: Form,
    /// Where it is; none where it is not made yet.
    pub at: Option<Target>,
    /// Whether this run made it, or on a dry run would have.
    pub made: bool,
}

/// The signatures of one manifest at one destination.
pub(super) struct Work<'a> {
    signing: &'a Signing,
    context: &'a Context,
    destination: &'a Destination,
    /// What is signed.
    subject: Descriptor,
    requirement: Requirement,
    claim: Claim,
    listing: Option<Listing>,
    /// The `.sig` image that was there.
    sig: Option<Manifest>,
    /// Whether tags are written after the signatures.
    tags_follow: bool,
    /// The equal signatures that were there or are made, by form.
    done: BTreeMap<&'static str, Signed>,
    /// The forms for which a tag is there that holds them.
    tags: Vec<Form>,
    shared: Option<Addition>,
}

/// What was made, and is not written yet.
struct Made {
    bundle: Option<Artifact>,
    legacy: Option<(Value, Bytes)>,
}

/// What was added to tags, to look whether it is still there.
struct Addition {
    root: Digest,
    /// Whether the list of referrers and the `.sig` image hold each other's members.
    both: bool,
    additions: Additions,
}

/// The work at every destination that has, or is going to have, the root: none at the others.
pub(super) async fn look<'a>(
    signing: &'a Signing,
    context: &'a Context,
    destinations: &'a [Destination],
    plans: &[Plan],
    image: &Resolved,
    facts: &BTreeMap<String, String>,
) -> Result<Vec<Vec<Work<'a>>>, Failure> {
    let named = |step: &super::Step| step.writes() || step.change == Change::Unchanged;
    let has_root: Vec<bool> = plans
        .iter()
        .map(|plan| plan.steps.iter().any(named))
        .collect();
    if !has_root.contains(&true) {
        return Ok(destinations.iter().map(|_| Vec::new()).collect());
    }
    let (registry, notices) = (&context.registry, &context.notices);
    let requirement = signing.signer.requirement(registry, notices).await;
    let requirement = requirement.map_err(unsigned)?;
    let subjects = subjects(image, signing.recursive).await?;
    let mut annotations = signing.annotations.clone();
    annotations.extend(facts.clone());
    try_join_all(destinations.iter().zip(plans).zip(has_root).map(
        |((destination, plan), has_root)| {
            let works = subjects.iter().filter(move |_| has_root).map(|subject| {
                let work = Work {
                    signing,
                    context,
                    destination,
                    subject: subject.clone(),
                    requirement: requirement.clone(),
                    claim: Claim {
                        repository: claimed(&destination.place),
                        digest: subject.digest,
                        annotations: annotations.clone(),
                    },
                    listing: None,
                    done: BTreeMap::new(),
                    sig: None,
                    tags_follow: plan.writes(),
                    tags: Vec::new(),
                    shared: None,
                };
                work.looked()
            });
            try_join_all(works)
        },
    ))
    .await
}

/// The root, and the manifests below it where they are signed as well.
async fn subjects(image: &Resolved, recursive: bool) -> Result<Vec<Descriptor>, Failure> {
    let mut subjects = vec![image.root.descriptor()];
    let mut open = vec![image.root.clone()];
    while let Some(manifest) = open.pop().filter(|_| recursive) {
        for child in manifest.children() {
            if subjects.iter().any(|known| known.digest == child.digest) {
                continue;
            }
            subjects.push(child.clone());
            let is_index = MediaType::parse(&child.media_type).is_some_and(MediaType::is_index);
            if is_index {
                open.extend(source::child(image, child.digest).await?);
            }
        }
    }
    Ok(subjects)
}

/// That the services which sign did not.
fn unsigned(error: KeylessError) -> Failure {
    let failure = match &error {
        KeylessError::Private | KeylessError::Endpoints(_) => Failure::input(error.to_string()),
        KeylessError::Service(_) | KeylessError::Root(_) => Failure::service(error.to_string()),
    };
    match &error {
        KeylessError::Private => failure
            .why("the names of the repository, its workflow and its branch would stand there for everybody to read")
            .hint("say transparency-log: on if that is meant; else sign with a key, or with an instance of your own"),
        KeylessError::Service(error) => match error.hint() {
            Some(hint) => failure.hint(hint),
            None => failure,
        },
        KeylessError::Root(_) | KeylessError::Endpoints(_) => failure,
    }
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
        self.tags.iter().any(|form| self.wants(*form))
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

    /// This, with what is there.
    async fn looked(mut self) -> Result<Self, Failure> {
        let found = self.look().await.map_err(|error| self.failed(error))?;
        self.note(&found);
        Ok(self)
    }

    async fn look(&mut self) -> Result<Vec<Checked>, Error> {
        let (store, digest) = (self.store(), self.subject.digest);
        let requirement = &self.requirement;
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
            Ok(Some((image, checked)))
        };
        let (bundles, sig) = try_join(bundles, sig).await?;
        let mut found = Vec::new();
        if let Some(bundles) = bundles {
            let is_list = matches!(bundles.listing, Listing::Tag(_)) && !bundles.checked.is_empty();
            self.tags.extend(is_list.then_some(Form::Bundle));
            self.listing = Some(bundles.listing);
            found.extend(bundles.checked);
        }
        if let Some((image, checked)) = sig {
            self.tags.push(Form::Legacy);
            found.extend(checked);
            self.sig = Some(image);
        }
        Ok(found)
    }

    /// Keeps the first signature of each form that is equal to ours.
    fn note(&mut self, found: &[Checked]) {
        for checked in found {
            if let Ok(found) = &checked.result
                && found.claim.says_as(&self.claim)
            {
                self.done.entry(name(checked.form)).or_insert(Signed {
                    of: self.subject.digest,
                    form: checked.form,
                    at: Some(checked.at.clone()),
                    made: false,
                });
            }
        }
    }

    /// Makes the signatures that are not there, attaches them, reads them back and checks them.
    pub(super) async fn attach(&mut self) -> Result<(), Failure> {
        let made = self.make().await?;
        let made = self.attached(made).await;
        for signed in made.map_err(|error| self.failed(error))? {
            let at = signed.at.as_ref().map(ToString::to_string);
            self.context.notices.info(format!(
                "{}: signed {} ({} {})",
                self.destination.place,
                self.subject.digest.short(),
                name(signed.form),
                at.unwrap_or_default()
            ));
            self.done.insert(name(signed.form), signed);
        }
        Ok(())
    }

    /// The signatures that are not there, good before anything of them is written.
    async fn make(&self) -> Result<Made, Failure> {
        let Context {
            registry, notices, ..
        } = self.context;
        let (signer, claim) = (&self.signing.signer, &self.claim);
        let bundle = async {
            match self.wants(Form::Bundle) {
                true => signer.sign_bundle(registry, notices, claim).await.map(Some),
                false => Ok(None),
            }
        };
        let detached = async {
            if !self.wants(Form::Legacy) {
                return Ok(None);
            }
            match self.begun() {
                Some(begun) => Ok(Some(begun)),
                None => signer
                    .sign_detached(registry, notices, claim)
                    .await
                    .map(Some),
            }
        };
        let (bundle, detached) = try_join(bundle, detached).await.map_err(unsigned)?;
        let (requirement, digest) = (&self.requirement, self.subject.digest);
        let checked = [
            bundle
                .as_ref()
                .map(|made| requirement.check_bundle(made, digest)),
            detached
                .as_ref()
                .map(|made| requirement.check_detached(made, digest)),
        ];
        for checked in checked.into_iter().flatten() {
            match checked {
                Ok(found) if found.claim == *claim => {}
                other => return Err(self.useless(&other.err().unwrap_or(Flaw::Tampered))),
            }
        }
        Ok(Made {
            bundle: bundle.map(|content| self.artifact(content)),
            legacy: detached.map(|made| self.layer(&made)),
        })
    }

    fn useless(&self, flaw: &Flaw) -> Failure {
        Failure::service(format!(
            "the signature of {} that was made does not count: {flaw}",
            self.subject.digest.short()
        ))
        .why("what is signed is checked as verify checks it, before any of it is written")
        .hint("see that the trusted root is that of the services, and that this machine's clock is right")
    }

    async fn attached(&mut self, made: Made) -> Result<Vec<Signed>, Error> {
        let (bundle, legacy) = (made.bundle.as_ref(), made.legacy.as_ref());
        let (made, shared) = match self.listing {
            // A list names what is there.
            Some(Listing::Tag(_)) => {
                let (made, ()) = try_join(self.write(bundle), self.bring(legacy)).await?;
                (made, self.add(bundle, legacy).await?)
            }
            _ => {
                let legacy = async {
                    self.bring(legacy).await?;
                    self.add(None, legacy).await
                };
                try_join(self.write(bundle), legacy).await?
            }
        };
        let (shared, image) = shared.unzip();
        self.shared = shared;
        let legacy = self.read_legacy(legacy, image.flatten()).await?;
        Ok([made, legacy].into_iter().flatten().collect())
    }

    fn artifact(&self, content: Vec<u8>) -> Artifact {
        let annotations = [
            (
                "org.opencontainers.image.created",
                self.signing.created.as_str(),
            ),
            ("dev.sigstore.bundle.content", "dsse-envelope"),
            (PREDICATE_TYPE, PREDICATE),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        Artifact::new(&self.subject, BUNDLE, content, annotations.into())
            .expect("what is made here is a manifest")
    }

    /// The layer of a legacy signature, and its payload.
    fn layer(&self, made: &Detached) -> (Value, Bytes) {
        let layer = sig_layer(SIMPLE_SIGNING, &made.payload, &made.annotations());
        (layer, made.payload.clone().into())
    }

    /// The equal signature of a run that died before it was in the `.sig` image.
    fn begun(&self) -> Option<Detached> {
        let beside = self.listing.as_ref()?.beside();
        let (payload, digest) = (self.claim.payload(), self.subject.digest);
        beside
            .iter()
            .filter_map(|layer| annotations_over(layer, &payload))
            .map(|annotations| Detached::of_layer(payload.clone(), &annotations))
            .find(|begun| self.requirement.check_detached(begun, digest).is_ok())
    }

    /// Brings the payload of a legacy signature.
    async fn bring(&self, legacy: Option<&(Value, Bytes)>) -> Result<(), Error> {
        match legacy {
            Some((_, payload)) => Ok(self.store().put_blob(payload).await?),
            None => Ok(()),
        }
    }

    /// Adds to the tags that every run adds to. Returns the `.sig` image where it was one of them.
    async fn add(
        &self,
        listed: Option<&Artifact>,
        legacy: Option<&(Value, Bytes)>,
    ) -> Result<Option<(Addition, Option<Manifest>)>, Error> {
        if listed.is_none() && legacy.is_none() {
            return Ok(None);
        }
        let mut additions = Additions::default();
        additions.ours[0].extend(listed.map(|artifact| artifact.descriptor().clone()));
        additions.ours[1].extend(legacy.map(|(layer, _)| layer.clone()));
        let (root, store, context) = (self.subject.digest, self.store(), self.context);
        let both = match &self.listing {
            Some(Listing::Tag(list)) if self.signing.forms.contains(&Form::Legacy) => Some(list),
            _ => None,
        };
        let mut addition = Addition {
            root,
            both: both.is_some(),
            additions,
        };
        let image = match both {
            Some(list) => {
                let read = [list.as_deref().cloned(), self.sig.clone()];
                let pair = Pair::of(root);
                let [_, sig] = pair.add(store, read, &mut addition.additions).await?;
                sig
            }
            None => addition.put(store, context).await?,
        };
        Ok(Some((addition, image)))
    }

    /// Writes a bundle, reads it back and checks it.
    async fn write(&self, artifact: Option<&Artifact>) -> Result<Option<Signed>, Error> {
        let Some(artifact) = artifact else {
            return Ok(None);
        };
        let (store, root) = (self.store(), self.subject.digest);
        let digest = artifact.manifest.digest;
        let at = Target::Digest(digest);
        let vouched = artifact.write(store).await?;
        // Under a tag it is listed by us, and that is read back by itself.
        let is_listed = vouched.listed
            || matches!(self.listing, Some(Listing::Tag(_)))
            || Listing::names(store, root, digest).await?;
        let is_there = is_listed && (vouched.stored || store.manifest(&at).await?.is_some());
        let content = Ok(artifact.read_back(store).await?);
        let found = Found {
            digest,
            says: None,
            content,
        };
        let found = beside::bundle(&self.requirement, root, found);
        self.check(digest, is_there.then_some(found))?;
        Ok(Some(self.signed(Form::Bundle, at)))
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
        let (store, subject) = (self.store(), self.subject.digest);
        let image = image.map(|image| only(image, digest));
        let checked =
            beside::legacy(store, &self.requirement, subject, image.as_ref(), &[]).await?;
        self.check(digest, checked)?;
        Ok(Some(
            self.signed(Form::Legacy, Target::Tag(sig_tag(subject))),
        ))
    }

    fn signed(&self, form: Form, at: Target) -> Signed {
        Signed {
            of: self.subject.digest,
            form,
            at: Some(at),
            made: true,
        }
    }

    /// That what was just written is there, and good.
    fn check(&self, digest: Digest, found: impl IntoIterator<Item = Checked>) -> Result<(), Error> {
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
            Some(shared)
                if self.tags_follow && !shared.both && matches!(store, Store::Registry(_)) =>
            {
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
                    of: self.subject.digest,
                    form: *form,
                    at: None,
                    made: true,
                })
            })
            .collect()
    }
}

impl Addition {
    /// Adds what is missing, to each by itself. Returns the `.sig` image.
    async fn put(&mut self, store: &Store, context: &Context) -> Result<Option<Manifest>, Error> {
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

/// An image that was there already is only gone on with if this signer has signed it: its labels
/// could say anything.
pub(super) async fn require(
    signing: &Signing,
    context: &Context,
    destinations: &[Destination],
    seen: &[Seen],
    root: Digest,
) -> Result<(), Failure> {
    let Context {
        registry, notices, ..
    } = context;
    let requirement = signing.signer.requirement(registry, notices).await;
    let requirement = requirement.map_err(unsigned)?;
    let there = destinations.iter().zip(seen).filter(|(_, seen)| {
        let mut named = seen.named.values().flatten();
        named.any(|named| *named == root)
    });
    for (destination, _) in there {
        let place = &destination.place;
        let found = beside::all(&destination.store, &requirement, root)
            .await
            .map_err(|error| beside::failure(Side::Destination, place, error))?;
        if !found.iter().any(|checked| checked.result.is_ok()) {
            return Err(Failure::refused(format!(
                "{place} has the image {root} of the same commit, which is not signed with {}",
                match &signing.signer {
                    Signer::Key(_) => "this key",
                    Signer::Keyless(_) => "the identity of this job",
                }
            ))
            .why("what is gone on with would be signed, and nothing but its own labels says what it is")
            .hint("sign what is there by promoting it by its digest, or say existing: fail"));
        }
    }
    Ok(())
}
