//! What OpenVEX documents state of a finding of an image.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

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

/// Why a statement that would take a finding out does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum VexShortfall {
    /// None of its products is the image.
    OtherImage,
    /// It is about other packages of the image, or the package of the finding is not known.
    OtherPackage,
    /// It says `not_affected` and not why.
    NoJustification,
    /// It is of a time after now.
    AfterNow,
    /// Another statement is newer, or as new and stricter.
    Overruled,
}

impl fmt::Display for VexShortfall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherImage => "its products do not name this image by a digest",
            Self::OtherPackage => "it names other packages",
            Self::NoJustification => "it has no justification",
            Self::AfterNow => "it is from after the time of this run",
            Self::Overruled => "a newer or stricter statement counts",
        })
    }
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

    /// Returns why a statement on a finding that counts does not take it out, with the number of its document; `None`
    /// if none of them would. Of several the one that comes nearest to it.
    pub fn shortfall(
        &self,
        finding: ScanFinding<'_>,
        image: &BTreeSet<Digest>,
    ) -> Option<(usize, VexShortfall)> {
        let named = self.by_name.get(&finding.id.to_ascii_lowercase())?;
        let meant = named.iter().filter(|numbered| {
            let status = numbered.statement.status;
            matches!(status, VexStatus::NotAffected(_) | VexStatus::Fixed)
        });
        let shortfalls = meant.map(|numbered| {
            let shortfall = self.shortfall_of(numbered.statement, finding, image);
            (numbered.document, shortfall)
        });
        shortfalls.max_by_key(|(_, shortfall)| *shortfall)
    }

    fn shortfall_of(
        &self,
        statement: &VexStatement,
        finding: ScanFinding<'_>,
        image: &BTreeSet<Digest>,
    ) -> VexShortfall {
        let products = statement.products.iter();
        let products = products.filter(|it| !it.component.digests.is_disjoint(image));
        let products: Vec<&VexProduct> = products.collect();
        match statement.status {
            _ if products.is_empty() => VexShortfall::OtherImage,
            _ if !products.iter().any(|it| has_package(it, finding, false)) => {
                VexShortfall::OtherPackage
            }
            VexStatus::NotAffected(None) => VexShortfall::NoJustification,
            _ if statement.timestamp > self.now => VexShortfall::AfterNow,
            _ => VexShortfall::Overruled,
        }
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
