//! `cargo +nightly fuzz run archive`: any bytes are an archive with a whole image, read either way, or are
//! refused; nothing stays on disk.

#![no_main]

use std::path::Path;

use shipmark::archive::{ImageArchive, Unpacking};
use shipmark::image::ImageSelector;
use shipmark::notices::Notices;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().unwrap();
    let [path, scratch] = ["archive.tar", "scratch"].map(|name| folder.path().join(name));
    std::fs::write(&path, bytes).unwrap();
    std::fs::create_dir(&scratch).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(read(&path, &scratch));
    assert_eq!(std::fs::read_dir(&scratch).unwrap().count(), 0);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
});

async fn read(path: &Path, scratch: &Path) {
    let unpacking = Unpacking {
        directory: Some(scratch.to_owned()),
        limit: None,
    };
    if let Ok(archive) = ImageArchive::open(path, &unpacking).await
        && let Ok(root) = archive.select_image(&ImageSelector::Only).await
    {
        let _ = archive.check(root).await;
        let _ = archive.read_referrers().await;
    }
    let quiet = Notices::new(|_| {});
    let docker = ImageArchive::open_docker(path, &ImageSelector::Only, &unpacking, &quiet).await;
    if let Ok((archive, root)) = docker {
        let _ = archive.check(root).await;
    }
}
