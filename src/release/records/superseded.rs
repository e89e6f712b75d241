use crate::record::TimelineEntry;

/// Returns why a release does not keep the environment's tag.
pub(super) fn superseded_reason(newer: &TimelineEntry) -> String {
    let version = newer.version.as_deref().unwrap_or("another image");
    format!(
        "{version} was released at {}, after this release was planned",
        newer.planned_at
    )
}
