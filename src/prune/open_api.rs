//! The registry's own API of a repository that is pruned, where it has one.

use jiff::Timestamp;

use super::prune_request::PruneRequest;
use crate::image::{Destination, RegistryVendor, Repository};
use crate::registry_api::{
    ApiLogins, ApiSettings, DeletionRoute, RegistryAbilities, RegistryApiError,
    RegistryApiErrorKind, RepositoryApi,
};
use crate::release::{Failure, ReleaseContext};
use crate::retention::RetentionRules;

/// API of a repository; `Err` says why it is not used.
pub(super) type OpenedApi = Result<RepositoryApi, RegistryApiError>;

/// Returns the vendor of a registry: by the policy, else by its host.
pub(super) fn find_vendor(
    rules: &RetentionRules,
    repository: &Repository,
) -> Option<RegistryVendor> {
    let registry = repository.registry();
    let named = rules.find_api(registry).map(|rule| rule.vendor);
    named.or_else(|| RegistryVendor::from_registry(registry))
}

/// Opens the API of a repository. `None` where the registry is known to have none.
///
/// # Errors
/// A login that cannot be looked up.
pub(super) async fn open_api(
    request: &PruneRequest,
    rules: &RetentionRules,
    place: &Destination,
    context: &ReleaseContext,
) -> Result<Option<OpenedApi>, Failure> {
    let Destination::Registry(repository) = place else {
        return Ok(None);
    };
    let Some(vendor) = find_vendor(rules, repository) else {
        return Ok(None);
    };
    let rule = rules.find_api(repository.registry());
    let address = rule.and_then(|rule| rule.address.clone());
    let clock = request.clock.to_timestamp();
    open_vendor_api(vendor, repository, address, &request.logins, clock, context).await
}

/// Opens the API of a vendor. `None` where the distribution API alone is used.
///
/// # Errors
/// A login that cannot be looked up.
pub(super) async fn open_vendor_api(
    vendor: RegistryVendor,
    repository: &Repository,
    address: Option<url::Url>,
    logins: &ApiLogins,
    clock: Timestamp,
    context: &ReleaseContext,
) -> Result<Option<OpenedApi>, Failure> {
    let credential = context.registry.lookup_credential(repository).await;
    let settings = ApiSettings {
        http: context.registry.http().clone(),
        credential: credential.map_err(|error| Failure::input(error.to_string()))?,
        logins: logins.clone(),
        address,
        clock,
    };
    Ok(RepositoryApi::open(vendor, repository, &settings).transpose())
}

/// Returns whether a vendor deletes manifests by its own API alone.
pub(super) fn needs_api(vendor: RegistryVendor) -> bool {
    RegistryAbilities::from_vendor(vendor).deletes_manifest == DeletionRoute::VendorApi
}

/// Returns whether the host of a place tells that its registry brings back what was deleted.
pub(super) fn undoes_deletions(place: &Destination) -> bool {
    match place {
        Destination::Registry(repository) => {
            RegistryVendor::from_registry(repository.registry()) == Some(RegistryVendor::Ghcr)
        }
        Destination::Layout(_) => false,
    }
}

/// Returns the failure of a registry's own API.
pub(super) fn api_failure(place: &Destination, error: &RegistryApiError) -> Failure {
    let failure = Failure::service(format!("{place}: {error}"));
    match &error.kind {
        RegistryApiErrorKind::LimitReached { .. } => failure.with_hint(
            "run it again then with the same plan file: it goes on where this run ended",
        ),
        _ if error.is_login() => failure.with_hint(format!("the API needs {}", error.needs)),
        _ => {
            failure.with_hint("run it again; if it fails again, see the status page of the service")
        }
    }
}
