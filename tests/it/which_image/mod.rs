//! Which image a promotion takes: the one that was built from the run's commit, as records and SHA tags of the
//! environments say that it comes from; that which is approved; or the newest. Each refusal has its own text,
//! and nothing is written then.

mod approved;
mod branches;
mod commits;
mod merged_pulls;
mod merges;
mod newest;
mod signed;

use std::path::Path;
use std::process::Command;

use git2::{Oid, Repository, Signature, Time};

use crate::registry::{Profile, Registry};
use crate::support::COMMIT;
use crate::support::checkout::commit;
use crate::support::made_image::MadeImage;
use crate::support::process::{Place, Ran};
use crate::support::records::{any_record, entries};

/// Commit that shares its first seven digits with [`COMMIT`].
const TWIN: &str = "9f3c2a1111111111111111111111111111111111";
const OTHER: &str = "2222222222222222222222222222222222222222";

/// What a workflow runs for: event, ref and commit.
pub(crate) type Trigger<'a> = (&'a str, &'a str, &'a str);

/// Two environments that build, without a SHA tag, and two that take images from them.
const POLICY: &str = "\
environments:
  dev: {repository: HOST/dev, tags: 'type=raw,value=latest'}
  hotfix: {repository: HOST/hotfix, tags: 'type=raw,value=latest'}
  stage: {repository: HOST/stage, from: [dev, hotfix]}
  prod: {repository: HOST/prod, from: stage}
";

pub(crate) struct Stage {
    pub(crate) registry: Registry,
    pub(crate) place: Place,
    policy_commit: String,
}

impl Stage {
    async fn new() -> Self {
        Self::with(POLICY, &[]).await
    }

    /// A registry, and a repository whose first commit has the policy and more files.
    pub(crate) async fn with(policy: &str, more: &[(&str, &str)]) -> Self {
        let registry = Registry::start(Profile::plain()).await;
        let policy = policy.replace("HOST", &registry.host());
        let place = Place::new();
        let files = [&[(".github/shipmark.yml", policy.as_str())], more].concat();
        let policy_commit = commit(place.root(), &files);
        Self {
            registry,
            place,
            policy_commit,
        }
    }

    pub(crate) fn run(&self, trigger: Trigger<'_>, inputs: &[(&str, &str)]) -> Ran {
        Ran::of(self.step(trigger, inputs).output().unwrap())
    }

    /// The step of a workflow that runs for a trigger.
    pub(crate) fn step(
        &self,
        (event, git_ref, sha): Trigger<'_>,
        inputs: &[(&str, &str)],
    ) -> Command {
        let mut step = self.place.step(git_ref, inputs);
        step.env("GITHUB_EVENT_NAME", event)
            .env("GITHUB_SHA", sha)
            .env("GITHUB_WORKFLOW_SHA", &self.policy_commit)
            .env("GITHUB_WORKSPACE", self.place.root());
        step
    }

    /// Builds an image without labels for a commit, and pushes it to an environment. Returns the digest.
    fn build(&self, environment: &str, sha: &str, number: u32) -> String {
        let image = MadeImage::new(number, &[]);
        self.push(environment, sha, &image, &[]);
        image.digest()
    }

    pub(crate) fn push(
        &self,
        environment: &str,
        sha: &str,
        image: &MadeImage,
        more: &[(&str, &str)],
    ) {
        image.write_archive(&self.place.path("image.tar"));
        let inputs = [
            ("command", "push"),
            ("environment", environment),
            ("source", "oci-archive:image.tar"),
        ];
        let trigger = ("push", "refs/heads/develop", sha);
        let ran = self.run(trigger, &[&inputs[..], more].concat());
        assert_eq!(ran.status, Some(0), "{}", ran.log);
    }

    pub(crate) fn promote(&self, trigger: Trigger<'_>, to: &str, more: &[(&str, &str)]) -> Ran {
        self.registry.clear_log();
        let inputs = [("command", "promote"), ("environment", to)];
        self.run(trigger, &[&inputs[..], more].concat())
    }

    /// A promotion that is done. Returns its log.
    pub(crate) fn promoted(&self, trigger: Trigger<'_>, to: &str, more: &[(&str, &str)]) -> String {
        let ran = self.promote(trigger, to, more);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        ran.log
    }

    /// What a promotion says that is refused and writes nothing, with the registry's address replaced.
    pub(crate) fn refused(&self, trigger: Trigger<'_>, to: &str, more: &[(&str, &str)]) -> String {
        self.failed(self.promote(trigger, to, more), 1)
    }

    /// What a run says that ended with this status and wrote nothing.
    pub(crate) fn failed(&self, ran: Ran, status: i32) -> String {
        assert_eq!(ran.status, Some(status), "{}", ran.log);
        let requests = self.registry.requests();
        let is_read = |line: &&String| line.starts_with("GET ") || line.starts_with("HEAD ");
        let writes: Vec<_> = requests.iter().filter(|line| !is_read(line)).collect();
        assert!(writes.is_empty(), "{writes:?}");
        let lines = ran.log.lines();
        let mut lines = lines.filter_map(|line| line.strip_prefix("::error"));
        let line = lines.next().unwrap_or_else(|| panic!("{}", ran.log));
        let (_, text) = line.split_once("::").unwrap();
        let text = text.replace("%0A", "\n").replace("%25", "%");
        text.replace(&self.registry.host(), "ghcr.io")
    }

    /// Returns what the newest record of an environment says that its image comes from.
    fn source_of(&self, environment: &str) -> Option<String> {
        let entry = entries(&self.registry, environment).pop().unwrap();
        let source = any_record(&self.registry, environment, &entry)
            .predicate
            .source;
        source.unwrap().environment.map(|name| name.to_string())
    }

    /// Returns the digest that the tag of an environment names.
    fn current(&self, environment: &str) -> String {
        self.registry.tags(environment)[environment].clone()
    }
}

/// Commits a file with this text. Returns the commit.
fn add_commit(folder: &Path, text: &str, message: &str, parents: &[&str]) -> String {
    let repository = Repository::open(folder).unwrap();
    let blob = repository.blob(text.as_bytes()).unwrap();
    let mut tree = repository.treebuilder(None).unwrap();
    tree.insert("a.txt", blob, 0o100_644).unwrap();
    let tree = repository.find_tree(tree.write().unwrap()).unwrap();
    let someone = Signature::new("A", "a@example.com", &Time::new(0, 0)).unwrap();
    let parents = parents.iter().map(|id| Oid::from_str(id).unwrap());
    let parents: Vec<_> = parents
        .map(|id| repository.find_commit(id).unwrap())
        .collect();
    let parents: Vec<_> = parents.iter().collect();
    let made = repository.commit(None, &someone, &someone, message, &tree, &parents);
    made.unwrap().to_string()
}
