//! Writes the tags of a rollback.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use crate::image::{Digest, Manifest};
use crate::notices::TagNews;
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::plan::rollback_tags::{RollbackTag, RollbackTagChange};
use crate::release::records::open_timeline::OpenTimeline;
use crate::release::tags::write::write_tag;
use crate::tagging::{MovingTagSource, PlannedTag, TagKind};

/// Writes the tags that move.
///
/// # Errors
/// A store that does not take them.
pub(super) async fn write_tags(
    context: &ReleaseContext,
    timeline: &OpenTimeline,
    tags: &[RollbackTag],
    manifests: &BTreeMap<Digest, Manifest>,
) -> Result<(), Failure> {
    let moved = tags.iter().filter_map(|tag| match &tag.change {
        RollbackTagChange::Moved { to, why } => Some((tag, *to, why)),
        _ => None,
    });
    let writes = moved.map(|(tag, to, why)| async move {
        let destination = &timeline.destination;
        let read;
        let manifest = match manifests.get(&to) {
            Some(manifest) => manifest,
            None => {
                read = timeline.require_root(to).await?;
                &read
            }
        };
        let planned = PlannedTag {
            tag: tag.tag.clone(),
            kind: TagKind::Moving(MovingTagSource::Other),
            rule: "the rollback".to_owned(),
        };
        write_tag(destination, &planned, manifest).await?;
        let (place, name) = (&destination.name, &tag.tag);
        let text = format!("{place}: moved tag {name} to {}: {why}", to.short());
        context.notices.tag_change(TagNews::Written, text);
        Ok::<_, Failure>(())
    });
    try_join_all(writes).await.map(drop)
}
