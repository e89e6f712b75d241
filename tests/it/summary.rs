//! The job summary of real runs: the image before, the run, who signed, and what a failure shows first.

use crate::registry::{Effect, Fault, Profile, Registry};
use crate::support::made_image::MadeImage;
use crate::support::process::{Place, Ran};
use crate::support::*;

const BEFORE: &str = "2b2e9271c0ffee00d1ce5eed4a11ab07466440c3";
const SOURCE: (&str, &str) = ("source", "https://github.com/acme/web");

/// Image 1.3.0 in production, and 1.4.0 in development.
struct Stage {
    registry: Registry,
    before: MadeImage,
}

impl Stage {
    async fn set() -> Self {
        let registry = Registry::start(Profile::plain()).await;
        let labels = [("revision", BEFORE), ("version", "1.3.0"), SOURCE];
        let before = MadeImage::new(1, &labels);
        before.put(&registry, "acme/web/prod", &["1.3.0", "prod"]);
        let labels = [("revision", COMMIT), ("version", "1.4.0"), SOURCE];
        MadeImage::new(2, &labels).put(&registry, "acme/web/dev", &["1.4.0"]);
        Self { registry, before }
    }

    /// Promotes to production in a step, and returns the run with its summary.
    fn promote(&self, change: impl Fn(&mut std::process::Command)) -> (Ran, String) {
        let place = Place::new();
        let inputs = [
            ("command", "promote".to_owned()),
            (
                "source",
                format!("{}/acme/web/dev:1.4.0", self.registry.host()),
            ),
            ("images", format!("{}/acme/web/prod", self.registry.host())),
            ("environment", "prod".to_owned()),
        ];
        let inputs: Vec<_> = inputs
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let mut step = place.step("refs/tags/v1.4.0", &inputs);
        step.env("GITHUB_SERVER_URL", "https://github.com")
            .env("GITHUB_WORKFLOW", "Release")
            .env("GITHUB_RUN_ID", "1001")
            .env("GITHUB_RUN_NUMBER", "7")
            .env("GITHUB_ACTOR", "octocat")
            .env("GITHUB_REF_NAME", "v1.4.0");
        change(&mut step);
        let ran = Ran::of(step.output().unwrap());
        (ran, place.read("summary"))
    }

    /// Returns how often the image before was read.
    fn reads_of_before(&self) -> usize {
        let path = format!("/manifests/{}", self.before.digest());
        let log = self.registry.log();
        let reads = log.iter().filter(|exchange| {
            exchange.method == "GET" && exchange.path_and_query.as_str().ends_with(&path)
        });
        reads.count()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_summary_names_the_image_before_and_the_commits_since() {
    let stage = Stage::set().await;
    let (ran, summary) = stage.promote(|_| {});
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert_eq!(stage.reads_of_before(), 1);
    let host = stage.registry.host();
    let title = format!("## web 1.4.0: {host}/acme/web/dev to prod\n");
    assert!(summary.starts_with(&title), "{summary}");
    let before = stage.before.digest();
    let range = format!("https://github.com/acme/web/compare/{BEFORE}...{COMMIT}");
    for row in [
        "| Environment | prod |\n".to_owned(),
        format!("| Commit | [`{COMMIT}`](<https://github.com/acme/web/commit/{COMMIT}>) |\n"),
        format!("| Previously | `{before}` (tag `prod`) |\n"),
        format!("| Changes | [`2b2e927...9f3c2a1`](<{range}>) |\n"),
        "| Platforms | linux/amd64 (".to_owned(),
        "| Signed | **not signed** |\n".to_owned(),
        "| Run | [Release #7](<https://github.com/acme/web/actions/runs/1001>) by octocat, push of `v1.4.0` |\n".to_owned(),
        "> [!WARNING]\n> **Not signed.** ".to_owned(),
        format!("```sh\ndocker pull {host}/acme/web/prod@sha256:"),
    ] {
        assert!(summary.contains(&row), "{row} in {summary}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_before_is_not_read_where_no_summary_is_written() {
    let stage = Stage::set().await;
    let (ran, _) = stage.promote(|step| {
        step.env_remove("GITHUB_STEP_SUMMARY");
    });
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert_eq!(stage.reads_of_before(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_before_that_cannot_be_read_is_a_note() {
    let stage = Stage::set().await;
    let path = format!("/manifests/{}", stage.before.digest());
    let refuse = Effect::status_with(403, &[], "");
    stage
        .registry
        .fault(Fault::on("GET", &path, refuse).always());
    let (ran, summary) = stage.promote(|_| {});
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    let note = format!(
        "- the commit of the previous image {} is unknown: ",
        stage.before.digest()
    );
    assert!(summary.contains(&note), "{summary}");
    assert!(
        summary.contains("| Previously | `sha256:") && !summary.contains("| Changes |"),
        "{summary}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_shows_what_was_to_go_where_first() {
    let stage = Stage::set().await;
    MadeImage::new(3, &[]).put(&stage.registry, "acme/web/prod", &["1.4.0"]);
    let (ran, summary) = stage.promote(|_| {});
    assert_eq!(ran.status, Some(1), "{}", ran.log);
    let host = stage.registry.host();
    let head =
        format!("## web: {host}/acme/web/dev:1.4.0 to prod\n\n**Refused** by shipmark promote\n");
    assert!(summary.starts_with(&head), "{summary}");
    let mut at = 0;
    for part in [
        "| Environment | prod |\n".to_owned(),
        format!("| Source | `{host}/acme/web/dev:1.4.0` |\n"),
        format!("| Destination | `{host}/acme/web/prod` |\n"),
        "| Run | [Release #7](".to_owned(),
        "> [!CAUTION]\n> **Refused:** tag 1.4.0 of ".to_owned(),
        "> **Why:** ".to_owned(),
        "> **Hint:** ".to_owned(),
    ] {
        let found = summary[at..].find(&part);
        at += found.unwrap_or_else(|| panic!("{part} after {at} in {summary}"));
    }
}

/// The policy is not read yet when an input is wrong: the summary shows the inputs.
#[test]
fn a_wrong_input_shows_the_other_inputs() {
    let place = Place::new();
    let inputs = [
        ("command", "promote"),
        ("source", "oci:a"),
        ("images", "oci:b"),
        ("environment", "not valid"),
    ];
    let ran = Ran::of(place.step("refs/heads/main", &inputs).output().unwrap());
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    let summary = place.read("summary");
    assert!(
        summary.contains("| Environment | not valid |\n"),
        "{summary}"
    );
    assert!(
        summary.contains("| Source | `oci:a` |\n| Destination | `oci:b` |\n"),
        "{summary}"
    );
    assert!(summary.contains("> **Wrong input:** "), "{summary}");
}
