//! Where the policy file is, and which names somebody may have given it by mistake.
//!
//! A file that looks like the policy and is none would turn its rules off without a word, so names that
//! are nearly right are refused and not passed over.

use strsim::damerau_levenshtein;

/// The folder of the policy file, in the root of the repository.
pub const FOLDER: &str = ".github";
/// The policy file's name.
pub const FILE: &str = "shipmark.yml";
/// The policy file, from the root of the repository.
pub const PATH: &str = ".github/shipmark.yml";

/// Names that others give to files of this kind.
const OTHER_FILES: [&str; 4] = [
    "shipmark.yaml",
    ".shipmark.yml",
    ".shipmark.yaml",
    "shipmark.json",
];

/// Returns whether a file may have been meant as the policy file: its name differs by its case, its
/// ending or one character.
pub fn resembles_file(name: &str) -> bool {
    let name = name.trim().to_lowercase();
    let mut known = [FILE].into_iter().chain(OTHER_FILES);
    known.any(|known| damerau_levenshtein(known, &name) <= 1)
}

/// Returns whether a folder may have been meant as the one that the policy file is in.
pub fn resembles_folder(name: &str) -> bool {
    damerau_levenshtein(FOLDER, &name.trim().to_lowercase()) <= 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_5_a_name_that_is_nearly_the_policys_is_known() {
        for name in [
            FILE,
            "shipmark.yaml",
            "Shipmark.yml",
            "SHIPMARK.YML",
            "shipmark.YAML",
            "shipmark.yml ",
            "shipmark.ym",
            "shipmark.json",
            "shipmrak.yml",
            "ship-mark.yml",
            ".shipmark.yml",
            "\u{455}hipmark.yml",
            "shipmark\u{200b}.yml",
        ] {
            assert!(resembles_file(name), "{name:?}");
        }
        for name in ["dependabot.yml", "shipmark.link", "release.yml", "ship.yml"] {
            assert!(!resembles_file(name), "{name:?}");
        }
        for name in [
            FOLDER, ".GitHub", ".Github", "github", ".github ", ".gihtub",
        ] {
            assert!(resembles_folder(name), "{name:?}");
        }
        for name in [".git", ".gitlab", "src", ".gitea"] {
            assert!(!resembles_folder(name), "{name:?}");
        }
    }
}
