//! Finding the higher releases of other variants than the one that a bare line would follow.

use super::{LineTag, ReleaseVersion, TaggedRelease, is_prerelease_word};
use crate::image::Tag;

/// Returns the releases of other variants that are higher than that of `line`, the highest first:
/// `2.4.0-debian` for a line that follows `1.4.1-alpine`.
pub fn higher_variants<'a>(
    line: &LineTag,
    tags: impl IntoIterator<Item = &'a Tag>,
) -> Vec<TaggedRelease> {
    let variants = tags.into_iter().filter_map(|tag| {
        let text = tag.as_str().strip_prefix(line.series.prefix.as_str())?;
        let (numbers, variant) = text.split_once(['-', '_'])?;
        let word = variant.split(|c: char| !c.is_ascii_alphabetic()).next()?;
        let version = ReleaseVersion::parse(numbers).filter(|it| it.numbers().len() > 2)?;
        let is_other = !is_prerelease_word(word) && line.release_series.version(tag).is_none();
        let is_higher = version.is_higher_than(&line.version) && line.line.contains(&version);
        let tag = tag.clone();
        (is_other && is_higher).then_some(TaggedRelease { version, tag })
    });
    let mut variants: Vec<TaggedRelease> = variants.collect();
    variants.sort_by(|a, b| b.version.cmp_precedence(&a.version));
    variants
}
