//! The list of referrers under a tag and the `.sig` image, added to together. Each holds, in an
//! annotation, what the other one names, so that what a run overwrites in one of them is found in the
//! other. A run writes one of them at a time and reads both again before it writes the next: at the
//! moment at which another run is done with both, at most one write of this run can be under way with
//! what it read before. It destroys one copy, finds the other, and puts the first right. (A third run
//! with such a write to the other tag, at that same moment, is what it takes to lose something.)

use bytes::Bytes;
use futures_util::future::try_join;
use serde_json::{Map, Value};

use super::shared::{ROUNDS, members, merge, pause};
use super::{Error, Shared, sig};
use crate::image::{Descriptor, Digest, Manifest, Target};
use crate::notice::Notices;
use crate::transfer::{Store, StoreError};

/// The annotation with the members of the other tag, as JSON.
const MIRROR: &str = "dev.shipmark.beside";

/// What is added to both, the list first.
#[derive(Debug, Clone, Default)]
pub struct Additions {
    /// The members.
    pub ours: [Vec<Value>; 2],
    /// The blobs that ours need.
    pub blobs: [Vec<Bytes>; 2],
    /// What was seen there.
    pub seen: [Vec<Value>; 2],
}

/// Both tags of an image.
#[derive(Debug, Clone)]
pub struct Pair([Shared; 2]);

impl Pair {
    /// The tags of the image `subject`.
    pub fn of(subject: Digest) -> Self {
        Self([Shared::list(subject), Shared::sig(subject)])
    }

    /// Adds to both and keeps all that was seen in either. Returns what they name at last.
    ///
    /// # Errors
    /// A tag that cannot be read or changed.
    pub async fn add(
        &self,
        store: &Store,
        add: &mut Additions,
        notices: &Notices,
    ) -> Result<[Option<Manifest>; 2], Error> {
        for round in 0..2 * ROUNDS {
            pause((round / 2).saturating_sub(1)).await;
            let [list, sig] = &self.0;
            let (list, sig) = try_join(list.read(store), sig.read(store)).await?;
            let there = [list, sig];
            let mut missing = None;
            let mut all = [Vec::new(), Vec::new()];
            for (which, all) in all.iter_mut().enumerate() {
                *all = self.members(which, &there);
                let before = all.len();
                merge(all, &add.seen[which]);
                merge(all, &add.ours[which]);
                let known = all.clone();
                for value in mirror(there[1 - which].as_ref()) {
                    let mut with = known.clone();
                    merge(&mut with, std::slice::from_ref(&value));
                    if with.len() > known.len() && is_there(store, which, &value).await? {
                        merge(all, &[value]);
                    }
                }
                merge(&mut add.seen[which], all);
                if all.len() > before {
                    missing = missing.or(Some(which));
                }
            }
            let stale = |which: &usize| mirror(there[*which].as_ref()) != all[1 - which];
            let Some(which) = missing.or_else(|| (0..2).find(stale)) else {
                return Ok(there);
            };
            let others = all[1 - which].clone();
            let shared = &self.0[which];
            let ours = std::mem::take(&mut all[which]);
            shared
                .write(
                    store,
                    there[which].as_ref(),
                    ours,
                    &add.blobs[which],
                    Some(&others),
                    notices,
                )
                .await?;
        }
        Err(Error::Contended(self.0[0].tag.clone()))
    }

    fn members(&self, which: usize, there: &[Option<Manifest>; 2]) -> Vec<Value> {
        let there = there[which].as_ref();
        let member = self.0[which].member();
        there
            .map(|there| members(there, member))
            .unwrap_or_default()
    }
}

pub(super) fn set_mirror(json: &mut Map<String, Value>, members: &[Value]) {
    let text = Value::Array(members.to_vec()).to_string();
    let annotations = json
        .entry("annotations")
        .or_insert_with(|| Map::new().into());
    match annotations {
        Value::Object(annotations) => {
            annotations.insert(MIRROR.to_owned(), text.into());
        }
        other => *other = serde_json::json!({MIRROR: text}),
    }
}

pub(super) fn mirror(manifest: Option<&Manifest>) -> Vec<Value> {
    let text = manifest.and_then(|manifest| manifest.annotations.get(MIRROR));
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// Whether what only the other tag still names is there to be named: it may have been removed.
async fn is_there(store: &Store, which: usize, value: &Value) -> Result<bool, Error> {
    let digest = value["digest"].as_str().and_then(|text| text.parse().ok());
    let (Some(digest), Store::Registry(remote)) = (digest, store) else {
        return Ok(false);
    };
    let found = match which {
        0 => remote
            .head(&Target::Digest(digest))
            .await
            .map(|head| head.is_some()),
        _ => {
            let is_signature = value["annotations"].get(sig::SIGNATURE).is_some();
            let size = value["size"].as_u64().unwrap_or_default();
            let blob = Descriptor::plain("", digest, size);
            Ok(is_signature && remote.has_blob(&blob).await.map_err(StoreError::from)?)
        }
    };
    Ok(found.map_err(StoreError::from)?)
}
