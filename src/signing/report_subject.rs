//! The image that a scan report or an SBOM says it is about, by digests and by the names that the tools
//! have for them: Trivy's `ImageID` and `RepoDigests`, Grype's `imageID` and `manifestDigest`, the digest of
//! a purl.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::image::Digest;

/// Digests that a file names as its subject. What is malformed, or a tag, names nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportSubject {
    /// Digest of the image's config, which engines call its ID. Of an image in a containerd store it is that
    /// of a manifest.
    pub image_id: Option<Digest>,
    /// Digests of manifests, the root's or a child's.
    pub manifests: BTreeSet<Digest>,
    /// Digests of all layers, compressed or not, in their order.
    pub layers: Vec<Digest>,
}

impl ReportSubject {
    /// Returns whether the file names no image.
    pub fn is_unbound(&self) -> bool {
        *self == Self::default()
    }

    /// Reads the subjects of a scan report of any known form: one for each run of SARIF, else one.
    pub(super) fn from_scan_report(report: &Value) -> Vec<Self> {
        let embedded = &report["scanner"]["result"];
        if embedded.is_object() {
            return Self::from_scan_report(embedded);
        }
        let runs = list(&report["runs"]).map(|run| Self::from_sarif_run(&run["properties"]));
        let runs: Vec<_> = runs.collect();
        if !runs.is_empty() {
            return runs;
        }
        let mut subject = Self::default();
        subject.read_trivy(&report["Metadata"]);
        subject.read_grype(&report["source"]["target"]);
        vec![subject]
    }

    /// Reads the subject of an SBOM: the component of CycloneDX, the packages that SPDX describes.
    pub(super) fn from_sbom(sbom: &Value) -> Self {
        let mut subject = Self::default();
        subject.read_cyclonedx(&sbom["metadata"]["component"]);
        let described: BTreeSet<&str> = described_packages(sbom).collect();
        for package in list(&sbom["packages"]) {
            if text(&package["SPDXID"]).is_some_and(|id| described.contains(id)) {
                subject.read_spdx(package);
            }
        }
        subject
    }

    fn read_trivy(&mut self, metadata: &Value) {
        self.image_id = digest(&metadata["ImageID"]);
        self.add_references(&metadata["RepoDigests"]);
        self.layers = list(&metadata["DiffIDs"]).filter_map(digest).collect();
    }

    fn read_grype(&mut self, target: &Value) {
        if !target.is_object() {
            return;
        }
        self.image_id = digest(&target["imageID"]);
        self.manifests.extend(digest(&target["manifestDigest"]));
        self.add_references(&target["repoDigests"]);
        let layers = list(&target["layers"]);
        self.layers = layers
            .filter_map(|layer| digest(&layer["digest"]))
            .collect();
    }

    /// Trivy alone says there what it has looked at.
    fn from_sarif_run(properties: &Value) -> Self {
        let mut subject = Self {
            image_id: digest(&properties["imageID"]),
            ..Self::default()
        };
        subject.add_references(&properties["repoDigests"]);
        subject
    }

    fn read_cyclonedx(&mut self, component: &Value) {
        self.manifests.extend(digest(&component["version"]));
        self.manifests
            .extend(text(&component["purl"]).and_then(digest_in));
        for property in list(&component["properties"]) {
            let name = text(&property["name"]).unwrap_or_default();
            if let Some(name) = name.strip_prefix("aquasecurity:trivy:") {
                self.add_property(name, text(&property["value"]).unwrap_or_default());
            }
        }
    }

    fn read_spdx(&mut self, package: &Value) {
        self.manifests.extend(digest(&package["versionInfo"]));
        for checksum in list(&package["checksums"]) {
            if text(&checksum["algorithm"]) == Some("SHA256") {
                let hex = text(&checksum["checksumValue"]).unwrap_or_default();
                self.manifests
                    .extend(format!("sha256:{hex}").parse::<Digest>().ok());
            }
        }
        for reference in list(&package["externalRefs"]) {
            let locator = text(&reference["referenceLocator"]);
            self.manifests.extend(locator.and_then(digest_in));
        }
        let comments = list(&package["annotations"]).map(|annotation| &annotation["comment"]);
        let texts = list(&package["attributionTexts"]).chain(comments);
        for (name, value) in texts
            .filter_map(text)
            .filter_map(|text| text.split_once(": "))
        {
            self.add_property(name, value);
        }
    }

    /// Reads what Trivy writes into SBOMs.
    fn add_property(&mut self, name: &str, value: &str) {
        match name {
            "ImageID" => self.image_id = value.parse().ok(),
            "RepoDigest" => self.manifests.extend(digest_in(value)),
            "DiffID" => self.layers.extend(value.parse::<Digest>().ok()),
            _ => {}
        }
    }

    fn add_references(&mut self, references: &Value) {
        let references = list(references).filter_map(text);
        self.manifests.extend(references.filter_map(digest_in));
    }
}

fn described_packages(sbom: &Value) -> impl Iterator<Item = &str> {
    let listed = list(&sbom["documentDescribes"]).filter_map(text);
    let related = list(&sbom["relationships"]).filter(|relation| {
        text(&relation["relationshipType"]) == Some("DESCRIBES")
            && text(&relation["spdxElementId"]) == Some("SPDXRef-DOCUMENT")
    });
    listed.chain(related.filter_map(|relation| text(&relation["relatedSpdxElement"])))
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn digest(value: &Value) -> Option<Digest> {
    text(value)?.parse().ok()
}

/// Returns the digest in a reference or a purl: `alpine@sha256:…`, `pkg:oci/web@sha256%3A…?arch=amd64`.
fn digest_in(text: &str) -> Option<Digest> {
    let plain = text.replace("%3A", ":").replace("%3a", ":");
    let start = plain.find("sha256:")?;
    let end = start + "sha256:".len() + 64;
    plain.get(start..end)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::slice;

    use serde_json::json;

    use super::*;

    fn of(byte: char) -> Digest {
        format!("sha256:{}", byte.to_string().repeat(64))
            .parse()
            .unwrap()
    }

    #[test]
    fn every_tools_names_for_an_image_are_known() {
        let [a, b, c] = ['a', 'b', 'c'].map(of);
        let whole = ReportSubject {
            image_id: Some(a),
            manifests: [b].into(),
            layers: vec![c],
        };
        let trivy = json!({"Metadata": {"ImageID": a.to_string(), "DiffIDs": [c.to_string()],
            "RepoTags": ["web:1"], "RepoDigests": [format!("web@{b}"), "", "REDACTED"]}});
        assert_eq!(
            ReportSubject::from_scan_report(&trivy),
            slice::from_ref(&whole)
        );
        let cosign = json!({"scanner": {"result": trivy}, "metadata": {}});
        assert_eq!(
            ReportSubject::from_scan_report(&cosign),
            slice::from_ref(&whole)
        );
        let grype = json!({"source": {"type": "image", "target": {"imageID": a.to_string(),
            "manifestDigest": b.to_string(), "repoDigests": [], "layers": [{"digest": c.to_string()}]}}});
        assert_eq!(
            ReportSubject::from_scan_report(&grype),
            slice::from_ref(&whole)
        );
        let sarif = json!({"runs": [{"properties": {"imageID": a.to_string(), "repoDigests": [format!("web@{b}")]}}]});
        let without_layers = ReportSubject {
            layers: Vec::new(),
            ..whole.clone()
        };
        assert_eq!(ReportSubject::from_scan_report(&sarif), [without_layers]);
        let property = |name: &str, value: String| json!({"name": format!("aquasecurity:trivy:{name}"), "value": value});
        let cyclonedx = json!({"metadata": {"component": {"purl": format!("pkg:oci/web@{}?arch=amd64", b.to_string().replace(':', "%3A")),
            "properties": [property("ImageID", a.to_string()), property("DiffID", c.to_string())]}}});
        assert_eq!(ReportSubject::from_sbom(&cyclonedx), whole);
        let syft = json!({"metadata": {"component": {"version": b.to_string()}}});
        assert_eq!(ReportSubject::from_sbom(&syft).manifests, [b].into());
        let describes = json!([{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES", "relatedSpdxElement": "SPDXRef-x"}]);
        let spdx = json!({"relationships": describes, "packages": [
            {"SPDXID": "SPDXRef-y", "versionInfo": a.to_string()},
            {"SPDXID": "SPDXRef-x", "checksums": [{"algorithm": "SHA256", "checksumValue": b.to_hex()}],
             "attributionTexts": [format!("ImageID: {a}"), format!("DiffID: {c}")]}]});
        assert_eq!(ReportSubject::from_sbom(&spdx), whole);
    }

    #[test]
    fn what_names_no_image_is_unbound() {
        for report in [
            json!({}),
            json!({"Metadata": {"RepoTags": ["web:1"], "RepoDigests": [""]}}),
            json!({"source": {"type": "directory", "target": "/src"}}),
            json!({"runs": [{"tool": {}}]}),
        ] {
            let subjects = ReportSubject::from_scan_report(&report);
            assert_eq!(subjects, [ReportSubject::default()], "{report}");
        }
        for sbom in [
            json!({"metadata": {"component": {"version": "sha256:redacted", "purl": "pkg:npm/a@1"}}}),
            json!({"packages": [{"SPDXID": "SPDXRef-x", "versionInfo": of('a').to_string()}]}),
        ] {
            assert!(ReportSubject::from_sbom(&sbom).is_unbound(), "{sbom}");
        }
    }
}
