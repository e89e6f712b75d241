//! Members of a manifest under an appendable tag: entries of an index or layers of an image.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::cosign_image::SIGNATURE_ANNOTATION;
use crate::image::Manifest;

/// The most members that the objects of a list under a tag may have together: all of it is in memory,
/// several times, while it is added to. An entry has some ten.
pub(super) const MEMBERS_LIMIT: usize = 60_000;

/// Returns the members of a list under a tag, as they are written there.
pub(super) fn read_members(manifest: &Manifest, member: &'static str) -> Vec<Value> {
    let mut list = serde_json::Deserializer::from_slice(&manifest.bytes);
    let members = SingleMember(member).deserialize(&mut list);
    members.unwrap_or_default()
}

/// Reader of one member of an object, a list; skips the others.
struct SingleMember(&'static str);

impl<'de> DeserializeSeed<'de> for SingleMember {
    type Value = Vec<Value>;

    fn deserialize<D: Deserializer<'de>>(self, object: D) -> Result<Self::Value, D::Error> {
        object.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for SingleMember {
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
pub(super) fn merge_members(to: &mut Vec<Value>, more: &[Value]) {
    let mut known: HashSet<MemberKey> = to.iter().map(member_key).collect();
    for value in more {
        if known.insert(member_key(value)) {
            to.push(value.clone());
        }
    }
}

/// Key of a member: its digest, and of a layer its signature too, since two keys may have signed
/// one payload.
pub(super) type MemberKey = (Value, Value);

/// Returns the key of a member.
pub(super) fn member_key(value: &Value) -> MemberKey {
    let signature = &value["annotations"][SIGNATURE_ANNOTATION];
    (value["digest"].clone(), signature.clone())
}
