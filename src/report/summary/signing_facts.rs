//! Who signed the released image, and the alert where nobody did and it matters.

use crate::referrers::ReferrerKind;
use crate::release::{ReleaseOutcome, SignatureFormat, SignerCheck, SignerName};
use crate::report::evidence_text::{self, EvidenceFact};
use crate::report::markdown::{AlertKind, alert, code_span, escape_text};
use crate::report::phrases;
use crate::signing::SignatureEvidence;

/// What is known of the signatures of a released image.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SignatureState<'a> {
    /// This run signed, or found its signature.
    SignedByRun(&'a SignerName),
    /// The source has the signature that the release required.
    Verified(&'a SignerName),
    /// Signatures came with the image, and nobody verified them.
    Unverified(u64),
    /// There is no signature.
    Unsigned,
}

impl<'a> SignatureState<'a> {
    pub(super) fn of(outcome: &'a ReleaseOutcome) -> Self {
        if let Some(signer) = &outcome.signer {
            return Self::SignedByRun(signer);
        }
        if let Some(signer) = &outcome.source_signer {
            return Self::Verified(signer);
        }
        match copied_signatures(outcome) {
            0 => Self::Unsigned,
            count => Self::Unverified(count),
        }
    }

    /// Returns the signer whose good signature the first destination has.
    pub(super) fn signer_here(&self, outcome: &ReleaseOutcome) -> Option<&'a SignerName> {
        match self {
            Self::SignedByRun(signer) => Some(signer),
            Self::Verified(signer) => (copied_signatures(outcome) > 0).then_some(*signer),
            Self::Unverified(_) | Self::Unsigned => None,
        }
    }

    /// Returns the fact as Markdown.
    pub(super) fn to_markdown(&self, outcome: &ReleaseOutcome) -> String {
        match self {
            Self::SignedByRun(signer) => {
                let planned = outcome.dry_run && has_new_signatures(outcome);
                let word = if planned { "planned: by" } else { "by" };
                format!("{word} {}", signer_name(signer, &format_names(outcome)))
            }
            Self::Verified(signer) => {
                format!("source verified: signed by {}", signer_name(signer, ""))
            }
            Self::Unverified(count) => format!(
                "not by this run; {} came with the image, **not verified**",
                phrases::count_phrase(*count, "signature")
            ),
            Self::Unsigned => "**not signed**".to_owned(),
        }
    }

    /// Returns the alert for a production environment that gets an image of an unknown signer.
    pub(super) fn alert(&self, outcome: &ReleaseOutcome) -> Option<String> {
        let environment = outcome.environment.as_ref()?;
        if !environment.is_production() {
            return None;
        }
        let environment = escape_text(environment.as_str());
        Some(match self {
            Self::SignedByRun(_) | Self::Verified(_) => return None,
            Self::Unverified(_) => alert(
                AlertKind::Warning,
                [format!(
                    "**Signatures not verified.** The release to {environment} copied signatures that nobody verified. Set `verify-source: true`, or sign with `sign: keyless` or `sign: key`."
                )],
            ),
            Self::Unsigned => alert(
                AlertKind::Warning,
                [format!(
                    "**Not signed.** Nobody can verify where the image in {environment} comes from. Sign with `sign: keyless` or `sign: key`."
                )],
            ),
        })
    }
}

/// Returns the name of a signer as Markdown, followed by `detail`.
pub(super) fn signer_name(signer: &SignerName, detail: &str) -> String {
    match &signer.check {
        SignerCheck::Identity { subject, issuer } => {
            let (subject, issuer) = (code_span(subject), code_span(issuer));
            format!("{subject}<br>confirmed by {issuer}{detail}")
        }
        SignerCheck::Key { .. } | SignerCheck::Other => {
            format!("{}{detail}", escape_text(&signer.text))
        }
    }
}

/// Returns the evidence of a signature as Markdown, one per line.
pub(super) fn evidence_markdown(evidence: &SignatureEvidence) -> Vec<String> {
    let facts = evidence_text::evidence_facts(evidence);
    let line = |fact: &EvidenceFact| match &fact.value {
        Some(value) => format!("{} {}", escape_text(&fact.words), code_span(value)),
        None => escape_text(&fact.words),
    };
    facts.iter().map(line).collect()
}

/// Returns the number of signatures that came with the image to the first destination.
fn copied_signatures(outcome: &ReleaseOutcome) -> u64 {
    let Some(released) = outcome.destinations.first() else {
        return 0;
    };
    let count = |kinds: &std::collections::BTreeMap<ReferrerKind, u64>| {
        kinds.get(&ReferrerKind::Signature).copied().unwrap_or(0)
    };
    count(&released.referrers.copied) + count(&released.referrers.present)
}

fn has_new_signatures(outcome: &ReleaseOutcome) -> bool {
    let mut signatures = outcome.destinations.iter().flat_map(|it| &it.signatures);
    signatures.any(|signed| signed.is_new)
}

/// Returns the formats of the signatures and the number of attestations.
fn format_names(outcome: &ReleaseOutcome) -> String {
    let signatures = outcome.destinations.first();
    let signatures = signatures.map_or(&[][..], |released| &released.signatures);
    let of_root = || signatures.iter().filter(|signed| signed.of == outcome.root);
    let mut names: Vec<String> = [SignatureFormat::Bundle, SignatureFormat::Legacy]
        .into_iter()
        .filter(|form| of_root().any(|it| it.format == *form && it.predicate_type.is_none()))
        .map(|form| phrases::format_name(form).to_owned())
        .collect();
    let mut attested: Vec<_> = of_root().filter_map(|it| it.predicate_type).collect();
    attested.dedup();
    if !attested.is_empty() {
        let count = phrases::count_phrase(attested.len() as u64, "attestation");
        names.push(format!("with {count}"));
    }
    match names.is_empty() {
        true => String::new(),
        false => format!(", stored as {}", names.join(", ")),
    }
}
