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
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
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

    /// What the tag names.
    ///
    /// # Errors
    /// A store that cannot tell, or something else under the tag.
    pub async fn read(&self, store: &Store) -> Result<Option<Manifest>, Error> {
        if store.is_known_new() {
            return Ok(None);
        }
        let found = store.manifest(&tag_target(&self.tag)).await?;
        found.map_or(Ok(None), |found| self.accept(found))
    }

    /// What the tag names, asked for unless it is known not to be there.
    ///
    /// # Errors
    /// As [`Shared::read`].
    pub async fn look(&self, store: &Store, prior: &Prior) -> Result<Option<Manifest>, Error> {
        match prior.has(&self.tag) {
            Some(false) => Ok(None),
            Some(true) | None => self.read(store).await,
        }
    }

    /// What was found under the tag, if it can be what the tag is for.
    pub(super) fn accept(&self, found: Manifest) -> Result<Option<Manifest>, Error> {
        // GitLab: oras-go#1396.
        if found.digest == self.subject {
            return Ok(None);
        }
        let problem = match (self.form, &found.body) {
            _ if found.members() > MEMBERS_LIMIT => "more than can be read and added to",
            (Form::List, Body::Index(_)) | (Form::Layers, Body::Image { .. }) => {
                return Ok(Some(found));
            }
            (Form::List, _) => "an image, not a list of referrers",
            (Form::Layers, _) => "an index, not a list of signatures or attestations",
        };
        Err(Error::Foreign {
            tag: self.tag.clone(),
            problem,
        })
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
            let there = self.read(store).await?;
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
        let members = there.as_ref().map(|there| members(there, self.member()));
        let mut all = members.clone().unwrap_or_default();
        merge(seen, &all);
        merge(&mut all, seen);
        merge(&mut all, ours);
        if all.len() == members.map_or(0, |members| members.len()) {
            return Ok(Round::Right(there));
        }
        let wrote = match whole {
            Some(whole) if there.is_none() => Round::Wrote {
                stored: self.put(store, None, whole).await?,
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
        let mut json = there
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
