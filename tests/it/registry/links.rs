//! What a manifest names, and what of that is not there.

use serde_json::Value;

use super::store::{Repository, State};

/// Something that a manifest names.
pub enum Link {
    Manifest(String),
    Blob(String),
}

/// All that must be there before a manifest may be pushed. The subject is not: the spec
/// lets a referrer come first.
pub fn links(manifest: &Value) -> Vec<Link> {
    let manifests = digests(&manifest["manifests"]).map(Link::Manifest);
    let config = manifest["config"]["digest"].as_str().map(str::to_owned);
    let blobs = config
        .into_iter()
        .chain(digests(&manifest["layers"]))
        .map(Link::Blob);
    manifests.chain(blobs).collect()
}

/// The digests of a list of descriptors, without those of content that lives elsewhere
/// (foreign layers).
fn digests(descriptors: &Value) -> impl Iterator<Item = String> {
    let descriptors = descriptors.as_array().map_or(&[][..], Vec::as_slice);
    let here = descriptors
        .iter()
        .filter(|descriptor| descriptor["urls"].is_null());
    here.filter_map(|descriptor| descriptor["digest"].as_str())
        .map(str::to_owned)
}

/// The digests that a manifest names and the repository lacks.
pub fn missing(repository: &Repository, manifest: &Value) -> Vec<String> {
    let absent = links(manifest).into_iter().filter_map(|link| match link {
        Link::Manifest(digest) => (!repository.manifests.contains_key(&digest)).then_some(digest),
        Link::Blob(digest) => (!repository.blobs.contains_key(&digest)).then_some(digest),
    });
    absent.collect()
}

/// Every hole below every tag, as `team/app:1.4.0 lacks sha256:…`.
pub fn dangling(state: &State) -> Vec<String> {
    let mut holes = Vec::new();
    for (name, repository) in &state.repositories {
        for (tag, digest) in &repository.tags {
            let mut lacking = Vec::new();
            walk(repository, digest, &mut lacking);
            holes.extend(
                lacking
                    .iter()
                    .map(|digest| format!("{name}:{tag} lacks {digest}")),
            );
        }
    }
    holes
}

fn walk(repository: &Repository, digest: &str, lacking: &mut Vec<String>) {
    let Some(manifest) = repository.manifests.get(digest) else {
        lacking.push(digest.to_owned());
        return;
    };
    for link in links(&manifest.json()) {
        match link {
            Link::Manifest(child) => walk(repository, &child, lacking),
            Link::Blob(blob) if !repository.blobs.contains_key(&blob) => lacking.push(blob),
            Link::Blob(_) => {}
        }
    }
}
