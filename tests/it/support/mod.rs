//! What the tests of the road share: a context with short patience, requests, images to send.

pub mod attach;
pub mod branches;
pub mod built_index;
pub mod checkout;
pub mod far_registry;
pub mod gated;
pub mod github_permissions;
pub mod keys;
pub mod made_image;
pub mod message_templates;
pub mod named_descriptors;
pub mod output_schema;
pub mod process;
pub mod record_job;
pub mod recorded_chain;
pub mod recorded_stage;
pub mod records;
pub mod release_story;
pub mod rust_source;
pub mod table;
pub mod timelines;
pub mod web;
pub mod workflow;
pub mod yaml;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shipmark::archive::Unpacking;
use shipmark::credentials::{CredentialStore as Credentials, ExplicitCredential};
use shipmark::event::{EventFacts, EventInputs};
use shipmark::http::{HttpSettings, ProxySettings, RetryTiming};
use shipmark::image::Digest;
use shipmark::notices::{Notice, Notices, TransferProgress};
use shipmark::referrers::ReferrerSelection;
use shipmark::registry::{RegistryClient, RegistrySettings};
use shipmark::release::{
    ExistingTagPolicy, Failure, PlanTerms, PromotionPath, ReleaseContext, ReleaseNaming,
    ReleaseOutcome, ReleaseRequest, ReleaseVerb, RequestedPlatforms, run,
};
use shipmark::tagging::TagRules;
use shipmark::transfer::{BlobIndex, ForeignLayers, ProgressMeter};

use crate::registry::{PASSWORD, Registry, USER};

/// The commit that the events of these tests are about.
pub const COMMIT: &str = "9f3c2a1ca84d1343b96baa8137c943ed1860e522";

/// A fixture image: `buildkit-multi.tar`.
pub fn image(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/images")
        .join(name)
}

/// The image that the README's first command releases; its labels name [`COMMIT`] and 1.4.0.
pub fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/web.oci.tar");
    format!("oci-archive:{}", path.display())
}

/// Puts [`example`] in place under a tag, without a request.
pub fn put_example(registry: &Registry, repository: &str, tag: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/web.oci.tar");
    let mut archive = tar::Archive::new(std::fs::File::open(path).unwrap());
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if !entry.path().unwrap().starts_with("blobs") || entry.size() == 0 {
            continue;
        }
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let named = crate::registry::digest(&bytes);
        match json["mediaType"].as_str() {
            Some(kind) if named == example_root().to_string() => {
                registry.put_manifest(repository, tag, kind, bytes.clone())
            }
            Some(kind) => registry.put_manifest(repository, &named, kind, bytes.clone()),
            None => registry.put_blob(repository, bytes.clone()),
        };
    }
}

/// The digest of [`example`]'s root.
pub fn example_root() -> Digest {
    "sha256:daabd5f7f76713e866644bcb64579ce61c6f41845cdebdd0f6f17c905ad5d60a"
        .parse()
        .unwrap()
}

/// Impatient enough for tests: what would take minutes takes moments.
pub fn timing() -> RetryTiming {
    RetryTiming {
        connect: Duration::from_secs(2),
        stall: Duration::from_millis(800),
        whole: Duration::from_secs(60),
        retry: Duration::from_millis(2),
        attempts: 4,
    }
}

pub fn settings() -> RegistrySettings {
    RegistrySettings {
        credentials: Credentials::new_anonymous(),
        insecure: Vec::new(),
        plain_credentials: Vec::new(),
        http: HttpSettings {
            ca_file: None,
            ssl_cert_file: None,
            ssl_cert_dir: None,
            client_certificate: None,
            certs_folders: Vec::new(),
            unverified_hosts: Vec::new(),
            proxies: ProxySettings::default(),
            timing: timing(),
        },
    }
}

/// What a run said.
#[derive(Clone, Default)]
pub struct Said(Arc<Mutex<Vec<Notice>>>);

impl Said {
    pub fn notices(&self) -> Notices {
        let said = self.0.clone();
        Notices::new(move |notice| said.lock().unwrap().push(notice))
    }

    pub fn text(&self) -> String {
        let lines = self.0.lock().unwrap();
        let lines = lines.iter().filter_map(|notice| match notice {
            Notice::Info(text) | Notice::TagChange(text, _) | Notice::Warning(text, _) => {
                Some(text.as_str())
            }
            Notice::Detail(_) | Notice::Secret(_) | Notice::Progress(_) => None,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The same, and forgets it.
    pub fn take(&self) -> String {
        let text = self.text();
        self.0.lock().unwrap().clear();
        text
    }

    /// The warnings alone.
    pub fn warnings(&self) -> String {
        let lines = self.0.lock().unwrap();
        let lines = lines.iter().filter_map(|notice| match notice {
            Notice::Warning(text, _) => Some(text.as_str()),
            _ => None,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// How far the transfers had come, each time that it was said.
    pub fn progress(&self) -> Vec<TransferProgress> {
        let said = self.0.lock().unwrap();
        let progress = said.iter().filter_map(|notice| match notice {
            Notice::Progress(progress) => Some(progress.clone()),
            _ => None,
        });
        progress.collect()
    }
}

/// Settings with the login of some registries.
pub fn logged_in_to(registries: &[&Registry]) -> RegistrySettings {
    let login = |registry: &&Registry| ExplicitCredential {
        scope: registry.host().parse().unwrap(),
        user: USER.to_owned(),
        password: PASSWORD.into(),
    };
    RegistrySettings {
        credentials: Credentials::load(None, registries.iter().map(login).collect()).unwrap(),
        ..settings()
    }
}

pub fn context_with(settings: RegistrySettings) -> (ReleaseContext, Said) {
    let said = Said::default();
    let notices = said.notices();
    let registry = RegistryClient::new(settings, notices.clone()).unwrap();
    (
        ReleaseContext {
            registry,
            blob_index: BlobIndex::default(),
            meter: ProgressMeter::new(notices.clone()),
            notices,
            ancestry: None,
            unpacking: Unpacking::default(),
            docker_host: None,
            github: None,
            service: None,
        },
        said,
    )
}

pub fn context() -> ReleaseContext {
    context_with(settings()).0
}

/// The facts of a push to `git_ref` (`refs/heads/main`) of [`COMMIT`].
pub fn pushed(git_ref: &str) -> Option<EventFacts> {
    let given = EventInputs {
        name: "push",
        git_ref: Some(git_ref),
        sha: Some(COMMIT),
        ..EventInputs::default()
    };
    Some(EventFacts::parse(&given).unwrap())
}

/// A request from the text of its places.
pub fn request(
    verb: ReleaseVerb,
    source: &str,
    destinations: &[&str],
    facts: Option<EventFacts>,
) -> ReleaseRequest {
    ReleaseRequest {
        record: None,
        verb,
        source: source.parse().unwrap(),
        search: None,
        lookup: None,
        destinations: destinations
            .iter()
            .map(|place| place.parse().unwrap())
            .collect(),
        facts,
        commit_given: false,
        rules: TagRules::Default,
        excluded_versions: Default::default(),
        naming: ReleaseNaming::default(),
        environment: None,
        path: PromotionPath::default(),
        reads_previous: false,
        existing: ExistingTagPolicy::PerTagKind,
        from: None,
        check: None,
        signing: None,
        // Tests that are about them say so.
        referrers: ReferrerSelection::None,
        foreign_layers: ForeignLayers::Skip,
        platforms: RequestedPlatforms::default(),
        gates: None,
        dry_run: false,
        github_environment: None,
        is_check: false,
        plan: PlanTerms::default(),
    }
}

pub fn push(source: &str, destinations: &[&str], git_ref: &str) -> ReleaseRequest {
    request(ReleaseVerb::Push, source, destinations, pushed(git_ref))
}

pub fn promote(source: &str, destinations: &[&str], git_ref: &str) -> ReleaseRequest {
    request(ReleaseVerb::Promote, source, destinations, pushed(git_ref))
}

/// Runs a request that must do.
pub async fn done(request: ReleaseRequest, context: &ReleaseContext) -> ReleaseOutcome {
    match run(&request, context).await {
        Ok(outcome) => outcome,
        Err(failure) => panic!("{failure:?}"),
    }
}

/// Runs a request that must fail, and gives its words.
pub async fn failed(request: ReleaseRequest, context: &ReleaseContext) -> (Failure, String) {
    match run(&request, context).await {
        Ok(outcome) => panic!("it should fail, and did {outcome:?}"),
        Err(failure) => {
            let text = failure
                .diagnostic()
                .map_or_else(String::new, ToString::to_string);
            (failure, text)
        }
    }
}

/// The tags of a repository of the test registry, as `tag digest` lines.
pub fn tags(registry: &Registry, repository: &str) -> Vec<String> {
    registry
        .tags(repository)
        .into_iter()
        .map(|(tag, digest)| format!("{tag} {digest}"))
        .collect()
}
