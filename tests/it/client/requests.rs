//! Every request of the main ways to release, at every known registry: one more shows in review.
//! After a change that is meant: `INSTA_UPDATE=always cargo test --test it client::requests`.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write;

use shipmark::http::{HttpSettings, RetryTiming};
use shipmark::referrers::ReferrerSelection;
use shipmark::registry::RegistrySettings;
use shipmark::tagging::TagRules;

use super::*;
use crate::registry::{PASSWORD, Profile, Registry, USER};
use crate::support::attach;

/// Six hex digits tell the digests of one image apart, also in tags that are made of them.
fn shortened(line: &str) -> String {
    ["sha256:", "sha256-"]
        .into_iter()
        .fold(line.to_owned(), |line, algorithm| {
            let mut parts = line.split(algorithm);
            let first = parts.next().unwrap_or_default().to_owned();
            parts.fold(first, |text, part| {
                let (digest, rest) = part.split_at(64);
                text + algorithm + &digest[..6] + rest
            })
        })
}

struct Stage {
    source: Registry,
    to: Registry,
    settings: RegistrySettings,
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
        // On a machine that is busy no request is to be sent twice.
        let timing = RetryTiming {
            stall: Duration::from_secs(20),
            ..timing()
        };
        let settings = login(&hosts, user, PASSWORD);
        let settings = RegistrySettings {
            http: HttpSettings {
                timing,
                ..settings.http
            },
            ..settings
        };
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
        self.release_with(ReferrerSelection::None, from, to, tags)
            .await;
    }

    async fn release_with(
        &self,
        referrers: ReferrerSelection,
        from: &str,
        to: &str,
        tags: &[&str],
    ) {
        let mut request = promote(from, &[to], "refs/heads/main");
        request.rules = TagRules::parse(tags.iter().copied()).unwrap();
        request.referrers = referrers;
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

    /// As a release is by default: with what stands beside the image, if there is any. Registries
    /// without the referrers API list it under a tag.
    async fn scenarios_with_referrers(&self, by_tag: bool) -> String {
        let from = format!("{}:main", self.from());
        let place = |name: &str| format!("{}/team/{name}", self.to.host());
        let both = ["source", "destination"];
        let mut text = String::new();
        let release = async |to: &str| {
            self.release_with(ReferrerSelection::Known, &from, &place(to), &["v1"])
                .await;
        };
        release("bare").await;
        text += &self.asked("nothing beside it, an empty repository", &both);
        release("bare").await;
        text += &self.asked("nothing beside it, the tag is right", &both);
        let (root, list) = (
            example_root().to_string(),
            example_root().to_string().replace(':', "-"),
        );
        let index = "application/vnd.oci.image.index.v1+json";
        let (_, ours) = attach::signed(&self.source, "team/dev", &root, "ours");
        attach::signed_by_tag(&self.source, "team/dev", &root);
        if by_tag {
            self.source.put_manifest("team/dev", &list, index, ours);
        }
        release("prod").await;
        text += &self.asked("signed in both forms, an empty repository", &both);
        release("prod").await;
        text += &self.asked("signed in both forms, all of it there", &both);
        let (_, others) = attach::signed(&self.to, "team/shared", &root, "others'");
        if by_tag {
            self.to.put_manifest("team/shared", &list, index, others);
        }
        release("shared").await;
        text += &self.asked(
            "signed in both forms, beside another's signature",
            &both[1..],
        );
        text
    }
}

macro_rules! of_profiles {
    ($($name:ident: $profile:path, $user:expr, $by_tag:expr;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let stage = Stage::set($profile, $user).await;
            insta::assert_snapshot!(stringify!($name), stage.scenarios().await);
            let stage = Stage::set($profile, $user).await;
            let text = stage.scenarios_with_referrers($by_tag).await;
            insta::assert_snapshot!(concat!(stringify!($name), "_with_referrers"), text);
        }
    )*};
}

of_profiles! {
    plain: Profile::plain, USER, false;
    distribution: Profile::distribution, USER, true;
    ecr: Profile::ecr, "AWS", false;
    ghcr: Profile::ghcr, USER, true;
    docker_hub: Profile::docker_hub, USER, false;
    harbor: Profile::harbor, USER, false;
    gitlab: Profile::gitlab, USER, true;
    artifactory: Profile::artifactory, USER, true;
}
