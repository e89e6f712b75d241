//! What OpenVEX documents state of a finding of an image.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::package_url::is_package;
use crate::gate::scan_report::ScanFinding;
use crate::gate::vex_document::{VexDocument, VexProduct, VexStatement, VexStatus};
use crate::image::Digest;

/// Statements of documents, by the names of vulnerabilities.
pub(super) struct VexIndex<'a> {
    by_name: HashMap<String, Vec<NumberedStatement<'a>>>,
    now: Timestamp,
}

/// Statement, and the number of its document.
#[derive(Clone, Copy)]
struct NumberedStatement<'a> {
    document: usize,
    statement: &'a VexStatement,
}

impl<'a> VexIndex<'a> {
    /// Returns the index of documents by their numbers.
    pub fn new(documents: impl Iterator<Item = (usize, &'a VexDocument)>, now: Timestamp) -> Self {
        let mut by_name: HashMap<String, Vec<NumberedStatement<'a>>> = HashMap::new();
        for (document, content) in documents {
            for statement in &content.statements {
                let numbered = NumberedStatement {
                    document,
                    statement,
                };
                for name in &statement.vulnerability {
                    let name = name.to_ascii_lowercase();
                    by_name.entry(name).or_default().push(numbered);
                }
            }
        }
        Self { by_name, now }
    }

    /// Returns the number of the document by which a finding in the image with these digests does not count. The
    /// newest statement on it decides, and of several of one time the strictest.
    pub fn suppressing_document(
        &self,
        finding: ScanFinding<'_>,
        image: &BTreeSet<Digest>,
    ) -> Option<usize> {
        let named = self.by_name.get(&finding.id.to_ascii_lowercase())?;
        let about = named
            .iter()
            .filter(|numbered| self.is_about(numbered.statement, finding, image));
        let decisive = about.max_by_key(|numbered| {
            let statement = numbered.statement;
            (statement.timestamp, !suppresses(statement.status))
        })?;
        suppresses(decisive.statement.status).then_some(decisive.document)
    }

    /// Returns whether a statement is about a finding. Where that is not known, one that suppresses is not, and
    /// another is. A statement from after now suppresses nothing.
    fn is_about(
        &self,
        statement: &VexStatement,
        finding: ScanFinding<'_>,
        image: &BTreeSet<Digest>,
    ) -> bool {
        let is_suppressing = suppresses(statement.status);
        let mut products = statement.products.iter();
        !(is_suppressing && statement.timestamp > self.now)
            && products.any(|product| {
                !product.component.digests.is_disjoint(image)
                    && has_package(product, finding, !is_suppressing)
            })
    }
}

/// Returns whether a statement of this status takes findings out.
fn suppresses(status: VexStatus) -> bool {
    match status {
        VexStatus::NotAffected(justification) => justification.is_some(),
        VexStatus::Fixed => true,
        VexStatus::Affected | VexStatus::UnderInvestigation => false,
    }
}

/// Returns whether a product's part that is meant has the package of a finding; `if_unknown` if the finding's
/// package URL is not known.
fn has_package(product: &VexProduct, finding: ScanFinding<'_>, if_unknown: bool) -> bool {
    let parts = &product.subcomponents;
    let mut identifiers = parts.iter().flat_map(|part| &part.identifiers);
    match finding.purl {
        _ if parts.is_empty() => true,
        "" => if_unknown,
        purl => identifiers.any(|wanted| is_package(wanted, purl)),
    }
}
