//! Reads what decisions on a recorded release are going to need as soon as the image is known, at the same time as
//! other things are read. What was read stays read where the decisions look for it; what fails fails again there.

use std::collections::BTreeSet;

use futures_util::future::{join, join_all};

use super::timeline_view::TimelineView;
use crate::image::Tag;
use crate::record::RecordedBuild;
use crate::release::destination::OpenDestination;
use crate::release::request::ReleaseRequest;
use crate::release::resolve::build_facts::read_attestation_manifest;
use crate::release::resolve::image::ResolvedImage;

/// Reads what the source's timeline says of an image, the image's referrers at each destination whose tags were
/// `listed`, and, where no record of the source says how it was built, the manifest of its provenance.
pub(crate) async fn read_early<'a>(
    request: &ReleaseRequest,
    destinations: &'a [OpenDestination],
    listed: impl IntoIterator<Item = Option<&'a BTreeSet<Tag>>>,
    source: Option<&TimelineView>,
    image: &ResolvedImage,
) {
    let Some(options) = &request.record else {
        return;
    };
    let root = image.root.digest;
    let recorded = destinations.iter().zip(listed);
    let recorded = recorded.filter(|(destination, _)| destination.records.timeline().is_some());
    let referrers = recorded.map(|(destination, tags)| async move {
        let prior = destination.load_tag_snapshot(true, tags?).await.ok()?;
        destination.list_referrers(root, prior).await.ok()
    });
    let records = async {
        if let Some(view) = source {
            let root = image.source_digest();
            let release = view.read_newest_release(root);
            let (_release, _withdrawal) = join(release, view.read_withdrawal(root)).await;
        } else if options.account.build == RecordedBuild::default() {
            let _manifest = read_attestation_manifest(&image.reader, &image.root).await;
        }
    };
    join(join_all(referrers), records).await;
}
