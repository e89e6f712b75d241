//! Judge of the image gate.

use jiff::Timestamp;

use super::byte_size::{ByteSize, shown_bytes};
use super::image_rule::{ImageRule, LabelRule, UserRule};
use super::judged_image::{JudgedConfig, JudgedImage, JudgedPlatform};
use super::shown_time::{shown_age, shown_time};
use super::verdict::{GateName, GateVerdict};
use crate::image::PlatformName;
use crate::notices::to_printable;
use crate::rule_duration::RuleDuration;

/// Limit on texts of a config in a message, in characters.
const SHOWN_LIMIT: usize = 80;

/// Limit on two platforms that contradict each other, in characters.
const CONFLICT_LIMIT: usize = 200;

/// Judges an image at `now` by the image rule of its environment.
pub fn judge_image(rule: &ImageRule, image: &JudgedImage, now: Timestamp) -> GateVerdict {
    let mut verdict = GateVerdict::new(GateName::Image);
    let released: Vec<&JudgedPlatform> = image.released_platforms().collect();
    if released.is_empty() {
        verdict.leave_unknown("the release has no image of any platform");
        return verdict;
    }
    let names: Vec<String> = released.iter().map(|platform| platform.name()).collect();
    verdict.add_fact(format!("platforms: {}", names.join(", ")));
    refuse_conflicts(&mut verdict, &released);
    judge_platforms(&mut verdict, &rule.platforms, &released);
    if let Some(limit) = &rule.max_size {
        judge_size(&mut verdict, limit, &released);
    }
    let needs_config = rule.user.is_some() || rule.max_age.is_some() || !rule.labels.is_empty();
    for platform in released.iter().filter(|_| needs_config) {
        let name = platform.name();
        let Some(config) = &platform.content else {
            verdict.leave_unknown(format!("the config of {name} could not be read"));
            continue;
        };
        if let Some(user) = &rule.user {
            judge_user(&mut verdict, user, &name, config);
        }
        if let Some(limit) = &rule.max_age {
            judge_age(&mut verdict, limit, &name, config, now);
        }
        for label in &rule.labels {
            judge_label(&mut verdict, label, &name, config);
        }
    }
    verdict
}

/// Refuses images that an index lists under another platform than their own.
fn refuse_conflicts(verdict: &mut GateVerdict, released: &[&JudgedPlatform]) {
    for platform in released {
        if let Some(conflict) = &platform.platform_conflict {
            let conflict = to_printable(conflict, CONFLICT_LIMIT);
            let manifest = platform.manifest.short();
            verdict.leave_unknown(format!("the platform of {manifest} is {conflict}"));
            verdict.add_hint("build the index again, with the platform that each image has");
        }
    }
}

fn judge_platforms(
    verdict: &mut GateVerdict,
    wanted: &[PlatformName],
    released: &[&JudgedPlatform],
) {
    for name in wanted {
        let mut platforms = released.iter().filter_map(|it| it.platform.as_ref());
        if !platforms.any(|platform| name.matches(platform)) {
            verdict.fail(format!("the release has no image for {name}"));
            verdict.add_hint(format!(
                "build the image for {name} too, and release that index"
            ));
        }
    }
}

fn judge_size(verdict: &mut GateVerdict, limit: &ByteSize, released: &[&JudgedPlatform]) {
    let Some(largest) = released.iter().max_by_key(|platform| platform.layers_size) else {
        return;
    };
    let (name, size) = (largest.name(), largest.layers_size);
    let shown = shown_bytes(size);
    if size <= limit.bytes() {
        verdict.add_fact(format!(
            "compressed layers of {name}: {shown}, at most {limit}"
        ));
        return;
    }
    verdict.fail(format!(
        "the compressed layers of {name} have {shown} ({size} bytes), expected at most {limit}"
    ));
    verdict.add_hint("make the image smaller, or raise gates.image.max-size of the policy");
}

fn judge_user(verdict: &mut GateVerdict, wanted: &UserRule, name: &str, config: &JudgedConfig) {
    let user = match config.user.as_str() {
        "" => "no user, which is root".to_owned(),
        user => format!("the user {}", to_printable(user, SHOWN_LIMIT)),
    };
    if wanted.accepts(&config.user) {
        verdict.add_fact(format!("{name} has {user}"));
        return;
    }
    verdict.fail(format!("{name} has {user}, expected {wanted}"));
    verdict.add_hint("set the user with USER in the last stage of the Dockerfile");
}

fn judge_age(
    verdict: &mut GateVerdict,
    limit: &RuleDuration,
    name: &str,
    config: &JudgedConfig,
    now: Timestamp,
) {
    let Some(created) = config.created else {
        verdict.leave_unknown(format!(
            "the config of {name} does not say when the image was made"
        ));
        verdict.add_hint(
            "give a build that is reproducible the time of its commit, with SOURCE_DATE_EPOCH",
        );
        return;
    };
    let made = shown_time(created);
    match now.duration_since(created).try_into() {
        Err(_) => verdict.fail(format!(
            "{name} was made at {made}, which is after the time of this run, {}",
            shown_time(now)
        )),
        Ok(age) if age > limit.to_duration() => {
            verdict.fail(format!(
                "{name} was made at {made}, {} ago, expected at most {limit}",
                shown_age(age)
            ));
            verdict.add_hint("build the image again");
        }
        Ok(age) => verdict.add_fact(format!(
            "{name} was made at {made}, {} ago, at most {limit}",
            shown_age(age)
        )),
    }
}

fn judge_label(verdict: &mut GateVerdict, wanted: &LabelRule, name: &str, config: &JudgedConfig) {
    let key = to_printable(&wanted.name, SHOWN_LIMIT);
    let value = config.labels.get(&wanted.name);
    let shown = match value {
        Some("") => "is empty".to_owned(),
        Some(value) => format!("is {}", to_printable(value, SHOWN_LIMIT)),
        None => "is missing".to_owned(),
    };
    if wanted.accepts(value) {
        verdict.add_fact(format!("label {key} of {name} {shown}"));
        return;
    }
    let expected = match &wanted.value {
        Some(pattern) => to_printable(&pattern.to_string(), SHOWN_LIMIT),
        None => "a value".to_owned(),
    };
    verdict.fail(format!(
        "label {key} of {name} {shown}, expected {expected}"
    ));
    verdict.add_hint(
        "build the image with that label, and release the new image from the first environment on",
    );
}
