use std::borrow::Cow;

use super::finding_table::FindingNames;
use super::report_error::ScanReportError;
use super::text_table::TextTable;
use crate::gate::json_stream::JsonStream;

/// Most bytes of the different texts of components.
const TEXT_LIMIT: usize = 14 << 20;

/// Components of a CycloneDX document, to name what its vulnerabilities affect.
pub(super) struct ComponentTable {
    rows: Vec<ComponentRow>,
    texts: TextTable,
}

/// Numbers of the texts of a component.
struct ComponentRow {
    reference: u32,
    name: u32,
    version: u32,
    purl: u32,
}

/// Component without those below it.
#[derive(Default)]
struct Component {
    reference: String,
    name: String,
    version: String,
    purl: String,
}

impl Default for ComponentTable {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            texts: TextTable::new(TEXT_LIMIT),
        }
    }
}

impl ComponentTable {
    /// Reads a list of components, and those below them.
    pub fn read_list(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        json.list(|json| self.read_component(json)).map(drop)
    }

    /// Puts the components in the order of their references.
    pub fn sort(&mut self) {
        let texts = &self.texts;
        self.rows
            .sort_by(|left, right| texts.get(left.reference).cmp(texts.get(right.reference)));
    }

    /// Returns the names of the component with a reference, in a table that is sorted.
    pub fn find(&self, reference: &str) -> Option<FindingNames<'_>> {
        let key = |row: &ComponentRow| self.texts.get(row.reference);
        let number = self
            .rows
            .binary_search_by(|row| key(row).cmp(reference))
            .ok()?;
        let row = &self.rows[number];
        Some(FindingNames {
            id: None,
            package: Cow::Borrowed(self.texts.get(row.name)),
            version: Cow::Borrowed(self.texts.get(row.version)),
            purl: Cow::Borrowed(self.texts.get(row.purl)),
        })
    }

    fn read_component(&mut self, json: &mut JsonStream<'_>) -> Result<(), ScanReportError> {
        let mut component = Component::default();
        json.object(|json, name| {
            match name {
                "bom-ref" => json.text_into(&mut component.reference)?,
                "name" => json.text_into(&mut component.name)?,
                "version" => json.text_into(&mut component.version)?,
                "purl" => json.text_into(&mut component.purl)?,
                "components" => self.read_list(json)?,
                _ => {}
            }
            Ok::<_, ScanReportError>(())
        })?;
        if component.reference.is_empty() {
            return Ok(());
        }
        let row = ComponentRow {
            reference: self.texts.add(&component.reference)?,
            name: self.texts.add(&component.name)?,
            version: self.texts.add(&component.version)?,
            purl: self.texts.add(&component.purl)?,
        };
        self.rows.push(row);
        Ok(())
    }
}
