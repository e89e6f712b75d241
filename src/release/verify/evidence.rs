//! Reads the signatures and attestations of an image, and verifies each against the required
//! signer.

use futures_util::future::try_join3;

use crate::gate::AttestationRule;
use crate::image::{Digest, Manifest, ManifestBody, TagOrDigest};
use crate::referrers::{
    AppendableTag, CosignLayer, CosignTagSuffix, FoundArtifact, FoundReferrer, ListedEvidence,
    ListedReferrers, ReferrerError, ReferrersSource, UnreadSignature, read_cosign_layers, sig_tag,
};
use crate::release::request::SignatureFormat;
use crate::signing::{
    COSIGN_SIGN_PREDICATE, ENVELOPE_TYPE, LegacySignature, Requirement, SIMPLE_SIGNING_TYPE,
    VerificationError, VerifiedAttestation, VerifiedSignature, VerifiedStatement,
};
use crate::transfer::ImageStore;

/// Annotation with the predicate type of a bundle (cosign).
pub(crate) const PREDICATE_TYPE_ANNOTATION: &str = "dev.sigstore.bundle.predicateType";
/// Prefix of the media types of bundles, for all versions.
pub(crate) const BUNDLE_TYPE_PREFIX: &str = "application/vnd.dev.sigstore.bundle";

/// Signature that was checked.
#[derive(Debug, Clone)]
pub struct CheckedSignature {
    /// Manifest that it refers to.
    pub of: Digest,
    /// Format.
    pub format: SignatureFormat,
    /// Location: a bundle's manifest, or the `.sig` tag.
    pub at: TagOrDigest,
    /// Digest of the bundle's manifest or of the payload.
    pub digest: Digest,
    /// Verified content, or the reason why it does not verify.
    pub result: Result<VerifiedSignature, VerificationError>,
}

/// Attestation that was checked.
#[derive(Debug, Clone)]
pub struct CheckedAttestation {
    /// Manifest that it refers to.
    pub of: Digest,
    /// Format.
    pub format: SignatureFormat,
    /// Location: a bundle's manifest, or the `.att` tag.
    pub at: TagOrDigest,
    /// Digest of the bundle's manifest or of the envelope.
    pub digest: Digest,
    /// Verified content, or the reason why it does not verify.
    pub result: Result<VerifiedAttestation, VerificationError>,
}

/// Signatures and attestations of an image, checked.
#[derive(Default)]
pub(crate) struct ImageEvidence {
    pub(crate) signatures: Vec<CheckedSignature>,
    pub(crate) attestations: Vec<CheckedAttestation>,
    /// Signatures of forms that are not read.
    pub(crate) unread: Vec<UnreadSignature>,
}

/// Bundles by the digests of their manifests, and the source that lists them.
pub(crate) struct OpenedBundles {
    pub(crate) referrers_source: ReferrersSource,
    pub(crate) opened: Vec<(Digest, Result<VerifiedStatement, VerificationError>)>,
}

/// Opens the `listed` bundles of `subject` that may hold a predicate of one of `kinds`.
pub(crate) async fn open_bundles(
    store: &ImageStore,
    listed: &ListedReferrers,
    requirement: &Requirement,
    subject: Digest,
    kinds: &[&str],
) -> Result<OpenedBundles, ReferrerError> {
    let wanted = (PREDICATE_TYPE_ANNOTATION, |kind: &str| {
        kinds.contains(&kind)
    });
    let look = |found: FoundArtifact| {
        let content = found.content.map_err(VerificationError::Malformed);
        let open = |content: bytes::Bytes| requirement.verify_bundle(&content, subject);
        (found.digest, content.and_then(open))
    };
    let opened = listed
        .read_artifacts(store, BUNDLE_TYPE_PREFIX, wanted, look)
        .await?;
    Ok(OpenedBundles {
        referrers_source: listed.source.clone(),
        opened,
    })
}

/// Checks the signatures in a `.sig` image.
pub(crate) async fn check_legacy_signatures(
    store: &ImageStore,
    requirement: &Requirement,
    subject: Digest,
    image: Option<&Manifest>,
) -> Result<Vec<CheckedSignature>, ReferrerError> {
    let at = TagOrDigest::Tag(sig_tag(subject));
    check_signature_layers(store, requirement, subject, image, &at).await
}

/// Checks the signatures in the layers of an image, which is found `at` a place.
async fn check_signature_layers(
    store: &ImageStore,
    requirement: &Requirement,
    subject: Digest,
    image: Option<&Manifest>,
    at: &TagOrDigest,
) -> Result<Vec<CheckedSignature>, ReferrerError> {
    let look = |layer: CosignLayer| CheckedSignature {
        of: subject,
        format: SignatureFormat::Legacy,
        at: at.clone(),
        digest: layer.digest,
        result: legacy_signature_from_layer(&layer)
            .and_then(|signed| requirement.check_legacy(&signed, subject)),
    };
    read_cosign_layers(store, image, look).await
}

fn legacy_signature_from_layer(layer: &CosignLayer) -> Result<LegacySignature, VerificationError> {
    match &layer.payload {
        Ok(payload) => Ok(LegacySignature::from_layer(
            payload.to_vec(),
            &layer.annotations,
        )),
        Err(problem) => Err(VerificationError::Malformed(problem.clone())),
    }
}

impl CheckedSignature {
    fn from_bundle(
        of: Digest,
        digest: Digest,
        result: Result<VerifiedSignature, VerificationError>,
    ) -> Self {
        Self {
            of,
            format: SignatureFormat::Bundle,
            at: TagOrDigest::Digest(digest),
            digest,
            result,
        }
    }
}

/// Checks all signatures of `subject`, of both formats.
pub(crate) async fn check_signatures(
    store: &ImageStore,
    requirement: &Requirement,
    subject: Digest,
) -> Result<Vec<CheckedSignature>, ReferrerError> {
    let all = check_evidence((store, subject), None, requirement, &[]).await?;
    Ok(all.signatures)
}

/// Checks all signatures of an image in a store, and all attestations of the rules' types, of both formats. What was
/// `listed` is not listed again, and of the tags only those in the list are read.
pub(crate) async fn check_evidence(
    (store, subject): (&ImageStore, Digest),
    listed: Option<ListedEvidence<'_>>,
    requirement: &Requirement,
    rules: &[&AttestationRule],
) -> Result<ImageEvidence, ReferrerError> {
    let read_image = async |tag: AppendableTag| match listed {
        Some(listed) if !listed.tags.contains(tag.tag()) => Ok(None),
        _ => tag.read(store).await,
    };
    let signatures = async {
        let image = read_image(AppendableTag::signatures(subject)).await?;
        check_legacy_signatures(store, requirement, subject, image.as_ref()).await
    };
    let attestations = async {
        if rules.is_empty() {
            return Ok(Vec::new());
        }
        let image = read_image(AppendableTag::cosign_image(subject, CosignTagSuffix::Att)).await?;
        check_legacy_attestations(store, requirement, subject, rules, image.as_ref()).await
    };
    let (bundles, signatures, attestations) = try_join3(
        check_bundles((store, subject), listed, requirement, rules),
        signatures,
        attestations,
    )
    .await?;
    let mut all = ImageEvidence::default();
    for content in bundles {
        match content {
            BundleContent::Signature(checked) => all.signatures.push(checked),
            BundleContent::Attestation(attestation) => all.attestations.push(attestation),
            BundleContent::CosignImage(image) => {
                let checked = check_cosign_referrer(store, requirement, subject, rules, *image);
                let (signatures, attestations) = checked.await?;
                all.signatures.extend(signatures);
                all.attestations.extend(attestations);
            }
            BundleContent::Unread(signature) => all.unread.push(signature),
        }
    }
    all.signatures.extend(signatures);
    all.attestations.extend(attestations);
    Ok(all)
}

/// Content of a referrer.
enum BundleContent {
    Signature(CheckedSignature),
    Attestation(CheckedAttestation),
    CosignImage(Box<Manifest>),
    Unread(UnreadSignature),
}

/// Checks the layers of an image of cosign's legacy form that is listed as a referrer (OCI 1.1).
async fn check_cosign_referrer(
    store: &ImageStore,
    requirement: &Requirement,
    subject: Digest,
    rules: &[&AttestationRule],
    image: Manifest,
) -> Result<(Vec<CheckedSignature>, Vec<CheckedAttestation>), ReferrerError> {
    let at = TagOrDigest::Digest(image.digest);
    let signatures = retain_layer_type(image.clone(), SIMPLE_SIGNING_TYPE);
    let signatures =
        check_signature_layers(store, requirement, subject, Some(&signatures), &at).await?;
    if rules.is_empty() {
        return Ok((signatures, Vec::new()));
    }
    let attestations = retain_layer_type(image, ENVELOPE_TYPE);
    let opened = open_legacy_attestations(store, requirement, subject, Some(&attestations)).await?;
    let checked = check_opened_attestations(opened, rules, subject, &at);
    Ok((signatures, checked))
}

/// Returns the image with only the layers of a type.
fn retain_layer_type(mut image: Manifest, media_type: &str) -> Manifest {
    if let ManifestBody::Image { layers, .. } = &mut image.body {
        layers.retain(|layer| layer.media_type == media_type);
    }
    image
}

async fn check_bundles(
    (store, subject): (&ImageStore, Digest),
    listed: Option<ListedEvidence<'_>>,
    requirement: &Requirement,
    rules: &[&AttestationRule],
) -> Result<Vec<BundleContent>, ReferrerError> {
    let is_required = |kind: &str| rules.iter().any(|rule| rule.matches_type(kind));
    let wanted = |kind: &str| kind == COSIGN_SIGN_PREDICATE || is_required(kind);
    let look = |found: FoundReferrer| {
        let found = match found {
            FoundReferrer::Artifact(found) => found,
            FoundReferrer::CosignImage(image) => return BundleContent::CosignImage(image),
            FoundReferrer::UnreadSignature(signature) => return BundleContent::Unread(signature),
        };
        let opened = match found.content {
            Ok(content) => requirement.verify_bundle(&content, subject),
            Err(problem) => Err(VerificationError::Malformed(problem)),
        };
        // What does not hold is sorted by what is written on it.
        let kind = match (&opened, &found.annotation) {
            (Ok(opened), _) => opened.predicate_type().to_owned(),
            (Err(_), says) => says.clone().unwrap_or_default(),
        };
        if kind == COSIGN_SIGN_PREDICATE || !is_required(&kind) {
            let result = opened.and_then(VerifiedStatement::into_signature);
            return BundleContent::Signature(CheckedSignature::from_bundle(
                subject,
                found.digest,
                result,
            ));
        }
        BundleContent::Attestation(CheckedAttestation {
            of: subject,
            format: SignatureFormat::Bundle,
            at: TagOrDigest::Digest(found.digest),
            digest: found.digest,
            result: opened
                .and_then(|opened| apply_attestation_rules(opened.into_attestation(), rules)),
        })
    };
    let wanted = (PREDICATE_TYPE_ANNOTATION, wanted);
    FoundArtifact::find_all((store, subject), listed, BUNDLE_TYPE_PREFIX, wanted, look).await
}

/// Checks the attestations in the `.att` image.
async fn check_legacy_attestations(
    store: &ImageStore,
    requirement: &Requirement,
    subject: Digest,
    rules: &[&AttestationRule],
    image: Option<&Manifest>,
) -> Result<Vec<CheckedAttestation>, ReferrerError> {
    let found = open_legacy_attestations(store, requirement, subject, image).await?;
    let at = TagOrDigest::Tag(CosignTagSuffix::Att.tag(subject));
    Ok(check_opened_attestations(found, rules, subject, &at))
}

/// Applies the rules to attestations of the legacy form, which are found `at` a place.
fn check_opened_attestations(
    opened: Vec<(Digest, Result<VerifiedAttestation, VerificationError>)>,
    rules: &[&AttestationRule],
    subject: Digest,
    at: &TagOrDigest,
) -> Vec<CheckedAttestation> {
    let checked = opened
        .into_iter()
        .map(|(digest, attested)| CheckedAttestation {
            of: subject,
            format: SignatureFormat::Legacy,
            at: at.clone(),
            digest,
            result: attested.and_then(|attested| apply_attestation_rules(attested, rules)),
        });
    checked.collect()
}

/// Opens the attestations in an `.att` image, by the digests of their envelopes.
pub(crate) async fn open_legacy_attestations(
    store: &ImageStore,
    requirement: &Requirement,
    subject: Digest,
    image: Option<&Manifest>,
) -> Result<Vec<(Digest, Result<VerifiedAttestation, VerificationError>)>, ReferrerError> {
    let look = |layer: CosignLayer| {
        let check =
            |signed: LegacySignature| requirement.check_legacy_attestation(&signed, subject);
        (
            layer.digest,
            legacy_signature_from_layer(&layer).and_then(check),
        )
    };
    read_cosign_layers(store, image, look).await
}

/// Returns an attestation that a rule accepts, or the error of the last rule of its type.
fn apply_attestation_rules(
    attested: VerifiedAttestation,
    rules: &[&AttestationRule],
) -> Result<VerifiedAttestation, VerificationError> {
    let mut error = None;
    let about = |rule: &&&AttestationRule| rule.matches_type(&attested.predicate_type);
    for rule in rules.iter().filter(about) {
        match attested.check_rule(rule) {
            Ok(()) => return Ok(attested),
            Err(missed) => error = Some(missed),
        }
    }
    Err(error.unwrap_or(VerificationError::Attestation(attested.predicate_type)))
}
