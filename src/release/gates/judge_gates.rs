//! Judges a release by all gates of its environment.

use futures_util::future::try_join4;
use jiff::Timestamp;

use super::evidence_list::EvidenceList;
use super::gate_outcome::GateOutcome;
use super::gate_request::GateRequest;
use super::gated_release::GatedRelease;
use super::image_facts::read_judged_image;
use super::scan_verdict::judge_scan_gate;
use super::statement_facts::StatementFacts;
use super::statement_verdicts::{is_met_by_root, judge_attestation_gate, judge_signature_gate};
use super::unsigned_statements::{UnsignedStatement, read_unsigned_statements};
use crate::gate::{GateReport, JudgedImage, SoakFacts, judge_freeze, judge_image, judge_soak};
use crate::image::{Digest, ImageSource};
use crate::release::Failure;
use crate::release::records::since_release::SinceRelease;
use crate::release::resolve::image::ResolvedImage;

/// Judges a release by all of its gates, at each of its times: of verdicts that do not pass, returns the first. None of
/// the gates cuts the others short.
///
/// # Errors
/// Facts that cannot be read: what a store cannot tell is not nothing.
pub(crate) async fn judge_gates(
    request: &GateRequest,
    release: &GatedRelease<'_>,
) -> Result<GateOutcome, Failure> {
    let facts = GateFacts::read(request, release).await?;
    let mut passed = GateOutcome::default();
    // A registry that the run names as a further destination could say another time.
    for time in &release.times {
        let outcome = facts.judge(request, release, time.to_timestamp());
        if !outcome.report.has_passed() {
            return Ok(outcome);
        }
        passed = outcome;
    }
    Ok(passed)
}

/// What the gates judge.
struct GateFacts {
    /// The image; `None` if no gate judges it.
    image: Option<JudgedImage>,
    statements: StatementFacts,
    unsigned: Vec<UnsignedStatement>,
    since_release: SinceRelease,
}

impl GateFacts {
    /// Reads what the gates of a request judge, at once.
    async fn read(request: &GateRequest, release: &GatedRelease<'_>) -> Result<Self, Failure> {
        let GatedRelease { image, source, .. } = release;
        let root = image.source_digest();
        let judged = async {
            match request.needs_image() {
                true => {
                    let read = read_judged_image(image, request.image.is_some());
                    read.await.map(Some)
                }
                false => Ok(None),
            }
        };
        let since = async {
            match (request.soak.as_ref(), source) {
                (Some(_), Some(source)) => source.read_since_release(root).await,
                _ => Ok(SinceRelease::default()),
            }
        };
        let rules = request.unsigned_rules();
        let unsigned = read_unsigned_statements(image, &rules);
        let roots = [root];
        let statements = StatementFacts::read(request, release, &roots);
        let reads = try_join4(judged, statements, unsigned, since);
        let (judged, statements, unsigned, since_release) = Box::pin(reads).await?;
        let mut facts = Self {
            image: judged,
            statements,
            unsigned,
            since_release,
        };
        facts.read_below(request, release).await?;
        Ok(facts)
    }

    /// Reads the statements about images below the root: where those of the root are not enough, and always for attested
    /// reports, each of which must pass.
    async fn read_below(
        &mut self,
        request: &GateRequest,
        release: &GatedRelease<'_>,
    ) -> Result<(), Failure> {
        let Some(judged) = &self.image else {
            return Ok(());
        };
        let below = judged.released_platforms().map(|it| it.manifest);
        let below: Vec<Digest> = below.filter(|digest| *digest != judged.root).collect();
        let are_needed = || {
            let scan = request.scan.as_ref();
            let mut signed = request.attestations.iter();
            scan.is_some_and(|scan| scan.attested.is_some())
                || signed.any(|gate| !is_met_by_root(gate, judged.root, &self.statements))
        };
        if below.is_empty() || !are_needed() {
            return Ok(());
        }
        let more = StatementFacts::read(request, release, &below).await?;
        self.statements.extend(more);
        Ok(())
    }

    fn judge(
        &self,
        request: &GateRequest,
        release: &GatedRelease<'_>,
        now: Timestamp,
    ) -> GateOutcome {
        let root = release.image.source_digest();
        let mut evidence = EvidenceList::default();
        let mut verdicts = Vec::new();
        let mut freeze_override = None;
        if let Some(image) = &self.image {
            if let Some(scan) = &request.scan {
                let place = repository_text(release.image);
                let judged = judge_scan_gate(scan, image, &self.statements, &place, now);
                evidence.add_scan(scan, &judged);
                verdicts.push(judged.judgement.verdict);
            }
            if !request.attestations.is_empty() {
                let (statements, unsigned) = (&self.statements, &self.unsigned);
                let gates = &request.attestations;
                verdicts.push(judge_attestation_gate(gates, image, statements, unsigned));
                evidence.add_attestations(gates, statements, unsigned);
            }
            if let Some(rule) = &request.image {
                verdicts.push(judge_image(rule, image, now));
            }
        }
        if let Some(signers) = request.signature {
            let found = self.statements.of(signers);
            verdicts.push(judge_signature_gate(root, found));
            evidence.add_signatures(root, found);
        }
        if let Some(soak) = &request.soak {
            let facts = SoakFacts {
                environment: release.source_environment(),
                root,
                timeline: &self.since_release.timeline,
                signed_at: &self.since_release.signed_at,
                now,
            };
            verdicts.push(judge_soak(soak, facts));
        }
        if !request.freeze.is_empty() {
            let reason = request.freeze_override.as_deref();
            let judged = judge_freeze(&request.freeze, reason, now);
            freeze_override = reason.filter(|_| judged.is_overridden).map(str::to_owned);
            verdicts.push(judged.verdict);
        }
        GateOutcome {
            report: GateReport::new(verdicts),
            evidence: evidence.into_entries(),
            freeze_override,
        }
    }
}

/// Returns the place of an image without its tag, for the command line of a scanner.
fn repository_text(image: &ResolvedImage) -> String {
    match &image.location {
        ImageSource::Registry(reference) => reference.repository.to_string(),
        other => other.to_string(),
    }
}
