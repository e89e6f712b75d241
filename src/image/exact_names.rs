//! Members whose names differ from known ones by upper and lower case alone.
//!
//! What is written in Go, and that is docker, crane, skopeo and most registries, takes `Manifests` for
//! `manifests`, and of the two the later counts: it would see another image in the same bytes. So a name
//! that is nearly a known one is refused, and so is a known one that is there twice.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

/// Where names count.
pub(crate) enum MemberNames {
    /// Nowhere below.
    Any,
    /// In each element of a list.
    List(&'static MemberNames),
    /// In an object, and below its known members.
    Object(&'static [(&'static str, &'static MemberNames)]),
}

const PLATFORM: &MemberNames = &MemberNames::Object(&[
    ("architecture", &MemberNames::Any),
    ("os", &MemberNames::Any),
    ("os.version", &MemberNames::Any),
    ("os.features", &MemberNames::Any),
    ("variant", &MemberNames::Any),
]);

const DESCRIPTOR: &MemberNames = &MemberNames::Object(&[
    ("mediaType", &MemberNames::Any),
    ("digest", &MemberNames::Any),
    ("size", &MemberNames::Any),
    ("urls", &MemberNames::Any),
    ("annotations", &MemberNames::Any),
    ("data", &MemberNames::Any),
    ("artifactType", &MemberNames::Any),
    ("platform", PLATFORM),
]);

/// The names in a manifest or an index, `index.json` among them.
pub(crate) const MANIFEST: &MemberNames = &MemberNames::Object(&[
    ("schemaVersion", &MemberNames::Any),
    ("mediaType", &MemberNames::Any),
    ("artifactType", &MemberNames::Any),
    ("config", DESCRIPTOR),
    ("layers", &MemberNames::List(DESCRIPTOR)),
    ("manifests", &MemberNames::List(DESCRIPTOR)),
    ("blobs", &MemberNames::List(DESCRIPTOR)),
    ("subject", DESCRIPTOR),
    ("annotations", &MemberNames::Any),
]);

/// The names in the `manifest.json` of a docker-archive.
pub(crate) const DOCKER_ARCHIVE: &MemberNames = &MemberNames::List(&MemberNames::Object(&[
    ("Config", &MemberNames::Any),
    ("RepoTags", &MemberNames::Any),
    ("Layers", &MemberNames::Any),
]));

/// The names in the config of an image that decide on a release.
pub(crate) const IMAGE_CONFIG: &MemberNames = &MemberNames::Object(&[
    ("created", &MemberNames::Any),
    (
        "config",
        &MemberNames::Object(&[("User", &MemberNames::Any), ("Labels", &MemberNames::Any)]),
    ),
]);

/// Checks that each name of a JSON text that is nearly a known one is that name.
///
/// # Errors
/// The first that is not, or that is there twice, and where.
pub(crate) fn check(json: &[u8], names: &'static MemberNames) -> Result<(), serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(json);
    names.deserialize(&mut json)
}

impl MemberNames {
    /// Returns the place of a known member.
    fn find(&self, name: &str) -> Result<Option<usize>, String> {
        let Self::Object(members) = self else {
            return Ok(None);
        };
        let found = members
            .iter()
            .position(|(known, _)| is_taken_for(name, known));
        match found.map(|at| members[at].0) {
            Some(known) if known != name => Err(format!(
                "it has the member {name:?}, which other programs take for {known}"
            )),
            _ => Ok(found),
        }
    }
}

/// Whether Go's JSON reader takes a name for a known one.
fn is_taken_for(name: &str, known: &str) -> bool {
    let folded = |c| match c {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        c => c.to_ascii_lowercase(),
    };
    name.chars().map(folded).eq(known.chars().map(folded))
}

impl<'de> DeserializeSeed<'de> for &'static MemberNames {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        match self {
            MemberNames::Any => IgnoredAny::deserialize(json).map(drop),
            MemberNames::List(_) | MemberNames::Object(_) => json.deserialize_any(self),
        }
    }
}

/// What is no list or object has no names.
impl<'de> Visitor<'de> for &'static MemberNames {
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
        let element = match self {
            MemberNames::List(element) => element,
            MemberNames::Any | MemberNames::Object(_) => &MemberNames::Any,
        };
        while list.next_element_seed(element)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut seen = Vec::new();
        while let Some(name) = object.next_key::<String>()? {
            let found = self.find(&name).map_err(A::Error::custom)?;
            let below = match (self, found) {
                (_, Some(at)) if seen.contains(&at) => {
                    return Err(A::Error::custom(format!("it has the member {name} twice")));
                }
                (MemberNames::Object(members), Some(at)) => {
                    seen.push(at);
                    members[at].1
                }
                _ => &MemberNames::Any,
            };
            object.next_value_seed(below)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::image::{Manifest, ManifestError};

    #[test]
    fn promise_6_names_that_other_programs_take_for_known_ones_are_refused() {
        for (json, wrong) in [
            (r#"{"manifests":[],"Manifests":[]}"#, "Manifests"),
            (r#"{"MANIFESTS":[],"manifests":[]}"#, "MANIFESTS"),
            ("{\"manifest\u{17f}\":[]}", "manifest\u{17f}"),
            (r#"{"\u004danifests":[]}"#, "Manifests"),
            (r#"{"manifests":[{"Digest":"a","digest":"b"}]}"#, "Digest"),
            (r#"{"manifests":[{"platform":{"OS":"linux"}}]}"#, "OS"),
            (r#"{"config":{"mediatype":"a"}}"#, "mediatype"),
            (r#"{"layers":[{},{"Size":1}]}"#, "Size"),
            (r#"{"subject":{"Urls":[]}}"#, "Urls"),
            (r#"{"manifests":[],"manifests":[]}"#, "twice"),
        ] {
            let error = check(json.as_bytes(), MANIFEST).unwrap_err().to_string();
            assert!(error.contains(wrong), "{json}: {error}");
        }
        // What a check of all platforms would not look at, and others would run.
        let twins = Bytes::from_static(br#"{"schemaVersion":2,"manifests":[],"Manifests":[]}"#);
        let refused = Manifest::parse(twins, None);
        assert!(
            matches!(refused, Err(ManifestError::Json(_))),
            "{refused:?}"
        );
        for json in [
            r#"{"Config":"a","config":"b"}"#,
            r#"{"RepoTags":[],"repotags":[]}"#,
            r#"{"Layers":[],"LAYERS":[]}"#,
        ] {
            assert!(check(format!("[{json}]").as_bytes(), DOCKER_ARCHIVE).is_err());
        }
    }

    #[test]
    fn names_that_nobody_confuses_stay() {
        for json in [
            r#"{"schemaVersion":2,"config":{"digest":"a","x":{"Digest":1}},"layers":[{"size":-1.5}]}"#,
            r#"{"annotations":{"Manifests":"a","Digest":"b"},"manifest":[],"x":[{"Size":1}]}"#,
            r#"{"manifests":null,"config":7,"layers":"x","subject":[{"Size":1}]}"#,
        ] {
            check(json.as_bytes(), MANIFEST).unwrap();
        }
    }
}
