//! Layouts that somebody else has prepared: with links, pipes and wrong bytes in them.

use std::os::unix::fs::symlink;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::json;

use super::*;
use crate::image::ImageSelector;

const CONFIG: &[u8] = b"{}";
const LAYER: &[u8] = b"a layer";

/// What somebody puts in the place of a file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PreparedEntry {
    LinkToFolder,
    LinkToFile,
    LinkToNothing,
    LinkToPipe,
    LinkToItself,
    LinkToZeroes,
    Pipe,
    Folder,
    File,
}

const PREPARED_ENTRIES: [PreparedEntry; 9] = [
    PreparedEntry::LinkToFolder,
    PreparedEntry::LinkToFile,
    PreparedEntry::LinkToNothing,
    PreparedEntry::LinkToPipe,
    PreparedEntry::LinkToItself,
    PreparedEntry::LinkToZeroes,
    PreparedEntry::Pipe,
    PreparedEntry::Folder,
    PreparedEntry::File,
];

fn pipe(path: &Path) {
    let mode = Mode::from_raw_mode(0o666);
    mknodat(CWD, path, FileType::Fifo, mode, 0).unwrap();
}

impl PreparedEntry {
    /// Sets it, with what it leads to in the folder `victim`.
    fn set(self, place: &Path, victim: &Path) {
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        match self {
            Self::LinkToFolder => symlink(victim, place).unwrap(),
            Self::LinkToFile => symlink(victim.join("precious"), place).unwrap(),
            Self::LinkToNothing => symlink(victim.join("made"), place).unwrap(),
            Self::LinkToPipe => symlink(victim.join("pipe"), place).unwrap(),
            Self::LinkToItself => symlink(place, place).unwrap(),
            Self::LinkToZeroes => symlink("/dev/zero", place).unwrap(),
            Self::Pipe => pipe(place),
            Self::Folder => fs::create_dir(place).unwrap(),
            Self::File => fs::write(place, "something").unwrap(),
        }
    }
}

/// A folder that nobody may touch, and what is in it.
fn victim() -> tempfile::TempDir {
    let victim = tempfile::tempdir().unwrap();
    for name in ["precious", "tmp-precious", "lock", "index.json"] {
        fs::write(victim.path().join(name), "precious").unwrap();
    }
    let ours = format!("tmp-{}", "0".repeat(32));
    fs::write(victim.path().join(ours), "precious").unwrap();
    pipe(&victim.path().join("pipe"));
    victim
}

fn listing(folder: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let listed = entries.map(|entry| {
        let name = entry.file_name().into_string().unwrap();
        (name, fs::symlink_metadata(entry.path()).unwrap().len())
    });
    let mut listed: Vec<_> = listed.collect();
    listed.sort();
    listed
}

/// Writes an image under a tag.
async fn write(layout: &LayoutDirectory) -> Result<TagWriteResult, String> {
    let writing = async {
        for blob in [CONFIG, LAYER] {
            let written = layout.write_blob(&descriptor(blob), pieces(blob, 3)).await;
            written.map_err(|error| error.to_string())?;
        }
        let tag = "1".parse().unwrap();
        let written = layout
            .write_tag(&tag, &with_layer(), TagPrecondition::Any)
            .await;
        written.map_err(|error| error.to_string())
    };
    let done = tokio::time::timeout(Duration::from_secs(20), writing).await;
    done.expect("nothing is waited for")
}

fn with_layer() -> Manifest {
    let part = |bytes: &[u8]| {
        let it = descriptor(bytes);
        json!({"mediaType": "c", "digest": it.digest.to_string(), "size": it.size})
    };
    let json = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": part(CONFIG), "layers": [part(LAYER)],
    });
    Manifest::parse(json.to_string().into(), None).unwrap()
}

fn assert_whole(layout: &LayoutDirectory) {
    let manifest = with_layer();
    for bytes in [CONFIG, LAYER, &manifest.bytes] {
        let place = blob_path(layout, Digest::from_bytes(bytes));
        assert!(fs::symlink_metadata(&place).unwrap().is_file());
        assert_eq!(fs::read(place).unwrap(), bytes);
    }
}

#[tokio::test]
async fn promise_2_nothing_is_written_through_what_somebody_has_prepared() {
    let mut tried = 0;
    let names = [
        ".shipmark",
        "blobs",
        "blobs/sha256",
        ".shipmark/lock",
        INDEX_FILE,
        LAYOUT_FILE,
    ];
    for name in names {
        for prepared in PREPARED_ENTRIES {
            let (victim, directory) = (victim(), tempfile::tempdir().unwrap());
            let before = listing(victim.path());
            let is_folder = !name.contains("lock") && ![INDEX_FILE, LAYOUT_FILE].contains(&name);
            prepared.set(&directory.path().join(name), victim.path());
            let written = write(&LayoutDirectory::new(directory.path())).await;
            tried += 1;
            assert_eq!(listing(victim.path()), before, "{name} {prepared:?}");
            match (prepared, is_folder, name) {
                // As it should be.
                (PreparedEntry::Folder, true, _)
                | (PreparedEntry::File, false, ".shipmark/lock") => {
                    written.unwrap();
                }
                _ => {
                    let error = written.unwrap_err();
                    let last = name.rsplit('/').next().unwrap();
                    assert!(error.contains(last), "{name} {prepared:?}: {error}");
                }
            }
        }
    }
    assert_eq!(tried, 54);
}

#[tokio::test]
async fn promise_1_what_is_there_in_place_of_a_blob_is_replaced() {
    let manifest = with_layer();
    let mut tried = 0;
    for bytes in [CONFIG, LAYER, &manifest.bytes] {
        let wrong = vec![b'E'; bytes.len()];
        let mut half = bytes.to_vec();
        half.pop();
        for content in [&wrong, &half, &Vec::new()] {
            let directory = tempfile::tempdir().unwrap();
            let layout = LayoutDirectory::new(directory.path());
            let place = blob_path(&layout, Digest::from_bytes(bytes));
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::write(&place, content).unwrap();
            write(&layout).await.unwrap();
            assert_whole(&layout);
            tried += 1;
        }
        for prepared in PREPARED_ENTRIES {
            let (victim, directory) = (victim(), tempfile::tempdir().unwrap());
            let before = listing(victim.path());
            // The very bytes, which may be others tomorrow.
            fs::write(victim.path().join("precious"), bytes).unwrap();
            let layout = LayoutDirectory::new(directory.path());
            prepared.set(
                &blob_path(&layout, Digest::from_bytes(bytes)),
                victim.path(),
            );
            let written = write(&layout).await;
            match prepared {
                PreparedEntry::Folder => {
                    assert!(written.unwrap_err().contains("cannot write blob"))
                }
                _ => assert_whole(&layout),
            }
            fs::write(victim.path().join("precious"), "precious").unwrap();
            assert_eq!(listing(victim.path()), before, "{prepared:?}");
            tried += 1;
        }
    }
    assert_eq!(tried, 36);
}

/// A tag for an image that is there already: nothing is sent, and all is hashed.
#[tokio::test]
async fn promise_1_a_tag_is_not_written_over_wrong_bytes() {
    let manifest = with_layer();
    let entry = json!({
        "mediaType": manifest.media_type.as_str(), "digest": manifest.digest.to_string(),
        "size": manifest.bytes.len(),
    });
    let index = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry],
    });
    let above = Manifest::parse(index.to_string().into(), None).unwrap();
    let mut tried = 0;
    for root in [&manifest, &above] {
        for bytes in [CONFIG, LAYER, &manifest.bytes] {
            let digest = Digest::from_bytes(bytes);
            if root.digest == digest {
                // It is written with its tag.
                continue;
            }
            for byte in [0, bytes.len() - 1] {
                let directory = tempfile::tempdir().unwrap();
                let before = LayoutDirectory::new(directory.path());
                write(&before).await.unwrap();
                before.write_manifest(&above).await.unwrap();
                let layout = LayoutDirectory::new(directory.path());
                let mut wrong = bytes.to_vec();
                wrong[byte] ^= 1;
                fs::write(blob_path(&layout, digest), wrong).unwrap();
                let tag = "2".parse().unwrap();
                let written = layout.write_tag(&tag, root, TagPrecondition::Any).await;
                let error = written.unwrap_err().to_string();
                assert!(error.contains(&digest.to_string()), "{error}");
                assert!(error.contains("is damaged"), "{error}");
                assert_eq!(layout.resolve_tag(&tag).await.unwrap(), None);
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 10);
}

#[tokio::test]
async fn promise_2_only_our_own_temporary_files_are_removed() {
    let directory = tempfile::tempdir().unwrap();
    let layout = LayoutDirectory::new(directory.path());
    write(&layout).await.unwrap();
    let corner = directory.path().join(".shipmark");
    let hex = "0123456789abcdef".repeat(2);
    let kept = [
        "tmp-precious".to_owned(),
        "tmp-".to_owned(),
        format!("tmp-{}", &hex[1..]),
        format!("tmp-{hex}0"),
        format!("tmp-{}", hex.to_uppercase()),
        format!("tmp-{hex}.bak"),
        format!("TMP-{hex}"),
        format!("x-tmp-{hex}"),
        hex.clone(),
    ];
    for name in &kept {
        fs::write(corner.join(name), "precious").unwrap();
    }
    let victim = victim();
    let ours = |at: u8| format!("tmp-{}", format!("{at:02x}").repeat(16));
    for (at, prepared) in PREPARED_ENTRIES.into_iter().enumerate() {
        prepared.set(&corner.join(ours(at as u8)), victim.path());
    }
    let before = listing(victim.path());
    let again = image(CONFIG, "again");
    let tag = "2".parse().unwrap();
    let written = layout.write_tag(&tag, &again, TagPrecondition::Any).await;
    written.unwrap();
    assert_eq!(listing(victim.path()), before);
    for name in &kept {
        assert_eq!(fs::read(corner.join(name)).unwrap(), b"precious", "{name}");
    }
    for (at, prepared) in PREPARED_ENTRIES.into_iter().enumerate() {
        let stays = fs::symlink_metadata(corner.join(ours(at as u8))).is_ok();
        assert_eq!(stays, prepared != PreparedEntry::File, "{prepared:?}");
    }
}

/// A layout that is read may have links, whose content is hashed; nothing is waited for.
#[tokio::test]
async fn promise_1_a_prepared_source_is_read_as_its_digests_say_or_refused() {
    let mut tried = 0;
    let blobs = [CONFIG.to_vec(), LAYER.to_vec(), with_layer().bytes.to_vec()];
    for name in [
        "config",
        "layer",
        "manifest",
        INDEX_FILE,
        LAYOUT_FILE,
        "blobs/sha256",
        "blobs",
    ] {
        for prepared in PREPARED_ENTRIES {
            let (victim, directory) = (victim(), tempfile::tempdir().unwrap());
            write(&LayoutDirectory::new(directory.path()))
                .await
                .unwrap();
            let layout = LayoutDirectory::to_read(directory.path());
            let place = match name {
                "config" => blob_path(&layout, Digest::from_bytes(&blobs[0])),
                "layer" => blob_path(&layout, Digest::from_bytes(&blobs[1])),
                "manifest" => blob_path(&layout, Digest::from_bytes(&blobs[2])),
                name => directory.path().join(name),
            };
            match place.is_dir() {
                true => fs::remove_dir_all(&place).unwrap(),
                false => fs::remove_file(&place).unwrap(),
            }
            prepared.set(&place, victim.path());
            let reading = async {
                let layout = LayoutDirectory::open(directory.path())
                    .await
                    .map_err(|it| it.to_string())?;
                let root = layout
                    .select_image(&ImageSelector::Only)
                    .await
                    .map_err(|it| it.to_string())?;
                layout.check(root).await.map_err(|it| it.to_string())
            };
            let read = tokio::time::timeout(Duration::from_secs(20), reading).await;
            read.expect("nothing is waited for").unwrap_err();
            tried += 1;
        }
    }
    let directory = tempfile::tempdir().unwrap();
    write(&LayoutDirectory::new(directory.path()))
        .await
        .unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    for bytes in &blobs {
        let place = blob_path(
            &LayoutDirectory::to_read(directory.path()),
            Digest::from_bytes(bytes),
        );
        let moved = elsewhere.path().join(Digest::from_bytes(bytes).to_hex());
        fs::rename(&place, &moved).unwrap();
        symlink(&moved, &place).unwrap();
    }
    let layout = LayoutDirectory::open(directory.path()).await.unwrap();
    let root = layout.select_image(&ImageSelector::Only).await.unwrap();
    assert_eq!(layout.check(root).await.unwrap().blobs, 2);
    assert_eq!(tried, 63);
}
