//! Applies the input `flavor` to the tags of the default table, as to the tags of rules.

use super::TaggingError;
use super::expand::{FlavorTexts, expand_flavor_texts};
use super::rules::LatestFlavor;
use super::tag_name;
use super::tag_plan::{DerivedTags, LineTag, MovingTagSource, PlannedTag, TagKind};
use super::tag_rules::{TagInputs, TagRules};
use super::{ImageOrigin, ReleaseSeries, VersionLine};
use crate::image::Tag;

/// Returns the tags of the default table with the flavor of the inputs.
pub(super) fn apply_to_table(
    rules: &TagRules,
    derived: DerivedTags,
) -> Result<DerivedTags, TaggingError> {
    match rules {
        TagRules::FlavoredDefault(inputs) => apply_flavor(derived, inputs),
        TagRules::Default | TagRules::Custom(_) => Ok(derived),
    }
}

/// Returns the names of an image without the flavor of the inputs, which [`apply_to_table`] puts around
/// the tags: `1.4.0` of `1.4.0-alpine` with `suffix=-alpine`.
pub(super) fn without_flavor(
    rules: &TagRules,
    origin: &ImageOrigin,
) -> Result<ImageOrigin, TaggingError> {
    let mut origin = origin.clone();
    let TagRules::FlavoredDefault(inputs) = rules else {
        return Ok(origin);
    };
    let texts = expand_flavor_texts(&inputs.rules, &inputs.context)?;
    let bare = |text: &str| {
        let text = text.strip_prefix(texts.prefix.as_str())?;
        text.strip_suffix(texts.suffix.as_str()).map(str::to_owned)
    };
    let bare_tag = |tag: &mut Tag| {
        if let Some(bare) = bare(tag.as_str()).and_then(|text| text.parse().ok()) {
            *tag = bare;
        }
    };
    origin.version = origin.version.map(|text| bare(&text).unwrap_or(text));
    let names = &mut origin.names;
    let tags = names
        .source_tag
        .iter_mut()
        .chain(&mut names.repository_tags);
    tags.for_each(bare_tag);
    Ok(origin)
}

/// Puts prefix and suffix of the flavor around the tags, and leaves out what the inputs disable.
fn apply_flavor(mut derived: DerivedTags, inputs: &TagInputs) -> Result<DerivedTags, TaggingError> {
    let texts = expand_flavor_texts(&inputs.rules, &inputs.context)?;
    let latest = inputs.rules.flavor.latest;
    derived.tags.retain(|planned| {
        let is_latest = is_latest_line(&planned.kind);
        let is_off = planned.kind.is_line() && !inputs.rules.gives_lines;
        !(is_off || is_latest && latest == LatestFlavor::Never)
    });
    let has_latest = derived.tags.iter().any(|it| is_latest_line(&it.kind));
    if latest == LatestFlavor::Always && !has_latest && inputs.rules.gives_lines {
        let kind = TagKind::Moving(MovingTagSource::Other);
        let tag = parse_tag("latest", "the flavor")?;
        derived.add_tag(tag, kind, "the flavor");
    }
    derived.version = derived
        .version
        .map(|version| format!("{}{version}{}", texts.prefix, texts.suffix));
    for planned in &mut derived.tags {
        add_affixes(planned, &texts)?;
    }
    if derived.tags.is_empty() {
        return Err(derived.no_tags_error());
    }
    Ok(derived)
}

fn is_latest_line(kind: &TagKind) -> bool {
    let TagKind::Moving(MovingTagSource::Line(line)) = kind else {
        return false;
    };
    line.line == VersionLine::Latest
}

fn add_affixes(planned: &mut PlannedTag, texts: &FlavorTexts) -> Result<(), TaggingError> {
    let is_latest = is_latest_line(&planned.kind) || planned.rule == "the flavor";
    let [prefix, suffix] = match is_latest {
        true => [&texts.latest_prefix, &texts.latest_suffix],
        false => [&texts.prefix, &texts.suffix],
    };
    let text = format!("{prefix}{}{suffix}", planned.tag);
    planned.tag = parse_tag(&text, &planned.rule)?;
    if let TagKind::Moving(MovingTagSource::Line(line)) = &mut planned.kind {
        let release_series = with_affixes(&line.series, &texts.prefix, &texts.suffix);
        **line = LineTag {
            series: with_affixes(&line.series, prefix, suffix),
            release_series,
            ..(**line).clone()
        };
    }
    Ok(())
}

fn with_affixes(series: &ReleaseSeries, prefix: &str, suffix: &str) -> ReleaseSeries {
    let [prefix, suffix] = [
        format!("{prefix}{}", series.prefix),
        format!("{}{suffix}", series.suffix),
    ];
    ReleaseSeries {
        build_word: series.build_word.clone(),
        ..ReleaseSeries::from_affixes(&prefix, &suffix)
    }
}

fn parse_tag(text: &str, rule: &str) -> Result<Tag, TaggingError> {
    let rule = rule.to_owned();
    if tag_name::is_reserved(text) {
        return Err(TaggingError::ReservedTag {
            rule,
            text: text.to_owned(),
        });
    }
    text.parse().map_err(|reason| TaggingError::BadTag {
        rule,
        text: text.to_owned(),
        reason,
    })
}
