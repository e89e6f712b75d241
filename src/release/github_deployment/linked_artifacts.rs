//! Linked-artifact records of an organization: where an image is stored, and where it is released.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::deployment_calls::left_out_by;
use super::options::{DeployedService, DeploymentOptions, GithubLeftOut};
use super::report::GithubReport;
use crate::github::{GithubApi, GithubApiError, NewDeploymentRecord, NewStorageRecord};
use crate::image::Destination;

/// Part of the report that is about storage records.
const STORAGE_RECORD: &str = "the storage record";

/// Time for all records together: GitHub may not know an attestation of the same job for a while.
const TIME_LIMIT: Duration = Duration::from_secs(30);

/// Pause before a record is sent again of an artifact that GitHub does not know.
const PAUSE: Duration = Duration::from_secs(5);

/// Records of one image in one registry.
struct ArtifactRecords {
    storage: NewStorageRecord,
    deployment: NewDeploymentRecord,
}

/// Creates the records of all services, and adds to the report what became of them.
pub(super) async fn create_records(
    options: &DeploymentOptions,
    api: &GithubApi,
    services: &[DeployedService],
    report: &mut GithubReport,
) {
    let deadline = Instant::now() + TIME_LIMIT;
    let (organization, _) = options.repository.split_once('/').unwrap_or_default();
    for records in services
        .iter()
        .flat_map(|service| artifact_records(options, service))
    {
        let created = create_both(api, organization, &records, deadline);
        let ended = match timeout_at(deadline, created).await {
            Ok(Ok(())) => {
                report.storage_records += 1;
                continue;
            }
            Ok(Err(error)) => left_out(&error),
            Err(_) => GithubLeftOut {
                what: STORAGE_RECORD,
                why: format!("GitHub did not answer within {} s", TIME_LIMIT.as_secs()),
                add: None,
            },
        };
        report.left_out.push(ended);
        // What keeps one record out keeps out the others.
        return;
    }
}

fn left_out(error: &GithubApiError) -> GithubLeftOut {
    let left_out = left_out_by(STORAGE_RECORD, error);
    if error.is_unknown_artifact() {
        return GithubLeftOut {
            why: "GitHub knows no attestation of the image".to_owned(),
            add: Some("github-attestations: true".to_owned()),
            ..left_out
        };
    }
    let needs_organization = error.permission().is_some();
    GithubLeftOut {
        why: match needs_organization {
            true => format!(
                "{} (linked artifacts are for repositories of an organization only)",
                left_out.why
            ),
            false => left_out.why,
        },
        ..left_out
    }
}

async fn create_both(
    api: &GithubApi,
    organization: &str,
    records: &ArtifactRecords,
    deadline: Instant,
) -> Result<(), GithubApiError> {
    loop {
        match api
            .create_storage_record(organization, &records.storage)
            .await
        {
            Ok(()) => break,
            Err(error) if error.is_unknown_artifact() && Instant::now() + PAUSE < deadline => {
                sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
    api.create_deployment_record(organization, &records.deployment)
        .await
}

fn artifact_records(
    options: &DeploymentOptions,
    service: &DeployedService,
) -> Vec<ArtifactRecords> {
    let (_, github_repository) = options.repository.split_once('/').unwrap_or_default();
    let of_place = |place: &Destination| {
        let Destination::Registry(repository) = place else {
            return None;
        };
        let name = repository.to_string();
        let (registry, path) = name.split_once('/')?;
        Some(ArtifactRecords {
            storage: NewStorageRecord {
                name: name.clone(),
                digest: service.digest.to_string(),
                version: service.version.clone(),
                registry_url: format!("https://{registry}"),
                repository: path.to_owned(),
                artifact_url: None,
                status: "active".to_owned(),
                github_repository: github_repository.to_owned(),
            },
            deployment: NewDeploymentRecord {
                name: name.clone(),
                digest: service.digest.to_string(),
                version: service.version.clone(),
                status: "deployed".to_owned(),
                logical_environment: options.environment.name.clone(),
                deployment_name: path.to_owned(),
                github_repository: github_repository.to_owned(),
            },
        })
    };
    service.places.iter().filter_map(of_place).collect()
}
