//! Creates the signatures that are missing, in the form in which they are attached.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;

use super::stage::{AttachmentPart, PendingAttachment, SigningStage};
use super::statement::{PlannedStatement, SignedContent};
use crate::github::AttestationUploadError;
use crate::referrers::{Artifact, RECORD_ENVIRONMENT_ANNOTATION, annotations_over, cosign_layer};
use crate::release::Failure;
use crate::release::request::SignatureFormat;
use crate::release::verify::evidence::PREDICATE_TYPE_ANNOTATION;
use crate::signing::{BUNDLE_TYPE, ENVELOPE_TYPE, LegacySignature, SIMPLE_SIGNING_TYPE};
use crate::transfer::StoreError;

impl SigningStage<'_> {
    /// Signs everything missing, and verifies it before any of it is written.
    pub(super) async fn sign_missing(&self) -> Result<Vec<PendingAttachment>, Failure> {
        let context = &self.signing_context();
        let each = self.missing().into_iter().map(|(item, form)| async move {
            let statement = &self.items[item].statement;
            let content = match self.unfinished_signature(statement, form) {
                Some(begun) => SignedContent::Layer(begun),
                None => statement.sign(context, form).await?,
            };
            Ok(PendingAttachment {
                item,
                format: form,
                part: self.to_attachment_part(statement, content),
                url: None,
            })
        });
        try_join_all(each).await
    }

    /// Returns the equal signature of a run that died before it was in the `.sig` image.
    fn unfinished_signature(
        &self,
        statement: &PlannedStatement,
        form: SignatureFormat,
    ) -> Option<LegacySignature> {
        let (PlannedStatement::Signature(claim), SignatureFormat::Legacy) = (statement, form)
        else {
            return None;
        };
        let referrers = self.existing.referrers_source.as_ref()?.mirrored_layers();
        let payload = claim.to_simple_signing_payload();
        referrers
            .iter()
            .filter_map(|layer| annotations_over(layer, &payload))
            .map(|annotations| LegacySignature::from_layer(payload.clone(), &annotations))
            .find(|begun| {
                let content = SignedContent::Layer(begun.clone());
                statement
                    .check_content(&self.signing_context(), &content)
                    .is_ok()
            })
    }

    fn to_attachment_part(
        &self,
        statement: &PlannedStatement,
        content: SignedContent,
    ) -> AttachmentPart {
        let layer = match content {
            SignedContent::Bundle(bundle) => {
                return AttachmentPart::Artifact(Box::new(self.to_artifact(statement, bundle)));
            }
            SignedContent::Layer(layer) => layer,
        };
        let mut annotations = layer.to_annotations();
        let media_type = match statement.attested_type() {
            None => SIMPLE_SIGNING_TYPE,
            Some(kind) => {
                annotations.insert("predicateType", kind);
                ENVELOPE_TYPE
            }
        };
        AttachmentPart::Layer {
            value: cosign_layer(media_type, &layer.payload, &annotations),
            payload: layer.payload.clone().into(),
        }
    }

    fn to_artifact(&self, statement: &PlannedStatement, bundle: Vec<u8>) -> Artifact {
        let mut annotations: BTreeMap<_, _> = [
            (
                "org.opencontainers.image.created",
                self.request.signing.created.as_str(),
            ),
            ("dev.sigstore.bundle.content", "dsse-envelope"),
            (PREDICATE_TYPE_ANNOTATION, statement.predicate_type()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into();
        if let Some(environment) = statement.environment() {
            // By this it is known as one that holds in this environment alone, and is not copied.
            let name = RECORD_ENVIRONMENT_ANNOTATION.to_owned();
            annotations.insert(name, environment.to_string());
        }
        let types = (BUNDLE_TYPE, BUNDLE_TYPE);
        Artifact::new(&self.request.subject, types, bundle, annotations)
            .expect("an artifact is a valid manifest")
    }

    /// Uploads the attestations to GitHub, where the request says so.
    pub(super) async fn upload_to_github(
        &self,
        made: &mut [PendingAttachment],
    ) -> Result<(), Failure> {
        let Some(github) = &self.request.signing.github else {
            return Ok(());
        };
        let each = made.iter_mut().map(|made| async move {
            if let AttachmentPart::Artifact(artifact) = &made.part
                && self.items[made.item].statement.attested_type().is_some()
                && self.items[made.item].statement.environment().is_none()
            {
                let kept = github.upload(self.context.registry.http(), artifact.content());
                made.url = Some(kept.await.map_err(upload_failure)?);
            }
            Ok(())
        });
        try_join_all(each).await.map(drop)
    }

    pub(super) async fn put_blobs(
        &self,
        made: &[PendingAttachment],
        has_config: bool,
    ) -> Result<(), StoreError> {
        let store = self.store();
        let each = made.iter().map(|made| async move {
            match &made.part {
                AttachmentPart::Artifact(artifact) => artifact.put_blobs(store, has_config).await,
                AttachmentPart::Layer { payload, .. } => store.put_blob(payload).await,
            }
        });
        try_join_all(each).await.map(drop)
    }
}

fn upload_failure(error: AttestationUploadError) -> Failure {
    let failure = Failure::service(error.to_string());
    match error.hint() {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}
