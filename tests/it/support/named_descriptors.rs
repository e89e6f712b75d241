//! The descriptors that a manifest names, read without the program's own reader. The fuzz target `manifest`
//! has this file too.

use serde_json::Value;

/// A descriptor, and the member of the manifest in which it is.
#[derive(Debug, PartialEq, Eq)]
pub struct NamedDescriptor {
    pub member: &'static str,
    pub media_type: String,
    pub digest: String,
    pub has_urls: bool,
}

impl NamedDescriptor {
    fn new(member: &'static str, descriptor: &Value) -> Self {
        let text = |name: &str| descriptor[name].as_str().unwrap_or_default().to_owned();
        Self {
            member,
            media_type: text("mediaType"),
            digest: text("digest"),
            has_urls: descriptor["urls"]
                .as_array()
                .is_some_and(|urls| !urls.is_empty()),
        }
    }

    /// Whether it is of a layer that may stay at its addresses.
    pub fn may_stay(&self) -> bool {
        let foreign = [".nondistributable.", ".rootfs.foreign."];
        let is_foreign = foreign.iter().any(|part| self.media_type.contains(part));
        is_foreign && self.has_urls && self.member != "config"
    }
}

/// Everything below a manifest that it names itself.
pub fn named_descriptors(manifest: &[u8]) -> Vec<NamedDescriptor> {
    let json: Value = serde_json::from_slice(manifest).unwrap_or_default();
    let config = json.get("config").filter(|config| config.is_object());
    let config = config.map(|config| NamedDescriptor::new("config", config));
    let lists = ["layers", "manifests", "blobs"]
        .into_iter()
        .flat_map(|member| {
            let list = json[member].as_array().into_iter().flatten();
            list.map(move |entry| NamedDescriptor::new(member, entry))
        });
    config.into_iter().chain(lists).collect()
}
