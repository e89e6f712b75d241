//! A repository whose registry has an API of its own.

use std::collections::BTreeSet;

use shipmark::credentials::{CredentialStore, ExplicitCredential};
use shipmark::image::{RegistryVendor, Repository};
use shipmark::prune::{PlanFile, PruneOutcome, PrunePlan, PruneRequest, apply_prune, plan_prune};
use shipmark::registry_api::{ApiLogins, ApiSettings, RegistryApiError, RepositoryApi};
use shipmark::release::{Failure, ReleaseContext};
use shipmark::retention::{RegistryApiRule, RetentionRules};

use super::vendor_server::VendorServer;
use crate::prune::stage::{PruneStage, WEB, now, request_for};
use crate::support::{context_with, settings};

/// Repository with the API of its registry.
pub struct VendorStage {
    pub stage: PruneStage,
    pub server: VendorServer,
    pub vendor: RegistryVendor,
    pub logins: ApiLogins,
    pub context: ReleaseContext,
    /// Repository in the registry.
    pub repository: &'static str,
}

impl VendorStage {
    /// Returns a stage whose registry has the API of `server`, with a login of the input `credentials` for it.
    pub fn new(
        stage: PruneStage,
        server: VendorServer,
        vendor: RegistryVendor,
        login: Option<(&str, &str)>,
    ) -> Self {
        let registry = stage.registry.host();
        let explicit = login.map(|(user, password)| ExplicitCredential {
            scope: registry.parse().unwrap(),
            user: user.to_owned(),
            password: password.into(),
        });
        let mut settings = settings();
        settings.credentials = CredentialStore::load(None, Vec::from_iter(explicit)).unwrap();
        Self {
            context: context_with(settings).0,
            stage,
            server,
            vendor,
            logins: ApiLogins::default(),
            repository: WEB,
        }
    }

    /// Returns the rule of the policy that names the API.
    pub fn api_rule(&self) -> RegistryApiRule {
        let (registry, url) = (self.stage.registry.host(), self.server.url());
        format!("{registry}={} {url}", self.vendor).parse().unwrap()
    }

    fn request(&self, mut rules: RetentionRules) -> PruneRequest {
        rules.apis = vec![self.api_rule()];
        PruneRequest {
            logins: self.logins.clone(),
            ..request_for(&self.place(), rules)
        }
    }

    fn place(&self) -> String {
        format!("{}/{}", self.stage.registry.host(), self.repository)
    }

    /// Returns the names of the manifests that are there.
    pub fn there(&self) -> BTreeSet<String> {
        let manifests = self.stage.registry.manifests(self.repository).into_iter();
        let names = manifests.map(|digest| self.stage.name_of(digest.parse().unwrap()));
        names.collect()
    }

    /// Opens the API as a run does.
    pub async fn open(&self) -> Result<RepositoryApi, RegistryApiError> {
        let repository: Repository = self.place().parse().unwrap();
        let credential = self.context.registry.lookup_credential(&repository).await;
        let settings = ApiSettings {
            http: self.context.registry.http().clone(),
            credential: credential.unwrap(),
            logins: self.logins.clone(),
            address: self.api_rule().address,
            clock: now().to_timestamp(),
        };
        RepositoryApi::open(self.vendor, &repository, &settings).map(Option::unwrap)
    }

    pub async fn plan(&self, rules: RetentionRules) -> Result<PrunePlan, Failure> {
        plan_prune(&self.request(rules), &self.context).await
    }

    pub async fn apply(
        &self,
        rules: RetentionRules,
        file: &PlanFile,
    ) -> Result<PruneOutcome, Failure> {
        apply_prune(&self.request(rules), file, &self.context).await
    }
}
