//! The table of outputs.

use super::verb::Verb;
use super::verb_groups::{
    CHECK, IMAGE_OUTPUT_VERBS, IMAGE_VERBS, MATRIX_VERBS, PREVIOUS_VERBS, RECORD_VERBS,
    REFUSABLE_VERBS, RELEASE_VERBS, TAGGING_VERBS, TAGS_VERBS,
};

/// An output of the action.
#[derive(Debug)]
pub struct OutputDeclaration {
    /// Its name.
    pub name: &'static str,
    /// The verbs that give it.
    pub verbs: &'static [Verb],
    /// What it holds. One line.
    pub help: &'static str,
}

/// Every output there is, in the order in which they are documented.
pub const OUTPUTS: &[OutputDeclaration] = &[
    OutputDeclaration {
        name: "digest",
        verbs: IMAGE_OUTPUT_VERBS,
        help: "Digest of the released, verified, checked, restored or current image, sha256:…; empty for several services",
    },
    OutputDeclaration {
        name: "previous-digest",
        verbs: PREVIOUS_VERBS,
        help: "Digest of the image that a rollback of the current one would put back; for rollback that of the withdrawn image",
    },
    OutputDeclaration {
        name: "source-digest",
        verbs: RELEASE_VERBS,
        help: "Digest of the requested image; differs from digest if platforms created a new index or an existing image was kept",
    },
    OutputDeclaration {
        name: "image",
        verbs: IMAGE_VERBS,
        help: "repository@digest of each destination, one per line; for inspect and rollback of the current image",
    },
    OutputDeclaration {
        name: "tags",
        verbs: TAGGING_VERBS,
        help: "Full references that now name the image (on a dry run, and for check: would name it), one per line",
    },
    OutputDeclaration {
        name: "version",
        verbs: TAGGING_VERBS,
        help: "Released version; of a push without one the ref's tag, such as main",
    },
    OutputDeclaration {
        name: "signatures",
        verbs: RELEASE_VERBS,
        help: "References of the image's signatures, new or existing, one per line",
    },
    OutputDeclaration {
        name: "attestations",
        verbs: RELEASE_VERBS,
        help: "References of the image's attestations, new or existing, one per line",
    },
    OutputDeclaration {
        name: "attestation-urls",
        verbs: RELEASE_VERBS,
        help: "Addresses on GitHub of the uploaded attestations (github-attestations), one per line",
    },
    OutputDeclaration {
        name: "record",
        verbs: RECORD_VERBS,
        help: "Digests of the release records that this run wrote, one per line; for history and inspect that of the current release",
    },
    OutputDeclaration {
        name: "json",
        verbs: Verb::ALL,
        help: "The whole outcome as one JSON object; for tags, the object that docker/metadata-action gives",
    },
    OutputDeclaration {
        name: "outcome",
        verbs: REFUSABLE_VERBS,
        help: "released, releasable (check: a promotion would be released), superseded (a newer release keeps the environment), withdrawn, incomplete (withdrawn, but a version line stays), marked, on-hold, lifted, adopted, planned (prune: images would go), pruned, restored, unchanged (already up to date, or a dry run), verified, signed, refused, or failed (some of several services)",
    },
    OutputDeclaration {
        name: "matrix",
        verbs: MATRIX_VERBS,
        help: "Images as a matrix for a later job: service (if there are services), image, digest; for check the images to be promoted",
    },
    OutputDeclaration {
        name: "sources",
        verbs: CHECK,
        help: "Digest of each service as SERVICE=sha256:…, one per line, for the input sources of promote; the digest alone where the environment has one repository",
    },
    OutputDeclaration {
        name: "plan",
        verbs: CHECK,
        help: "Digest of policy, images, versions and tags, sha256:…, for the input plan of promote",
    },
    OutputDeclaration {
        name: "tag-names",
        verbs: TAGS_VERBS,
        help: "Tags without the image's name",
    },
    OutputDeclaration {
        name: "labels",
        verbs: TAGS_VERBS,
        help: "Labels, one per line",
    },
    OutputDeclaration {
        name: "annotations",
        verbs: TAGS_VERBS,
        help: "Annotations with their level, one per line",
    },
    OutputDeclaration {
        name: "bake-file",
        verbs: TAGS_VERBS,
        help: "Bake file with tags and labels",
    },
    OutputDeclaration {
        name: "bake-file-tags",
        verbs: TAGS_VERBS,
        help: "Bake file with tags",
    },
    OutputDeclaration {
        name: "bake-file-labels",
        verbs: TAGS_VERBS,
        help: "Bake file with labels",
    },
    OutputDeclaration {
        name: "bake-file-annotations",
        verbs: TAGS_VERBS,
        help: "Bake file with annotations",
    },
];
