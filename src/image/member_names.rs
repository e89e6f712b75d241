//! The names of the members of manifests and of indexes on disk.
//!
//! Go's `encoding/json`, and with it docker, containerd, crane and skopeo, takes a member in other
//! letters (`Manifests`) for the one that it looks for, and the last of several. Such a text is one image
//! to those that read names exactly, and another one to those: what was checked here would not be what
//! runs there.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The members that readers of manifests go by (OCI image specification 1.1).
const KNOWN: [&str; 18] = [
    "schemaVersion",
    "mediaType",
    "artifactType",
    "config",
    "layers",
    "manifests",
    "subject",
    "annotations",
    "digest",
    "size",
    "platform",
    "urls",
    "data",
    "os",
    "architecture",
    "variant",
    "os.version",
    "os.features",
];

/// Refuses a known member that is there twice, or in other letters than its own. Annotations are called
/// what their authors like, and what is in a member that nobody knows is not looked at.
pub(crate) fn check_member_names(json: &[u8]) -> Result<(), serde_json::Error> {
    MemberNames.deserialize(&mut serde_json::Deserializer::from_slice(json))
}

/// Returns the known member that some reader takes `name` for.
fn known(name: &str) -> Option<&'static str> {
    let name = fold(name);
    KNOWN.into_iter().find(|known| fold(known) == name)
}

/// Folds a name as Go does: `ſ` is an `s`, and the sign for Kelvin a `k`.
fn fold(name: &str) -> String {
    let upper = name.chars().flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).collect()
}

struct MemberNames;

impl<'de> DeserializeSeed<'de> for MemberNames {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for MemberNames {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut seen = Vec::new();
        while let Some(name) = object.next_key::<String>()? {
            let Some(known) = known(&name) else {
                object.next_value::<IgnoredAny>()?;
                continue;
            };
            if name != known {
                return Err(A::Error::custom(format!(
                    "it has a member {name:?}, which others read as {known}"
                )));
            }
            if seen.contains(&known) {
                return Err(A::Error::custom(format!("it has {known} twice")));
            }
            seen.push(known);
            match known {
                "annotations" => drop(object.next_value::<IgnoredAny>()?),
                _ => object.next_value_seed(Self)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_6_a_known_member_has_its_own_letters_and_is_there_once() {
        for json in [
            r#"{"Manifests":[]}"#,
            r#"{"manifests":[],"MANIFESTS":[]}"#,
            r#"{"manife\u017fts":[]}"#,
            r#"{"manifests":[{"digest":"a","Digest":"b"}]}"#,
            r#"{"manifests":[{"platform":{"os":"unknown","OS":"linux"}}]}"#,
            r#"{"manifests":[{"platform":{"os.Version":"1"}}]}"#,
            r#"{"layers":[],"layers":[]}"#,
            r#"{"config":{"MediaType":""}}"#,
            r#"{"subject":{"digest":"a","digest":"b"}}"#,
        ] {
            assert!(check_member_names(json.as_bytes()).is_err(), "{json}");
        }
        for json in [
            r#"{"annotations":{"Digest":"a","digest":"b","Size":"c"}}"#,
            r#"{"schemaVersion":2,"manifests":[{"digest":"a","platform":{"os":"linux"}}]}"#,
            r#"{"of others":{"Digest":1,"digest":2},"sizes":1}"#,
            r#"{"config":null,"layers":[1,1.5,-1,true,"x"]}"#,
        ] {
            assert!(check_member_names(json.as_bytes()).is_ok(), "{json}");
        }
    }
}
