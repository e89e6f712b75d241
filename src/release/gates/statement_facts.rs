//! Reads the signatures and attestations that gates judge.
//!
//! For each list of signers the referrers of an image are listed once, whatever gates go by that list.

use futures_util::future::{try_join, try_join_all};

use super::found_statement::{FoundStatement, SignedStatement};
use super::gate_request::{AttestationGateRequest, GateRequest, GateSignerList};
use super::gated_release::GatedRelease;
use super::scan_statements::{SCAN_STATEMENTS, VEX_STATEMENTS};
use crate::gate::AttestationRule;
use crate::image::Digest;
use crate::record::RecordTime;
use crate::release::Failure;
use crate::release::records::signer_match::signer_name;
use crate::release::records::trust::{RecordTrust, ReleaseRequirement};
use crate::release::resolve::image::ResolvedImage;
use crate::release::verify::evidence::{self, ImageEvidence};
use crate::signing::{SignatureEvidence, VerifiedAttestation};
use crate::transfer::Side;

/// Signatures and attestations that were read, by lists of signers, with the requirement that each was read for. Whose
/// time had ended is not decided.
#[derive(Default)]
pub(super) struct ReadStatements {
    /// Of the signers of the environment that the image comes from.
    of_source: Vec<ReadEvidence>,
    /// Of the lists that gates name themselves, by their index.
    own: Vec<Vec<ReadEvidence>>,
}

type ReadEvidence = (ReleaseRequirement, ImageEvidence);

/// Signatures and attestations of an image, by lists of signers.
#[derive(Debug, Default)]
pub(super) struct StatementFacts {
    /// Of the signers of the environment that the image comes from.
    of_source: ListFacts,
    /// Of the lists that gates name themselves, by their index.
    own: Vec<ListFacts>,
}

/// What was found for one list of signers, of the root and of images below it.
#[derive(Debug, Default)]
pub(super) struct ListFacts {
    /// Signatures.
    pub(super) signatures: Vec<FoundStatement<()>>,
    /// Attestations of the types that gates judge.
    pub(super) attestations: Vec<FoundStatement<VerifiedAttestation>>,
}

/// What gates want to know of one list of signers.
struct ListQuestion<'a> {
    signers: &'a RecordTrust,
    rules: Vec<AttestationRule>,
}

impl ReadStatements {
    /// Reads the statements about `subjects` that the gates of a request judge; nothing where no gate judges any.
    ///
    /// # Errors
    /// A store that fails: what it says is unknown, and not nothing.
    pub(super) async fn read(
        request: &GateRequest,
        release: &GatedRelease<'_>,
        subjects: &[Digest],
    ) -> Result<Self, Failure> {
        let of_source = release.source_trust();
        let of_source =
            of_source.and_then(|signers| request.question(GateSignerList::OfSource, signers));
        let own = request.own_signers.iter().enumerate();
        let own: Vec<_> = own
            .map(|(at, signers)| request.question(GateSignerList::Own(at), signers))
            .collect();
        let image = release.image;
        let own = own.into_iter().map(|it| read_list(it, image, subjects));
        let of_source = read_list(of_source, image, subjects);
        let (of_source, own) = try_join(of_source, try_join_all(own)).await?;
        Ok(Self { of_source, own })
    }

    /// Adds what was read of further subjects.
    pub(super) fn extend(&mut self, other: Self) {
        self.of_source.extend(other.of_source);
        for (list, more) in self.own.iter_mut().zip(other.own) {
            list.extend(more);
        }
    }

    /// Returns whether a good attestation of the root is what an entry asks for, by signers whose time had not ended.
    pub(super) fn meet(
        &self,
        gate: &AttestationGateRequest,
        root: Digest,
        now: RecordTime,
    ) -> bool {
        let read = match gate.signers {
            GateSignerList::OfSource => &self.of_source,
            GateSignerList::Own(at) => &self.own[at],
        };
        let mut all = read.iter().flat_map(|(accepted, evidence)| {
            let of_root = evidence.attestations.iter().filter(|it| it.of == root);
            let good = of_root.filter_map(|found| found.result.as_ref().ok());
            good.filter(|it| accepted.is_in_time(&it.evidence, now))
        });
        all.any(|it| it.check_rule(&gate.required.rule).is_ok())
    }

    /// Returns what counts at a time.
    pub(super) fn at(self, now: RecordTime) -> StatementFacts {
        let list = |read: Vec<ReadEvidence>| {
            let mut facts = ListFacts::default();
            for (accepted, evidence) in read {
                facts.add(&accepted, evidence, now);
            }
            facts
        };
        StatementFacts {
            of_source: list(self.of_source),
            own: self.own.into_iter().map(list).collect(),
        }
    }
}

impl StatementFacts {
    /// Returns what was found for a list of signers.
    pub(super) fn of(&self, list: GateSignerList) -> &ListFacts {
        match list {
            GateSignerList::OfSource => &self.of_source,
            GateSignerList::Own(at) => &self.own[at],
        }
    }
}

impl GateRequest {
    /// Returns what the gates want to know of a list of signers; `None` if nothing.
    fn question<'a>(
        &self,
        list: GateSignerList,
        signers: &'a RecordTrust,
    ) -> Option<ListQuestion<'a>> {
        let rules = self.rules_of(list);
        let has_questions = !rules.is_empty() || self.signature == Some(list);
        has_questions.then_some(ListQuestion { signers, rules })
    }

    fn rules_of(&self, list: GateSignerList) -> Vec<AttestationRule> {
        let attestations = self.attestations.iter();
        let attestations = attestations.filter(|gate| gate.signers == list);
        let mut rules: Vec<_> = attestations
            .map(|gate| gate.required.rule.clone())
            .collect();
        let scan = self.scan.as_ref();
        if scan.is_some_and(|scan| scan.attested == Some(list)) {
            rules.extend(SCAN_STATEMENTS.iter().filter_map(|kind| kind.parse().ok()));
        }
        if scan.is_some_and(|scan| scan.vex_signers == Some(list)) {
            rules.extend(VEX_STATEMENTS.iter().filter_map(|kind| kind.parse().ok()));
        }
        rules
    }
}

async fn read_list(
    question: Option<ListQuestion<'_>>,
    image: &ResolvedImage,
    subjects: &[Digest],
) -> Result<Vec<ReadEvidence>, Failure> {
    match question {
        Some(question) => question.read(image, subjects).await,
        None => Ok(Vec::new()),
    }
}

impl ListQuestion<'_> {
    async fn read(
        &self,
        image: &ResolvedImage,
        subjects: &[Digest],
    ) -> Result<Vec<ReadEvidence>, Failure> {
        let Some(store) = image.reader.as_store() else {
            // An archive and a Docker engine hold images alone.
            return Ok(Vec::new());
        };
        let requirements = self.signers.release_requirements();
        let rules: Vec<&AttestationRule> = self.rules.iter().collect();
        let pairs = requirements
            .iter()
            .flat_map(|accepted| subjects.iter().map(move |subject| (accepted, *subject)));
        let reads = pairs.map(|(accepted, subject)| {
            let rules = &rules;
            async move {
                let found =
                    evidence::check_evidence((store, subject), None, &accepted.requirement, rules)
                        .await;
                Ok::<_, crate::referrers::ReferrerError>((accepted.clone(), found?))
            }
        });
        try_join_all(reads)
            .await
            .map_err(|error| Failure::from_referrer_error(Side::Source, &image.location, error))
    }
}

impl ListFacts {
    /// Adds what one requirement accepts. A good signature of a signer whose time had ended is none.
    fn add(&mut self, accepted: &ReleaseRequirement, found: ImageEvidence, now: RecordTime) {
        let signer = |evidence: &SignatureEvidence| match accepted.is_in_time(evidence, now) {
            true => Ok(signer_name(&accepted.requirement, evidence)),
            false => Err("nothing proves that it was signed before until of its signer".to_owned()),
        };
        for signature in found.signatures {
            let result = signature.result.map_err(|error| error.to_string());
            let result = result.and_then(|it| {
                let by = signer(&it.evidence)?;
                Ok(SignedStatement { content: (), by })
            });
            let found = FoundStatement {
                of: signature.of,
                digest: signature.digest,
                result,
            };
            found.merge_into(&mut self.signatures);
        }
        for attestation in found.attestations {
            let result = attestation.result.map_err(|error| error.to_string());
            let result = result.and_then(|it| {
                let by = signer(&it.evidence)?;
                Ok(SignedStatement { content: it, by })
            });
            let found = FoundStatement {
                of: attestation.of,
                digest: attestation.digest,
                result,
            };
            found.merge_into(&mut self.attestations);
        }
    }
}
