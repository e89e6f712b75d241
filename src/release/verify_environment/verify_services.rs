//! Verification of what an environment is on in all of its repositories.

use futures_util::{StreamExt, stream};

use super::environment_request::EnvironmentRequest;
use super::environment_verification::{EnvironmentVerification, ServiceEnd, VerifiedPlace};
use super::verify_service::verify_service;
use crate::notices::to_printable;
use crate::policy::Service;
use crate::release::context::ReleaseContext;
use crate::tagging::EnvironmentName;

/// Repositories that are verified at the same time.
const SERVICE_CONCURRENCY: usize = 8;
/// Most characters of the path of a report.
const PATH_LIMIT: usize = 200;

/// Verifies what an environment is on, and says of each repository what it found: none cuts the others short.
pub async fn verify_environment(
    environment: EnvironmentName,
    requests: &[(Option<Service>, EnvironmentRequest)],
    context: &ReleaseContext,
) -> EnvironmentVerification {
    let checks = requests.iter().map(|(service, request)| async move {
        let end = match Box::pin(verify_service(request, context)).await {
            Ok(found) => ServiceEnd::Judged(Box::new(found)),
            Err(failure) => ServiceEnd::Unread(failure),
        };
        VerifiedPlace {
            service: service.clone(),
            place: request.location.destination.clone(),
            end,
        }
    });
    let checks: Vec<_> = checks.collect();
    let places: Vec<VerifiedPlace> = stream::iter(checks)
        .buffered(SERVICE_CONCURRENCY)
        .collect()
        .await;
    let are_all_read = places
        .iter()
        .all(|place| matches!(place.end, ServiceEnd::Judged(_)));
    EnvironmentVerification {
        environment,
        // Of one image alone the verdict says it, and without all images nothing can be said.
        unmatched_reports: match are_all_read && requests.len() > 1 {
            true => unmatched_reports(requests),
            false => Vec::new(),
        },
        places,
    }
}

/// Returns the names of the reports that are about no image which was judged.
fn unmatched_reports(requests: &[(Option<Service>, EnvironmentRequest)]) -> Vec<String> {
    let gates = requests.iter().filter_map(|(_, it)| it.scan.as_ref());
    let mut gates = gates.filter_map(|gate| gate.scan.as_ref());
    // All services share the reports of the run.
    let reports = gates.next().map(|scan| scan.reports.clone());
    let names = reports.iter().flat_map(|reports| reports.unclaimed());
    names.map(|name| to_printable(name, PATH_LIMIT)).collect()
}
