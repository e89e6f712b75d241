//! Checks that an image has the signatures and attestations that are required.

use futures_util::future::try_join;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::evidence::{self, CheckedAttestation, CheckedSignature, ImageEvidence};
use super::graph::{self, ManifestContent, ManifestNode};
use crate::gate::AttestationRule;
use crate::image::{Digest, ImageSource, Platform};
use crate::referrers::{ListedEvidence, UnreadSignature};
use crate::release::Failure;
use crate::release::context::ReleaseContext;
use crate::release::request::{ImageCheck, RequiredEvidence};
use crate::release::resolve::image_store::{self, open_source_store};
use crate::signing::{Requirement, VerificationError};
use crate::transfer::{ImageReader, ImageStore, Side};

/// Request to verify an image.
#[derive(Debug, Clone)]
pub struct VerifyRequest {
    /// The image.
    pub source: ImageSource,
    /// Whether each image below an index is checked too.
    pub recursive: bool,
}

/// Image that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedImage {
    /// Its digest.
    pub digest: Digest,
    /// Its platform, as the index above it says; none for the root, and for what runs nowhere.
    pub platform: Option<Platform>,
    /// What it is; the root is not looked at where nothing below it is.
    pub content: ManifestContent,
}

/// Signature or attestation that an image lacks, or of which none is valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingEvidence {
    /// Evidence that is missing.
    pub wanted: RequiredEvidence,
    /// Image that lacks the evidence.
    pub of: CheckedImage,
}

/// Result of a verification: the evidence that was found, and the evidence that is missing.
#[derive(Debug, Clone)]
pub struct Verification {
    /// Source, as given.
    pub source: ImageSource,
    /// Requirement on the signer.
    pub requirement: Requirement,
    /// Checked images: the requested one first, and with `recursive` all below it.
    pub images: Vec<CheckedImage>,
    /// All signatures that were found.
    pub signatures: Vec<CheckedSignature>,
    /// All attestations of the required types that were found.
    pub attestations: Vec<CheckedAttestation>,
    /// Signatures of forms that are not read.
    pub unread: Vec<UnreadSignature>,
    /// Evidence that is missing or invalid.
    pub missing: Vec<MissingEvidence>,
}

/// Images that are looked at together.
const IMAGE_CONCURRENCY: usize = 8;

impl Verification {
    /// Returns the digest of the requested image.
    pub fn root(&self) -> Digest {
        self.images[0].digest
    }

    /// Returns whether all required evidence was found.
    pub fn passed(&self) -> bool {
        self.missing.is_empty()
    }

    /// Returns the refusal for the first evidence that is missing or invalid; `None` if all was
    /// found.
    pub fn to_refusal(&self) -> Option<Failure> {
        let MissingEvidence { wanted, of } = self.missing.first()?;
        let source = &self.source;
        let image = match of.digest == self.root() {
            true => source.to_string(),
            false => format!("{of} of {source}"),
        };
        let failure = Failure::refused(format!(
            "{image} has no valid {wanted} of {}",
            self.requirement
        ));
        let why: Vec<String> = match wanted {
            RequiredEvidence::Signature => {
                let all = self.signatures.iter().filter(|one| one.of == of.digest);
                error_messages(all.map(|found| &found.result))
            }
            RequiredEvidence::Attestation(_) => {
                let all = self.attestations.iter().filter(|one| one.of == of.digest);
                error_messages(all.map(|found| &found.result))
            }
        };
        Some(match why.as_slice() {
            [] if !self.unread.is_empty() => failure.with_reason(self.unread_text()).with_hint(
                "sign it with shipmark or cosign, which write the forms that verify reads",
            ),
            [] => failure.with_reason(match wanted {
                RequiredEvidence::Signature => "the image has no signature",
                RequiredEvidence::Attestation(_) => "the image has no attestation of this type",
            }),
            [only] => failure.with_reason(only.clone()),
            several => failure.with_reason(match wanted {
                RequiredEvidence::Signature => {
                    format!("none of the image's {} signatures verifies", several.len())
                }
                RequiredEvidence::Attestation(_) => {
                    format!(
                        "none of the image's {} attestations of this type verifies",
                        several.len()
                    )
                }
            }),
        })
    }
}

impl Verification {
    /// Names the signatures that are not read: `1 signature in notation's form, which is not read`.
    pub fn unread_text(&self) -> String {
        let mut forms: Vec<&str> = self.unread.iter().map(|one| one.form).collect();
        forms.sort_unstable();
        let counted = forms.chunk_by(|one, other| one == other).map(|same| {
            let word = if same.len() == 1 {
                "signature"
            } else {
                "signatures"
            };
            format!("{} {word} in the form of {}", same.len(), same[0])
        });
        let counted: Vec<String> = counted.collect();
        format!("the image has {}, which is not read", counted.join(" and "))
    }
}

/// Verifies the signatures and attestations of an image. The `check` is resolved at the same time.
///
/// # Errors
/// A missing image, referrers that cannot be read (which is not the same as none), and the errors of
/// `check`.
pub async fn verify(
    request: &VerifyRequest,
    check: impl Future<Output = Result<ImageCheck, Failure>>,
    context: &ReleaseContext,
) -> Result<Verification, Failure> {
    let source = &request.source;
    let images = async {
        if request.recursive {
            return open_with_descendants(context, source)
                .await
                .map(|(store, all)| {
                    (
                        store,
                        all.iter().map(CheckedImage::from_descriptor).collect(),
                    )
                });
        }
        let (store, root) = image_store::open_with_digest(context, source).await?;
        Ok((store, vec![CheckedImage::from_root(root)]))
    };
    let ((store, images), check) = try_join(images, check).await?;
    let found = check
        .check_images(&store, images, None, (Side::Source, source))
        .await?;
    // Beside an image that is not there is nothing either.
    if found.signatures.is_empty() && found.attestations.is_empty() {
        image_store::resolve_digest(&store, source).await?;
    }
    Ok(found)
}

fn error_messages<'a, T: 'a>(
    found: impl Iterator<Item = &'a Result<T, VerificationError>>,
) -> Vec<String> {
    found
        .filter_map(|result| Some(result.as_ref().err()?.to_string()))
        .collect()
}

impl ImageCheck {
    /// Requires all of it of an image that is to be released, before anything is copied: of the
    /// source, or of the image at the destination that takes its place.
    pub(crate) async fn require_of_source(
        &self,
        context: &ReleaseContext,
        side: Side,
        root: Digest,
        source: &ImageSource,
    ) -> Result<(), Failure> {
        let store = open_source_store(context, source)?;
        let images = vec![CheckedImage::from_root(root)];
        let found = self
            .check_images(&store, images, None, (side, source))
            .await?;
        if let Some(failure) = found.to_refusal() {
            return Err(failure);
        }
        let wanted: Vec<String> = self.wanted.iter().map(ToString::to_string).collect();
        context.notices.info(format!(
            "{side} {source} has a valid {} of {}",
            wanted.join(" and "),
            self.requirement
        ));
        Ok(())
    }

    /// Checks the evidence of images in their store; the first was requested as `source`. Where something was
    /// `listed`, that is about the only one.
    pub(crate) async fn check_images(
        &self,
        store: &ImageStore,
        images: Vec<CheckedImage>,
        listed: Option<ListedEvidence<'_>>,
        (side, source): (Side, &ImageSource),
    ) -> Result<Verification, Failure> {
        let rules = self.wanted.iter().filter_map(|wanted| match wanted {
            RequiredEvidence::Signature => None,
            RequiredEvidence::Attestation(rule) => Some(rule),
        });
        let rules: Vec<&AttestationRule> = rules.collect();
        let all: Vec<ImageEvidence> = stream::iter(&images)
            .map(|image| {
                let requirement = &self.requirement;
                evidence::check_evidence((store, image.digest), listed, requirement, &rules)
            })
            .buffered(IMAGE_CONCURRENCY)
            .try_collect()
            .await
            .map_err(|error| Failure::from_referrer_error(side, source, error))?;
        let mut found = Verification {
            source: source.clone(),
            requirement: self.requirement.clone(),
            images,
            signatures: Vec::new(),
            attestations: Vec::new(),
            unread: Vec::new(),
            missing: Vec::new(),
        };
        for one in all {
            found.signatures.extend(one.signatures);
            found.attestations.extend(one.attestations);
            found.unread.extend(one.unread);
        }
        let wanted = self.wanted.iter();
        found.missing = wanted
            .flat_map(|wanted| wanted.find_missing(&found))
            .collect();
        Ok(found)
    }
}

impl RequiredEvidence {
    /// The images that have to have it, and have not. Each has to have a signature of its own. An
    /// attestation of an index is of all below it; without one each image has to have its own.
    fn find_missing(&self, found: &Verification) -> Vec<MissingEvidence> {
        let lacks = |image: &&CheckedImage| !self.is_met_by(image.digest, found);
        let missing = |image: &CheckedImage| MissingEvidence {
            wanted: self.clone(),
            of: image.clone(),
        };
        let (root, below) = found.images.split_at(1);
        let without: Vec<&CheckedImage> = match self {
            Self::Signature => found.images.iter().filter(lacks).collect(),
            Self::Attestation(_) => {
                let images = below
                    .iter()
                    .filter(|one| one.content == ManifestContent::Image);
                let (without, there): (Vec<_>, Vec<_>) = images.partition(lacks);
                let whole = root.iter().filter(lacks);
                match there.is_empty() {
                    true => whole.collect(),
                    false => whole.flat_map(|_| without.iter().copied()).collect(),
                }
            }
        };
        without.into_iter().map(missing).collect()
    }

    fn is_met_by(&self, of: Digest, found: &Verification) -> bool {
        match self {
            Self::Signature => {
                let mut all = found.signatures.iter().filter(|one| one.of == of);
                all.any(|found| found.result.is_ok())
            }
            Self::Attestation(rule) => {
                let mut all = found.attestations.iter().filter(|one| one.of == of);
                all.any(|found| {
                    let verified = found.result.as_ref();
                    verified.is_ok_and(|attested| attested.check_rule(rule).is_ok())
                })
            }
        }
    }
}

impl CheckedImage {
    pub(crate) fn from_root(digest: Digest) -> Self {
        Self {
            digest,
            platform: None,
            content: ManifestContent::Image,
        }
    }

    fn from_descriptor(node: &ManifestNode) -> Self {
        let runs = node.content != ManifestContent::Attestation;
        Self {
            digest: node.digest,
            platform: node.platform.clone().filter(|_| runs),
            content: node.content,
        }
    }
}

/// `linux/arm64 sha256:…`
impl std::fmt::Display for CheckedImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(platform) = &self.platform {
            write!(f, "{platform} ")?;
        }
        self.digest.fmt(f)
    }
}

/// That store, and the image with all manifests below it: it comes first.
async fn open_with_descendants(
    context: &ReleaseContext,
    source: &ImageSource,
) -> Result<(ImageStore, Vec<ManifestNode>), Failure> {
    let (store, root) = image_store::open_with_manifest(context, source).await?;
    let failed = |error| Failure::from_store_error(Side::Source, source, error);
    let reader = ImageReader::from_store(store.clone());
    let nodes = graph::manifests(&reader, root).await.map_err(failed)?;
    Ok((store, nodes))
}
