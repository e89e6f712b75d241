//! Archives that unpack to more than they may.

use std::fs;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::*;
use crate::archive::{ArchiveError, ImageArchive};
use crate::image::ImageSelector;
use crate::layout::tests::fixture;
use crate::notices::Notices;

const MIB: u64 = 1 << 20;

fn up_to(limit: u64, directory: &Path) -> Unpacking {
    Unpacking {
        directory: Some(directory.to_owned()),
        limit: Some(limit),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// The fixtures' image, without the zeroes at its end.
fn image() -> Vec<u8> {
    let mut tar = fs::read(fixture("buildkit-multi.tar")).unwrap();
    let end = tar.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    tar.truncate(end.next_multiple_of(512));
    tar
}

/// The whole of it read, in either form.
async fn read(archive: &[u8], unpacking: &Unpacking) -> Result<(), ArchiveError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("image");
    fs::write(&path, archive).unwrap();
    let archive = ImageArchive::open(&path, unpacking).await?;
    let root = archive.select_image(&ImageSelector::Only).await.unwrap();
    archive.check(root).await.unwrap();
    Ok(())
}

fn header(kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..5].copy_from_slice(b"large");
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_size(size);
    header.set_cksum();
    header
}

/// A sparse file of so many bytes, of which some are in the archive.
fn sparse(len: u64, inside: u64) -> Header {
    let mut header = header(EntryType::GNUSparse, inside);
    let gnu = header.as_gnu_mut().unwrap();
    gnu.set_real_size(len);
    gnu.sparse[0].offset = *b"00000000000\0";
    gnu.sparse[0]
        .numbytes
        .copy_from_slice(format!("{inside:011o}\0").as_bytes());
    gnu.sparse[1]
        .offset
        .copy_from_slice(format!("{len:011o}\0").as_bytes());
    gnu.sparse[1].numbytes = *b"00000000000\0";
    header.set_cksum();
    header
}

#[test]
fn the_room_grows_with_the_archive_up_to_a_limit() {
    let default = Unpacking::default();
    let own = up_to(7, Path::new("/there"));
    let path = Path::new("folder/image.tar.gz");
    for (size, expected) in [
        (0, 512 * MIB),
        (4096, 512 * MIB),
        (5 * MIB, 512 * MIB),
        (6 * MIB, 600 * MIB),
        (300 * MIB, 30_000 * MIB),
        (400 * MIB, 32_768 * MIB),
        (u64::MAX, 32_768 * MIB),
    ] {
        let room = default.of_archive(path, size);
        assert_eq!(
            (room.limit(), &*room.directory),
            (expected, Path::new("folder"))
        );
        let room = own.of_archive(path, size);
        assert_eq!((room.limit(), &*room.directory), (7, Path::new("/there")));
    }
    assert_eq!(default.of_stream().limit(), 32_768 * MIB);
    assert_eq!(own.of_stream().limit(), 7);
    for (text, expected) in [
        ("1", Some(1 << 30)),
        ("64", Some(64 << 30)),
        ("1048576", Some(1 << 50)),
    ] {
        assert_eq!(text.parse().ok().map(ScratchLimit::bytes), expected);
    }
    for text in [
        "",
        "0",
        "-1",
        "+1",
        "1.5",
        "1 GiB",
        "1048577",
        "99999999999999999999",
        "x",
    ] {
        assert!(text.parse::<ScratchLimit>().is_err(), "{text}");
    }
}

#[tokio::test]
async fn promise_6_nothing_after_the_end_of_a_tar_is_unpacked() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image();
    // The image, and where it ends.
    let room = up_to(image.len() as u64 + 1024, scratch.path());
    let zeroes = vec![0; 24 << 20];
    let noise: Vec<u8> = (0..4 << 20)
        .map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let again = [vec![0; 1024], image.clone()].concat();
    let mut tried = 0;
    for after in [
        &[0; 1024][..],
        &[0; 512],
        &[0; 10240],
        &zeroes,
        &[&[0; 512][..], &noise].concat(),
        &again,
    ] {
        for pack in [gzip, zstd] {
            let whole = pack(&[&image, after].concat());
            let members = [pack(&[&image, &[0; 1024][..]].concat()), pack(after)].concat();
            for archive in [whole, members] {
                read(&archive, &room).await.unwrap();
                tried += 1;
            }
        }
    }
    // A little noise after the last stream is looked at as it was before.
    let cut = gzip(&[&image, &[0; 1024][..]].concat());
    let error = read(&cut[..cut.len() - 4], &room).await.unwrap_err();
    assert!(matches!(error.fault, ArchiveFault::Unpack(_)), "{error}");
    assert_eq!(tried, 24);
}

#[tokio::test]
async fn promise_6_an_archive_that_unpacks_to_more_than_it_may_is_refused() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image();
    let zeroes = vec![0; 3 << 20];
    let with = |header: Header, content: &[u8], before: bool| {
        let more = [header.as_bytes(), content].concat();
        match before {
            true => [&more, &image[..], &[0; 1024]].concat(),
            false => [&image[..], &more, &[0; 1024]].concat(),
        }
    };
    let mut small = Builder::new(Vec::new());
    for _ in 0..3000 {
        let size = 512;
        small
            .append(&header(EntryType::XGlobalHeader, size), &[b' '; 512][..])
            .unwrap();
    }
    let small = [small.into_inner().unwrap(), image.clone()].concat();
    let pax = {
        let mut tar = Builder::new(Vec::new());
        tar.append_pax_extensions([("size", b"3145728".as_slice())])
            .unwrap();
        let extension = tar.get_ref().clone();
        [
            &extension[..],
            header(EntryType::Regular, 0).as_bytes(),
            &zeroes,
            &image,
        ]
        .concat()
    };
    let mut tried = 0;
    let large = [
        with(header(EntryType::Regular, 3 * MIB), &zeroes, true),
        with(header(EntryType::Regular, 3 * MIB), &zeroes, false),
        with(header(EntryType::Continuous, 3 * MIB), &zeroes, true),
        with(sparse(3 * MIB, 3 * MIB), &zeroes, true),
        with(header(EntryType::Symlink, 3 * MIB), &zeroes, true),
        with(header(EntryType::new(b'Z'), 3 * MIB), &zeroes, true),
        with(header(EntryType::Regular, u64::MAX >> 1), &zeroes, true),
        with(header(EntryType::Regular, 1 << 40), &zeroes, false),
        small,
        pax,
    ];
    for tar in &large {
        for archive in [gzip(tar), zstd(tar)] {
            let error = read(&archive, &up_to(MIB, scratch.path()))
                .await
                .unwrap_err();
            let ArchiveFault::TooLarge { limit } = error.fault else {
                panic!("{tried}: {error}")
            };
            assert_eq!(limit, MIB);
            assert!(error.fault.hint().unwrap().contains("scratch-limit"));
            assert!(
                error.to_string().contains("unpacks to more than 1 MiB"),
                "{error}"
            );
            tried += 1;
        }
    }
    assert_eq!(tried, 20);
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
}

/// What a header says of sizes takes no room by itself, and no time.
#[tokio::test]
async fn promise_6_what_a_header_promises_is_not_made() {
    let scratch = tempfile::tempdir().unwrap();
    let image = image();
    let sparse = sparse(0o77777777777, 512);
    let harmless = [sparse.as_bytes(), &[1; 512][..], &image[..], &[0; 1024]].concat();
    for pack in [gzip, zstd] {
        read(&pack(&harmless), &up_to(MIB, scratch.path()))
            .await
            .unwrap();
        for size in [1 << 40, u64::MAX >> 1] {
            let huge = [header(EntryType::Regular, size).as_bytes(), &image[..]].concat();
            let error = read(&pack(&huge), &up_to(MIB, scratch.path()))
                .await
                .unwrap_err();
            assert!(
                matches!(
                    error.fault,
                    ArchiveFault::CutShort { .. } | ArchiveFault::Header { .. }
                ),
                "{error}"
            );
            let name = [
                header(EntryType::GNULongName, size).as_bytes(),
                &vec![b'x'; 3 << 20][..],
                &image,
            ]
            .concat();
            let error = read(&pack(&name), &up_to(8 * MIB, scratch.path()))
                .await
                .unwrap_err();
            assert!(
                error.to_string().contains("headers are larger than"),
                "{error}"
            );
        }
    }
}

/// A docker-archive's layers are compressed, or looked into.
#[tokio::test]
async fn promise_6_what_is_made_of_an_archive_takes_of_its_room() {
    let scratch = tempfile::tempdir().unwrap();
    let quiet = Notices::new(|_| {});
    let mut tried = 0;
    for name in [
        "skopeo-docker-archive.tar",
        "docker20-save-single.tar",
        "crane-pull-tarball.tar",
    ] {
        for (limit, enough) in [(300, false), (1000, false), (MIB, true)] {
            let opened = ImageArchive::open_docker(
                fixture(name),
                &ImageSelector::Only,
                &up_to(limit, scratch.path()),
                &quiet,
            )
            .await;
            match opened {
                Ok(_) => assert!(enough, "{name} {limit}"),
                Err(error) => {
                    assert!(
                        !enough && matches!(error.fault, ArchiveFault::TooLarge { .. }),
                        "{error}"
                    );
                }
            }
            tried += 1;
        }
    }
    assert_eq!(tried, 9);
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
}
