//! The story of an environment: an adopted past, ten releases over three lines, backports, pre-releases, two
//! rollbacks in a row, forward again, a failed deployment and a hotfix. The program is run as its users run it;
//! after each step tags, `history`, `inspect` and the reader in Python agree with a plain model.

mod model;
mod reader;

use std::collections::BTreeMap;
use std::path::Path;

pub use model::Model;
pub use reader::has_python;
use serde_json::{Value, json};

use super::made_image::MadeImage;
use super::process::{Place, Ran};

/// What somebody does to the environment.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A release without a record.
    Unrecorded(&'static str),
    Adopt,
    Promote(&'static str),
    Reinstate(&'static str),
    Mark(&'static str),
    RollBack,
    Withdraw(&'static str),
}

const STORY: [Step; 19] = [
    Step::Unrecorded("1.4.0"),
    Step::Unrecorded("1.3.0"),
    Step::Adopt,
    Step::Promote("1.4.1"),
    Step::Mark("deployed"),
    // A backport.
    Step::Promote("1.3.1"),
    Step::Promote("2.0.0-rc.1"),
    Step::Promote("2.0.0"),
    Step::Mark("deployed"),
    Step::Promote("2.0.1"),
    Step::Mark("failed"),
    Step::RollBack,
    Step::RollBack,
    // Forward again.
    Step::Promote("2.0.2"),
    // A hotfix.
    Step::Promote("1.4.2"),
    Step::Reinstate("2.0.1"),
    Step::Withdraw("1.4.2"),
    Step::Promote("2.0.3-rc.1"),
    Step::RollBack,
];

const VERSIONS: [&str; 10] = [
    "1.3.0",
    "1.3.1",
    "1.4.0",
    "1.4.1",
    "1.4.2",
    "2.0.0-rc.1",
    "2.0.0",
    "2.0.1",
    "2.0.2",
    "2.0.3-rc.1",
];

/// The environments `dev` and `prod`, the images of all versions in `dev`, and the model of `prod`.
pub struct ReleaseStory {
    place: Place,
    base: String,
    digests: BTreeMap<&'static str, String>,
    model: Model,
}

/// Plays the story in repositories below `base`: `oci:` for image layouts, or `host/path/`. Returns the number of
/// states that were compared.
pub async fn play(base: &str) -> usize {
    let mut story = ReleaseStory::new(base);
    story.push_all();
    let mut checks = 0;
    for (at, step) in STORY.into_iter().enumerate() {
        story.take(step);
        checks += story.check(&format!("step {at}, {step:?}")).await;
    }
    story.check_each_version();
    story.check_pushes();
    checks
}

impl ReleaseStory {
    fn new(base: &str) -> Self {
        let place = Place::new();
        std::fs::create_dir(place.path(".github")).unwrap();
        let policy = format!(
            "environments:\n  dev: {{repository: '{base}dev'}}\n  \
             prod: {{repository: '{base}prod', from: dev, adopt-until: 2099-12-31}}\n"
        );
        std::fs::write(place.path(".github/shipmark.yml"), policy).unwrap();
        Self {
            place,
            base: base.to_owned(),
            digests: BTreeMap::new(),
            model: Model::default(),
        }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        self.place.run(arguments)
    }

    fn must(&self, status: i32, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.status, Some(status), "{arguments:?}: {}", ran.log);
        ran
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.must(0, &[arguments, &["--output=json"]].concat());
        serde_json::from_str(&ran.out).expect(&ran.out)
    }

    /// Builds every version once and pushes it to the first environment.
    fn push_all(&mut self) {
        for (number, version) in VERSIONS.into_iter().enumerate() {
            let revision = commit(number);
            let labels = [("revision", revision.as_str()), ("version", version)];
            let image = MadeImage::new(u32::try_from(number).unwrap(), &labels);
            image.write_archive(&self.place.path("image.tar"));
            let tags = format!("--tags={version}");
            let source = "--source=oci-archive:image.tar";
            self.must(0, &["push", source, "--environment=dev", &tags]);
            self.digests.insert(version, image.digest());
        }
    }

    fn take(&mut self, step: Step) {
        let on_prod = |verb, more: &[&str]| {
            let arguments = [&[verb, "--environment=prod"], more].concat();
            (arguments.iter().map(|it| (*it).to_owned())).collect::<Vec<_>>()
        };
        let source = |version: &str| format!("--source={version}");
        let mut status = 0;
        let arguments = match step {
            Step::Unrecorded(version) => {
                self.model.tag(version);
                return self.release_before_records(version);
            }
            Step::Adopt => {
                self.model.adopt();
                on_prod("adopt", &[])
            }
            Step::Promote(version) => {
                self.model.release("promote", version);
                on_prod("promote", &[&source(version)])
            }
            Step::Reinstate(version) => {
                self.model.release("reinstate", version);
                on_prod(
                    "promote",
                    &[&source(version), "--reinstate", "--reason=it is good"],
                )
            }
            Step::Mark(state) => {
                let current = self.model.current().unwrap();
                self.model.mark(state, current);
                on_prod("mark", &[&format!("--state={state}")])
            }
            Step::RollBack => {
                let current = self.model.current().unwrap();
                status = self.roll_back(current);
                on_prod("rollback", &["--reason=orders fail"])
            }
            Step::Withdraw(version) => {
                status = self.roll_back(version);
                on_prod("rollback", &[&format!("--withdraw={version}")])
            }
        };
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        self.must(status, &arguments);
    }

    /// Releases as before there was a policy, without a record.
    fn release_before_records(&self, version: &str) {
        let [folder, aside] = [".github", "aside"].map(|name| self.place.path(name));
        std::fs::rename(&folder, &aside).unwrap();
        let source = format!("--source={}dev:{version}", self.base);
        let images = format!("--images={}prod", self.base);
        let environment = "--environment=prod";
        self.must(
            0,
            &["promote", &source, &images, environment, "--record=off"],
        );
        std::fs::rename(&aside, &folder).unwrap();
    }

    /// Rolls the model back. Returns the exit status: 1 if a line stays on the withdrawn release.
    fn roll_back(&mut self, version: &'static str) -> i32 {
        i32::from(!self.model.roll_back(version).is_empty())
    }

    /// Compares everything with the model. Returns how many states were compared.
    async fn check(&self, when: &str) -> usize {
        let tags = self.tags("prod").await;
        assert_eq!(tags, self.expected_tags(), "{when}");
        if self.model.entries.is_empty() {
            return 1;
        }
        let history = self.check_history(when);
        self.check_reader(&history, when);
        self.check_current(when);
        1
    }

    fn expected_tags(&self) -> BTreeMap<String, String> {
        let named = self.model.tags.iter();
        let mut tags: BTreeMap<_, _> = named
            .map(|(tag, version)| (tag.clone(), self.digests[version].clone()))
            .collect();
        for (number, version) in VERSIONS.into_iter().enumerate() {
            if self.model.tags.contains_key(version) {
                let tag = format!("git-{}", &commit(number)[..7]);
                tags.insert(tag, self.digests[version].clone());
            }
        }
        tags
    }

    fn check_history(&self, when: &str) -> Value {
        let arguments = ["history", "--environment=prod", "--all", "--verify"];
        let json = self.json(&arguments);
        let timeline = &json["timelines"][0];
        let shown = timeline["entries"].as_array().unwrap().iter();
        let shown: Value = shown
            .map(|entry| {
                assert_eq!(entry["known"], "unverified", "{when}: {entry}");
                assert_eq!(entry["remarks"], json!([]), "{when}: {entry}");
                let names = ["action", "version", "digest", "restores", "state", "mark"];
                let members = names.map(|name| (name.to_owned(), entry[name].clone()));
                Value::Object(members.into_iter().collect())
            })
            .collect();
        assert_eq!(shown, self.model.history(&self.digests), "{when}");
        assert_eq!(timeline["drift"], json!([]), "{when}");
        let current = self.model.current().unwrap();
        assert_eq!(timeline["current"]["version"], current, "{when}");
        assert_eq!(
            timeline["current"]["digest"], *self.digests[current],
            "{when}"
        );
        let good = self.model.known_good(current);
        assert_eq!(timeline["goodBefore"]["version"], json!(good), "{when}");
        json
    }

    /// What the environment is on, without naming it.
    fn check_current(&self, when: &str) {
        let json = self.json(&["inspect", "--environment=prod"]);
        let current = self.model.current().unwrap();
        assert_eq!(
            json["images"][0]["digest"], *self.digests[current],
            "{when}"
        );
        self.check_account(&json, current, when);
    }

    /// What the environment's records say of each version in the end.
    fn check_each_version(&self) {
        for version in VERSIONS {
            let source = format!("--source={}prod:{version}", self.base);
            let json = self.json(&["inspect", &source]);
            assert_eq!(json["images"][0]["digest"], *self.digests[version]);
            self.check_account(&json, version, "in the end");
        }
    }

    fn check_account(&self, json: &Value, version: &str, when: &str) {
        let accounts = json["images"][0]["environments"].as_array().unwrap();
        let of = |name: &str| {
            accounts
                .iter()
                .find(|account| account["environment"] == name)
        };
        assert!(of("dev").is_some(), "{when}: {version} was pushed to dev");
        let account = of("prod").unwrap();
        let about = format!("{when}: {version}");
        assert_eq!(account["state"], self.model.state(version), "{about}");
        let good = json!(self.model.known_good(version));
        assert_eq!(account["goodBefore"]["version"], good, "{about}");
        let before = json!(self.model.before(version));
        assert_eq!(account["before"]["version"], before, "{about}");
        assert_eq!(account["unfinished"], json!([]), "{about}");
        let own = self.model.entries.iter().rev();
        // What withdrew it, and what put it back.
        let own = own.filter(|event| event.version == version || event.restores == Some(version));
        let own: Value = own.map(|event| event.action).collect();
        let shown = account["entries"].as_array().unwrap().iter();
        let shown: Value = shown.map(|entry| entry["action"].clone()).collect();
        assert_eq!(shown, own, "{about}");
    }

    /// The other environment has one push after another.
    fn check_pushes(&self) {
        let json = self.json(&["history", "--environment=dev", "--all"]);
        let pushed = json["timelines"][0]["entries"].as_array().unwrap().iter();
        let pushed: Vec<_> = pushed.map(|entry| entry["version"].as_str()).collect();
        let expected: Vec<_> = VERSIONS.into_iter().rev().map(Some).collect();
        assert_eq!(pushed, expected);
        let last = VERSIONS[VERSIONS.len() - 1];
        assert_eq!(json["timelines"][0]["current"]["version"], last);
        if has_python() {
            self.check_agreement("dev", &json, "in the end");
        }
    }

    /// The tags of an environment; entries and lists of referrers apart.
    async fn tags(&self, environment: &str) -> BTreeMap<String, String> {
        let mut tags = match self.base.strip_prefix("oci:") {
            Some(folder) => layout_tags(&self.place.path(folder).join(environment)),
            None => registry_tags(&format!("{}{environment}", self.base)).await,
        };
        tags.retain(|tag, _| !tag.starts_with("shipmark.") && !tag.starts_with("sha256-"));
        tags
    }
}

/// The commit of the version of that number.
fn commit(number: usize) -> String {
    format!("{:07x}{}", number + 1, "0".repeat(33))
}

fn layout_tags(folder: &Path) -> BTreeMap<String, String> {
    let index = std::fs::read(folder.join("index.json")).unwrap();
    let index: Value = serde_json::from_slice(&index).unwrap();
    let manifests = index["manifests"].as_array().unwrap().iter();
    let named = manifests.filter_map(|manifest| {
        let tag = manifest["annotations"]["org.opencontainers.image.ref.name"].as_str()?;
        Some((tag.to_owned(), manifest["digest"].as_str()?.to_owned()))
    });
    named.collect()
}

/// The tags of a repository, as oci-client reads them.
async fn registry_tags(repository: &str) -> BTreeMap<String, String> {
    use oci_client::client::{ClientConfig, ClientProtocol};
    use oci_client::secrets::RegistryAuth::Anonymous;
    // oci-client takes the process's provider; a second call is no harm.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let client = oci_client::Client::new(ClientConfig {
        protocol: ClientProtocol::Http,
        ..Default::default()
    });
    let reference =
        |tag: &str| -> oci_client::Reference { format!("{repository}:{tag}").parse().unwrap() };
    let any = reference("any");
    let listed = client.list_tags(&any, &Anonymous, None, None).await;
    let mut tags = BTreeMap::new();
    for tag in listed.unwrap().tags {
        let image = reference(&tag);
        let digest = client.fetch_manifest_digest(&image, &Anonymous).await;
        tags.insert(tag, digest.unwrap());
    }
    tags
}
