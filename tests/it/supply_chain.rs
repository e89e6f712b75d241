//! What this repository builds, checks and releases itself with: the workflows, the Dockerfile and the
//! scripts, and what the documents tell others to use.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::yaml;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files below a folder of the repository whose names end so.
fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap();
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        let relative = path.strip_prefix(root()).unwrap().to_owned();
        if path.is_dir() {
            found.extend(files(relative.to_str().unwrap(), end));
        } else if relative.to_str().unwrap().ends_with(end) {
            found.push(relative);
        }
    }
    found
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether an image is named by its digest.
fn is_by_digest(image: &str) -> bool {
    let digest = image.split_once("@sha256:").map(|(_, digest)| digest);
    digest.is_some_and(|digest| is_hex(digest, 64))
}

/// What only a job may do that the environment's reviewers have let through.
const GUARDED: [&str; 7] = [
    "scripts/release-name.sh",
    "scripts/release-sums.sh",
    "scripts/release-tag.sh",
    "scripts/release-major.sh",
    "imagetools create",
    "git push",
    "gh release",
];

#[test]
fn promise_5_a_release_is_signed_and_named_behind_its_environment() {
    let workflow = yaml::read(&read(".github/workflows/release.yml"));
    assert_eq!(workflow["permissions"], Value::Object(Default::default()));
    let mut guarded = Vec::new();
    for (name, job) in workflow["jobs"].as_object().unwrap() {
        let permits = |what: &str| job["permissions"][what] == "write";
        let runs = job["steps"].to_string();
        let does = GUARDED.iter().any(|step| runs.contains(step));
        if does || permits("contents") || permits("id-token") {
            assert_eq!(job["environment"], "release", "{name}");
            guarded.push(name.as_str());
        } else if permits("packages") {
            // Without a name nobody takes it for a release.
            assert!(runs.contains("push-by-digest=true"), "{name}");
            assert!(!runs.contains("--tag"), "{name}");
        }
    }
    guarded.sort_unstable();
    assert_eq!(guarded, ["name", "release"]);
    // `latest` and the other tags are written in the one step that signs.
    assert!(read("scripts/release-name.sh").contains("--sign keyless"));
}

/// Who uses `v0` gets a release only when all of it exists.
#[test]
fn promise_2_a_release_is_tagged_when_its_files_are_signed_and_the_major_version_moves_last() {
    let workflow = yaml::read(&read(".github/workflows/release.yml"));
    let steps = workflow["jobs"]["release"]["steps"].as_array().unwrap();
    let order = [
        "scripts/release-archives.sh",
        "scripts/release-sums.sh",
        "scripts/release-tag.sh",
        "gh release create",
        "scripts/release-major.sh",
    ];
    let at = order.map(|run| {
        let runs = |step: &Value| step["run"].as_str().is_some_and(|text| text.contains(run));
        let mut found = (0..steps.len()).filter(|at| runs(&steps[*at]));
        let at = found.next().unwrap_or_else(|| panic!("no step runs {run}"));
        assert_eq!(found.next(), None, "{run}");
        at
    });
    assert!(at.is_sorted(), "{at:?}");
    assert_eq!(at[4], steps.len() - 1);
    let tag = read("scripts/release-tag.sh");
    let pushes: Vec<_> = tag
        .lines()
        .filter(|line| line.starts_with("git push"))
        .collect();
    assert_eq!(
        pushes,
        [r#"git push --quiet "$remote" "refs/tags/v$version""#]
    );
    assert!(read("scripts/release-major.sh").contains("--force-with-lease="));
}

#[test]
fn promise_1_what_builds_a_release_is_named_by_its_digest() {
    let dockerfile = read("Dockerfile");
    let bases = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("FROM "));
    let bases: Vec<_> = bases
        .filter_map(|line| line.split(' ').next())
        .filter(|base| *base != "scratch")
        .collect();
    assert!(!bases.is_empty());
    for base in &bases {
        assert!(is_by_digest(base), "Dockerfile: {base}");
    }
    let text = read(".github/workflows/release.yml");
    let workflow = yaml::read(&text);
    for variable in ["BUILDKIT", "SBOM_SCANNER"] {
        let image = workflow["env"][variable].as_str().unwrap();
        assert!(is_by_digest(image), "{variable}: {image}");
        assert!(text.contains(&format!("=${variable}")), "{variable}");
    }
    for own in ["--sbom=true", "image=moby", "generator=docker"] {
        assert!(!text.contains(own), "{own} names an image by itself");
    }
    let toolchain = read("rust-toolchain.toml");
    let version = toolchain
        .lines()
        .find_map(|line| line.strip_prefix("channel = \""))
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap();
    let base = format!("rust:{version}-bookworm@sha256:");
    assert!(bases.iter().any(|known| known.starts_with(&base)), "{base}");
    let oldest = version.strip_suffix(".0").unwrap_or(version);
    assert!(read("Cargo.toml").contains(&format!("rust-version = \"{oldest}\"")));
}

#[test]
fn promise_1_actions_are_used_by_their_commits() {
    let mut documents = files("docs", ".md");
    documents.extend(files("examples", ".yml"));
    documents.extend(files(".github", ".yml"));
    documents.push("README.md".into());
    let version = env!("CARGO_PKG_VERSION");
    let mut count = 0;
    for path in documents {
        for line in read(&path).lines() {
            let line = line.trim_start().trim_start_matches("- ");
            let Some(used) = line.strip_prefix("uses: ") else {
                continue;
            };
            let place = format!("{}: {used}", path.display());
            count += 1;
            let Some((action, rest)) = used.split_once('@') else {
                assert!(used.starts_with("./"), "{place}");
                continue;
            };
            let (commit, comment) = rest.split_once(" # ").unwrap_or((rest, ""));
            // The commit of a release does not exist before it: scripts/release-pin.sh puts it in.
            if action == "shipmark/shipmark" && commit == format!("v{version}") {
                continue;
            }
            assert!(is_hex(commit, 40), "{place}");
            let named = comment.strip_prefix('v').unwrap_or_default();
            let numbers: Vec<_> = named.split('.').map(str::parse::<u32>).collect();
            let are_numbers = numbers.iter().all(Result::is_ok);
            // Some actions name their releases by two numbers.
            assert!(matches!(numbers.len(), 2 | 3) && are_numbers, "{place}");
        }
    }
    assert!(count > 20, "{count}");
}

#[test]
fn promise_1_python_packages_are_installed_by_their_hashes() {
    for path in files("scripts", ".sh") {
        for line in read(&path)
            .lines()
            .filter(|line| line.contains("pip\" install"))
        {
            let place = format!("{}: {line}", path.display());
            assert!(line.contains("--require-hashes --requirement"), "{place}");
        }
    }
    let lists = files("scripts/requirements", ".txt");
    assert!(!lists.is_empty());
    for path in lists {
        let text = read(&path).replace("\\\n", "");
        let packages: Vec<_> = text.lines().filter(|line| line.contains("==")).collect();
        assert!(!packages.is_empty(), "{}", path.display());
        for package in packages {
            let place = format!("{}: {package}", path.display());
            assert!(package.contains("--hash=sha256:"), "{place}");
        }
    }
}

/// The scripts that a text names with `before` in front.
fn scripts_after(before: &str, text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix(before));
    let words = lines.flat_map(|line| line.split([' ', '`', '|', ',']));
    let named = words.filter(|word| word.starts_with("scripts/") || *word == ".ci/run");
    named.map(str::to_owned).collect()
}

#[test]
fn the_recipes_are_what_the_contributors_page_names() {
    let named = scripts_after("| `", &read("CONTRIBUTING.md"));
    let recipes = scripts_after("    ", &read("justfile"));
    assert!(named.len() > 12, "{named:?}");
    assert_eq!(named, recipes);
}

/// AWS-LC gathers entropy from the jitter of the CPU unless its build is told not to, which takes 35 ms of
/// CPU in each process.
#[test]
fn no_build_gathers_entropy_from_the_jitter_of_the_cpu() {
    assert_eq!(option_env!("AWS_LC_SYS_NO_JITTER_ENTROPY"), Some("1"));
    let config = read(".cargo/config.toml");
    assert!(config.contains("[env]\nAWS_LC_SYS_NO_JITTER_ENTROPY = \"1\"\n"));
    // The image is built from what the Dockerfile copies alone.
    assert!(read("Dockerfile").contains("\nCOPY .cargo/config.toml .cargo/\n"));
    assert!(read(".dockerignore").contains("\n!.cargo/config.toml\n"));
}
