//! A tag that every writer adds to: the index of referrers on a registry without their API, and the
//! `.sig` image. Registries cannot compare and write in one step, so: read, merge and write, one right
//! after the other ([`Shared::add`]); and when the road has written its tags, read again, until our
//! members are there and all others that were ever seen ([`Shared::settle`]). What others write between
//! our reading and our writing is lost to us, but not to them, since they read again as well, later
//! than it takes from a reading to a writing.

use std::collections::HashSet;
use std::fmt;
use std::time::Duration;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value, json};

use super::list::tag_target;
use super::overwritten::is_filesystem;
use super::{Error, Prior};
use crate::image::{Body, Digest, Manifest, MediaType, Tag};
use crate::layout::{Expectation, LayoutFault};
use crate::notice::Notices;
use crate::registry;
use crate::transfer::{Store, StoreError};

/// How often a tag is written before others are taken to be too busy with it.
pub(super) const ROUNDS: u32 = 12;
/// The longest pause before the second round; each one doubles it.
const PAUSE: Duration = Duration::from_millis(40);

/// The most members that the objects of a list under a tag may have together: all of it is in memory,
/// several times, while it is added to. An entry has some ten.
pub(super) const MEMBERS_LIMIT: usize = 60_000;

/// A tag that is added to.
#[derive(Debug, Clone)]
pub struct Shared {
    pub(super) tag: Tag,
    /// The manifest that the tag is about: some registries give it for the tag that is not there.
    subject: Digest,
    pub(super) form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// An index of referrers.
    List,
    /// An image with a signature, or another statement, a layer.
    Layers,
}

/// What came of adding to a tag once.
enum Round {
    /// Nothing was missing.
    Right(Option<Manifest>),
    /// Something was, and it was written; whether the store's answer vouches for that.
    Wrote { manifest: Manifest, stored: bool },
}

/// How cosign's tags that are made of a digest end, by what their images hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// `.sig`: a signature a layer.
    Sig,
    /// `.att`: an attestation a layer.
    Att,
    /// `.sbom`: one SBOM.
    Sbom,
}

impl Ending {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Sig, Self::Att, Self::Sbom];

    fn as_str(self) -> &'static str {
        match self {
            Self::Sig => ".sig",
            Self::Att => ".att",
            Self::Sbom => ".sbom",
        }
    }

    /// The tag that ends so, of a manifest's digest.
    pub fn tag(self, subject: Digest) -> Tag {
        tag(subject, self.as_str())
    }
}

/// `sha256-<hex>`
pub(super) fn list_tag(subject: Digest) -> Tag {
    tag(subject, "")
}

fn tag(subject: Digest, ending: &str) -> Tag {
    let text = format!("sha256-{}{ending}", subject.hex());
    text.parse().expect("a digest's hex digits make a tag")
}

impl Shared {
    /// The list of the referrers of an image.
    pub fn list(subject: Digest) -> Self {
        Self {
            tag: list_tag(subject),
            subject,
            form: Form::List,
        }
    }

    /// The legacy signatures of an image.
    pub fn sig(subject: Digest) -> Self {
        Self::layers(subject, Ending::Sig)
    }

    /// What cosign's older form keeps about an image under a tag of that ending.
    pub fn layers(subject: Digest, ending: Ending) -> Self {
        Self {
            tag: ending.tag(subject),
            subject,
            form: Form::Layers,
        }
    }

    /// The tag.
    pub fn tag(&self) -> &Tag {
        &self.tag
    }

    /// Reads what the tag names, to go by it.
    ///
    /// # Errors
    /// A store that cannot tell, or something else under the tag: something has overwritten it.
    pub async fn read(&self, store: &Store) -> Result<Option<Manifest>, Error> {
        match self.fetch(store).await? {
            Some(found) => self.accept(found).map(Some),
            None => Ok(None),
        }
    }

    /// Reads what the tag names, to add to it: what something has overwritten is written anew.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(super) async fn read_to_add(&self, store: &Store) -> Result<Option<Manifest>, Error> {
        let found = self.fetch(store).await?;
        Ok(found.map(|mut found| {
            if let (Form::Layers, Body::Image { layers, .. }) = (self.form, &mut found.body) {
                layers.retain(|layer| !is_filesystem(&layer.media_type));
            }
            found
        }))
    }

    /// As [`Shared::read_to_add`], unless it is known that there is no such tag.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub async fn look(&self, store: &Store, prior: &Prior) -> Result<Option<Manifest>, Error> {
        match prior.has(&self.tag) {
            Some(false) => Ok(None),
            Some(true) | None => self.read_to_add(store).await,
        }
    }

    async fn fetch(&self, store: &Store) -> Result<Option<Manifest>, Error> {
        if store.is_known_new() {
            return Ok(None);
        }
        let Some(found) = store.manifest(&tag_target(&self.tag)).await? else {
            return Ok(None);
        };
        // GitLab: oras-go#1396.
        if found.digest == self.subject {
            return Ok(None);
        }
        if found.members() > MEMBERS_LIMIT {
            return Err(Error::Foreign {
                tag: self.tag.clone(),
                problem: "more than can be read and added to",
            });
        }
        Ok(Some(found))
    }

    /// Adds `ours`, whose blobs are there, to what was read just now, and keeps all that was seen
    /// there. Where nothing is there, `whole`, which holds all of ours, is written as it is.
    /// Returns what the tag names then: the store's answer vouches for it, or it is read.
    ///
    /// # Errors
    /// A tag that cannot be read or changed.
    pub async fn add(
        &self,
        store: &Store,
        there: Option<Manifest>,
        ours: &[Value],
        whole: Option<&Manifest>,
        seen: &mut Vec<Value>,
        notices: &Notices,
    ) -> Result<Option<Manifest>, Error> {
        match self.round(store, there, ours, whole, seen).await? {
            Round::Right(there) => Ok(there),
            Round::Wrote {
                manifest,
                stored: true,
            } => Ok(Some(manifest)),
            Round::Wrote { .. } => self.settle(store, ours, seen, notices).await,
        }
    }

    /// Reads what the tag names, and adds what others have written over since. Returns what it names
    /// at last.
    ///
    /// # Errors
    /// As [`Shared::add`].
    pub async fn settle(
        &self,
        store: &Store,
        ours: &[Value],
        seen: &mut Vec<Value>,
        notices: &Notices,
    ) -> Result<Option<Manifest>, Error> {
        for round in 0..ROUNDS {
            pause(round).await;
            let there = self.read_to_add(store).await?;
            match self.round(store, there, ours, None, seen).await? {
                Round::Right(there) => return Ok(there),
                Round::Wrote { .. } => notices.info(format!(
                    "tag {}: another run wrote it too; added to that",
                    self.tag
                )),
            }
        }
        Err(Error::Contended(self.tag.clone()))
    }

    /// Adds to what was read, where something is missing there.
    async fn round(
        &self,
        store: &Store,
        there: Option<Manifest>,
        ours: &[Value],
        whole: Option<&Manifest>,
        seen: &mut Vec<Value>,
    ) -> Result<Round, Error> {
        let members = there.as_ref().map(|there| self.members(there));
        let members = members.unwrap_or_default();
        let mut all = members.clone();
        merge(seen, &all);
        merge(&mut all, seen);
        merge(&mut all, ours);
        let is_overwritten = there.as_ref().is_some_and(|it| self.is_overwritten(it));
        if all.len() == members.len() && !is_overwritten {
            return Ok(Round::Right(there));
        }
        let is_free = there.is_none() || (is_overwritten && members.is_empty());
        let wrote = match whole {
            Some(whole) if is_free => Round::Wrote {
                stored: self.put(store, there.as_ref(), whole).await?,
                manifest: whole.clone(),
            },
            _ => {
                let (manifest, stored) = self.write(store, there.as_ref(), all, None).await?;
                Round::Wrote { manifest, stored }
            }
        };
        merge(seen, ours);
        Ok(wrote)
    }

    pub(super) fn member(&self) -> &'static str {
        match self.form {
            Form::List => "manifests",
            Form::Layers => "layers",
        }
    }

    /// Writes what the tag names anew. Returns that, and whether the store's answer vouches for it: in
    /// a layout another run may have been faster, and only reading tells.
    pub(super) async fn write(
        &self,
        store: &Store,
        there: Option<&Manifest>,
        all: Vec<Value>,
        mirror: Option<&[Value]>,
    ) -> Result<(Manifest, bool), Error> {
        let kept = there.filter(|there| !self.is_overwritten(there));
        let mut json = kept
            .and_then(|there| serde_json::from_slice::<Map<String, Value>>(&there.bytes).ok())
            .unwrap_or_else(|| self.empty());
        if self.form == Form::Layers {
            let config = super::sig::config(&all);
            json.insert("config".to_owned(), super::sig::config_descriptor(&config));
            store.put_blob(&config).await?;
        }
        if let Some(mirror) = mirror {
            super::pair::set_mirror(&mut json, mirror);
        }
        json.insert(self.member().to_owned(), Value::Array(all));
        let manifest = Manifest::parse(Value::Object(json).to_string().into(), None);
        let Ok(manifest) = manifest else {
            return Err(Error::Foreign {
                tag: self.tag.clone(),
                problem: "what cannot be added to",
            });
        };
        let stored = self.put(store, there, &manifest).await?;
        Ok((manifest, stored))
    }

    /// Makes the tag name `manifest` in place of what was `there`; whether the store's answer vouches
    /// for it.
    async fn put(
        &self,
        store: &Store,
        there: Option<&Manifest>,
        manifest: &Manifest,
    ) -> Result<bool, Error> {
        let written = match store {
            Store::Registry(remote) => remote
                .put_manifest(&tag_target(&self.tag), manifest)
                .await
                .map(|vouched| vouched.stored)
                .map_err(StoreError::from),
            Store::Layout(layout) => {
                let was = Expectation::Was(there.map(|there| there.digest));
                match layout.write_tag(&self.tag, manifest, was).await {
                    // Another run was faster: the next round reads what it wrote.
                    Err(error) if matches!(error.fault, LayoutFault::TagTaken { .. }) => Ok(false),
                    other => other.map(|_| true).map_err(StoreError::from),
                }
            }
        };
        match written {
            Ok(stored) => Ok(stored),
            Err(error) if there.is_some() && is_frozen(&error) => Err(Error::Frozen {
                tag: self.tag.clone(),
                error: Box::new(error),
            }),
            Err(error) => Err(error.into()),
        }
    }

    fn empty(&self) -> Map<String, Value> {
        let kind = match self.form {
            Form::List => MediaType::OciIndex,
            Form::Layers => MediaType::OciManifest,
        };
        let json = json!({"schemaVersion": 2, "mediaType": kind.as_str()});
        json.as_object().cloned().unwrap_or_default()
    }
}

/// Waits before a round that others make necessary, longer each time and by chance.
pub(super) async fn pause(round: u32) {
    if round > 1 {
        let most = PAUSE.saturating_mul(1 << round.min(6));
        tokio::time::sleep(most.mul_f64(fastrand::f64())).await;
    }
}

/// A refusal of a write where a first write was taken: the way of every registry to say that tags
/// are immutable (ECR 400, Docker Hub and Artifactory 403, Harbor 412, GAR 400).
fn is_frozen(error: &StoreError) -> bool {
    match error {
        StoreError::Registry(registry::Error {
            cause: registry::Cause::Status { status, .. },
            ..
        }) => matches!(status.as_u16(), 400 | 403 | 409 | 412),
        _ => false,
    }
}

/// Returns the members of a list under a tag, as they are written there.
pub(super) fn members(manifest: &Manifest, member: &'static str) -> Vec<Value> {
    let mut list = serde_json::Deserializer::from_slice(&manifest.bytes);
    let members = Only(member).deserialize(&mut list);
    members.unwrap_or_default()
}

/// Reads one member of an object, a list, and passes over the others.
struct Only(&'static str);

impl<'de> DeserializeSeed<'de> for Only {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, object: D) -> Result<Self::Value, D::Error> {
        object.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Only {
    type Value = Vec<Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with {}", self.0)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(name) = object.next_key::<String>()? {
            match name == self.0 {
                true => list = object.next_value()?,
                false => drop(object.next_value::<IgnoredAny>()?),
            }
        }
        Ok(list)
    }
}

/// Adds the members of `more` that `to` lacks.
pub(super) fn merge(to: &mut Vec<Value>, more: &[Value]) {
    let mut known: HashSet<Name> = to.iter().map(name).collect();
    for value in more {
        if known.insert(name(value)) {
            to.push(value.clone());
        }
    }
}

/// What a member is known by: its digest, and of a layer its signature too, since two keys may have
/// signed one payload.
pub(super) type Name = (Value, Value);

/// Returns what a member is known by.
pub(super) fn name(value: &Value) -> Name {
    let signature = &value["annotations"][super::sig::SIGNATURE];
    (value["digest"].clone(), signature.clone())
}
