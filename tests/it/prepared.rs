//! Layouts and archives that somebody else has prepared, from the outside.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::process::{Place, Ran};
use crate::support::{example, example_root};

/// The example's image in the layout `dev`.
fn pushed() -> Place {
    let place = Place::new();
    let ran = push(&place, "dev");
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    place
}

fn push(place: &Place, layout: &str) -> Ran {
    let images = format!("--images=oci:{layout}");
    place.run(&["push", "--source", &example(), &images, "--tags=one"])
}

/// The blobs of a layout, by their names.
fn blobs(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.path("dev/blobs/sha256")).unwrap();
    let mut names: Vec<_> = entries
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn promise_1_a_push_mends_every_wrong_blob_of_its_destination() {
    let place = pushed();
    let names = blobs(&place);
    assert!(names.len() > 5);
    for name in &names {
        let path = place.path(&format!("dev/blobs/sha256/{name}"));
        let right = fs::read(&path).unwrap();
        fs::write(&path, vec![b'E'; right.len()]).unwrap();
        let ran = push(&place, "dev");
        assert_eq!(ran.status, Some(0), "{name}: {}", ran.log);
        assert!(fs::read(&path).unwrap() == right, "{name}: {}", ran.out);
    }
}

#[test]
fn promise_1_a_tag_within_a_layout_is_not_written_over_wrong_bytes() {
    let place = pushed();
    for name in blobs(&place) {
        let path = place.path(&format!("dev/blobs/sha256/{name}"));
        let right = fs::read(&path).unwrap();
        fs::write(&path, vec![b'E'; right.len()]).unwrap();
        let source = format!("--source=oci:dev@{}", example_root());
        let ran = place.run(&["promote", &source, "--images=oci:dev", "--tags=two"]);
        assert_eq!(ran.status, Some(2), "{name}: {}", ran.log);
        assert!(ran.log.contains(&name), "{name}: {}", ran.log);
        let index = fs::read_to_string(place.path("dev/index.json")).unwrap();
        assert!(!index.contains("\"two\""), "{name}");
        fs::write(&path, right).unwrap();
    }
}

#[test]
fn promise_2_a_push_writes_through_no_link() {
    for name in [".shipmark", "blobs", "blobs/sha256"] {
        let place = Place::new();
        fs::create_dir_all(place.path("victim")).unwrap();
        fs::write(place.path("victim/tmp-precious"), "precious").unwrap();
        let link = place.path(&format!("dev/{name}"));
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(place.path("victim"), &link).unwrap();
        let ran = push(&place, "dev");
        assert_eq!(ran.status, Some(2), "{name}: {}", ran.log);
        assert!(
            ran.log.contains("is a link, not a directory"),
            "{}",
            ran.log
        );
        assert!(
            ran.log
                .contains("hint: a layout that is written to may contain only plain files"),
            "{}",
            ran.log
        );
        assert_eq!(fs::read_dir(place.path("victim")).unwrap().count(), 1);
    }
}

#[test]
fn promise_6_an_archive_that_unpacks_to_too_much_is_refused_with_the_way_on() {
    let place = Place::new();
    let zeroes = vec![0; 1 << 20];
    let mut header = tar::Header::new_gnu();
    header.set_size(600 << 20);
    header.set_cksum();
    let file = fs::File::create(place.path("large.tar.gz")).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    std::io::Write::write_all(&mut gzip, header.as_bytes()).unwrap();
    for _ in 0..601 {
        std::io::Write::write_all(&mut gzip, &zeroes).unwrap();
    }
    gzip.finish().unwrap();
    let push = [
        "push",
        "--source=oci-archive:large.tar.gz",
        "--images=oci:dev",
        "--tags=one",
    ];
    let ran = place.run(&push);
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    for part in ["unpacks to more than ", " MiB, ", "hint: ", "scratch-limit"] {
        assert!(ran.log.contains(part), "{part}: {}", ran.log);
    }
    let ran = place.run(&[&push[..], &["--scratch-limit=1"]].concat());
    assert!(ran.log.contains("has no index.json"), "{}", ran.log);
    for wrong in ["0", "-1", "1.5", "many"] {
        let limit = format!("--scratch-limit={wrong}");
        let ran = place.run(&[&push[..], &[limit.as_str()]].concat());
        assert_eq!(ran.status, Some(2));
        assert!(ran.log.contains("expected a whole number"), "{}", ran.log);
    }
}

#[test]
fn promise_6_a_pattern_that_explodes_ends_with_an_error() {
    let place = Place::new();
    let git_ref = format!("--ref=refs/heads/{}!", "a".repeat(40));
    let patterns = ["^(a+)+$", "/^(a|aa)+$/i", r"^(?:\w+)*$", "(a*)*b"];
    for pattern in patterns {
        for rule in [
            format!("--tags=type=match,pattern={pattern},value={{{{branch}}}}"),
            format!(
                "--tags=type=semver,pattern={{{{version}}}},value={{{{branch}}}},match={pattern}"
            ),
        ] {
            let ran = place.run(&["tags", "--images=a/b", &git_ref, &rule]);
            assert_eq!(ran.status, Some(2), "{rule}: {}", ran.log);
            assert!(
                ran.log.contains("takes more than 1000000 steps"),
                "{rule}: {}",
                ran.log
            );
        }
    }
}
