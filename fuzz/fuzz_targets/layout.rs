//! `cargo +nightly fuzz run layout`: any index.json over any manifest is a layout that is read, or is
//! refused. The input is both, with a NUL between them; `@` in the index stands for the manifest's digest
//! and `#` for its size, so that one can name the other.

#![no_main]

use std::path::Path;

use shipmark::image::{Digest, ImageSelector};
use shipmark::layout::LayoutDirectory;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let at = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (index, manifest) = bytes.split_at(at);
    let manifest = manifest.get(1..).unwrap_or_default();
    let digest = Digest::from_bytes(manifest);
    let index = String::from_utf8_lossy(index)
        .replace('@', &digest.to_string())
        .replace('#', &manifest.len().to_string());
    let folder = tempfile::tempdir().unwrap();
    let blobs = folder.path().join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    std::fs::write(blobs.join(digest.to_hex()), manifest).unwrap();
    std::fs::write(folder.path().join("index.json"), index).unwrap();
    let marker = r#"{"imageLayoutVersion":"1.0.0"}"#;
    std::fs::write(folder.path().join("oci-layout"), marker).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(read(folder.path(), digest));
});

async fn read(path: &Path, digest: Digest) {
    let Ok(layout) = LayoutDirectory::open(path).await else {
        return;
    };
    let _ = layout.tags().await;
    let _ = layout.referrers_of(digest).await;
    let _ = layout.read_referrers().await;
    if let Ok(root) = layout.select_image(&ImageSelector::Only).await {
        let _ = layout.check(root).await;
    }
    if let Ok(Some(manifest)) = layout.get_manifest(digest).await {
        assert_eq!(manifest.digest, digest);
    }
}
