//! Selects platforms of an image: a new index, with another digest, of unchanged manifests.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value};

use super::image::ResolvedImage;
use crate::image::{Descriptor, Digest, Manifest, ManifestBody, Platform, PlatformName};
use crate::referrers::{ReferrerGraph, ReferrerKind, ReferrerSelection};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::outcome::PlatformSelection;
use crate::release::request::ReleaseRequest;
use crate::transfer::{ImageReader, Side, StoreError};

/// The most bytes that a config may have.
const CONFIG_LIMIT: u64 = 8 << 20;
/// How deep indexes are looked into.
const INDEX_DEPTH_LIMIT: usize = 8;

/// Replaces the image by an index of the requested platforms, where it has others too.
///
/// # Errors
/// A platform that the image does not have, and signatures that would be dropped.
pub(crate) async fn filter_platforms(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    image: &mut ResolvedImage,
) -> Result<(), Failure> {
    let wanted = &request.platforms.names;
    if wanted.is_empty() {
        return Ok(());
    }
    let mut cut = PlatformFilter {
        source: &image.reader,
        requested: wanted,
        selected: BTreeSet::new(),
        available: BTreeSet::new(),
        matched: HashSet::new(),
        replaced: Vec::new(),
        rewritten: Vec::new(),
    };
    let root = cut
        .filter_manifest(&image.root, None, 0)
        .await
        .map_err(|error| Failure::from_store_error(Side::Source, &image.location, error))?;
    let PlatformFilter {
        selected: kept,
        available: there,
        matched: found,
        replaced,
        rewritten: made,
        ..
    } = cut;
    let there: Vec<String> = there.into_iter().collect();
    let absent = (0..wanted.len()).find(|at| !found.contains(at));
    let (Some(root), None) = (root, absent) else {
        let absent = &wanted[absent.unwrap_or_default()];
        return Err(Failure::input(format!(
            "source {} has no image for {absent}",
            image.location
        ))
        .with_hint(format!(
            "available platforms: {}",
            match there.as_slice() {
                [] => "none".to_owned(),
                there => there.join(", "),
            }
        )));
    };
    if root.digest == image.root.digest {
        return Ok(());
    }
    check_lost_referrers(request, context, image, &replaced).await?;
    let platforms: Vec<String> = kept.into_iter().collect();
    context.notices.warning(format!(
        "platforms: releasing the new index {} for {} instead of the source's {}",
        root.digest,
        platforms.join(", "),
        image.root.digest
    ));
    for manifest in &made {
        image.reader.add_generated(manifest.clone());
    }
    image.generated_manifests = made.iter().map(|manifest| manifest.digest).collect();
    image.platform_selection = Some(PlatformSelection {
        of: image.root.digest,
        platforms,
    });
    image.root = root;
    Ok(())
}

/// Reports the referrers of the indexes that are replaced, which are not copied; refuses where they
/// include signatures.
async fn check_lost_referrers(
    request: &ReleaseRequest,
    context: &ReleaseContext,
    image: &ResolvedImage,
    replaced: &[Digest],
) -> Result<(), Failure> {
    let lost = ReferrerGraph::discover_direct(&image.reader, replaced, ReferrerSelection::All)
        .await
        .map_err(|error| Failure::from_referrer_error(Side::Source, &image.location, error))?;
    let counts = lost.counts();
    if counts.is_empty() {
        return Ok(());
    }
    let counted = counts.iter().map(|(kind, count)| kind.count_phrase(*count));
    let counted = counted.collect::<Vec<_>>().join(", ");
    if counts.contains_key(&ReferrerKind::Signature) && !request.platforms.drop_signatures {
        return Err(Failure::refused(format!(
            "selecting platforms of {} creates a new index and drops signatures",
            image.location
        ))
        .with_reason(format!("{} has {counted}, which refer to its digest", image.root.digest.short()))
        .with_hint("release all platforms, sign the new index (sign) and set platforms-drop-signatures: true, or build only for these platforms"));
    }
    context.notices.warning(format!(
        "{}: skipped {counted}, which refer to the replaced index",
        image.location
    ));
    Ok(())
}

/// The way through an index and those in it.
struct PlatformFilter<'a> {
    source: &'a ImageReader,
    requested: &'a [PlatformName],
    /// The platforms that are left.
    selected: BTreeSet<String>,
    /// All platforms.
    available: BTreeSet<String>,
    /// Which of the wanted ones were found.
    matched: HashSet<usize>,
    /// The indexes in whose place there is another.
    replaced: Vec<Digest>,
    /// Those others.
    rewritten: Vec<Manifest>,
}

impl PlatformFilter<'_> {
    /// What is left of a manifest: itself, an index of fewer, or nothing.
    async fn filter_manifest(
        &mut self,
        manifest: &Manifest,
        platform: Option<&Platform>,
        depth: usize,
    ) -> Result<Option<Manifest>, StoreError> {
        if let ManifestBody::Index(entries) = &manifest.body {
            if depth >= INDEX_DEPTH_LIMIT {
                return Err(StoreError::TooManyManifests(manifest.digest));
            }
            return Box::pin(self.filter_index(manifest, entries, depth)).await;
        }
        let declared_platform = match platform {
            Some(platform) => Some(platform.clone()),
            None => self.platform_from_config(manifest).await?,
        };
        let wanted = declared_platform.is_some_and(|platform| self.selects(&platform));
        Ok(wanted.then(|| manifest.clone()))
    }

    async fn filter_index(
        &mut self,
        index: &Manifest,
        entries: &[Descriptor],
        depth: usize,
    ) -> Result<Option<Manifest>, StoreError> {
        // What stands in place of each entry: its own digest, another manifest's, or none.
        let mut stays: Vec<Option<Manifest>> = Vec::with_capacity(entries.len());
        let mut kept = HashSet::new();
        // Entries that are for no platform, and what they are about.
        let mut about: HashMap<Digest, Option<Digest>> = HashMap::new();
        for entry in entries {
            let left = if entry.says_attestation() {
                let of = entry.annotations.get("vnd.docker.reference.digest");
                about.insert(entry.digest, of.and_then(|of| of.parse().ok()));
                None
            } else if entry.is_for_no_platform() {
                let subject = self
                    .read_present(index, entry)
                    .await?
                    .and_then(|found| found.subject);
                about.insert(entry.digest, subject.map(|subject| subject.digest));
                None
            } else if let (Some(platform), false) = (&entry.platform, entry.may_be_index()) {
                // Its entry says enough: it need not be read.
                if self.selects(platform) {
                    kept.insert(entry.digest);
                }
                None
            } else {
                let left = match self.read_present(index, entry).await? {
                    Some(found) => self.filter_manifest(&found, None, depth + 1).await?,
                    None => None,
                };
                if left.is_some() {
                    kept.insert(entry.digest);
                }
                left.filter(|left| left.digest != entry.digest)
            };
            stays.push(left);
        }
        if kept.is_empty() {
            return Ok(None);
        }
        self.drop_absent_attestations(&mut about).await?;
        let keeps = |entry: &Descriptor| match about.get(&entry.digest) {
            Some(of) => of.is_some_and(|of| kept.contains(&of)),
            None => kept.contains(&entry.digest),
        };
        let changes = entries.iter().zip(&stays);
        let mut changes = changes.filter(|(entry, other)| !keeps(entry) || other.is_some());
        if changes.next().is_none() {
            return Ok(Some(index.clone()));
        }
        let keeps: Vec<bool> = entries.iter().map(keeps).collect();
        let made = rewrite_index(index, &keeps, &stays);
        self.replaced.push(index.digest);
        self.rewritten.push(made.clone());
        Ok(Some(made))
    }

    /// Keeps no attestation that a source on disk does not have: tools that save some platforms of an image
    /// leave it out.
    async fn drop_absent_attestations(
        &self,
        about: &mut HashMap<Digest, Option<Digest>>,
    ) -> Result<(), StoreError> {
        if self.source.is_on_disk() {
            for (attestation, subject) in about {
                if self.source.get_manifest(*attestation).await?.is_none() {
                    *subject = None;
                }
            }
        }
        Ok(())
    }

    /// Reads an entry of the index; `None` if a source on disk does not have it.
    async fn read_present(
        &self,
        index: &Manifest,
        entry: &Descriptor,
    ) -> Result<Option<Manifest>, StoreError> {
        match self.read_child(index, entry).await {
            Err(StoreError::MissingChild { .. }) if self.source.is_on_disk() => Ok(None),
            outcome => outcome.map(Some),
        }
    }

    async fn read_child(
        &self,
        index: &Manifest,
        entry: &Descriptor,
    ) -> Result<Manifest, StoreError> {
        let (child, parent) = (entry.digest, index.digest);
        let found = self.source.get_manifest(child).await?;
        found.ok_or(StoreError::MissingChild { child, parent })
    }

    /// Whether a platform is one of those asked for; it is noted as there in any case.
    fn selects(&mut self, platform: &Platform) -> bool {
        self.available.insert(platform.to_string());
        let means = |at: &usize| self.requested[*at].matches(platform);
        let meant: Vec<usize> = (0..self.requested.len()).filter(means).collect();
        if !meant.is_empty() {
            self.selected.insert(platform.to_string());
        }
        let wants = !meant.is_empty();
        self.matched.extend(meant);
        wants
    }

    /// The platform that an image's config names.
    async fn platform_from_config(
        &self,
        manifest: &Manifest,
    ) -> Result<Option<Platform>, StoreError> {
        let ManifestBody::Image { config, .. } = &manifest.body else {
            return Ok(None);
        };
        let config = self.source.read_small_blob(config, CONFIG_LIMIT).await?;
        Ok(Platform::from_config(&config))
    }
}

/// The index with the entries that are kept, some naming another manifest; all else in it as it was.
fn rewrite_index(index: &Manifest, keeps: &[bool], others: &[Option<Manifest>]) -> Manifest {
    let json = serde_json::from_slice::<Map<String, Value>>(&index.bytes);
    let mut json = json.expect("a manifest is a JSON object");
    let entries = match json.remove("manifests") {
        Some(Value::Array(entries)) => entries,
        _ => Vec::new(),
    };
    let entries = entries.into_iter().zip(keeps).zip(others);
    let entries = entries.filter(|((_, keeps), _)| **keeps);
    let entries = entries.map(|((mut entry, _), other)| {
        if let (Some(other), Some(entry)) = (other, entry.as_object_mut()) {
            entry.insert("digest".to_owned(), other.digest.to_string().into());
            entry.insert("size".to_owned(), other.bytes.len().into());
            entry.remove("data");
        }
        entry
    });
    json.insert("manifests".to_owned(), entries.collect());
    let bytes = Value::Object(json).to_string();
    let media_type = index.media_type.as_str();
    Manifest::parse(bytes.into(), Some(media_type)).expect("an index of fewer entries is an index")
}
