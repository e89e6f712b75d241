//! Files of the policy's commit whose digests stay.

use std::path::PathBuf;

use super::invocation::Invocation;
use super::load_policy::LoadedPolicy;
use crate::prune::find_pins;
use crate::release::Failure;
use crate::retention::PinnedDigest;
use crate::tagging::{matches_pattern, matches_sequence};

/// Most folders and files that the patterns of a run are compared with.
const ENTRIES_LIMIT: usize = 20_000;

/// Returns the digests that the files name which the patterns describe, read at the policy's commit.
///
/// # Errors
/// Files that cannot be read, and more of them than a policy should name.
pub(super) async fn read_pins<'a>(
    invocation: &Invocation,
    loaded: &LoadedPolicy,
    patterns: impl Iterator<Item = &'a String>,
) -> Result<Vec<PinnedDigest>, Failure> {
    let mut patterns: Vec<&String> = patterns.collect();
    patterns.sort();
    patterns.dedup();
    let mut pins = Vec::new();
    for pattern in patterns {
        for path in find_files(invocation, loaded, pattern).await? {
            let name = path.display().to_string();
            let bytes = loaded.read_named_file(invocation, &name).await?;
            let text = String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
            pins.extend(find_pins(pattern, &name, &text));
        }
    }
    Ok(pins)
}

/// Returns the paths that a pattern describes, from the root of the repository.
async fn find_files(
    invocation: &Invocation,
    loaded: &LoadedPolicy,
    pattern: &str,
) -> Result<Vec<PathBuf>, Failure> {
    let wanted: Vec<&str> = pattern.split('/').collect();
    let is_plain = |name: &&&str| !name.contains(['*', '?']);
    let fixed = wanted[..wanted.len() - 1].iter().take_while(is_plain);
    let mut pending: Vec<PathBuf> = vec![fixed.collect()];
    let (mut found, mut seen) = (Vec::new(), 0);
    while let Some(folder) = pending.pop() {
        for entry in loaded.folder(invocation, &folder).await? {
            seen += 1;
            if seen > ENTRIES_LIMIT {
                return Err(Failure::input(format!(
                    "retention: the pattern {pattern} of pinned is compared with more than {ENTRIES_LIMIT} files"
                ))
                .with_hint("begin it with the folder of the files, such as deploy/**/*.yaml"));
            }
            let path = folder.join(&entry.name);
            let names: Vec<String> = path
                .iter()
                .map(|name| name.to_string_lossy().into_owned())
                .collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            match entry.is_folder {
                true if may_be_above(&wanted, &names) => pending.push(path),
                false if matches_path(&wanted, &names) => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Returns whether a pattern describes a path: `**` stands for any folders, `*` and `?` for characters of a name.
fn matches_path(pattern: &[&str], path: &[&str]) -> bool {
    let is_name = |pattern: &&str, name: &&str| matches_pattern(pattern, name);
    matches_sequence(pattern, path, |part| *part == "**", is_name)
}

/// Returns whether a pattern may describe paths below a folder.
fn may_be_above(pattern: &[&str], folder: &[&str]) -> bool {
    match (pattern, folder) {
        (["**", ..], _) => true,
        ([_, _, ..], []) => true,
        ([name, rest @ ..], [first, others @ ..]) => {
            matches_pattern(name, first) && may_be_above(rest, others)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<&str> {
        text.split('/').collect()
    }

    #[test]
    fn patterns_describe_paths_as_globs_do() {
        for (pattern, path, expected) in [
            ("deploy/**/*.yaml", "deploy/a.yaml", true),
            ("deploy/**/*.yaml", "deploy/x/y/a.yaml", true),
            ("deploy/**/*.yaml", "deploy/a.yml", false),
            ("deploy/*.yaml", "deploy/x/a.yaml", false),
            ("**", "a/b", true),
            ("**/k8s/?.json", "x/k8s/a.json", true),
            ("**/k8s/?.json", "x/k8s/ab.json", false),
            ("compose.yaml", "compose.yaml", true),
            ("compose.yaml", "x/compose.yaml", false),
        ] {
            let is_match = matches_path(&split(pattern), &split(path));
            assert_eq!(is_match, expected, "{pattern} {path}");
        }
    }

    #[test]
    fn many_stars_and_long_paths_take_no_time() {
        let (name, names) = ("a".repeat(255), "*a".repeat(100) + "b");
        assert!(!matches_path(&[names.as_str()], &[name.as_str()]));
        let (folders, path) = ("**/a/".repeat(30) + "b", "a/".repeat(200) + "a");
        assert!(!matches_path(&split(&folders), &split(&path)));
        assert!(matches_path(&split(&folders), &split(&format!("{path}/b"))));
    }

    #[test]
    fn only_folders_are_read_that_a_pattern_may_be_about() {
        for (pattern, folder, expected) in [
            ("deploy/**/*.yaml", "deploy", true),
            ("deploy/**/*.yaml", "deploy/x/y", true),
            ("deploy/**/*.yaml", "src", false),
            ("deploy/*.yaml", "deploy/x", false),
            ("*/x/a", "b", true),
            ("*/x/a", "b/y", false),
        ] {
            let is_above = may_be_above(&split(pattern), &split(folder));
            assert_eq!(is_above, expected, "{pattern} {folder}");
        }
    }
}
