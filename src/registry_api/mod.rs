//! APIs of registries, for what the distribution API does not tell or do: manifests without a tag, times of pushes,
//! deletions that the registry's own API alone makes, and their undoing. One file a vendor.
//!
//! A [`RepositoryApi`] is the API of one repository. What it lists is a fact for a plan, and nothing is decided here.
//! [`RegistryAbilities`] says what each vendor's API can do; docs/retention.md has the table.

mod abilities;
mod ability_list;
mod acr;
mod api_client;
mod api_deletion;
mod api_error;
mod api_settings;
mod deletion_pace;
mod distribution_only;
mod docker_hub;
mod ecr;
mod gar;
mod ghcr;
mod harbor;
mod quay;
mod repository_api;
mod repository_listing;

pub use abilities::{AbilitySource, DeletionRoute, RegistryAbilities};
pub use api_deletion::{ApiDeletion, ApiRestore};
pub use api_error::{RegistryApiError, RegistryApiErrorKind};
pub use api_settings::{ApiLogins, ApiSettings, AwsKeys};
pub use repository_api::RepositoryApi;
pub use repository_listing::{ListedManifest, ListedTag, RepositoryListing};
