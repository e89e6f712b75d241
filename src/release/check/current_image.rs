//! Image that is current at a destination, against the one that would be released.

use std::collections::BTreeMap;

use futures_util::future::{join, join_all};

use crate::image::{CommitId, Digest, Tag};
use crate::release::destination::OpenDestination;
use crate::release::named_root::NamedRoot;
use crate::release::prepared_release::PreparedRelease;
use crate::release::previous_image::tag_rank;
use crate::release::resolve::image_origin::read_labels;
use crate::transfer::{ImageReader, StoreError};

/// Labels of an image.
type Labels = BTreeMap<String, String>;

/// Image that is current at a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CurrentImage {
    /// Digest, with the version by its record.
    pub image: NamedRoot,
    /// Moving tag that names it; `None` if the records say that it is current.
    pub tag: Option<Tag>,
    /// Commit by its labels.
    pub commit: Option<CommitId>,
    /// Address of the source repository by its labels.
    pub source_repository: Option<String>,
    /// Labels that differ, in the order of their names.
    pub labels: Vec<LabelChange>,
    /// Reason why the labels could not be compared.
    pub unread: Option<String>,
}

/// Label that differs between two images. May hold text from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelChange {
    /// Name.
    pub name: String,
    /// Value of the current image.
    pub before: Option<String>,
    /// Value of the image that would be released.
    pub after: Option<String>,
}

/// Finds the current image of each destination, and compares its labels. One that cannot be read stops no check: no
/// decision rests on it.
pub(super) async fn find_current_images(
    prepared: &PreparedRelease<'_>,
) -> Vec<Option<CurrentImage>> {
    let found: Vec<_> = (0..prepared.destinations.len())
        .map(|at| find_current(prepared, at))
        .collect();
    let root = prepared.image.root.digest;
    let differs = |found: &Option<(NamedRoot, Option<Tag>)>| {
        found
            .as_ref()
            .is_some_and(|(image, _)| image.digest != root)
    };
    let is_compared = found.iter().any(differs);
    let proposed = async {
        match is_compared {
            true => read_labels(&prepared.image.reader, &prepared.image.root).await,
            false => Ok(Labels::new()),
        }
    };
    let each = prepared.destinations.iter().zip(&found);
    let currents = join_all(each.map(|(destination, found)| async move {
        match found {
            Some((image, _)) if image.digest != root => {
                Some(read_current_labels(destination, image.digest).await)
            }
            _ => None,
        }
    }));
    let (proposed, currents) = join(proposed, currents).await;
    let each = found.into_iter().zip(currents);
    each.map(|(found, labels)| {
        let (image, tag) = found?;
        Some(compare(prepared, (image, tag), labels, &proposed))
    })
    .collect()
}

/// Returns the current image of a destination: by its records, else the one that its most telling moving tag names.
fn find_current(prepared: &PreparedRelease<'_>, at: usize) -> Option<(NamedRoot, Option<Tag>)> {
    if let Some(timelines) = &prepared.timelines
        && let Some((_, root)) = timelines.destinations[at].state.current()
    {
        let timeline = &timelines.destinations[at].recent.timeline;
        return Some((NamedRoot::find(timeline, root), None));
    }
    let state = &prepared.states[at];
    let moving = prepared.derived.tags.iter();
    let moving = moving.filter(|planned| !planned.kind.is_immutable());
    let named = moving.filter_map(|planned| Some((planned, state.tag_digest(&planned.tag)?)));
    let (planned, digest) = named.min_by_key(|(planned, _)| tag_rank(&planned.kind))?;
    let version = None;
    Some((NamedRoot { digest, version }, Some(planned.tag.clone())))
}

async fn read_current_labels(
    destination: &OpenDestination,
    digest: Digest,
) -> Result<Labels, StoreError> {
    let reader = ImageReader::from_store(destination.store.clone());
    match reader.get_manifest(digest).await? {
        Some(root) => read_labels(&reader, &root).await,
        None => Err(StoreError::Vanished(digest)),
    }
}

fn compare(
    prepared: &PreparedRelease<'_>,
    (image, tag): (NamedRoot, Option<Tag>),
    labels: Option<Result<Labels, StoreError>>,
    proposed: &Result<Labels, StoreError>,
) -> CurrentImage {
    let mut current = CurrentImage {
        image,
        tag,
        commit: prepared.commit.clone(),
        source_repository: None,
        labels: Vec::new(),
        unread: None,
    };
    let Some(labels) = labels else {
        // It is the image that would be released.
        return current;
    };
    current.commit = None;
    match (labels, proposed) {
        (Ok(before), Ok(after)) => {
            let label = |name: &str| before.get(name).cloned();
            current.commit =
                label("org.opencontainers.image.revision").and_then(|text| text.parse().ok());
            current.source_repository = label("org.opencontainers.image.source");
            current.labels = changed_labels(&before, after);
        }
        (Err(error), _) => current.unread = Some(error.to_string()),
        (_, Err(error)) => current.unread = Some(error.to_string()),
    }
    current
}

fn changed_labels(before: &Labels, after: &Labels) -> Vec<LabelChange> {
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changes = names.into_iter().map(|name| LabelChange {
        name: name.clone(),
        before: before.get(name).cloned(),
        after: after.get(name).cloned(),
    });
    changes
        .filter(|change| change.before != change.after)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_labels_that_differ_are_told() {
        let labels = |pairs: &[(&str, &str)]| -> Labels {
            let pairs = pairs.iter();
            pairs
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect()
        };
        let before = labels(&[("same", "1"), ("old", "1"), ("changed", "1")]);
        let after = labels(&[("same", "1"), ("new", "1"), ("changed", "2")]);
        let changes = changed_labels(&before, &after);
        let shown = changes.iter().map(|it| {
            format!(
                "{} {:?} {:?}",
                it.name,
                it.before.as_deref(),
                it.after.as_deref()
            )
        });
        assert_eq!(
            shown.collect::<Vec<_>>(),
            [
                r#"changed Some("1") Some("2")"#,
                r#"new None Some("1")"#,
                r#"old Some("1") None"#,
            ]
        );
    }
}
