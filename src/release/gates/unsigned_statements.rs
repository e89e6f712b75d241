//! Attestations that a build put into the index itself, unsigned (BuildKit, "Attestation Storage").

use std::collections::BTreeSet;

use futures_util::future::try_join_all;
use serde_json::Value;

use crate::gate::AttestationRule;
use crate::image::{Descriptor, Digest, Manifest, ManifestBody};
use crate::notices::to_printable;
use crate::release::Failure;
use crate::release::resolve::image::{self, ResolvedImage};
use crate::transfer::Side;

/// Annotation of an index entry: the manifest that its statements are about.
const SUBJECT_ANNOTATION: &str = "vnd.docker.reference.digest";
/// Annotation of a layer: the predicate type of its statement.
const TYPE_ANNOTATION: &str = "in-toto.io/predicate-type";
/// Most characters of a type: the record lists it.
const TYPE_LIMIT: usize = 200;
/// Most bytes of a statement that is read: an SBOM can be large.
const STATEMENT_LIMIT: u64 = 64 << 20;

/// Unsigned statement in an index.
#[derive(Debug, Clone)]
pub(super) struct UnsignedStatement {
    /// Manifest that it is about.
    pub(super) of: Digest,
    /// Predicate type.
    pub(super) predicate_type: String,
    /// Digest of the statement.
    pub(super) digest: Digest,
    /// Predicate; `None` if no rule has conditions on it.
    pub(super) predicate: Option<Value>,
}

/// Reads the unsigned statements of types that the rules name. Their predicates are read where a rule has conditions.
///
/// # Errors
/// A missing manifest or statement, and a store that fails.
pub(super) async fn read_unsigned_statements(
    image: &ResolvedImage,
    rules: &[&AttestationRule],
) -> Result<Vec<UnsignedStatement>, Failure> {
    if rules.is_empty() {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    let mut seen = BTreeSet::from([image.root.digest]);
    let mut open = vec![image.root.clone()];
    while let Some(manifest) = open.pop() {
        for entry in manifest.children() {
            if !seen.insert(entry.digest) {
                continue;
            }
            let of = entry.annotations.get(SUBJECT_ANNOTATION);
            match of.and_then(|of| of.parse().ok()) {
                Some(of) if entry.says_attestation() => {
                    let holder = image::read_child(image, manifest.digest, entry.digest).await?;
                    all.extend(read_layers(image, &holder, of, rules).await?);
                }
                _ if entry.may_be_index() => {
                    open.push(image::read_child(image, manifest.digest, entry.digest).await?);
                }
                _ => {}
            }
        }
    }
    Ok(all)
}

async fn read_layers(
    image: &ResolvedImage,
    holder: &Manifest,
    of: Digest,
    rules: &[&AttestationRule],
) -> Result<Vec<UnsignedStatement>, Failure> {
    let ManifestBody::Image { layers, .. } = &holder.body else {
        return Ok(Vec::new());
    };
    let reads = layers.iter().filter_map(|layer| {
        let kind = layer.annotations.get(TYPE_ANNOTATION)?;
        let mut about = rules
            .iter()
            .filter(|rule| rule.matches_type(kind))
            .peekable();
        about.peek()?;
        let needs_predicate = about.any(|rule| rule.has_conditions());
        Some(read_statement(image, layer, of, kind, needs_predicate))
    });
    try_join_all(reads.collect::<Vec<_>>()).await
}

async fn read_statement(
    image: &ResolvedImage,
    layer: &Descriptor,
    of: Digest,
    kind: &str,
    needs_predicate: bool,
) -> Result<UnsignedStatement, Failure> {
    let predicate = match needs_predicate {
        false => None,
        true => {
            let content = image.reader.read_small_blob(layer, STATEMENT_LIMIT).await;
            let content = content
                .map_err(|error| Failure::from_store_error(Side::Source, &image.location, error))?;
            let statement: Value = serde_json::from_slice(&content).unwrap_or_default();
            Some(statement["predicate"].clone())
        }
    };
    Ok(UnsignedStatement {
        of,
        predicate_type: to_printable(kind, TYPE_LIMIT),
        digest: layer.digest,
        predicate,
    })
}
