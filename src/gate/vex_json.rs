use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Deserialize;

use super::scan_report::digest_in_name;
use super::vex_document::{
    VEX_LIMIT, VexComponent, VexDocument, VexError, VexJustification, VexProduct, VexStatement,
    VexStatus,
};
use crate::image::Digest;
use crate::strict_json::{
    ANY_SHAPE, JsonLimits, JsonShape, check_json, check_shape, members_shape,
};

/// Context of the version that is read.
const CONTEXT: &str = "https://openvex.dev/ns/v0.2.0";
const LIMITS: JsonLimits = JsonLimits {
    bytes: VEX_LIMIT,
    depth: 16,
};

/// Shape of a document (OpenVEX specification 0.2.0, 'Document').
static DOCUMENT: JsonShape = members_shape(&[
    ("@context", ANY_SHAPE),
    ("@id", ANY_SHAPE),
    ("author", ANY_SHAPE),
    ("role", ANY_SHAPE),
    ("timestamp", ANY_SHAPE),
    ("last_updated", ANY_SHAPE),
    ("version", ANY_SHAPE),
    ("tooling", ANY_SHAPE),
    ("supplier", ANY_SHAPE),
    ("statements", &JsonShape::List(&STATEMENT)),
]);
static STATEMENT: JsonShape = members_shape(&[
    ("@id", ANY_SHAPE),
    ("version", ANY_SHAPE),
    ("vulnerability", &VULNERABILITY),
    ("timestamp", ANY_SHAPE),
    ("last_updated", ANY_SHAPE),
    ("products", &JsonShape::List(&PRODUCT)),
    ("status", ANY_SHAPE),
    ("supplier", ANY_SHAPE),
    ("status_notes", ANY_SHAPE),
    ("justification", ANY_SHAPE),
    ("impact_statement", ANY_SHAPE),
    ("action_statement", ANY_SHAPE),
    ("action_statement_timestamp", ANY_SHAPE),
]);
static VULNERABILITY: JsonShape = members_shape(&[
    ("@id", ANY_SHAPE),
    ("name", ANY_SHAPE),
    ("description", ANY_SHAPE),
    ("aliases", ANY_SHAPE),
]);
static PRODUCT: JsonShape = members_shape(&[
    ("@id", ANY_SHAPE),
    ("identifiers", &IDENTIFIERS),
    ("hashes", ANY_SHAPE),
    ("supplier", ANY_SHAPE),
    ("subcomponents", &JsonShape::List(&COMPONENT)),
]);
static COMPONENT: JsonShape = members_shape(&[
    ("@id", ANY_SHAPE),
    ("identifiers", &IDENTIFIERS),
    ("hashes", ANY_SHAPE),
    ("supplier", ANY_SHAPE),
]);
static IDENTIFIERS: JsonShape = members_shape(&[
    ("purl", ANY_SHAPE),
    ("cpe22", ANY_SHAPE),
    ("cpe23", ANY_SHAPE),
]);

#[derive(Deserialize)]
struct ContextJson {
    #[serde(rename = "@context")]
    context: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct DocumentJson {
    #[serde(rename = "@id")]
    id: String,
    author: String,
    timestamp: Option<String>,
    last_updated: Option<String>,
    statements: Vec<StatementJson>,
}

#[derive(Deserialize)]
struct StatementJson {
    vulnerability: VulnerabilityJson,
    timestamp: Option<String>,
    last_updated: Option<String>,
    products: Option<Vec<ProductJson>>,
    status: String,
    justification: Option<String>,
}

#[derive(Deserialize)]
struct VulnerabilityJson {
    #[serde(rename = "@id")]
    id: Option<String>,
    name: Option<String>,
    aliases: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct ProductJson {
    #[serde(flatten)]
    component: ComponentJson,
    subcomponents: Option<Vec<ComponentJson>>,
}

#[derive(Deserialize)]
struct ComponentJson {
    #[serde(rename = "@id")]
    id: Option<String>,
    identifiers: Option<BTreeMap<String, String>>,
    hashes: Option<BTreeMap<String, String>>,
}

impl VexDocument {
    /// Reads an OpenVEX document of version 0.2.0, of at most [`VEX_LIMIT`] bytes.
    ///
    /// # Errors
    /// Returns why it is not such a document, or a statement in it is not understood.
    pub fn parse(bytes: &[u8]) -> Result<Self, VexError> {
        let malformed = |error: &dyn ToString| VexError::Malformed(error.to_string());
        let text = check_json(bytes, LIMITS).map_err(|error| malformed(&error))?;
        let json: ContextJson = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        match json.context {
            Some(serde_json::Value::String(context)) if context == CONTEXT => {}
            Some(serde_json::Value::String(context)) => {
                return Err(VexError::UnsupportedVersion(context));
            }
            _ => return Err(malformed(&"it has no @context")),
        }
        check_shape(bytes, &DOCUMENT, LIMITS).map_err(|error| malformed(&error))?;
        let json: DocumentJson = serde_json::from_str(text).map_err(|error| malformed(&error))?;
        json.into_document()
    }
}

impl DocumentJson {
    fn into_document(self) -> Result<VexDocument, VexError> {
        let times = [self.timestamp.as_deref(), self.last_updated.as_deref()];
        let time = latest_time(times).map_err(VexError::Malformed)?;
        if self.statements.is_empty() {
            return Err(VexError::Malformed("it has no statements".to_owned()));
        }
        let mut statements = Vec::new();
        for (number, statement) in (1..).zip(self.statements) {
            let error = |problem| VexError::Statement { number, problem };
            statements.push(statement.into_statement(time).map_err(error)?);
        }
        Ok(VexDocument {
            id: self.id,
            author: self.author,
            statements,
        })
    }
}

impl StatementJson {
    /// Returns the statement, of the time of its document if it has none.
    fn into_statement(self, document_time: Option<Timestamp>) -> Result<VexStatement, String> {
        let time = latest_time([self.timestamp.as_deref(), self.last_updated.as_deref()])?;
        let timestamp = time.or(document_time);
        let products = self.products.unwrap_or_default();
        let products: Vec<_> = products
            .into_iter()
            .map(ProductJson::into_product)
            .collect::<Result<_, _>>()?;
        if products.is_empty() {
            return Err("it names no product".to_owned());
        }
        Ok(VexStatement {
            vulnerability: self.vulnerability.into_names()?,
            products,
            status: parse_status(&self.status, self.justification.as_deref())?,
            timestamp: timestamp.ok_or("it has no timestamp, and neither has the document")?,
        })
    }
}

impl VulnerabilityJson {
    /// Returns everything that the vulnerability is called.
    fn into_names(self) -> Result<BTreeSet<String>, String> {
        let names = self.name.into_iter().chain(self.id);
        let names = names.chain(self.aliases.unwrap_or_default());
        let names: BTreeSet<_> = names.filter(|name| !name.is_empty()).collect();
        match names.is_empty() {
            true => Err("its vulnerability has no name".to_owned()),
            false => Ok(names),
        }
    }
}

impl ProductJson {
    fn into_product(self) -> Result<VexProduct, String> {
        let subcomponents = self.subcomponents.unwrap_or_default().into_iter();
        Ok(VexProduct {
            component: self.component.into_component()?,
            subcomponents: subcomponents
                .map(ComponentJson::into_component)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl ComponentJson {
    fn into_component(self) -> Result<VexComponent, String> {
        let identifiers = self.identifiers.unwrap_or_default().into_values();
        let identifiers = self.id.into_iter().chain(identifiers);
        let identifiers: BTreeSet<_> = identifiers.filter(|it| !it.is_empty()).collect();
        let mut digests: BTreeSet<Digest> = identifiers
            .iter()
            .filter(|identifier| identifier.starts_with("pkg:"))
            .filter_map(|purl| digest_in_name(purl))
            .collect();
        for (algorithm, hex) in self.hashes.unwrap_or_default() {
            if matches!(algorithm.as_str(), "sha-256" | "sha256") {
                let digest = format!("sha256:{hex}").parse();
                digests.insert(digest.map_err(|_| format!("{hex:?} is not a SHA-256 hash"))?);
            }
        }
        match identifiers.is_empty() && digests.is_empty() {
            true => Err("a product or a part of it has no identifier".to_owned()),
            false => Ok(VexComponent {
                identifiers,
                digests,
            }),
        }
    }
}

/// Returns the later of a time and a time of a change.
fn latest_time([made, changed]: [Option<&str>; 2]) -> Result<Option<Timestamp>, String> {
    let parse = |text: &str| {
        let time = text.parse::<Timestamp>();
        time.map_err(|_| format!("{text:?} is not a time"))
    };
    let [made, changed] = [
        made.map(parse).transpose()?,
        changed.map(parse).transpose()?,
    ];
    Ok(made.max(changed))
}

fn parse_status(status: &str, justification: Option<&str>) -> Result<VexStatus, String> {
    let justification = justification.filter(|text| !text.is_empty());
    let status = match status {
        "not_affected" => {
            let justification = justification.map(parse_justification).transpose()?;
            return Ok(VexStatus::NotAffected(justification));
        }
        "affected" => VexStatus::Affected,
        "fixed" => VexStatus::Fixed,
        "under_investigation" => VexStatus::UnderInvestigation,
        other => return Err(format!("the status {other:?} is not known")),
    };
    match justification {
        None => Ok(status),
        Some(_) => Err("it has a justification, which only not_affected may have".to_owned()),
    }
}

fn parse_justification(text: &str) -> Result<VexJustification, String> {
    let known = VexJustification::ALL.into_iter();
    let mut matching = known.filter(|justification| justification.name() == text);
    let unknown = || format!("the justification {text:?} is not known");
    matching.next().ok_or_else(unknown)
}

#[cfg(test)]
mod tests;
