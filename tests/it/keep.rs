//! Going on with an image that is at the destination already, in place of the one that was given.
//!
//! Whoever can write to the destination can put an image there whose label names any commit. So it is
//! released only where it passes what the source has to pass.

use jiff::Timestamp;
use shipmark::release::{ExistingTagPolicy, Failure, ReleaseRequest, ReleaseVerb};
use shipmark::tagging::{CompatMode, TagContext, TagRuleSet, TagRules};

use crate::moves::{labelled, release, tag};
use crate::registry::{Profile, Registry};
use crate::support::keys::{key, signed_by, signing};
use crate::support::*;

const OTHER: &str = "1111111111111111111111111111111111111111";

/// A repository `web` in which a tag names an image that is not the one to be released, and that one.
struct Stage {
    registry: Registry,
    planted: String,
    ours: String,
}

impl Stage {
    async fn set(taken: &str, label: Option<&str>) -> Self {
        let registry = Registry::start(Profile::plain()).await;
        let planted = labelled(&registry, "web", label, 1);
        tag(&registry, taken, &planted);
        let ours = labelled(&registry, "web", Some(COMMIT), 2);
        Self {
            registry,
            planted,
            ours,
        }
    }

    fn request(
        &self,
        verb: ReleaseVerb,
        existing: ExistingTagPolicy,
        git_ref: &str,
    ) -> ReleaseRequest {
        let mut request = release(&self.registry, verb, &self.ours, git_ref);
        request.existing = existing;
        request
    }

    /// Runs what must be refused before anything is written, and gives its words.
    async fn refuses(&self, request: ReleaseRequest, case: &str) -> String {
        self.registry.clear_log();
        let before = self.registry.tags("web");
        let (failure, text) = failed(request, &context()).await;
        assert!(matches!(failure, Failure::Refused(_)), "{case}: {text}");
        let wrote = self.registry.count_of("PUT ") + self.registry.count_of("POST ");
        assert_eq!(wrote, 0, "{case}");
        assert_eq!(self.registry.tags("web"), before, "{case}");
        text
    }

    /// Runs what must go on with the image that is there.
    async fn keeps(&self, request: ReleaseRequest, case: &str) {
        let (context, said) = context_with(settings());
        let outcome = done(request, &context).await;
        assert_eq!(outcome.root.to_string(), self.planted, "{case}");
        assert_eq!(
            outcome.requested_digest.unwrap().to_string(),
            self.ours,
            "{case}"
        );
        assert!(said.text().contains("same commit"), "{case}");
        let tags = self.registry.tags("web").into_iter();
        let mut released = tags.filter(|(tag, _)| !tag.starts_with("sha256-"));
        assert!(released.all(|(_, digest)| digest == self.planted), "{case}");
    }
}

/// Which image a release goes on with, by verb, `existing`, what it is about, the tag that is taken, the
/// commit that the image there names, and whether anything but that label speaks for it.
#[tokio::test]
async fn an_image_that_is_there_is_kept_by_kind() {
    for verb in [ReleaseVerb::Push, ReleaseVerb::Promote] {
        for existing in [
            ExistingTagPolicy::PerTagKind,
            ExistingTagPolicy::Fail,
            ExistingTagPolicy::Keep,
        ] {
            for (taken, git_ref) in [
                ("1.4.0", "refs/tags/v1.4.0"),
                ("git-9f3c2a1", "refs/tags/v1.4.0"),
                ("git-9f3c2a1", "refs/heads/main"),
            ] {
                for label in [Some(COMMIT), Some(OTHER), None] {
                    for is_in_from in [true, false] {
                        let stage = Stage::set(taken, label).await;
                        let mut request = stage.request(verb, existing, git_ref);
                        let from = format!("{}/from", stage.registry.host());
                        if is_in_from {
                            labelled(&stage.registry, "from", label, 1);
                            request.from = Some(from.parse().unwrap());
                        }
                        let may_keep = match existing {
                            ExistingTagPolicy::Fail => false,
                            ExistingTagPolicy::Keep => true,
                            ExistingTagPolicy::PerTagKind => {
                                verb == ReleaseVerb::Push && taken.starts_with("git-")
                            }
                        };
                        let is_build =
                            verb == ReleaseVerb::Push && git_ref.starts_with("refs/heads/");
                        let is_proven = is_in_from || is_build;
                        let case = format!(
                            "{verb:?} {existing:?} {taken} {git_ref} {label:?} {is_in_from}"
                        );
                        if may_keep && label == Some(COMMIT) && is_proven {
                            stage.keeps(request, &case).await;
                        } else {
                            let text = stage.refuses(request, &case).await;
                            assert!(
                                text.starts_with(&format!("tag {taken} of ")),
                                "{case}: {text}"
                            );
                        }
                    }
                }
            }
        }
    }
}

/// Under a policy an environment takes its images from another one, and from there alone.
#[tokio::test]
async fn promise_5_keep_goes_on_only_with_an_image_that_is_in_from() {
    for taken in ["git-9f3c2a1", "1.4.0"] {
        for on_disk in [false, true] {
            let stage = Stage::set(taken, Some(COMMIT)).await;
            let disk = tempfile::tempdir().unwrap();
            let from = match on_disk {
                false => format!("{}/from", stage.registry.host()),
                true => format!("oci:{}", disk.path().join("from").display()),
            };
            // Another image of the same commit is there, under that tag too.
            done(push(&example(), &[&from], "refs/heads/main"), &context()).await;
            let mut request = stage.request(
                ReleaseVerb::Promote,
                ExistingTagPolicy::Keep,
                "refs/tags/v1.4.0",
            );
            request.environment = Some("prod".parse().unwrap());
            request.from = Some(from.parse().unwrap());
            let case = format!("{taken} {from}");
            let text = stage.refuses(request, &case).await;
            assert!(
                text.contains(&stage.planted)
                    && text.contains(&format!("does not exist in {from}")),
                "{case}: {text}"
            );
        }
    }
}

/// What `verify-source` asks of the source it asks of the image that is released in its place.
#[tokio::test]
async fn promise_6_keep_checks_the_image_that_is_released() {
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Planted {
        Unsigned,
        SignedByAnother,
        Signed,
    }
    for taken in ["git-9f3c2a1", "1.4.0"] {
        for planted in [Planted::Unsigned, Planted::SignedByAnother, Planted::Signed] {
            for is_in_from in [true, false] {
                let stage = Stage::set(taken, Some(COMMIT)).await;
                let ours = key();
                let place = format!("{}/web", stage.registry.host());
                let sign = async |digest: &str, key: &_| {
                    let at = format!("{place}@{digest}");
                    let mut request =
                        request(ReleaseVerb::Push, &at, &[&place], pushed("refs/heads/x"));
                    request.rules = TagRules::parse(["signed"]).unwrap();
                    request.signing = Some(signing(key));
                    done(request, &context()).await;
                };
                sign(&stage.ours, &ours).await;
                match planted {
                    Planted::Unsigned => {}
                    Planted::SignedByAnother => sign(&stage.planted, &key()).await,
                    Planted::Signed => sign(&stage.planted, &ours).await,
                }
                let mut request = stage.request(
                    ReleaseVerb::Promote,
                    ExistingTagPolicy::Keep,
                    "refs/tags/v1.4.0",
                );
                request.check = Some(signed_by(ours.public()));
                if is_in_from {
                    labelled(&stage.registry, "from", Some(COMMIT), 1);
                    let from = format!("{}/from", stage.registry.host());
                    request.from = Some(from.parse().unwrap());
                }
                let case = format!("{taken} {planted:?} {is_in_from}");
                if planted == Planted::Signed {
                    stage.keeps(request, &case).await;
                    continue;
                }
                let text = stage.refuses(request, &case).await;
                assert!(text.contains(&stage.planted), "{case}: {text}");
                assert!(text.contains("has no valid signature"), "{case}: {text}");
            }
        }
    }
}

/// Whatever gives the version: only a branch's build believes a label.
#[tokio::test]
async fn promise_6_a_label_alone_gives_no_image_a_version() {
    let sha = "type=sha,prefix=git-";
    for (git_ref, rules, is_release) in [
        ("refs/tags/v1.4.0", vec![], true),
        ("refs/tags/nightly", vec![], true),
        ("refs/heads/main", vec![], false),
        ("refs/heads/main", vec![sha, "type=ref,event=branch"], false),
        ("refs/heads/main", vec![sha, "type=raw,value=dev"], false),
        ("refs/heads/main", vec![sha, "type=raw,value=1.4.0"], true),
        (
            "refs/heads/main",
            vec![sha, "type=semver,pattern={{major}},value=1.4.0"],
            true,
        ),
        (
            "refs/heads/main",
            vec![sha, "type=raw,value=live,immutable=true"],
            true,
        ),
        (
            "refs/tags/v1.4.0",
            vec![sha, "type=semver,pattern={{version}}"],
            true,
        ),
        ("refs/tags/v1.4.0", vec![sha, "type=ref,event=tag"], true),
        ("refs/tags/v1.4.0", vec![sha, "type=raw,value=latest"], true),
        ("refs/tags/v1.4.0", vec![sha, "type=raw,value=stable"], true),
        ("refs/heads/main", vec![sha, "type=raw,value=v1"], true),
        ("refs/heads/main", vec![sha, "type=raw,value=1.4"], true),
        ("refs/heads/main", vec![sha, "type=raw,value=latest"], false),
    ] {
        for existing in [ExistingTagPolicy::PerTagKind, ExistingTagPolicy::Keep] {
            let stage = Stage::set("git-9f3c2a1", Some(COMMIT)).await;
            let mut request = stage.request(ReleaseVerb::Push, existing, git_ref);
            if !rules.is_empty() {
                request.rules = rules_at(&rules, git_ref);
            }
            let case = format!("{git_ref} {rules:?} {existing:?}");
            if !is_release {
                stage.keeps(request, &case).await;
                continue;
            }
            let text = stage.refuses(request.clone(), &case).await;
            assert!(text.contains("only a label says"), "{case}: {text}");
            assert!(text.contains(", with source "), "{case}: {text}");
            // A signature of the one that signs this release speaks for it.
            let key = key();
            request.signing = Some(signing(&key));
            let text = stage.refuses(request.clone(), &case).await;
            assert!(
                text.contains("expected a signature with this key"),
                "{case}: {text}"
            );
            let place = format!("{}/web", stage.registry.host());
            let mut sign = request.clone();
            sign.source = format!("{place}@{}", stage.planted).parse().unwrap();
            sign.rules = TagRules::parse(["git-9f3c2a1"]).unwrap();
            done(sign, &context()).await;
            stage.keeps(request, &case).await;
        }
    }
}

/// Rules for a push of [`COMMIT`] to `git_ref`.
fn rules_at(lines: &[&str], git_ref: &str) -> TagRules {
    let rules = TagRuleSet::parse(&lines.join("\n"), "", CompatMode::Compatible).unwrap();
    TagRules::new(
        rules,
        TagContext::from_facts(pushed(git_ref), Timestamp::UNIX_EPOCH),
    )
}
