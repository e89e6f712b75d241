//! GitHub's packages API over a test registry, in the form of the documentation (GitHub REST API, "Packages"; its
//! messages as in ghcr-cleanup-action and actions/delete-package-versions).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::vendor_server::VendorServer;
use crate::prune::stage::{PruneStage, WEB, days_ago};
use crate::registry::{Answer, Call, Presented, Registry};

/// Token that may do everything.
pub const TOKEN: &str = "ghp_made_up_for_tests";
const LAST_TAGGED: &str =
    "You cannot delete the last tagged version of a package. You must delete the package instead.";
const DOWNLOADS: &str = "Publicly visible package versions with more than 5000 downloads cannot be deleted. Contact GitHub support for further assistance.";

/// Version of the package.
#[derive(Clone)]
struct Version {
    id: u64,
    digest: String,
    days: i64,
    is_deleted: bool,
    /// Tags and content of a deleted one.
    tags: Vec<String>,
    content: Option<(String, bytes::Bytes)>,
    downloads: u64,
}

/// State of the package.
pub struct Package {
    /// Whether an organization owns it; else a user.
    pub is_organization: bool,
    /// Whether the token has the role Admin.
    pub is_admin: bool,
    /// Versions on a page.
    pub page: usize,
    versions: Vec<Version>,
}

/// Shared state of the package.
pub type SharedPackage = Arc<Mutex<Package>>;

/// Makes a version of each manifest of a stage, with ids from 1 in the order of their digests. `days` has the age by
/// the name of the manifest; others are 30 days old.
pub fn package_of(stage: &PruneStage, days: &[(&str, i64)]) -> SharedPackage {
    let days: BTreeMap<&str, i64> = days.iter().copied().collect();
    let manifests = stage.registry.manifests(WEB).into_iter().enumerate();
    let versions = manifests.map(|(at, digest)| {
        let name = stage.name_of(digest.parse().unwrap());
        Version {
            id: at as u64 + 1,
            days: days.get(name.as_str()).copied().unwrap_or(30),
            digest,
            is_deleted: false,
            tags: Vec::new(),
            content: None,
            downloads: 0,
        }
    });
    Arc::new(Mutex::new(Package {
        is_organization: true,
        is_admin: true,
        page: 100,
        versions: versions.collect(),
    }))
}

impl Package {
    /// Sets the downloads of a version.
    pub fn set_downloads(&mut self, digest: &str, downloads: u64) {
        let version = self.versions.iter_mut().find(|it| it.digest == digest);
        version.unwrap().downloads = downloads;
    }

    /// Returns the id of a version.
    pub fn id_of(&self, digest: &str) -> u64 {
        let version = self.versions.iter().find(|it| it.digest == digest);
        version.unwrap().id
    }
}

/// Starts the API.
pub async fn start(registry: Arc<Registry>, package: SharedPackage) -> VendorServer {
    VendorServer::start(move |url| {
        move |call: &Call, _: &[u8]| answer(&registry, &mut package.lock().unwrap(), &url, call)
    })
    .await
}

fn message(status: u16, text: &str) -> Answer {
    Answer::new(status)
        .json(&json!({"message": text, "documentation_url": "https://docs.github.com/rest"}))
}

fn answer(registry: &Registry, package: &mut Package, url: &str, call: &Call) -> Answer {
    if !matches!(call.presented(), Presented::Bearer(token) if token == TOKEN) {
        return message(401, "Bad credentials");
    }
    assert_eq!(call.header("x-github-api-version"), Some("2022-11-28"));
    let owners = if package.is_organization {
        "orgs"
    } else {
        "users"
    };
    let root = format!("/{owners}/team/packages/container/web");
    let Some(rest) = call.path.strip_prefix(&root) else {
        return message(404, "Not Found");
    };
    let parts: Vec<&str> = rest.split('/').filter(|it| !it.is_empty()).collect();
    match (call.method.as_str(), parts.as_slice()) {
        ("GET", []) => Answer::new(200).json(&json!({"name": "web", "package_type": "container"})),
        ("GET", ["versions"]) => list(registry, package, &format!("{url}{root}/versions"), call),
        ("GET", ["versions", id]) => match find(package, id, false) {
            Some(at) => Answer::new(200).json(&to_json(registry, &package.versions[at])),
            None => message(404, "Package not found."),
        },
        ("DELETE", ["versions", id]) => match find(package, id, false) {
            Some(at) if package.is_admin => delete(registry, package, at),
            _ => message(404, "Package not found."),
        },
        ("POST", ["versions", id, "restore"]) => match find(package, id, true) {
            Some(at) if package.is_admin => restore(registry, &mut package.versions[at]),
            _ => message(404, "Package not found."),
        },
        _ => message(404, "Not Found"),
    }
}

fn find(package: &Package, id: &str, is_deleted: bool) -> Option<usize> {
    let id: u64 = id.parse().ok()?;
    let mut versions = package.versions.iter();
    versions.position(|it| it.id == id && it.is_deleted == is_deleted)
}

fn tags_of(registry: &Registry, digest: &str) -> Vec<String> {
    let tags = registry.tags(WEB).into_iter();
    let own = tags.filter(|(_, target)| target == digest);
    own.map(|(tag, _)| tag).collect()
}

fn to_json(registry: &Registry, version: &Version) -> Value {
    let tags = match version.is_deleted {
        true => version.tags.clone(),
        false => tags_of(registry, &version.digest),
    };
    json!({
        "id": version.id,
        "name": version.digest,
        "created_at": days_ago(version.days),
        "updated_at": days_ago(version.days),
        "metadata": {"package_type": "container", "container": {"tags": tags}},
    })
}

fn list(registry: &Registry, package: &Package, address: &str, call: &Call) -> Answer {
    let number = |name| call.query(name).and_then(|text| text.parse::<usize>().ok());
    let page = number("page").unwrap_or(1);
    let is_deleted = call.query("state") == Some("deleted");
    assert_eq!(call.query("per_page"), Some("100"));
    let versions = package.versions.iter();
    let shown: Vec<&Version> = versions.filter(|it| it.is_deleted == is_deleted).collect();
    let chunk = shown.chunks(package.page).nth(page - 1).unwrap_or_default();
    let body: Vec<Value> = chunk.iter().map(|it| to_json(registry, it)).collect();
    let answer = Answer::new(200).json(&json!(body));
    match page * package.page < shown.len() {
        true => {
            let state = if is_deleted { "deleted" } else { "active" };
            let next = format!("{address}?state={state}&per_page=100&page={}", page + 1);
            answer.header(
                "link",
                format!("<{next}>; rel=\"next\", <{next}>; rel=\"last\""),
            )
        }
        false => answer,
    }
}

fn delete(registry: &Registry, package: &mut Package, at: usize) -> Answer {
    let digest = package.versions[at].digest.clone();
    let tags = tags_of(registry, &digest);
    let mut tagged: Vec<String> = registry.tags(WEB).into_values().collect();
    tagged.dedup();
    if !tags.is_empty() && tagged.iter().all(|it| *it == digest) {
        return message(400, LAST_TAGGED);
    }
    let version = &mut package.versions[at];
    if version.downloads > 5000 {
        return message(400, DOWNLOADS);
    }
    version.content = registry.manifest(WEB, &digest);
    version.is_deleted = true;
    let mut left = registry.tags(WEB);
    left.retain(|_, target| *target != digest);
    registry.set_tags(WEB, left);
    registry.remove_manifest(WEB, &digest);
    version.tags = tags;
    Answer::new(204)
}

fn restore(registry: &Registry, version: &mut Version) -> Answer {
    let (media_type, bytes) = version.content.take().unwrap();
    registry.put_manifest(WEB, &version.digest, &media_type, bytes);
    let mut tags = registry.tags(WEB);
    tags.extend(
        version
            .tags
            .drain(..)
            .map(|tag| (tag, version.digest.clone())),
    );
    registry.set_tags(WEB, tags);
    version.is_deleted = false;
    Answer::new(204)
}
