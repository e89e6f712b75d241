//! Sources from standard input, as users pipe them.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;

use crate::support::example_root;
use crate::support::process::{Place, Ran};

fn data(name: &str) -> File {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    File::open(folder.join(name)).unwrap()
}

/// Pushes `source` to a layout, with that for standard input.
fn push_piped(place: &Place, source: &str, input: impl Into<Stdio>) -> Ran {
    let mut command = place.command();
    command.args(["push", "--source", source, "--images", "oci:to"]);
    command.args(["--tags", "it", "--sign", "off"]);
    Ran::of(command.stdin(input).output().unwrap())
}

#[test]
fn an_archive_is_read_from_standard_input() {
    for (source, file, expected) in [
        (
            "oci-archive:-",
            "examples/web.oci.tar",
            example_root().to_string(),
        ),
        (
            "oci-archive:-",
            "tests/data/archives/buildkit-multi.tar.xz",
            "sha256:cc1d754f7abe924052ff9825539b5567c8aa2617e3591547d0ed519a498faf6a".to_owned(),
        ),
        (
            "docker-archive:-:registry.example/team/fixture:1.4.2",
            "tests/data/images/docker20-save-two-images.tar",
            "sha256:b1c04d554a922f8a7bf412b131fec8a06c4dfcc1cd195115f5d9e9a508212828".to_owned(),
        ),
    ] {
        let place = Place::new();
        let ran = push_piped(&place, source, data(file));
        assert_eq!(ran.status, Some(0), "{source}: {}", ran.log);
        assert!(ran.out.contains(&expected), "{source}: {}", ran.out);
        let index = place.read("to/index.json");
        assert!(index.contains(&expected), "{source}: {index}");
    }
}

#[test]
fn what_is_no_archive_on_standard_input_is_refused_by_that_name() {
    for (input, reason) in [
        ("/dev/null", "is not a tar archive: it is empty"),
        ("tests/data/images/expected.json", "is not a tar archive: "),
    ] {
        let place = Place::new();
        let input = match input.starts_with('/') {
            true => File::open(input).unwrap(),
            false => data(input),
        };
        let ran = push_piped(&place, "oci-archive:-", input);
        assert_eq!(ran.status, Some(2), "{}", ran.log);
        let named = format!("standard input: {reason}");
        assert!(ran.log.contains(&named), "{}", ran.log);
        assert!(!place.path("to").exists());
    }
}
