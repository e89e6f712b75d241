//! What a referrer is, told from the names that it gives its content.

use std::collections::BTreeMap;

use crate::image::{Body, Manifest};
use crate::notice::printable;

/// What something about an image is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
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
    Record,
    /// Anything else, by its type.
    Other(String),
}

/// What the types of release records of all versions begin with. A record is of one environment.
const RECORD: &str = "https://shipmark.dev/attestation/release/";
const COSIGN_SIGN: &str = "https://sigstore.dev/cosign/sign/";
/// The annotations, of a manifest or of a layer, that say what a statement is about.
const PREDICATES: [&str; 3] = [
    "dev.sigstore.bundle.predicateType",
    "in-toto.io/predicate-type",
    "predicateType",
];
/// Types that are only an envelope around a statement.
const ENVELOPES: [&str; 5] = [
    "application/vnd.dev.sigstore.bundle",
    "application/vnd.dsse.envelope",
    "application/vnd.in-toto",
    "application/vnd.docker.attestation.manifest",
    "application/vnd.dev.cosign.artifact.att",
];
const SIGNATURES: [&str; 3] = [
    "application/vnd.dev.cosign.artifact.sig",
    "application/vnd.dev.cosign.simplesigning",
    "application/vnd.cncf.notary.signature",
];
/// Types that say nothing of the content.
const EMPTY: [&str; 4] = [
    "",
    "application/vnd.oci.empty.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.unknown.config.v1+json",
];
/// What stands in the types of well-known content, the most telling words first.
const WORDS: [(&str, Kind); 11] = [
    ("vex", Kind::Vex),
    ("csaf", Kind::Vex),
    ("provenance", Kind::Provenance),
    ("sbom", Kind::Sbom),
    ("spdx", Kind::Sbom),
    ("cyclonedx", Kind::Sbom),
    ("syft", Kind::Sbom),
    ("sarif", Kind::Scan),
    ("vuln", Kind::Scan),
    ("trivy", Kind::Scan),
    ("scan", Kind::Scan),
];

/// The annotation that says what a bundle holds.
const CONTENT: &str = "dev.sigstore.bundle.content";

impl Kind {
    /// The annotations of a list's entry that anything is told from.
    pub(super) const TELLING: [&str; 4] = [PREDICATES[0], PREDICATES[1], PREDICATES[2], CONTENT];

    /// What a manifest is.
    pub fn of(manifest: &Manifest) -> Self {
        let (config, layers) = match &manifest.body {
            Body::Image { config, layers } => (config.media_type.as_str(), layers.as_slice()),
            Body::Index(_) => ("", &[][..]),
        };
        let annotations = layers.iter().map(|layer| &layer.annotations);
        let predicates: Vec<&str> = annotations
            .chain([&manifest.annotations])
            .flat_map(predicates)
            .collect();
        let first = layers.first().map_or("", |layer| layer.media_type.as_str());
        let names = [manifest.artifact_type.as_deref().unwrap_or(""), config];
        let telling = names.into_iter().find(|name| !EMPTY.contains(name));
        Self::named(telling.unwrap_or(first), &predicates)
    }

    /// What an entry of a list says that a manifest is; `None` where only the manifest can tell.
    pub(super) fn said(kind: Option<&str>, annotations: &BTreeMap<String, String>) -> Option<Self> {
        let kind = kind.filter(|kind| !EMPTY.contains(kind))?;
        let predicates: Vec<&str> = predicates(annotations).collect();
        let is_envelope = ENVELOPES.iter().any(|known| kind.starts_with(known));
        (!is_envelope || !predicates.is_empty()).then(|| Self::named(kind, &predicates))
    }

    /// What a layer of one of cosign's images under a tag is, from its type and annotations.
    pub(super) fn of_layer(kind: &str, annotations: &BTreeMap<String, String>) -> Self {
        let predicates: Vec<&str> = predicates(annotations).collect();
        Self::named(kind, &predicates)
    }

    fn named(name: &str, predicates: &[&str]) -> Self {
        let all = predicates.iter().chain([&name]);
        if all.into_iter().any(|text| text.starts_with(RECORD)) {
            return Self::Record;
        }
        if SIGNATURES.iter().any(|known| name.starts_with(known)) {
            return Self::Signature;
        }
        if !ENVELOPES.iter().any(|known| name.starts_with(known)) {
            return by_word(name).unwrap_or_else(|| Self::Other(printable(name, 120)));
        }
        let stated = predicates.iter().map(|predicate| statement(predicate));
        let mut kinds: Vec<Self> = stated.collect();
        kinds.dedup();
        match kinds.as_slice() {
            [only] => only.clone(),
            _ => Self::Attestation,
        }
    }

    /// One word for it, as in the output `json`; for what is none of the known kinds, its type.
    pub fn id(&self) -> &str {
        match self {
            Self::Signature => "signature",
            Self::Provenance => "provenance",
            Self::Sbom => "sbom",
            Self::Vex => "vex",
            Self::Scan => "scan",
            Self::Attestation => "attestation",
            Self::Record => "record",
            Self::Other(kind) => kind,
        }
    }

    /// So many of them: `2 signatures`.
    pub fn counted(&self, count: u64) -> String {
        let name = match self {
            Self::Signature => "signature",
            Self::Provenance => "provenance statement",
            Self::Sbom => "SBOM",
            Self::Vex => "VEX statement",
            Self::Scan => "scan report",
            Self::Attestation => "attestation",
            Self::Record => "release record",
            Self::Other(kind) if kind.is_empty() => return format!("{count} of no type"),
            Self::Other(kind) => return format!("{count} of type {kind}"),
        };
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {name}{plural}")
    }
}

fn statement(predicate: &str) -> Kind {
    if predicate.starts_with(COSIGN_SIGN) {
        return Kind::Signature;
    }
    by_word(predicate).unwrap_or(Kind::Attestation)
}

fn by_word(name: &str) -> Option<Kind> {
    let name = name.to_ascii_lowercase();
    let known = WORDS.iter().find(|(word, _)| name.contains(word));
    known.map(|(_, kind)| kind.clone())
}

fn predicates(annotations: &BTreeMap<String, String>) -> impl Iterator<Item = &str> {
    let content = annotations.get(CONTENT);
    let bare = content.filter(|content| *content == "message-signature");
    PREDICATES
        .iter()
        .filter_map(|name| annotations.get(*name).map(String::as_str))
        .chain(bare.map(|_| COSIGN_SIGN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const EMPTY_DIGEST: &str =
        "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

    fn kind(artifact: &str, config: &str, layers: &[(&str, &str)], predicate: &str) -> Kind {
        let blob = |kind: &str, predicate: &str| {
            let mut blob = json!({"mediaType": kind, "digest": EMPTY_DIGEST, "size": 2});
            if !predicate.is_empty() {
                blob["annotations"] = json!({"in-toto.io/predicate-type": predicate});
            }
            blob
        };
        let layers: Vec<_> = layers.iter().map(|(kind, said)| blob(kind, said)).collect();
        let mut manifest =
            json!({"schemaVersion": 2, "config": blob(config, ""), "layers": layers});
        if !artifact.is_empty() {
            manifest["artifactType"] = artifact.into();
        }
        if !predicate.is_empty() {
            manifest["annotations"] = json!({"dev.sigstore.bundle.predicateType": predicate});
        }
        Kind::of(&Manifest::parse(manifest.to_string().into(), None).unwrap())
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
        assert_eq!(kind(attestation, empty, &both, ""), Kind::Attestation);
        assert_eq!(kind(attestation, empty, &both[1..], ""), Kind::Provenance);
        let config = "application/vnd.oci.image.config.v1+json";
        assert_eq!(kind("", config, &both[..1], ""), Kind::Sbom);
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
            assert_eq!(Kind::said(kind, &none).is_some(), told, "{kind:?}");
        }
    }
}
