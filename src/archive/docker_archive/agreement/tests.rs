//! Archives of which one tool reads another image than the next.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;

use serde_json::{Value, json};
use tar::{Builder, Header};

use super::*;
use crate::archive::{ArchiveError, Unpacking};
use crate::layout::tests::fixture;
use crate::notices::Notices;

/// Those that are a layout as well.
const BOTH: [&str; 3] = [
    "docker29-containerd-save-multi.tar",
    "docker29-graphdriver-save-two-tags.tar",
    "buildkit-type-docker-hybrid.tar",
];
const NAME: &str = "registry.example/team/fixture:1.4.2";

type Files = BTreeMap<String, Vec<u8>>;

fn files(name: &str) -> Files {
    let mut tar = tar::Archive::new(File::open(fixture(name)).unwrap());
    let entries = tar.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        (name, bytes)
    });
    entries.filter(|(name, _)| !name.ends_with('/')).collect()
}

fn list(files: &Files) -> Vec<Value> {
    serde_json::from_slice(&files["manifest.json"]).unwrap()
}

async fn open(
    files: &Files,
    list: &[Value],
    selector: &ImageSelector,
) -> Result<Digest, ArchiveError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image.tar");
    let mut tar = Builder::new(File::create(&path).unwrap());
    let mut files = files.clone();
    files.insert(
        "manifest.json".to_owned(),
        json!(list).to_string().into_bytes(),
    );
    for (name, bytes) in files {
        let mut header = Header::new_ustar();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        tar.append_data(&mut header, name, &bytes[..]).unwrap();
    }
    tar.finish().unwrap();
    let unpacking = Unpacking::default();
    let quiet = Notices::new(|_| {});
    let opened = ImageArchive::open_docker(&path, selector, &unpacking, &quiet).await;
    opened.map(|(_, root)| root)
}

/// Another config, in a file of its own.
fn add_config(files: &mut Files, name: &str) -> String {
    let text = String::from_utf8(files[name].clone()).unwrap();
    let other = text.replacen("1.4.2", "6.6.6", 1).into_bytes();
    assert_ne!(other, files[name]);
    let place = format!("{BLOB_DIRECTORY}/{}", Digest::from_bytes(&other).to_hex());
    files.insert(place.clone(), other);
    place
}

#[tokio::test]
async fn what_tools_write_agrees_with_itself() {
    for name in BOTH {
        let files = files(name);
        for selector in [
            ImageSelector::Name(NAME.to_owned()),
            ImageSelector::Name("1.4.2".to_owned()),
        ] {
            open(&files, &list(&files), &selector).await.unwrap();
        }
    }
}

#[tokio::test]
async fn promise_1_an_archive_of_two_different_images_is_refused() {
    let mut tried = 0;
    for name in BOTH {
        let files = files(name);
        let own = list(&files);
        let config = own[0]["Config"].as_str().unwrap().to_owned();
        let mut changed = files.clone();
        let other = add_config(&mut changed, &config);
        // Under the config's own name, so that its name alone says that it is the same.
        let mut renamed = files.clone();
        renamed.insert(config.clone(), changed[&other].clone());
        renamed.insert("own.json".to_owned(), files[&config].clone());
        let with = |key: &str, value: Value| {
            let mut all = own.clone();
            all[0][key] = value;
            all
        };
        let mut reversed = own[0]["Layers"].as_array().unwrap().clone();
        reversed.reverse();
        let mut first = own[0]["Layers"].as_array().unwrap().clone();
        first.pop();
        let mut second = own.clone();
        second.push(json!({"Config": other, "RepoTags": [NAME], "Layers": own[0]["Layers"]}));
        let mut before = second.clone();
        before.reverse();
        let mut nameless = with("Config", json!(other));
        nameless[0]["RepoTags"] = Value::Null;
        let mut elsewhere = changed.clone();
        elsewhere.insert("other.json".to_owned(), changed[&other].clone());
        let cases = [
            (&changed, with("Config", json!(other))),
            (&renamed, own.clone()),
            (&elsewhere, with("Config", json!("other.json"))),
            (&changed, with("Layers", json!(reversed))),
            (&changed, with("Layers", json!(first))),
            (&changed, with("Layers", json!([]))),
            (&changed, second),
            (&changed, before),
            (&changed, nameless),
        ];
        for (at, (files, list)) in cases.iter().enumerate() {
            for selector in [
                ImageSelector::Only,
                ImageSelector::Name(NAME.to_owned()),
                ImageSelector::Name("1.4.2".to_owned()),
            ] {
                let error = open(files, list, &selector).await.unwrap_err();
                let is_only = selector == ImageSelector::Only;
                assert!(
                    matches!(error.fault, ArchiveFault::TwoImages { .. })
                        || (is_only
                            && matches!(
                                error.fault,
                                ArchiveFault::Layout(LayoutFault::SeveralImages { .. })
                            ))
                        || (at == 1
                            && matches!(
                                error.fault,
                                ArchiveFault::Layout(LayoutFault::Blob { .. })
                            )),
                    "{name} {at} {selector:?}: {error}"
                );
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 81);
}

/// What is asked for by its digest can be no other.
#[tokio::test]
async fn promise_1_a_digest_chooses_the_image_of_either_list() {
    let files = files(BOTH[0]);
    let mut own = list(&files);
    let mut changed = files.clone();
    let other = add_config(&mut changed, own[0]["Config"].as_str().unwrap());
    let root = open(&files, &own, &ImageSelector::Only).await.unwrap();
    own[0]["Config"] = json!(other);
    let found = open(&changed, &own, &ImageSelector::Digest(root))
        .await
        .unwrap();
    assert_eq!(found, root);
    let id: Digest = format!("sha256:{}", other.rsplit('/').next().unwrap())
        .parse()
        .unwrap();
    let made = open(&changed, &own, &ImageSelector::Digest(id))
        .await
        .unwrap();
    assert_ne!(made, root);
}
