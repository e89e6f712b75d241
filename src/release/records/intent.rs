//! Intent of a release: its record as a referrer of the root, written before any tag. The run that finds one of
//! its own completes it.

use std::collections::BTreeMap;

use super::location::TimelineLocation;
use super::referrer_form::IntentForm;
use super::trust::read_record;
use super::verified_record::VerifiedRecord;
use crate::image::{Descriptor, Digest};
use crate::notices::{Notices, to_printable};
use crate::record::{RECORD_PREDICATE_TYPE, RecordBlob, RecordTime, ReleaseRecord};
use crate::referrers::{
    Artifact, ListedReferrer, ListedReferrers, RECORD_ENVIRONMENT_ANNOTATION,
    RECORD_RUN_ANNOTATION, ReferrersSource, TagSnapshot,
};
use crate::release::Failure;
use crate::release::verify::evidence::{BUNDLE_TYPE_PREFIX, PREDICATE_TYPE_ANNOTATION};
use crate::transfer::{ImageStore, Side};

/// Most intents of an environment that are read for one root.
const READ_LIMIT: usize = 64;

/// Annotation of every bundle. Some registries list the media type of the config as the artifact type.
const BUNDLE_CONTENT_ANNOTATION: &str = "dev.sigstore.bundle.content";

/// Intents for a root, as its repository lists them.
pub(crate) struct ListedIntents {
    pub(crate) source: ReferrersSource,
    /// Whether the root has a bundle, of any predicate type.
    pub(crate) has_bundle: bool,
    listed: Vec<ListedReferrer>,
}

/// Intent that counts.
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    pub(crate) verified: VerifiedRecord,
    pub(crate) blob: RecordBlob,
}

/// Returns the referrer that is the intent of a record.
pub(crate) fn intent_artifact(
    subject: &Descriptor,
    record: &ReleaseRecord,
    blob: &RecordBlob,
    form: IntentForm,
) -> Artifact {
    let predicate = &record.predicate;
    let run = predicate.run.as_ref().and_then(|run| run.uri.clone());
    let mut annotations: BTreeMap<String, String> = BTreeMap::from([
        (
            "org.opencontainers.image.created".to_owned(),
            predicate.planned_at.to_string(),
        ),
        (
            RECORD_ENVIRONMENT_ANNOTATION.to_owned(),
            predicate.environment.to_string(),
        ),
        (
            PREDICATE_TYPE_ANNOTATION.to_owned(),
            RECORD_PREDICATE_TYPE.to_owned(),
        ),
    ]);
    annotations.extend(run.map(|run| (RECORD_RUN_ANNOTATION.to_owned(), run)));
    if form == IntentForm::Bundle {
        let content = BUNDLE_CONTENT_ANNOTATION.to_owned();
        annotations.insert(content, "dsse-envelope".to_owned());
    }
    let types = (form.artifact_type(), form.layer_type(&blob.media_type));
    Artifact::new(subject, types, blob.content.clone(), annotations)
        .unwrap_or_else(|| unreachable!("an intent is a valid manifest"))
}

impl ListedIntents {
    /// Lists the intents of an environment for a root.
    ///
    /// # Errors
    /// A list that cannot be read.
    pub(crate) async fn list(
        store: &ImageStore,
        prior: &TagSnapshot,
        location: &TimelineLocation,
        root: Digest,
    ) -> Result<Self, Failure> {
        let listed = ListedReferrers::read(store, root, prior).await;
        let listed = listed.map_err(|error| {
            Failure::from_referrer_error(Side::Destination, &location.destination, error)
        })?;
        Ok(Self::from_listed(&listed, location))
    }

    /// Returns the intents of an environment among the referrers of a root.
    pub(crate) fn from_listed(listed: &ListedReferrers, location: &TimelineLocation) -> Self {
        let entries = listed.entries.iter();
        let is_intent = |referrer: &&ListedReferrer| {
            intent_environment(referrer) == Some(location.environment.as_str())
        };
        let is_bundle = |referrer: &ListedReferrer| {
            let kind = referrer.artifact_type.as_deref();
            kind.is_some_and(|kind| kind.starts_with(BUNDLE_TYPE_PREFIX))
                || referrer.annotations.contains_key(BUNDLE_CONTENT_ANNOTATION)
        };
        Self {
            source: listed.source.clone(),
            has_bundle: entries.clone().any(is_bundle),
            listed: entries.filter(is_intent).cloned().collect(),
        }
    }

    /// Returns whether the intent of a record is listed, in one form or the other.
    pub(crate) fn has(
        &self,
        subject: &Descriptor,
        record: &ReleaseRecord,
        blob: &RecordBlob,
    ) -> bool {
        let forms = [IntentForm::Bundle, IntentForm::Record];
        forms.into_iter().any(|form| {
            let artifact = intent_artifact(subject, record, blob, form);
            let mut listed = self.listed.iter();
            listed.any(|referrer| referrer.digest == artifact.manifest.digest)
        })
    }

    /// Reads the intents that count, newest first, of the runs that are wanted by their address.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(crate) async fn read_counted(
        &self,
        store: &ImageStore,
        location: &TimelineLocation,
        root: Digest,
        is_wanted: impl Fn(Option<&str>) -> bool,
        notices: &Notices,
    ) -> Result<Vec<Intent>, Failure> {
        let of_run = |referrer: &&ListedReferrer| {
            let named = referrer.annotations.get(RECORD_RUN_ANNOTATION);
            is_wanted(named.map(String::as_str))
        };
        let listed = self.listed.iter().filter(of_run);
        let mut counted = read_listed(listed, store, location, root, notices).await?;
        // An annotation is not signed: whoever may push can store the record of another run under it.
        counted.retain(|intent| is_wanted(intent.verified.record.predicate.run_uri()));
        Ok(counted)
    }

    /// Returns the number of intents.
    pub(crate) fn count(&self) -> usize {
        self.listed.len()
    }

    /// Reads the intents of all runs that count, newest first.
    ///
    /// # Errors
    /// A store that cannot tell.
    pub(crate) async fn read_any(
        &self,
        store: &ImageStore,
        location: &TimelineLocation,
        root: Digest,
        notices: &Notices,
    ) -> Result<Vec<Intent>, Failure> {
        read_listed(self.listed.iter(), store, location, root, notices).await
    }
}

async fn read_listed(
    listed: impl Iterator<Item = &ListedReferrer>,
    store: &ImageStore,
    location: &TimelineLocation,
    root: Digest,
    notices: &Notices,
) -> Result<Vec<Intent>, Failure> {
    let (mut counted, mut passed) = (Vec::new(), Vec::new());
    for referrer in listed.take(READ_LIMIT) {
        let content = referrer.read_content(store).await.map_err(|error| {
            Failure::from_store_error(Side::Destination, &location.destination, error)
        })?;
        match content.and_then(|content| check_intent(location, root, content)) {
            Ok(intent) => counted.push(intent),
            Err(reason) => passed.push((referrer.digest, to_printable(&reason, 300))),
        }
    }
    warn_passed_over(location, root, &passed, notices);
    counted.sort_by_key(|intent| std::cmp::Reverse(planned_at(intent)));
    Ok(counted)
}

/// Warns of the records next to an image that do not count, in one line.
fn warn_passed_over(
    location: &TimelineLocation,
    root: Digest,
    passed: &[(Digest, String)],
    notices: &Notices,
) {
    let place = &location.destination;
    match passed {
        [] => {}
        [(digest, reason)] => {
            notices.warning(format!(
                "{place}: the record {digest} does not count: {reason}"
            ));
        }
        [(digest, reason), ..] => notices.warning(format!(
            "{place}: {} records about {} do not count. The first, {digest}: {reason}",
            passed.len(),
            root.short()
        )),
    }
}

/// Returns the environment that a listed referrer names, if it is an intent.
pub(crate) fn intent_environment(referrer: &ListedReferrer) -> Option<&str> {
    let value = |name: &str| referrer.annotations.get(name).map(String::as_str);
    let is_record = value(PREDICATE_TYPE_ANNOTATION) == Some(RECORD_PREDICATE_TYPE);
    value(RECORD_ENVIRONMENT_ANNOTATION).filter(|_| is_record)
}

fn planned_at(intent: &Intent) -> RecordTime {
    intent.verified.record.predicate.planned_at
}

fn check_intent(
    location: &TimelineLocation,
    root: Digest,
    (layer_type, content): (String, bytes::Bytes),
) -> Result<Intent, String> {
    let verified = read_record(location.trust.as_ref(), &content);
    let verified = verified.map_err(|reason| reason.to_string())?;
    let place = location.place();
    let mismatch = verified.record.check_place(&place);
    mismatch.map_err(|reason| reason.to_string())?;
    if verified.record.root != root {
        return Err(format!(
            "it is about {}, expected {root}",
            verified.record.root
        ));
    }
    let blob = RecordBlob {
        media_type: IntentForm::stored_type(layer_type),
        content,
    };
    Ok(Intent { verified, blob })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_known_where_a_registry_lists_the_type_of_the_config() {
        let location = TimelineLocation {
            environment: "prod".parse().unwrap(),
            destination: "prod.example.com/web".parse().unwrap(),
            entries_at: None,
            trust: None,
        };
        let has_bundle = |kind: &str, annotation: Option<&str>| {
            let annotations = annotation.map(|name| (name.to_owned(), "dsse-envelope".to_owned()));
            let listed = ListedReferrer {
                digest: Digest::from_bytes(b"a referrer"),
                artifact_type: Some(kind.to_owned()),
                annotations: annotations.into_iter().collect(),
            };
            let listed = ListedReferrers {
                source: ReferrersSource::Native,
                entries: vec![listed],
            };
            ListedIntents::from_listed(&listed, &location).has_bundle
        };
        let config = "application/vnd.oci.empty.v1+json";
        assert!(has_bundle(config, Some(BUNDLE_CONTENT_ANNOTATION)));
        assert!(has_bundle(BUNDLE_TYPE_PREFIX, None));
        assert!(!has_bundle(config, Some(PREDICATE_TYPE_ANNOTATION)));
    }
}
