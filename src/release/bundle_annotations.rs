//! Annotations of the manifest around a bundle, as cosign 3 writes them.

use std::collections::BTreeMap;

/// Annotation with the predicate type of a bundle (cosign).
pub(crate) const PREDICATE_TYPE_ANNOTATION: &str = "dev.sigstore.bundle.predicateType";

/// Returns the annotations of the manifest around a bundle of a statement. `created` is a time in RFC 3339.
pub(crate) fn bundle_annotations(created: &str, predicate_type: &str) -> BTreeMap<String, String> {
    let mut annotations = created_annotation(created);
    annotations.extend(
        [
            ("dev.sigstore.bundle.content", "dsse-envelope"),
            (PREDICATE_TYPE_ANNOTATION, predicate_type),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    annotations
}

/// Returns the annotation with the time at which an artifact was made, in RFC 3339.
pub(crate) fn created_annotation(created: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(
        "org.opencontainers.image.created".to_owned(),
        created.to_owned(),
    )])
}
