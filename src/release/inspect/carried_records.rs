//! Records that a release carries in its timeline entry: those of the environments before.

use super::environment_account::{CarriedRecord, EnvironmentAccount, OpenAccount};
use super::inspect_request::InspectRequest;
use crate::image::Digest;
use crate::notices::to_printable;
use crate::release::context::ReleaseContext;
use crate::release::records::location::TimelineLocation;
use crate::release::records::record_rejection::{RECORD_BLOB_LIMIT, RecordRejection};
use crate::release::records::trust::{RecordTrust, read_record};
use crate::release::records::unfinished::ReleaseAccount;
use crate::release::resolve::image_store::open_to_read;
use crate::transfer::ImageReader;

/// Returns the accounts, each with the carried records of environments that are not among them.
pub(super) async fn add_carried_records(
    request: &InspectRequest,
    opened: Vec<OpenAccount>,
    root: Digest,
    context: &ReleaseContext,
) -> Vec<EnvironmentAccount> {
    let shown: Vec<_> = opened
        .iter()
        .map(|it| it.account.environment.clone())
        .collect();
    let mut accounts = Vec::with_capacity(opened.len());
    for mut one in opened {
        let release = one.account.release.as_ref();
        let source = release.and_then(|release| release.predicate.source.as_ref());
        let source = source.and_then(|source| source.environment.clone());
        if source.is_some_and(|source| !shown.contains(&source)) {
            one.account.carried = read_carried(request, &one, root, context).await;
        }
        accounts.push(one.account);
    }
    accounts
}

async fn read_carried(
    request: &InspectRequest,
    opened: &OpenAccount,
    root: Digest,
    context: &ReleaseContext,
) -> Vec<CarriedRecord> {
    let place = opened.location.entries();
    let reader = ImageReader::from_store(open_to_read(context, place));
    let mut carried = Vec::new();
    for layer in &opened.carried {
        let read = reader.read_small_blob(layer, RECORD_BLOB_LIMIT).await;
        let read = read.map_err(|error| error.to_string());
        let checked = read.and_then(|blob| {
            let checked = check_carried(request, &blob, root);
            checked.map_err(|reason| reason.to_string())
        });
        match checked {
            Ok(record) => carried.push(record),
            Err(reason) => context.notices.warning(format!(
                "{place}: the record {} in an entry cannot be read: {}",
                layer.digest,
                to_printable(&reason, 300)
            )),
        }
    }
    carried
}

/// Reads a record, and verifies it against the signers of its environment.
fn check_carried(
    request: &InspectRequest,
    blob: &[u8],
    root: Digest,
) -> Result<CarriedRecord, RecordRejection> {
    let read = read_record(None, blob)?;
    let release = ReleaseAccount::from_verified(&read);
    let is_about = read.record.root == root;
    let of_release = |rejection: Option<String>| CarriedRecord {
        release: release.clone(),
        rejection,
    };
    if !is_about {
        let reason = format!("it is about {}, expected {root}", read.record.root);
        return Ok(of_release(Some(reason)));
    }
    let predicate = &read.record.predicate;
    let is_it = |location: &&TimelineLocation| {
        location.environment == predicate.environment
            && location.place().destination == predicate.destination
    };
    let trust = match request.timelines.iter().find(is_it) {
        Some(location) => location.trust.clone(),
        None if request.finds_environments => request.signer.clone().map(RecordTrust::from_signer),
        None => {
            let reason = "the policy names no environment with its name and repository";
            return Ok(of_release(Some(reason.to_owned())));
        }
    };
    Ok(match read_record(trust.as_ref(), blob) {
        Ok(verified) => CarriedRecord {
            release: ReleaseAccount::from_verified(&verified),
            rejection: None,
        },
        Err(reason) => of_release(Some(reason.to_string())),
    })
}
