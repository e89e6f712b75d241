use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tar::{Builder, EntryType, Header};

use super::*;
use crate::image::ImageSelector;
use crate::layout::CheckedCounts;
use std::fs::File;

use crate::layout::tests::{assert_expected, fixture};

const LAYER: &str = "66c8e0e58d0d530af384ef77e2f2796a2faa66da7c42c865d1ce7ad166c27895";
const ROOT: &str = "sha256:cc1d754f7abe924052ff9825539b5567c8aa2617e3591547d0ed519a498faf6a";

/// Unpacks into that directory.
fn into(directory: &Path) -> Unpacking {
    Unpacking {
        directory: Some(directory.to_owned()),
        limit: None,
    }
}

async fn open_and_check(path: &Path) -> Result<CheckedCounts, String> {
    let archive = ImageArchive::open(path, &Unpacking::default())
        .await
        .map_err(|e| e.to_string())?;
    let root = archive.select_image(&ImageSelector::Only).await;
    let root = root.map_err(|e| e.to_string())?;
    archive.check(root).await.map_err(|e| e.to_string())
}

#[tokio::test]
async fn every_broken_fixture_is_refused_by_name_of_what_is_wrong() {
    let amd64 = "d7e20a29fb984726614e20887ab463613b90a2ecb7b4e3ab322a6ec6abbeac7d";
    let arm64 = "b4593c79a0abb80d3e796a5643c03f47fbb8d7eafbfb0410ce9b83f606e0d001";
    for (name, messages) in [
        (
            "corrupt-layer.tar",
            vec![
                "layer sha256:",
                amd64,
                "is damaged: its content has the digest sha256:",
            ],
        ),
        ("empty-index.tar", vec!["its index.json names no image"]),
        (
            "missing-layer.tar",
            vec!["layer sha256:", " manifest sha256:", "is missing"],
        ),
        (
            "missing-platform-manifest.tar",
            vec![
                "linux/arm64 manifest sha256:",
                arm64,
                " of index ",
                ROOT,
                "is missing",
            ],
        ),
        (
            "no-index-json.tar",
            vec!["has no index.json, so it names no image"],
        ),
        (
            "truncated.tar",
            vec![
                "is cut short after entry \"blobs/sha256/4f4fb700ef54461cfa02571ae0db9a0dc1e0cdb5577484a6d75e68dc38e8acc1\"",
                "it has no index.json and no end mark",
            ],
        ),
    ] {
        let path = fixture("broken").join(name);
        let error = open_and_check(&path).await.unwrap_err();
        assert!(error.starts_with(&path.display().to_string()), "{error}");
        for message in messages {
            assert!(error.contains(message), "{name}: {error}\n{message}");
        }
    }
    assert_eq!(fs::read_dir(fixture("broken")).unwrap().count(), 6);
}

#[tokio::test]
async fn docker_archives_are_told_from_broken_ones() {
    for name in [
        "docker20-save-single.tar",
        "docker20-save-by-id.tar",
        "docker20-save-two-images.tar",
        "docker20-save-two-tags.tar",
        "skopeo-docker-archive.tar",
        "crane-pull-tarball.tar",
    ] {
        let error = ImageArchive::open(fixture(name), &Unpacking::default())
            .await
            .unwrap_err();
        assert!(
            matches!(error.fault, ArchiveFault::DockerArchive),
            "{name}: {error}"
        );
    }
}

#[tokio::test]
async fn what_is_no_archive_is_refused_with_its_reason() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let gzip = fs::read(fixture("buildkit-multi.tar.gz")).unwrap();
    let mut flipped = gzip.clone();
    flipped[5000] ^= 0x10;
    for (path, message) in [
        (fixture("absent.tar"), "the file does not exist"),
        (fixture("skopeo-oci-dir"), "is a directory, not an archive"),
        (fixture("expected.json"), "is not a tar archive: "),
        (file("empty", b""), "is not a tar archive: it is empty"),
        (
            file("zeroes", &[0; 4096]),
            "is not a tar archive: it has no entries",
        ),
        (
            file("half.tar.zst", &[0x28, 0xb5, 0x2f, 0xfd, 0]),
            "cannot be unpacked: its zstd stream is damaged or cut short",
        ),
        (
            file("xz", &[0xfd, b'7', b'z', b'X', b'Z', 0, 0]),
            "cannot be unpacked: ",
        ),
        (
            file("half.tar.gz", &gzip[..gzip.len() / 2]),
            "cannot be unpacked: ",
        ),
        (file("flipped.tar.gz", &flipped), "cannot be unpacked: "),
        (PathBuf::from("/dev/null"), "is not a regular file"),
    ] {
        let error = ImageArchive::open(&path, &Unpacking::default())
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains(message), "{error}");
    }
    let scratch = directory.path().join("absent");
    let error = ImageArchive::open(fixture("buildkit-multi.tar.gz"), &into(&scratch)).await;
    assert!(matches!(
        error.unwrap_err().fault,
        ArchiveFault::Scratch { .. }
    ));
}

#[tokio::test]
async fn a_compressed_archive_leaves_nothing_in_the_scratch_directory() {
    let [folder, scratch] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let tar = fs::read(fixture("buildkit-multi.tar")).unwrap();
    let zstd = folder.path().join("buildkit-multi.tar.zst");
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    fs::write(&zstd, ruzstd::encoding::compress_to_vec(&tar[..], level)).unwrap();
    for path in [fixture("buildkit-multi.tar.gz"), zstd] {
        let archive = ImageArchive::open(path, &into(scratch.path()))
            .await
            .unwrap();
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
        archive.check(ROOT.parse().unwrap()).await.unwrap();
    }
}

/// The entries of buildkit-multi.tar, to be written again with something added or changed.
fn entries() -> Vec<(Header, String, Vec<u8>)> {
    use std::io::Read;
    let file = File::open(fixture("buildkit-multi.tar")).unwrap();
    let mut archive = tar::Archive::new(file);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        entry.read_to_end(&mut content).unwrap();
        let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        (entry.header().clone(), name, content)
    });
    entries.collect()
}

/// A header of which every field is as given, also where the tar crate would refuse.
fn header(name: &str, kind: EntryType, link: &str, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.as_old_mut().linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    header.as_gnu_mut().unwrap().set_real_size(size);
    header.set_cksum();
    header
}

fn build(entries: &[(Header, Vec<u8>)]) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image.tar");
    let mut builder = Builder::new(File::create(&path).unwrap());
    for (header, content) in entries {
        builder.append(header, content.as_slice()).unwrap();
    }
    builder.finish().unwrap();
    (directory, path)
}

fn real() -> Vec<(Header, Vec<u8>)> {
    entries()
        .into_iter()
        .map(|(header, _, content)| (header, content))
        .collect()
}

/// The real image with entries put in front of it or after it.
async fn with(before: bool, more: Vec<(Header, Vec<u8>)>) -> Result<CheckedCounts, String> {
    let all = if before {
        [more, real()].concat()
    } else {
        [real(), more].concat()
    };
    let (_directory, path) = build(&all);
    open_and_check(&path).await
}

#[tokio::test]
async fn names_and_links_that_lead_out_are_refused() {
    let file = |name: &str| (header(name, EntryType::Regular, "", 1), b"x".to_vec());
    let link = |name: &str, kind, to: &str| (header(name, kind, to, 0), Vec::new());
    let cases = [
        (file("../evil"), "entry \"../evil\" has .. in its name"),
        (
            file("blobs/../../evil"),
            "entry \"blobs/../../evil\" has .. in its name",
        ),
        (
            file("/etc/passwd"),
            "entry \"/etc/passwd\" has an absolute name",
        ),
        (
            link("blobs/sha256/x", EntryType::Symlink, "/etc/passwd"),
            "entry \"blobs/sha256/x\" is a link to \"/etc/passwd\", outside the archive",
        ),
        (
            link("blobs/sha256/x", EntryType::Symlink, "../../../etc/passwd"),
            "entry \"blobs/sha256/x\" is a link to \"../../../etc/passwd\", outside",
        ),
        (
            link("blobs/sha256/x", EntryType::Link, "../x"),
            "entry \"blobs/sha256/x\" is a link to \"../x\", outside",
        ),
    ];
    for (entry, message) in cases {
        for before in [true, false] {
            let error = with(before, vec![entry.clone()]).await.unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}

#[tokio::test]
async fn a_long_name_that_leads_out_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image.tar");
    let mut builder = Builder::new(File::create(&path).unwrap());
    let long = format!("{}/../../../evil\0", "a/".repeat(200));
    let name = header(
        "././@LongLink",
        EntryType::GNULongName,
        "",
        long.len() as u64,
    );
    builder.append(&name, long.as_bytes()).unwrap();
    builder
        .append(&header("short", EntryType::Regular, "", 0), &b""[..])
        .unwrap();
    builder
        .append_pax_extensions([("path", b"/absolute".as_slice())])
        .unwrap();
    builder
        .append(&header("short", EntryType::Regular, "", 0), &b""[..])
        .unwrap();
    builder.finish().unwrap();
    let error = ImageArchive::open(&path, &Unpacking::default())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("has .. in its name"), "{error}");
}

#[tokio::test]
async fn links_inside_are_followed_so_far() {
    let blob = format!("blobs/sha256/{LAYER}");
    let renamed = |to: &str| {
        let mut all = real();
        for ((entry, _), (_, name, _)) in all.iter_mut().zip(entries()) {
            if name == blob {
                *entry = header(to, EntryType::Regular, "", entry.size().unwrap());
            }
        }
        all
    };
    let link = |kind, to: &str| (header(&blob, kind, to, 0), Vec::new());
    for (kind, to) in [
        (EntryType::Symlink, "../../data/layer"),
        (EntryType::Link, "data/layer"),
        (EntryType::Link, "./data/layer"),
    ] {
        let (_directory, path) = build(&[renamed("data/layer"), vec![link(kind, to)]].concat());
        assert_eq!(open_and_check(&path).await.unwrap().blobs, 7);
    }
    for to in ["../../data/absent", LAYER] {
        let all = [renamed("data/layer"), vec![link(EntryType::Symlink, to)]].concat();
        let (_directory, path) = build(&all);
        let error = open_and_check(&path).await.unwrap_err();
        assert!(error.contains(&format!("layer sha256:{LAYER}")), "{error}");
        assert!(error.contains("which is not a file"), "{error}");
    }
}

#[tokio::test]
async fn something_else_in_place_of_a_blob_is_named() {
    let blob = format!("blobs/sha256/{LAYER}");
    for (kind, what) in [
        (EntryType::Directory, "a directory"),
        (EntryType::Char, "a device"),
        (EntryType::Block, "a device"),
        (EntryType::Fifo, "a pipe"),
        (EntryType::new(b'Q'), "an entry of an unknown kind"),
    ] {
        let mut all = real();
        for ((entry, content), (_, name, _)) in all.iter_mut().zip(entries()) {
            if name == blob {
                (*entry, *content) = (header(&blob, kind, "", 0), Vec::new());
            }
        }
        let (_directory, path) = build(&all);
        let error = open_and_check(&path).await.unwrap_err();
        assert!(
            error.contains(&format!("layer sha256:{LAYER} of ")),
            "{error}"
        );
        assert!(error.contains(&format!("is {what}, not a file")), "{error}");
    }
}

#[tokio::test]
async fn two_entries_of_one_name_must_agree() {
    let again = |name: &str| {
        let (_, _, content) = entries().into_iter().find(|(_, n, _)| n == name).unwrap();
        (
            header(name, EntryType::Regular, "", content.len() as u64),
            content,
        )
    };
    let blob = format!("blobs/sha256/{LAYER}");
    with(false, vec![again(&blob)]).await.unwrap();
    let shorter = (header(&blob, EntryType::Regular, "", 1), b"x".to_vec());
    for (entry, name) in [(again("index.json"), "index.json"), (shorter, &blob)] {
        for before in [true, false] {
            let error = with(before, vec![entry.clone()]).await.unwrap_err();
            assert!(error.contains(&format!("two entries {name:?}")), "{error}");
        }
    }
}

#[tokio::test]
async fn names_with_a_dot_in_front_are_the_same_names() {
    let dotted: Vec<_> = entries()
        .into_iter()
        .map(|(entry, name, content)| {
            let name = format!("./{name}");
            (
                header(&name, entry.entry_type(), "", content.len() as u64),
                content,
            )
        })
        .collect();
    let (_directory, path) = build(&dotted);
    open_and_check(&path).await.unwrap();
    let archive = ImageArchive::open(&path, &Unpacking::default())
        .await
        .unwrap();
    assert_expected("buildkit-multi.tar", &archive).await;
}

#[tokio::test]
async fn long_and_pax_names_are_read() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image.tar");
    let mut builder = Builder::new(File::create(&path).unwrap());
    for (number, (mut entry, name, content)) in entries().into_iter().enumerate() {
        if number % 2 == 0 {
            builder
                .append_pax_extensions([("path", name.as_bytes())])
                .unwrap();
        } else {
            let long = header(
                "././@LongLink",
                EntryType::GNULongName,
                "",
                name.len() as u64,
            );
            builder.append(&long, name.as_bytes()).unwrap();
        }
        entry.as_old_mut().name = [b'x'; 100];
        entry.set_cksum();
        builder.append(&entry, content.as_slice()).unwrap();
    }
    builder.finish().unwrap();
    open_and_check(&path).await.unwrap();
}

#[tokio::test]
async fn endless_headers_are_not_taken_into_memory() {
    for kind in [
        EntryType::GNULongName,
        EntryType::GNULongLink,
        EntryType::XHeader,
    ] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("image.tar");
        let mut file = File::create(&path).unwrap();
        let size = 20 << 30;
        file.write_all(header("x", kind, "", size).as_bytes())
            .unwrap();
        file.set_len(512 + size + 1024).unwrap();
        let error = ImageArchive::open(&path, &Unpacking::default())
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("its headers are larger than 1048576 bytes"),
            "{error}"
        );
    }
    let (_directory, path) = build(&[(header("x", EntryType::Regular, "", 0), Vec::new())]);
    let mut bytes = fs::read(&path).unwrap();
    let huge = header("huge", EntryType::Regular, "", u64::MAX - 600);
    bytes.splice(512..512, *huge.as_bytes());
    fs::write(&path, bytes).unwrap();
    let error = ImageArchive::open(&path, &Unpacking::default())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("entry \"huge\"") || error.contains("overflow"),
        "{error}"
    );
}

#[tokio::test]
async fn an_archive_cut_at_any_block_is_refused() {
    let whole = fs::read(fixture("buildkit-multi.tar")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut.tar");
    let last = whole.iter().rposition(|byte| *byte != 0).unwrap();
    for len in (0..last).step_by(512) {
        fs::write(&path, &whole[..len]).unwrap();
        open_and_check(&path)
            .await
            .expect_err(&format!("cut at {len}"));
    }
}

#[tokio::test]
async fn an_archive_without_its_end_says_so() {
    let whole = fs::read(fixture("buildkit-multi.tar")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut.tar");
    fs::write(&path, &whole[..512]).unwrap();
    let error = ImageArchive::open(&path, &Unpacking::default())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("is cut short after entry \"blobs\": it has no index.json"),
        "{error}"
    );
}

#[tokio::test]
async fn an_archive_cut_in_an_entry_names_it() {
    let whole = fs::read(fixture("buildkit-multi.tar")).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("cut.tar");
    fs::write(&path, &whole[..17_000]).unwrap();
    let error = ImageArchive::open(&path, &Unpacking::default())
        .await
        .unwrap_err()
        .to_string();
    let message = format!(
        "is cut short: entry \"blobs/sha256/{LAYER}\" ends at byte 18440, the archive at byte 17000"
    );
    assert!(error.contains(&message), "{error}");
}

#[tokio::test]
async fn a_gzip_bomb_stays_out_of_memory() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bomb.tar.gz");
    let target = File::create(&path).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(target, flate2::Compression::fast());
    for _ in 0..256 {
        encoder.write_all(&[0; 1 << 20]).unwrap();
    }
    encoder.finish().unwrap();
    let error = ImageArchive::open(&path, &Unpacking::default())
        .await
        .unwrap_err();
    assert!(matches!(error.fault, ArchiveFault::NotTar(_)), "{error}");
}

/// Whatever happens to an archive, it is either refused or every part has its digest.
fn open_any(bytes: &[u8]) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("any.tar");
    fs::write(&path, bytes).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    if let Ok(checked) = runtime.block_on(open_and_check(&path)) {
        assert_eq!((checked.manifests, checked.blobs), (3, 7));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..2048)) {
        open_any(&bytes);
        let gzip = [&[0x1f, 0x8b, 8, 0][..], &bytes].concat();
        open_any(&gzip);
        let zstd = [&[0x28, 0xb5, 0x2f, 0xfd][..], &bytes].concat();
        open_any(&zstd);
    }

    #[test]
    fn mutated_archives_never_panic(
        changes in prop::collection::vec((0_usize..28_672, any::<u8>()), 1..6),
        mend in any::<bool>(),
        gzip in any::<bool>(),
    ) {
        let name = if gzip { "buildkit-multi.tar.gz" } else { "buildkit-multi.tar" };
        let mut bytes = fs::read(fixture(name)).unwrap();
        for (at, with) in changes {
            let at = at % bytes.len();
            bytes[at] = with;
            if mend && !gzip {
                mend_checksum(&mut bytes[at / 512 * 512..][..512]);
            }
        }
        open_any(&bytes);
    }
}

/// Makes a changed header one that is read on.
fn mend_checksum(block: &mut [u8]) {
    let mut header = Header::new_old();
    header.as_mut_bytes().copy_from_slice(block);
    if header.as_ustar().is_some() || header.as_gnu().is_some() {
        header.set_cksum();
        block.copy_from_slice(header.as_bytes());
    }
}
