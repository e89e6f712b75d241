//! A repository whose images have ages, and the requests that prune it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use shipmark::image::Digest;
use shipmark::prune::{
    PlanFile, PruneOutcome, PrunePlan, PruneRequest, RuleGroup, apply_prune, plan_file_text,
    plan_prune,
};
use shipmark::record::RecordTime;
use shipmark::registry_api::ApiLogins;
use shipmark::release::{Failure, ReleaseContext};
use shipmark::retention::{
    DeletionLimits, DeletionStep, KeepRules, PruneRule, PruneSelector, RetentionRules,
};
use shipmark::tagging::TagPattern;

use crate::registry::{Profile, Registry, digest};
use crate::support::*;

pub const WEB: &str = "team/web";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// Time of all plans.
pub const NOW: &str = "2026-12-01T00:00:00.000Z";

pub fn now() -> RecordTime {
    NOW.parse().unwrap()
}

/// Returns the time some days before the plans.
pub fn days_ago(days: i64) -> String {
    let time = now().to_timestamp() - jiff::SignedDuration::from_hours(24 * days);
    time.to_string()
}

/// Repository in a registry.
pub struct PruneStage {
    pub registry: Arc<Registry>,
    /// Names of manifests, for messages and expectations.
    pub names: BTreeMap<String, String>,
}

impl PruneStage {
    pub async fn new(profile: Profile) -> Self {
        Self {
            registry: Arc::new(Registry::start(profile).await),
            names: BTreeMap::new(),
        }
    }

    /// Case 7 of the note, with an image that stays: `pr-1` on an index with two platforms, a signature of each level,
    /// and the index of referrers of registries without the referrers API.
    pub async fn signed_pull_request(profile: Profile, has_list: bool) -> Self {
        let mut stage = Self::new(profile).await;
        stage.add_signed_pull_request(has_list);
        stage
    }

    pub fn add_signed_pull_request(&mut self, has_list: bool) {
        self.image("a", 30);
        self.image("b", 30);
        self.index("I", &["a", "b"]);
        self.referrer("S(I)", "I");
        self.referrer("S(a)", "a");
        self.tag("pr-1", "I");
        if has_list {
            self.list_of_referrers("L(I)", "I", &["S(I)"]);
            self.list_of_referrers("L(a)", "a", &["S(a)"]);
        }
        self.image("other", 30);
        self.tag("1.0.0", "other");
    }

    pub fn place(&self) -> String {
        format!("{}/{WEB}", self.registry.host())
    }

    pub fn digest_of(&self, name: &str) -> Digest {
        self.names[name].parse().unwrap()
    }

    /// Returns a name by its digest.
    pub fn name_of(&self, digest: Digest) -> String {
        let digest = digest.to_string();
        let mut names = self.names.iter();
        let found = names.find(|(_, known)| **known == digest);
        found.map_or(digest.clone(), |(name, _)| name.clone())
    }

    pub fn image(&mut self, name: &str, days: i64) -> String {
        let config = json!({"architecture": "amd64", "os": "linux", "name": name, "created": days_ago(days)});
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": self.blob(CONFIG, &config.to_string()),
            "layers": [self.blob("application/vnd.oci.image.layer.v1.tar", &format!("layer of {name}"))],
        });
        self.manifest(name, MANIFEST, &manifest)
    }

    fn blob(&self, media_type: &str, text: &str) -> Value {
        let digest = self.registry.put_blob(WEB, text.to_owned());
        json!({"mediaType": media_type, "digest": digest, "size": text.len()})
    }

    fn manifest(&mut self, name: &str, media_type: &str, json: &Value) -> String {
        let bytes = json.to_string();
        let digest = digest(bytes.as_bytes());
        self.registry.put_manifest(WEB, &digest, media_type, bytes);
        self.names.insert(name.to_owned(), digest.clone());
        digest
    }

    pub fn descriptor(&self, name: &str) -> Value {
        let digest = &self.names[name];
        let (media_type, bytes) = self.registry.manifest(WEB, digest).unwrap();
        json!({"mediaType": media_type, "digest": digest, "size": bytes.len()})
    }

    pub fn index_json(&self, children: &[&str], annotation: &str) -> Value {
        let manifests: Vec<Value> = children.iter().map(|name| self.descriptor(name)).collect();
        json!({
            "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests,
            "annotations": {"name": annotation},
        })
    }

    pub fn index(&mut self, name: &str, children: &[&str]) -> String {
        let json = self.index_json(children, name);
        self.manifest(name, INDEX, &json)
    }

    /// Puts an index of other children in place under a tag, as a lenient registry takes it.
    pub fn put_index(&self, tag: &str, children: &[&str]) -> String {
        let json = self.index_json(children, tag).to_string();
        self.registry.put_manifest(WEB, tag, INDEX, json)
    }

    pub fn referrer(&mut self, name: &str, subject: &str) -> String {
        let layer = self.blob(BUNDLE, &format!("bundle {name}"));
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": BUNDLE,
            "config": self.blob("application/vnd.oci.empty.v1+json", "{}"),
            "layers": [layer],
            "subject": self.descriptor(subject),
        });
        self.manifest(name, MANIFEST, &manifest)
    }

    /// Puts an index of the referrers tag schema in place.
    fn list_of_referrers(&mut self, name: &str, subject: &str, referrers: &[&str]) {
        let json = self.index_json(referrers, name);
        self.manifest(name, INDEX, &json);
        let tag = self.names[subject].replace(':', "-");
        self.tag(&tag, name);
    }

    pub fn tag(&self, tag: &str, name: &str) {
        let mut tags = self.registry.tags(WEB);
        tags.insert(tag.to_owned(), self.names[name].clone());
        self.registry.set_tags(WEB, tags);
    }

    /// Returns names in the order of their digests, in which children go.
    pub fn by_digest<const N: usize>(&self, mut names: [&'static str; N]) -> [&'static str; N] {
        names.sort_by_key(|name| &self.names[*name]);
        names
    }

    /// Returns the names of the manifests that are there.
    pub fn there(&self) -> BTreeSet<String> {
        let manifests = self.registry.manifests(WEB).into_iter();
        let names = manifests.map(|digest| self.name_of(digest.parse().unwrap()));
        names.collect()
    }

    pub fn request(&self, rules: RetentionRules) -> PruneRequest {
        request_for(&self.place(), rules)
    }

    pub async fn plan(&self, rules: RetentionRules) -> PrunePlan {
        let request = self.request(rules);
        plan_prune(&request, &context()).await.unwrap()
    }

    /// Returns the plan as a plan file.
    pub async fn plan_file(&self, rules: RetentionRules) -> PlanFile {
        let plan = self.plan(rules).await;
        to_file(&plan)
    }

    pub async fn apply(
        &self,
        rules: RetentionRules,
        file: &PlanFile,
        context: &ReleaseContext,
    ) -> Result<PruneOutcome, Failure> {
        apply_prune(&self.request(rules), file, context).await
    }

    /// Returns the deletions of a plan in their order, by names.
    pub fn steps(&self, plan: &PrunePlan) -> Vec<String> {
        let repositories = plan.groups.iter().flat_map(|it| &it.plan.repositories);
        let steps = repositories.flat_map(|it| it.steps());
        steps.map(|step| self.step_name(step)).collect()
    }

    /// Returns what was deleted, in its order, by names.
    pub fn deleted(&self, outcome: &PruneOutcome) -> Vec<String> {
        let repositories = outcome.repositories.iter();
        let deletions = repositories.flat_map(|it| &it.deletions);
        deletions.map(|it| self.step_name(&it.step)).collect()
    }

    fn step_name(&self, step: &DeletionStep) -> String {
        match step {
            DeletionStep::Tag { tag, .. } => self.tag_name(tag.as_str()),
            DeletionStep::Manifest { digest, .. } => self.name_of(*digest),
        }
    }

    /// Returns a tag, of a list of referrers with the name of its subject.
    fn tag_name(&self, tag: &str) -> String {
        let subject = tag.replacen("sha256-", "sha256:", 1);
        match subject.parse::<Digest>() {
            Ok(digest) => format!("sha256-{}", self.name_of(digest)),
            Err(_) => tag.to_owned(),
        }
    }

    /// Returns the requests by names instead of digests.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.registry.requests().into_iter();
        let named = requests.map(|line| {
            let line = line.replace(&format!("/v2/{WEB}/"), "");
            self.names.iter().fold(line, |line, (name, digest)| {
                let tag = digest.replace(':', "-");
                line.replace(digest, name)
                    .replace(&tag, &format!("sha256-{name}"))
            })
        });
        named.collect()
    }

    /// Requires that no tag and no index has a hole, and that what `pr-1` names has its signatures.
    pub fn assert_no_hole(&self, when: &str) {
        // A list of referrers goes after the referrers that it lists.
        let list = format!("{WEB}:sha256-");
        let mut holes = self.registry.dangling();
        holes.retain(|hole| !hole.starts_with(&list));
        assert_eq!(holes, Vec::<String>::new(), "{when}");
        if self.registry.tags(WEB).contains_key("pr-1") {
            for name in ["I", "S(I)", "S(a)", "a", "b"] {
                assert!(self.there().contains(name), "{when}: {name} is gone");
            }
        }
        let there = self.there();
        assert!(there.contains("other"), "{when}");
    }
}

pub fn to_file(plan: &PrunePlan) -> PlanFile {
    PlanFile::parse(plan_file_text(plan, &[policy()]).as_bytes()).unwrap()
}

/// Digest of the policy of all plans.
pub fn policy() -> Digest {
    Digest::from_bytes(b"policy")
}

pub fn request_for(place: &str, rules: RetentionRules) -> PruneRequest {
    PruneRequest {
        groups: vec![RuleGroup {
            rules,
            places: vec![place.parse().unwrap()],
        }],
        timelines: Vec::new(),
        records: Vec::new(),
        pins: Vec::new(),
        policy: vec![policy()],
        clock: now(),
        max_requests: None,
        logins: ApiLogins::default(),
        cache: None,
        archive: None,
    }
}

pub fn request_of_layout(path: &Path, rules: RetentionRules) -> PruneRequest {
    request_for(&format!("oci:{}", path.display()), rules)
}

pub fn patterns(text: &str) -> Vec<TagPattern> {
    let words = text.split(' ');
    words.map(|word| TagPattern::parse(word).unwrap()).collect()
}

/// Returns a rule for tags that are older than some days.
pub fn tagged(pattern: &str, days: Option<u32>) -> PruneRule {
    rule(PruneSelector::Tags(patterns(pattern)), days)
}

pub fn untagged(days: Option<u32>) -> PruneRule {
    rule(PruneSelector::Untagged { orphans: false }, days)
}

fn rule(selector: PruneSelector, days: Option<u32>) -> PruneRule {
    PruneRule {
        selector,
        older_than: days.map(|days| format!("{days}d").parse().unwrap()),
        keep_last: None,
    }
}

/// Returns rules with limits that a small repository keeps.
pub fn rules<const N: usize>(prune: [PruneRule; N]) -> RetentionRules {
    RetentionRules {
        keep: KeepRules::default(),
        prune: prune.into(),
        grace: "24h".parse().unwrap(),
        limits: DeletionLimits {
            share: 100,
            images: 100,
        },
        apis: Vec::new(),
    }
}

/// Returns the stops of a plan, as text.
pub fn stops(plan: &PrunePlan) -> Vec<String> {
    let groups = plan.groups.iter();
    let stops = groups.flat_map(|group| {
        let repositories = group.plan.repositories.iter().flat_map(|it| &it.stops);
        group.plan.stops.iter().chain(repositories)
    });
    stops.map(ToString::to_string).collect()
}
