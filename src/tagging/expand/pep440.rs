//! Versions of Python packages (PEP 440).

/// A version, as far as rules need it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pep440Version {
    epoch: f64,
    release: Vec<f64>,
    pre: Option<(&'static str, f64)>,
    post: Option<f64>,
    dev: Option<f64>,
    local: Vec<String>,
}

impl Pep440Version {
    /// Reads a version as PEP 440 would have it normalised.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_ascii_lowercase();
        let mut rest = VersionParser(text.strip_prefix('v').unwrap_or(&text));
        let (public, local) = match rest.0.split_once('+') {
            Some((public, local)) => (public, Some(local)),
            None => (rest.0, None),
        };
        rest = VersionParser(public);
        let mut version = Self {
            epoch: rest.take_epoch(),
            release: vec![rest.take_number()?],
            pre: None,
            post: None,
            dev: None,
            local: match local {
                Some(local) => local_parts(local)?,
                None => Vec::new(),
            },
        };
        while let Some(part) = rest.take_part() {
            version.release.push(part);
        }
        version.pre = rest.take_marker(&PRE);
        version.post = rest
            .take_implicit_post()
            .or_else(|| Some(rest.take_marker(&POST)?.1));
        version.dev = rest.take_marker(&DEV).map(|(_, number)| number);
        rest.0.is_empty().then_some(version)
    }

    /// Whether it is anything but a final release.
    pub(super) fn has_marker(&self) -> bool {
        self.is_prerelease() || self.post.is_some()
    }

    /// Whether it comes before the release that it is named after.
    pub(super) fn is_prerelease(&self) -> bool {
        self.pre.is_some() || self.dev.is_some()
    }

    /// One of major, minor and patch; 0 where it is not said.
    pub(super) fn release_part(&self, index: usize) -> String {
        self.release.get(index).copied().unwrap_or(0.0).to_string()
    }

    /// The normalised form, the parts behind the `+` joined by `separator`.
    pub(super) fn to_normalised(&self, separator: &str) -> String {
        let parts: Vec<_> = self.release.iter().map(f64::to_string).collect();
        let mut text = match self.epoch {
            0.0 => String::new(),
            epoch => format!("{epoch}!"),
        };
        text += &parts.join(".");
        if let Some((mark, number)) = self.pre {
            text += &format!("{mark}{number}");
        }
        if let Some(number) = self.post {
            text += &format!(".post{number}");
        }
        if let Some(number) = self.dev {
            text += &format!(".dev{number}");
        }
        if !self.local.is_empty() {
            text += &format!("+{}", self.local.join(separator));
        }
        text
    }
}

/// How a mark may be written, longest first, and how it is then.
type ReleaseMarkers = [(&'static str, &'static str)];

const PRE: [(&str, &str); 8] = [
    ("alpha", "a"),
    ("beta", "b"),
    ("preview", "rc"),
    ("pre", "rc"),
    ("rc", "rc"),
    ("a", "a"),
    ("b", "b"),
    ("c", "rc"),
];
const POST: [(&str, &str); 3] = [("post", "post"), ("rev", "post"), ("r", "post")];
const DEV: [(&str, &str); 1] = [("dev", "dev")];

/// What is still to be read.
struct VersionParser<'a>(&'a str);

impl VersionParser<'_> {
    fn take_number(&mut self) -> Option<f64> {
        let end = self
            .0
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(self.0.len());
        let number = self.0[..end].parse().ok()?;
        self.0 = &self.0[end..];
        Some(number)
    }

    fn take_epoch(&mut self) -> f64 {
        let Some((epoch, rest)) = self.0.split_once('!') else {
            return 0.0;
        };
        let mut digits = VersionParser(epoch);
        match digits.take_number() {
            Some(number) if digits.0.is_empty() => {
                self.0 = rest;
                number
            }
            _ => 0.0,
        }
    }

    fn take_part(&mut self) -> Option<f64> {
        let mut stages = VersionParser(self.0.strip_prefix('.')?);
        let number = stages.take_number()?;
        self.0 = stages.0;
        Some(number)
    }

    /// `-1`
    fn take_implicit_post(&mut self) -> Option<f64> {
        let mut stages = VersionParser(self.0.strip_prefix('-')?);
        let number = stages.take_number()?;
        self.0 = stages.0;
        Some(number)
    }

    /// One of the marks, separators around it, and its number, 0 where there is none.
    fn take_marker(&mut self, marks: &ReleaseMarkers) -> Option<(&'static str, f64)> {
        let after = |text| str::strip_prefix(text, ['.', '-', '_']).unwrap_or(text);
        let stages = after(self.0);
        let found = marks
            .iter()
            .find_map(|(name, mark)| Some((mark, stages.strip_prefix(name)?)));
        let (mark, rest) = found?;
        let mut numbered = VersionParser(after(rest));
        match numbered.take_number() {
            Some(number) => {
                self.0 = numbered.0;
                Some((mark, number))
            }
            None => {
                self.0 = rest;
                Some((mark, 0.0))
            }
        }
    }
}

fn local_parts(local: &str) -> Option<Vec<String>> {
    let parts: Vec<_> = local.split(['.', '-', '_']).collect();
    let is_part = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    if !parts.iter().all(is_part) {
        return None;
    }
    let normal = |part: &&str| match part.bytes().all(|b| b.is_ascii_digit()) {
        true => part.parse::<f64>().unwrap_or_default().to_string(),
        false => (*part).to_owned(),
    };
    Some(parts.iter().map(normal).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(text: &str) -> Option<String> {
        Pep440Version::parse(text).map(|version| version.to_normalised("."))
    }

    #[test]
    fn versions_are_normalised() {
        for (text, expected) in [
            ("v1.1.1", "1.1.1"),
            ("V1", "1"),
            (" 2024.01.15 ", "2024.1.15"),
            ("1.1beta2", "1.1b2"),
            ("1.1-alpha", "1.1a0"),
            ("1.0.preview.3", "1.0rc3"),
            ("1.0c1", "1.0rc1"),
            ("1.0dev4", "1.0.dev4"),
            ("1.2post1", "1.2.post1"),
            ("1.2-1", "1.2.post1"),
            ("1.2.rev3", "1.2.post3"),
            ("1.2r", "1.2.post0"),
            (
                "1!2.0a1.post2.dev3+Ubuntu-01",
                "1!2.0a1.post2.dev3+ubuntu.1",
            ),
            ("1.2.3RC2", "1.2.3rc2"),
        ] {
            assert_eq!(normal(text).as_deref(), Some(expected), "{text}");
        }
        for text in [
            "", "sometag", "1.", "1..2", "1.0-", "1.0+", "1.0x", "1.0+a..b", "=1.0", "!1",
        ] {
            assert_eq!(normal(text), None, "{text}");
        }
    }

    #[test]
    fn parts_and_marks_are_known() {
        let version = Pep440Version::parse("1!2.3").unwrap();
        assert_eq!(
            [
                version.release_part(0),
                version.release_part(1),
                version.release_part(2)
            ],
            ["2", "3", "0"]
        );
        assert!(!version.has_marker());
        assert!(Pep440Version::parse("1.0.post1").unwrap().has_marker());
        assert!(Pep440Version::parse("1.0.dev1").unwrap().is_prerelease());
        let local = Pep440Version::parse("1.0+local.1").unwrap();
        assert!(!local.has_marker());
        assert_eq!(local.to_normalised(","), "1.0+local,1");
    }

    proptest! {
        #[test]
        fn normalising_is_idempotent(text in "v?([0-9]!)?[0-9]{1,3}(\\.[0-9]{1,3}){0,3}([-_.]?(a|rc|alpha|pre)[-_.]?[0-9]{0,2})?([-_.]?(post|r)[0-9]{0,2})?(\\.?dev[0-9]{0,2})?(\\+[a-z0-9.]{1,6})?") {
            if let Some(once) = normal(&text) {
                prop_assert_eq!(normal(&once), Some(once.clone()));
            }
        }
    }
}
