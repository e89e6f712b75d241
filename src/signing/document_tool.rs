//! The program that made an attested document, as the document names it.

use serde_json::Value;

use super::predicate::Predicate;

/// The most bytes of a name.
const NAME_LIMIT: usize = 256;

impl Predicate {
    /// Returns the program that made the document, with its version where the document says it; of provenance the
    /// builder. `None` if it names none.
    pub fn tool(&self) -> Option<String> {
        let json = &self.content;
        let tool = match self.document_kind() {
            "sbom" => cyclonedx_tool(json).or_else(|| spdx_tool(json)),
            "scan" => named_tool(&json["scanner"], "uri"),
            "verification-summary" => text(&json["verifier"]["id"]).map(str::to_owned),
            _ => {
                let builder = text(&json["runDetails"]["builder"]["id"]);
                builder
                    .or_else(|| text(&json["builder"]["id"]))
                    .map(str::to_owned)
            }
        };
        tool.filter(|tool| tool.len() <= NAME_LIMIT && !tool.contains(char::is_control))
    }
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}

/// Returns name and version of a tool.
fn named_tool(tool: &Value, name: &str) -> Option<String> {
    let name = text(&tool[name])?;
    Some(match text(&tool["version"]) {
        Some(version) => format!("{name} {version}"),
        None => name.to_owned(),
    })
}

/// CycloneDX lists tools, from 1.5 as components.
fn cyclonedx_tool(json: &Value) -> Option<String> {
    let tools = &json["metadata"]["tools"];
    let first = |tools: &Value| named_tool(&tools[0], "name");
    first(tools).or_else(|| first(&tools["components"]))
}

/// SPDX names tools among the creators: `Tool: syft-1.2.0`.
fn spdx_tool(json: &Value) -> Option<String> {
    let creators = json["creationInfo"]["creators"].as_array()?;
    let mut creators = creators.iter().filter_map(Value::as_str);
    let tool = creators.find_map(|creator| creator.strip_prefix("Tool:"))?;
    Some(tool.trim().to_owned()).filter(|tool| !tool.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::signing::PredicateSource::{
        self, Provenance, Sbom, ScanReport, VerificationSummary,
    };

    fn tool(source: PredicateSource, json: &Value) -> Option<String> {
        let parsed = Predicate::parse(source, json.to_string().as_bytes());
        parsed.unwrap().tool()
    }

    fn cyclonedx(tools: &Value) -> Value {
        json!({"bomFormat": "CycloneDX", "specVersion": "1.5", "metadata": {"tools": tools}})
    }

    fn spdx(creators: &Value) -> Value {
        json!({"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "creationInfo": {"creators": creators}})
    }

    #[test]
    fn documents_name_their_tool() {
        let trivy = json!({"name": "trivy", "version": "0.62.0"});
        let provenance = json!({
            "buildDefinition": {"buildType": "https://b.example/type"},
            "runDetails": {"builder": {"id": "https://b.example/builder"}},
        });
        let summary = json!({
            "verifier": {"id": "https://v.example"}, "timeVerified": "2026-11-20T00:00:00Z",
            "resourceUri": "x", "policy": {}, "verificationResult": "PASSED", "verifiedLevels": [],
        });
        for (source, json, expected) in [
            (Sbom, cyclonedx(&json!([trivy])), "trivy 0.62.0"),
            (
                Sbom,
                cyclonedx(&json!({"components": [trivy]})),
                "trivy 0.62.0",
            ),
            (
                Sbom,
                spdx(&json!(["Organization: A", "Tool: syft-1.2.0"])),
                "syft-1.2.0",
            ),
            (
                ScanReport,
                json!({"descriptor": {"name": "grype", "version": "0.90.0"}, "matches": []}),
                "pkg:github/anchore/grype 0.90.0",
            ),
            (Provenance, provenance, "https://b.example/builder"),
            (VerificationSummary, summary, "https://v.example"),
        ] {
            assert_eq!(tool(source, &json).as_deref(), Some(expected), "{json}");
        }
    }

    #[test]
    fn a_document_without_a_usable_name_has_no_tool() {
        for json in [
            cyclonedx(&json!([])),
            cyclonedx(&json!([{"name": "a\nb"}])),
            cyclonedx(&json!([{"name": "a".repeat(257)}])),
            spdx(&json!(["Person: A"])),
            spdx(&json!(["Tool: "])),
        ] {
            assert_eq!(tool(Sbom, &json), None, "{json}");
        }
    }
}
