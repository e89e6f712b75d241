//! Versions that the policy excludes from the lines of its environments.

use serde_json::Value;

use crate::support::made_image::MadeImage;
use crate::support::process::{Place, Ran};

/// Pushes a version of the service to the environment; each image by its number.
fn push(place: &Place, version: &str, number: u32, more: &[&str]) -> (Ran, String) {
    let image = MadeImage::new(number, &[]);
    image.write_archive(&place.path("image.tar"));
    let git_ref = format!("refs/tags/v{version}");
    let arguments = [
        "push",
        "--environment=dev",
        "--services=web",
        "--source=oci-archive:image.tar",
        "--ref",
        &git_ref,
    ];
    (place.run(&[&arguments, more].concat()), image.digest())
}

fn write_policy(place: &Place, keys: [&str; 2]) {
    let [all, dev] = keys;
    let text = format!(
        "{all}\nenvironments:\n  dev: {{repository: 'oci:dev/{{service}}'{dev}}}\nservices: [web]\n"
    );
    std::fs::create_dir_all(place.path(".github")).unwrap();
    std::fs::write(place.path(".github/shipmark.yml"), text).unwrap();
}

/// What a tag names in the environment.
fn named(place: &Place, tag: &str) -> Option<String> {
    let index = std::fs::read_to_string(place.path("dev/web/index.json")).unwrap();
    let index: Value = serde_json::from_str(&index).unwrap();
    let mut manifests = index["manifests"].as_array().unwrap().iter();
    let is_tag = |it: &&Value| it["annotations"]["org.opencontainers.image.ref.name"] == tag;
    let found = manifests.find(is_tag)?;
    Some(found["digest"].as_str().unwrap().to_owned())
}

/// An old calendar version and a mistyped one; the line names the first.
fn place() -> Place {
    let place = Place::new();
    write_policy(&place, ["", ""]);
    for (version, number) in [("9.9.9", 1), ("2024.5.1", 2)] {
        let (ran, _) = push(&place, version, number, &[]);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
    }
    place
}

#[test]
fn promise_4_the_policy_says_which_versions_never_count() {
    let both = "exclude-versions: [9.9.9, '2024.*']";
    for (keys, moves) in [
        (["", ""], false),
        (["exclude-versions: [9.9.9]", ""], false),
        (["", ", exclude-versions: ['2024.*']"], false),
        ([both, ""], true),
        (["", &format!(", {both}")], true),
        (
            [
                "exclude-versions: [9.9.9]",
                ", exclude-versions: ['2024.*']",
            ],
            true,
        ),
    ] {
        let place = place();
        let before = named(&place, "latest");
        write_policy(&place, keys);
        let (ran, image) = push(&place, "1.5.0", 3, &[]);
        assert_eq!(ran.status, Some(0), "{}", ran.log);
        let expected = if moves { Some(image) } else { before };
        assert_eq!(named(&place, "latest"), expected, "{keys:?}: {}", ran.log);
    }
}

#[test]
fn promise_4_a_version_that_the_policy_excludes_is_not_released() {
    let place = place();
    write_policy(&place, ["", ", exclude-versions: ['1.*']"]);
    let (ran, _) = push(&place, "1.5.0", 3, &[]);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    let text = "version 1.5.0 is excluded by exclude-versions (1.*)";
    assert!(ran.log.contains(text), "{}", ran.log);
    assert_eq!(named(&place, "1.5.0"), None);
}

#[test]
fn promise_5_under_a_policy_the_input_exclude_versions_is_refused() {
    let place = place();
    write_policy(&place, ["exclude-versions: [9.9.9]", ""]);
    for pattern in ["9.9.9", "2024.*"] {
        let (ran, _) = push(&place, "1.5.0", 3, &["--exclude-versions", pattern]);
        assert_eq!(ran.status, Some(1), "{}", ran.log);
        for part in [
            "the input exclude-versions in a release to the environment dev",
            "shipmark.yml says which versions never count",
            "leave exclude-versions out",
        ] {
            assert!(ran.log.contains(part), "{part}: {}", ran.log);
        }
        assert_eq!(named(&place, "1.5.0"), None);
    }
}
