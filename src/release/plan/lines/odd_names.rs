//! Holds lines back from tags such as `1.4.1-k3s1`, which read as pre-releases of a series whose releases
//! have another build part or none, and may be its releases.

use super::{ComparedLine, LineHold, LineQuestion, VERSION_LOOKUP_LIMIT};
use crate::image::Digest;
use crate::tagging::TaggedRelease;

impl ComparedLine<'_> {
    /// Returns why the line stays for a tag that reads as a pre-release without a usual word: the line
    /// names it, or the tag is higher and what the line names is not known. A line that names a release
    /// goes forward from there.
    pub(super) fn find_odd_tag(
        &self,
        at: Option<Digest>,
    ) -> Result<Option<LineHold>, LineQuestion> {
        let (line, ours) = (&self.line.line, &self.line.version);
        let odd: Vec<&TaggedRelease> = self.releases.odd_tags_above(line, ours).collect();
        // A number alone is how nightly builds are called.
        let is_word = |it: &&&TaggedRelease| it.version.channel() != Some("next");
        let unknown = odd.iter().find(is_word).copied().cloned();
        if odd.is_empty() || at == Some(self.root) {
            return Ok(None);
        }
        let Some(at) = at else {
            return Ok(unknown.map(LineHold::OddTag));
        };
        // Where a line names an odd tag, `1.28` reads as a release of two numbers.
        let full = |it: &&TaggedRelease| it.version.numbers().len() > 2;
        let releases: Vec<&TaggedRelease> = self.releases.on_line(line).filter(full).collect();
        let half = VERSION_LOOKUP_LIMIT / 2;
        let [first, odd, rest] = [
            releases.iter().take(1).copied().collect::<Vec<_>>(),
            odd.into_iter().take(half).collect(),
            releases.iter().skip(1).take(half - 1).copied().collect(),
        ];
        if self.find_digest(at, &first)? {
            return Ok(None);
        }
        if self.find_digest(at, &odd)? {
            let is_named = |it: &&TaggedRelease| self.seen.tag_digest(&it.tag) == Some(at);
            let named = odd.into_iter().find(is_named);
            return Ok(named.map(|it| LineHold::NamesOddTag(it.clone())));
        }
        match self.find_digest(at, &rest)? {
            true => Ok(None),
            false => Ok(unknown.map(LineHold::OddTag)),
        }
    }
}
