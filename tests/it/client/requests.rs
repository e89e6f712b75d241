//! Every request of the main ways to release, at every known registry: one more shows in review.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;

use shipmark::registry::Settings;
use shipmark::tagging::TagRules;

use super::*;
use crate::registry::{PASSWORD, Profile, Registry, USER};

/// Six hex digits tell the digests of one image apart.
fn shortened(line: &str) -> String {
    let mut parts = line.split("sha256:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (digest, rest) = part.split_at(64);
        text + "sha256:" + &digest[..6] + rest
    })
}

struct Stage {
    source: Registry,
    to: Registry,
    settings: Settings,
    /// How many tokens of each were told of.
    tokens: RefCell<BTreeMap<&'static str, usize>>,
}

impl Stage {
    async fn set(profile: fn() -> Profile, user: &str) -> Self {
        let [source, to] = [
            Registry::start(profile()).await,
            Registry::start(profile()).await,
        ];
        let hosts = [source.host(), to.host()];
        let hosts = hosts.each_ref().map(String::as_str);
        let settings = login(&hosts, user, PASSWORD);
        let stage = Self {
            source,
            to,
            settings,
            tokens: RefCell::default(),
        };
        let request = push(&example(), &[&stage.from()], "refs/heads/main");
        done(request, &context_with(stage.settings.clone()).0).await;
        stage.asked("", &["source"]);
        stage
    }

    /// What was asked since it was told last. Many requests are under way at once, so they are in the
    /// order of the alphabet.
    fn asked(&self, scenario: &str, names: &[&'static str]) -> String {
        let mut text = format!("# {scenario}\n");
        for name in names {
            let registry = match *name {
                "source" => &self.source,
                _ => &self.to,
            };
            let tokens = registry.token_requests();
            let told = self
                .tokens
                .borrow_mut()
                .insert(name, tokens.len())
                .unwrap_or_default();
            let mut lines: BTreeMap<String, usize> = BTreeMap::new();
            for line in registry.requests().iter().chain(&tokens[told..]) {
                *lines.entry(shortened(line)).or_default() += 1;
            }
            writeln!(text, "{name}: {}", lines.values().sum::<usize>()).unwrap();
            for (line, count) in lines {
                let times = if count > 1 {
                    format!(" x {count}")
                } else {
                    String::new()
                };
                writeln!(text, "  {line}{times}").unwrap();
            }
            registry.clear_log();
        }
        text
    }

    fn from(&self) -> String {
        format!("{}/team/dev", self.source.host())
    }

    async fn release(&self, from: &str, to: &str, tags: &[&str]) {
        let mut request = promote(from, &[to], "refs/heads/main");
        request.rules = TagRules::read(tags.iter().copied()).unwrap();
        done(request, &context_with(self.settings.clone()).0).await;
    }

    async fn scenarios(&self) -> String {
        let from = format!("{}:main", self.from());
        let to = format!("{}/team/prod", self.to.host());
        let both = ["source", "destination"];
        let mut text = String::new();
        self.release(&from, &to, &["v1"]).await;
        text += &self.asked("an empty repository of another registry", &both);
        self.release(&from, &to, &["v1"]).await;
        text += &self.asked("the tag is right", &both);
        self.release(&from, &to, &["v2"]).await;
        text += &self.asked("the content is there, the tag is new", &both);
        let tags = [
            "1.4.0",
            "type=raw,value=frozen,immutable=true",
            "stable",
            "prod",
        ];
        self.release(&from, &to, &tags).await;
        text += &self.asked("four tags, two of them immutable", &both);
        let beside = format!("{}/team/beside", self.source.host());
        self.release(&from, &beside, &["v1"]).await;
        text += &self.asked("an empty repository of the same registry", &both[..1]);
        self.release(&format!("{to}:v1"), &to, &["v3"]).await;
        text += &self.asked("a new tag in the same repository", &both[1..]);
        text
    }
}

macro_rules! of_profiles {
    ($($name:ident: $profile:path, $user:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let stage = Stage::set($profile, $user).await;
            insta::assert_snapshot!(stringify!($name), stage.scenarios().await);
        }
    )*};
}

of_profiles! {
    plain: Profile::plain, USER;
    distribution: Profile::distribution, USER;
    ecr: Profile::ecr, "AWS";
    ghcr: Profile::ghcr, USER;
    docker_hub: Profile::docker_hub, USER;
    harbor: Profile::harbor, USER;
    gitlab: Profile::gitlab, USER;
    artifactory: Profile::artifactory, USER;
}
