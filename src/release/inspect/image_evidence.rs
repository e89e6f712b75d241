use super::open_image::OpenImage;
use crate::image::Digest;
use crate::referrers::{CosignTagSuffix, ListedEvidence, ReferrerKind};
use crate::release::Failure;
use crate::release::request::{ImageCheck, RequiredEvidence};
use crate::release::verify::check::{CheckedImage, Verification};
use crate::release::verify::evidence::PREDICATE_TYPE_ANNOTATION;
use crate::signing::{COSIGN_SIGN_PREDICATE, Requirement};
use crate::transfer::Side;

/// Signature or document of an image, as its repository lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InspectedEvidence {
    /// Kind; `None` if the list does not say it.
    pub kind: Option<ReferrerKind>,
    /// Digest of the referrer, or the tag of cosign's image.
    pub at: String,
    /// Predicate type, if the list says it.
    pub predicate_type: Option<String>,
}

/// Most predicate types that are verified.
const TYPES_LIMIT: usize = 16;

impl OpenImage {
    /// Returns the signatures and documents that are listed, and verifies them if a signer is expected.
    pub(super) async fn check_evidence(
        &self,
        signer: Option<&Requirement>,
    ) -> Result<(Vec<InspectedEvidence>, Option<Verification>), Failure> {
        let evidence = self.listed_evidence();
        let Some(requirement) = signer else {
            return Ok((evidence, None));
        };
        let mut types: Vec<&str> = evidence
            .iter()
            .filter_map(|one| one.predicate_type.as_deref())
            .filter(|kind| *kind != COSIGN_SIGN_PREDICATE)
            .collect();
        types.sort_unstable();
        types.dedup();
        // In a rule a comma ends the type, and * stands for any text.
        let types = types.iter().filter(|kind| !kind.contains([',', '*', '\\']));
        let rules = types.take(TYPES_LIMIT).filter_map(|kind| kind.parse().ok());
        let check = ImageCheck {
            requirement: requirement.clone(),
            wanted: [RequiredEvidence::Signature]
                .into_iter()
                .chain(rules.map(RequiredEvidence::Attestation))
                .collect(),
        };
        let images = vec![CheckedImage::from_root(self.root.digest)];
        let listed = ListedEvidence {
            referrers: &self.referrers,
            tags: &self.tags,
        };
        let source = (Side::Source, &self.source);
        let checked = check.check_images(&self.store, images, Some(listed), source);
        let verification = checked.await?;
        Ok((evidence, Some(verification)))
    }

    fn listed_evidence(&self) -> Vec<InspectedEvidence> {
        let entries = self.referrers.entries.iter();
        let referrers = entries.map(|referrer| InspectedEvidence {
            kind: referrer.kind(),
            at: referrer.digest.to_string(),
            predicate_type: referrer.annotations.get(PREDICATE_TYPE_ANNOTATION).cloned(),
        });
        let records = |one: &InspectedEvidence| one.kind == Some(ReferrerKind::ReleaseRecord);
        let referrers = referrers.filter(|one| !records(one));
        let in_index = self
            .root
            .children()
            .filter(|child| child.says_attestation());
        let in_index = in_index.map(|child| InspectedEvidence {
            kind: Some(ReferrerKind::Attestation),
            at: child.digest.to_string(),
            predicate_type: None,
        });
        referrers
            .chain(self.cosign_images())
            .chain(in_index)
            .collect()
    }

    /// Returns cosign's images under tags.
    fn cosign_images(&self) -> impl Iterator<Item = InspectedEvidence> {
        let root: Digest = self.root.digest;
        let known = [
            (CosignTagSuffix::Sig, ReferrerKind::Signature),
            (CosignTagSuffix::Att, ReferrerKind::Attestation),
            (CosignTagSuffix::Sbom, ReferrerKind::Sbom),
        ];
        known.into_iter().filter_map(move |(suffix, kind)| {
            let tag = suffix.tag(root);
            self.tags.contains(&tag).then(|| InspectedEvidence {
                kind: Some(kind),
                at: tag.to_string(),
                predicate_type: None,
            })
        })
    }
}
