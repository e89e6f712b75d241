//! Kinds of referrers, derived from the media types and annotations of their content.

use std::collections::BTreeMap;

use crate::image::{Manifest, ManifestBody};
use crate::notices::to_printable;

/// Kind of a referrer.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReferrerKind {
    /// A signature of the image: cosign's or Notation's.
    Signature,
    /// An account of how the image was built (SLSA).
    Provenance,
    /// A list of what is in the image (SPDX, CycloneDX, Syft).
    Sbom,
    /// What of a scan's findings applies to the image (OpenVEX, CSAF).
    Vex,
    /// A scanner's report.
    Scan,
    /// A signed statement about something else, or about several of these.
    Attestation,
    /// The record of a release to an environment.
    ReleaseRecord,
    /// This program's verification summary of a release to an environment.
    ReleaseSummary,
    /// Anything else, by its type.
    Other(String),
}

/// What the types of release records of all versions begin with. A record is of one environment.
const RELEASE_RECORD_PREFIX: &str = "https://shipmark.dev/attestation/release/";
/// Predicate type of verification summaries. Those of an environment have its annotation, those of users do not.
const SUMMARY_PREDICATE: &str = "https://slsa.dev/verification_summary/v1";
/// Annotation of a release record and of a summary of a release: the environment.
pub const RECORD_ENVIRONMENT_ANNOTATION: &str = "dev.shipmark.environment";
/// Annotation of a release record: the address of the run that wrote it.
pub const RECORD_RUN_ANNOTATION: &str = "dev.shipmark.run";
const COSIGN_SIGN_PREFIX: &str = "https://sigstore.dev/cosign/sign/";
/// The annotations, of a manifest or of a layer, that say what a statement is about.
const PREDICATE_ANNOTATIONS: [&str; 3] = [
    "dev.sigstore.bundle.predicateType",
    "in-toto.io/predicate-type",
    "predicateType",
];
/// Types that are only an envelope around a statement.
const ENVELOPE_TYPES: [&str; 5] = [
    "application/vnd.dev.sigstore.bundle",
    "application/vnd.dsse.envelope",
    "application/vnd.in-toto",
    "application/vnd.docker.attestation.manifest",
    "application/vnd.dev.cosign.artifact.att",
];
const SIGNATURE_TYPES: [&str; 3] = [
    "application/vnd.dev.cosign.artifact.sig",
    "application/vnd.dev.cosign.simplesigning",
    "application/vnd.cncf.notary.signature",
];
/// Types that say nothing of the content.
const GENERIC_TYPES: [&str; 4] = [
    "",
    "application/vnd.oci.empty.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.unknown.config.v1+json",
];
/// What stands in the types of well-known content, the most telling words first.
const TYPE_KEYWORDS: [(&str, ReferrerKind); 11] = [
    ("vex", ReferrerKind::Vex),
    ("csaf", ReferrerKind::Vex),
    ("provenance", ReferrerKind::Provenance),
    ("sbom", ReferrerKind::Sbom),
    ("spdx", ReferrerKind::Sbom),
    ("cyclonedx", ReferrerKind::Sbom),
    ("syft", ReferrerKind::Sbom),
    ("sarif", ReferrerKind::Scan),
    ("vuln", ReferrerKind::Scan),
    ("trivy", ReferrerKind::Scan),
    ("scan", ReferrerKind::Scan),
];

/// The annotation that says what a bundle holds.
const CONTENT: &str = "dev.sigstore.bundle.content";

impl ReferrerKind {
    /// Annotations of an entry of a list that are kept: those that state the kind of the referrer, and those of
    /// release records.
    pub(super) const READ_ANNOTATIONS: [&str; 6] = [
        RECORD_ENVIRONMENT_ANNOTATION,
        RECORD_RUN_ANNOTATION,
        PREDICATE_ANNOTATIONS[0],
        PREDICATE_ANNOTATIONS[1],
        PREDICATE_ANNOTATIONS[2],
        CONTENT,
    ];

    /// Returns the kind of a manifest.
    pub fn from_manifest(manifest: &Manifest) -> Self {
        let (config, layers) = match &manifest.body {
            ManifestBody::Image { config, layers } => {
                (config.media_type.as_str(), layers.as_slice())
            }
            ManifestBody::Artifact(blobs) => ("", blobs.as_slice()),
            ManifestBody::Index(_) => ("", &[][..]),
        };
        let annotations = layers.iter().map(|layer| &layer.annotations);
        let predicates: Vec<&str> = annotations
            .chain([&manifest.annotations])
            .flat_map(predicate_types)
            .collect();
        let first = layers.first().map_or("", |layer| layer.media_type.as_str());
        let names = [manifest.artifact_type.as_deref().unwrap_or(""), config];
        let telling = names.into_iter().find(|name| !GENERIC_TYPES.contains(name));
        if is_release_summary(&manifest.annotations) {
            return Self::ReleaseSummary;
        }
        Self::from_type(telling.unwrap_or(first), &predicates)
    }

    /// Returns the kind that an entry of a list states; `None` where only the manifest can tell.
    pub(super) fn from_entry(
        kind: Option<&str>,
        annotations: &BTreeMap<String, String>,
    ) -> Option<Self> {
        let kind = kind.filter(|kind| !GENERIC_TYPES.contains(kind))?;
        let predicates: Vec<&str> = predicate_types(annotations).collect();
        let is_envelope = ENVELOPE_TYPES.iter().any(|known| kind.starts_with(known));
        if is_envelope && is_release_summary(annotations) {
            return Some(Self::ReleaseSummary);
        }
        (!is_envelope || !predicates.is_empty()).then(|| Self::from_type(kind, &predicates))
    }

    /// Returns the kind of a layer of one of cosign's images, from its type and annotations.
    pub(super) fn from_layer(kind: &str, annotations: &BTreeMap<String, String>) -> Self {
        let predicates: Vec<&str> = predicate_types(annotations).collect();
        Self::from_type(kind, &predicates)
    }

    fn from_type(name: &str, predicates: &[&str]) -> Self {
        let all = predicates.iter().chain([&name]);
        if all
            .into_iter()
            .any(|text| text.starts_with(RELEASE_RECORD_PREFIX))
        {
            return Self::ReleaseRecord;
        }
        if SIGNATURE_TYPES.iter().any(|known| name.starts_with(known)) {
            return Self::Signature;
        }
        if !ENVELOPE_TYPES.iter().any(|known| name.starts_with(known)) {
            return kind_by_keyword(name).unwrap_or_else(|| Self::Other(to_printable(name, 120)));
        }
        let stated = predicates
            .iter()
            .map(|predicate| kind_of_predicate(predicate));
        let mut kinds: Vec<Self> = stated.collect();
        kinds.dedup();
        match kinds.as_slice() {
            [only] => only.clone(),
            _ => Self::Attestation,
        }
    }

    /// Returns the name of the kind in the output `json`; the type itself for an unknown kind.
    pub fn id(&self) -> &str {
        match self {
            Self::Signature => "signature",
            Self::Provenance => "provenance",
            Self::Sbom => "sbom",
            Self::Vex => "vex",
            Self::Scan => "scan",
            Self::Attestation => "attestation",
            Self::ReleaseRecord => "record",
            Self::ReleaseSummary => "release-summary",
            Self::Other(kind) => kind,
        }
    }

    /// Returns the count with the name of the kind, such as `2 signatures`.
    pub fn count_phrase(&self, count: u64) -> String {
        let name = match self {
            Self::Signature => "signature",
            Self::Provenance => "provenance statement",
            Self::Sbom => "SBOM",
            Self::Vex => "VEX statement",
            Self::Scan => "scan report",
            Self::Attestation => "attestation",
            Self::ReleaseRecord => "release record",
            Self::ReleaseSummary => "release summary",
            Self::Other(kind) if kind.is_empty() => return format!("{count} of no type"),
            Self::Other(kind) => return format!("{count} of type {kind}"),
        };
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {name}{plural}")
    }
}

/// Returns whether annotations are those of a summary of a release to an environment.
fn is_release_summary(annotations: &BTreeMap<String, String>) -> bool {
    let mut types = predicate_types(annotations);
    annotations.contains_key(RECORD_ENVIRONMENT_ANNOTATION)
        && types.any(|predicate| predicate == SUMMARY_PREDICATE)
}

fn kind_of_predicate(predicate: &str) -> ReferrerKind {
    if predicate.starts_with(COSIGN_SIGN_PREFIX) {
        return ReferrerKind::Signature;
    }
    kind_by_keyword(predicate).unwrap_or(ReferrerKind::Attestation)
}

fn kind_by_keyword(name: &str) -> Option<ReferrerKind> {
    let name = name.to_ascii_lowercase();
    let known = TYPE_KEYWORDS.iter().find(|(word, _)| name.contains(word));
    known.map(|(_, kind)| kind.clone())
}

fn predicate_types(annotations: &BTreeMap<String, String>) -> impl Iterator<Item = &str> {
    let content = annotations.get(CONTENT);
    let bare = content.filter(|content| *content == "message-signature");
    PREDICATE_ANNOTATIONS
        .iter()
        .filter_map(|name| annotations.get(*name).map(String::as_str))
        .chain(bare.map(|_| COSIGN_SIGN_PREFIX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const EMPTY_DIGEST: &str =
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    fn kind(
        artifact: &str,
        config: &str,
        layers: &[(&str, &str)],
        predicate: &str,
    ) -> ReferrerKind {
        let blob = |kind: &str, predicate: &str| {
            let mut blob = json!({"mediaType": kind, "digest": EMPTY_DIGEST, "size": 2});
            if !predicate.is_empty() {
                blob["annotations"] = json!({"in-toto.io/predicate-type": predicate});
            }
            blob
        };
        let layers: Vec<_> = layers
            .iter()
            .map(|(kind, entry_annotations)| blob(kind, entry_annotations))
            .collect();
        let mut manifest =
            json!({"schemaVersion": 2, "config": blob(config, ""), "layers": layers});
        if !artifact.is_empty() {
            manifest["artifactType"] = artifact.into();
        }
        if !predicate.is_empty() {
            manifest["annotations"] = json!({"dev.sigstore.bundle.predicateType": predicate});
        }
        ReferrerKind::from_manifest(&Manifest::parse(manifest.to_string().into(), None).unwrap())
    }

    #[test]
    fn what_a_referrer_is_follows_from_its_types() {
        let empty = "application/vnd.oci.empty.v1+json";
        let bundle = "application/vnd.dev.sigstore.bundle.v0.3+json";
        for (artifact, config, layer, predicate, expected) in [
            (
                bundle,
                empty,
                bundle,
                "https://sigstore.dev/cosign/sign/v1",
                "signature",
            ),
            (
                bundle,
                empty,
                bundle,
                "https://slsa.dev/provenance/v1",
                "provenance",
            ),
            (
                bundle,
                empty,
                bundle,
                "https://spdx.dev/Document/v2.3",
                "sbom",
            ),
            (bundle, empty, bundle, "https://cyclonedx.org/bom", "sbom"),
            (
                bundle,
                empty,
                bundle,
                "https://openvex.dev/ns/v0.2.0",
                "vex",
            ),
            (
                bundle,
                empty,
                bundle,
                "https://cosign.sigstore.dev/attestation/vuln/v1",
                "scan",
            ),
            (
                bundle,
                empty,
                bundle,
                "https://example.com/reviewed/v1",
                "attestation",
            ),
            (
                bundle,
                empty,
                bundle,
                "https://shipmark.dev/attestation/release/v0.1",
                "record",
            ),
            (bundle, empty, bundle, "", "attestation"),
            (
                "https://shipmark.dev/attestation/release/v9",
                empty,
                "x/y",
                "",
                "record",
            ),
            (
                "application/vnd.cncf.notary.signature",
                empty,
                "application/jose+json",
                "",
                "signature",
            ),
            (
                "",
                "application/vnd.dev.cosign.artifact.sig.v1+json",
                "x/y",
                "",
                "signature",
            ),
            ("application/spdx+json", empty, "x/y", "", "sbom"),
            ("", empty, "application/sarif+json", "", "scan"),
            (
                "application/vnd.aquasec.trivy.report.sarif.v1",
                empty,
                "x/y",
                "",
                "scan",
            ),
            (
                "application/vnd.goharbor.harbor.sbom.v1",
                empty,
                "x/y",
                "",
                "sbom",
            ),
            (
                "application/vnd.acme.coffee",
                empty,
                "application/spdx+json",
                "",
                "application/vnd.acme.coffee",
            ),
            ("", "", "", "", ""),
        ] {
            let is = kind(artifact, config, &[(layer, "")], predicate);
            assert_eq!(is.id(), expected, "{artifact} {config} {layer} {predicate}");
        }
        let attestation = "application/vnd.docker.attestation.manifest.v1+json";
        let layer = "application/vnd.in-toto+json";
        let both = [
            (layer, "https://spdx.dev/Document"),
            (layer, "https://slsa.dev/provenance/v1"),
        ];
        assert_eq!(
            kind(attestation, empty, &both, ""),
            ReferrerKind::Attestation
        );
        assert_eq!(
            kind(attestation, empty, &both[1..], ""),
            ReferrerKind::Provenance
        );
        let config = "application/vnd.oci.image.config.v1+json";
        assert_eq!(kind("", config, &both[..1], ""), ReferrerKind::Sbom);
    }

    #[test]
    fn an_entry_that_does_not_tell_leaves_it_to_the_manifest() {
        let none = BTreeMap::new();
        for (kind, told) in [
            (None, false),
            (Some("application/vnd.oci.empty.v1+json"), false),
            (Some("application/vnd.dev.sigstore.bundle.v0.3+json"), false),
            (Some("application/spdx+json"), true),
            (Some("application/vnd.acme.coffee"), true),
        ] {
            assert_eq!(
                ReferrerKind::from_entry(kind, &none).is_some(),
                told,
                "{kind:?}"
            );
        }
    }
}
