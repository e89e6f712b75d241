//! A repository with images of several ages, and pushes to it.

use jiff::Timestamp;
use shipmark::release::{ReleaseRequest, ReleaseVerb};
use shipmark::tagging::{CompatMode, TagContext, TagRuleSet, TagRules};

use crate::registry::{Profile, Registry};
use crate::support::made_image::MadeImage;
use crate::support::*;

pub const OLD: &str = "2024-11-20T00:00:00Z";
pub const NEWER: &str = "2026-06-01T00:00:00Z";
pub const NEW: &str = "2026-11-20T00:00:00Z";

/// An image of its own that was created then, in place by its digest.
pub fn dated(registry: &Registry, number: u32, created: &str) -> String {
    let image = MadeImage::created_at(number, Some(created));
    image.put(registry, "web", &[]);
    image.digest()
}

/// A push of a git tag or a branch with these rules; none are the default table.
pub fn pushed_with(
    registry: &Registry,
    digest: &str,
    git_ref: &str,
    [tags, flavor]: [&str; 2],
    mode: CompatMode,
) -> ReleaseRequest {
    let place = format!("{}/web", registry.host());
    let source = format!("{place}@{digest}");
    let mut request = request(ReleaseVerb::Push, &source, &[&place], pushed(git_ref));
    // Each push is of a commit of its own.
    let commit = digest.trim_start_matches("sha256:")[..40].to_owned();
    request.facts.as_mut().unwrap().commit = Some(commit.parse().unwrap());
    let rules = TagRuleSet::parse(tags, flavor, mode).unwrap();
    let subject = TagContext::from_facts(request.facts.clone(), Timestamp::UNIX_EPOCH);
    request.rules = TagRules::new(rules, subject);
    request
}

pub const MODES: [CompatMode; 2] = [CompatMode::Compatible, CompatMode::Strict];
pub const SEMVER: &str =
    "type=semver,pattern=v{{version}}\ntype=semver,pattern=v{{major}}.{{minor}}";

/// Images by letter: `a` of two years ago, `b` of half a year ago, `c` of now.
pub async fn stage(tags: &[(&str, char)]) -> (Registry, [String; 3]) {
    let registry = Registry::start(Profile::plain()).await;
    let images = [OLD, NEWER, NEW].map(|created| dated(&registry, 0, created));
    let of = |letter: char| images[letter as usize - 'a' as usize].clone();
    let tags = tags
        .iter()
        .map(|(tag, letter)| ((*tag).to_owned(), of(*letter)));
    registry.set_tags("web", tags.collect());
    (registry, images)
}

/// The tags after a release of image `c`, with the letters of their images, and the warnings.
pub async fn released(before: &[(&str, char)], git_tag: &str, rules: &str) -> (String, String) {
    let (registry, images) = stage(before).await;
    let (context, said) = context_with(settings());
    let git_ref = format!("refs/tags/{git_tag}");
    let request = pushed_with(&registry, &images[2], &git_ref, [rules, ""], MODES[0]);
    done(request, &context).await;
    let letter = |digest: &String| {
        let at = images.iter().position(|image| image == digest).unwrap();
        char::from(b'a' + u8::try_from(at).unwrap())
    };
    let tags = registry.tags("web");
    let tags = tags.iter().filter(|(tag, _)| !tag.starts_with("git-"));
    let tags: Vec<_> = tags
        .map(|(tag, digest)| format!("{tag}={}", letter(digest)))
        .collect();
    (tags.join(" "), said.warnings())
}

/// Whether a second push of another image leaves the tag where the first put it.
pub async fn keeps(tag: &str, pushes: [&str; 2], rules: [&str; 2], mode: CompatMode) -> bool {
    let (registry, images) = stage(&[]).await;
    for (git_tag, image) in pushes.iter().zip(&images) {
        let git_ref = format!("refs/tags/{git_tag}");
        done(
            pushed_with(&registry, image, &git_ref, rules, mode),
            &context(),
        )
        .await;
    }
    registry.tags("web")[tag] == images[0]
}
