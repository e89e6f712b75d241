//! Finds the digests that a file names: `repository@sha256:…`, as manifests of deployments have them.

use std::collections::BTreeSet;

use crate::image::Digest;
use crate::retention::PinnedDigest;

/// Characters of a reference before its digest.
fn is_reference_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "._-/:".contains(character)
}

/// Returns the digests that a file names, each once for each repository. A digest without a repository counts too.
pub fn find_pins(pattern: &str, file: &str, text: &str) -> Vec<PinnedDigest> {
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices("sha256:") {
        let hex = text[at + "sha256:".len()..].get(..64);
        let end = at + "sha256:".len() + 64;
        let goes_on = |next: char| next.is_ascii_alphanumeric();
        let Some(digest) = hex.and_then(|hex| format!("sha256:{hex}").parse::<Digest>().ok())
        else {
            continue;
        };
        if text[end..].starts_with(goes_on) {
            continue;
        }
        found.insert((repository_before(&text[..at]), digest));
    }
    let pins = found.into_iter().map(|(repository, digest)| PinnedDigest {
        pattern: pattern.to_owned(),
        file: file.to_owned(),
        repository,
        digest,
    });
    pins.collect()
}

/// Returns the repository that stands before a digest; empty if none does.
fn repository_before(text: &str) -> String {
    let Some(before) = text.strip_suffix('@') else {
        return String::new();
    };
    let start = before
        .rfind(|character| !is_reference_character(character))
        .map_or(0, |at| {
            at + before[at..].chars().next().map_or(1, char::len_utf8)
        });
    let reference = &before[start..];
    // `repository:tag@digest` is a reference too.
    match reference.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository.to_owned(),
        _ => reference.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_found_with_their_repositories() {
        let digest = |name: &str| Digest::from_bytes(name.as_bytes());
        let (a, b, c) = (digest("a"), digest("b"), digest("c"));
        let text = format!(
            "image: ghcr.io/acme/web@{a}\n# “ghcr.io:443/acme/api:1.4.0@{b}”\n- digest: {c}\n{a}0 {}",
            &a.to_string()[..40]
        );
        let pins = find_pins("deploy/*", "deploy/x.yaml", &text);
        let found: BTreeSet<_> = pins
            .iter()
            .map(|it| (it.repository.as_str(), it.digest))
            .collect();
        let expected = [
            ("ghcr.io/acme/web", a),
            ("ghcr.io:443/acme/api", b),
            ("", c),
        ];
        assert_eq!(found, expected.into());
        assert_eq!(find_pins("x", "x", &format!("{a}0")), []);
    }
}
