//! OpenVEX documents, as typed statements on vulnerabilities of images.

use std::collections::BTreeSet;

use jiff::Timestamp;
use thiserror::Error;

use crate::image::Digest;

/// Most bytes of a VEX document.
pub const VEX_LIMIT: u64 = 16 << 20;

/// OpenVEX document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexDocument {
    /// The document's `@id`.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// Statements, in their order.
    pub statements: Vec<VexStatement>,
}

/// Statement on one vulnerability of products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexStatement {
    /// Names of the vulnerability: its name and its aliases.
    pub vulnerability: BTreeSet<String>,
    /// Products that it is about, at least one.
    pub products: Vec<VexProduct>,
    /// What it states.
    pub status: VexStatus,
    /// When it was made or last changed; without a time of its own, when the document was made.
    pub timestamp: Timestamp,
}

/// Status of a vulnerability in a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VexStatus {
    /// The product is not affected. Without a justification it suppresses nothing.
    NotAffected(Option<VexJustification>),
    /// The product is affected.
    Affected,
    /// The product has a fix.
    Fixed,
    /// It is not known yet.
    UnderInvestigation,
}

/// Why a product is not affected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VexJustification {
    /// `component_not_present`
    ComponentNotPresent,
    /// `vulnerable_code_not_present`
    VulnerableCodeNotPresent,
    /// `vulnerable_code_not_in_execute_path`
    VulnerableCodeNotInExecutePath,
    /// `vulnerable_code_cannot_be_controlled_by_adversary`
    VulnerableCodeCannotBeControlledByAdversary,
    /// `inline_mitigations_already_exist`
    InlineMitigationsAlreadyExist,
}

impl VexJustification {
    /// All justifications.
    pub const ALL: [Self; 5] = [
        Self::ComponentNotPresent,
        Self::VulnerableCodeNotPresent,
        Self::VulnerableCodeNotInExecutePath,
        Self::VulnerableCodeCannotBeControlledByAdversary,
        Self::InlineMitigationsAlreadyExist,
    ];

    /// Returns the name, `component_not_present`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ComponentNotPresent => "component_not_present",
            Self::VulnerableCodeNotPresent => "vulnerable_code_not_present",
            Self::VulnerableCodeNotInExecutePath => "vulnerable_code_not_in_execute_path",
            Self::VulnerableCodeCannotBeControlledByAdversary => {
                "vulnerable_code_cannot_be_controlled_by_adversary"
            }
            Self::InlineMitigationsAlreadyExist => "inline_mitigations_already_exist",
        }
    }
}

/// Product of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexProduct {
    /// The product itself.
    pub component: VexComponent,
    /// Parts of the product that the statement is about; empty means all of it.
    pub subcomponents: Vec<VexComponent>,
}

/// Product or part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VexComponent {
    /// Its `@id`, package URL and CPEs.
    pub identifiers: BTreeSet<String>,
    /// Digests in its package URLs and hashes.
    pub digests: BTreeSet<Digest>,
}

/// Reason why a file is not an OpenVEX document.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VexError {
    /// It is not JSON with one meaning, or has members that OpenVEX does not know.
    #[error("it is not an OpenVEX document: {0}")]
    Malformed(String),
    /// It is not of a version that is read.
    #[error("its context is {0}, expected https://openvex.dev/ns/v0.2.0")]
    UnsupportedVersion(String),
    /// A statement is incomplete or contradicts itself.
    #[error("statement {number}: {problem}")]
    Statement {
        /// Number of the statement, from 1.
        number: usize,
        /// What is wrong with it.
        problem: String,
    },
}
