//! What is tried with bytes that may be a release record, the name of an entry or its manifest, by cargo-fuzz and by
//! tests/it/mutants/records.rs alike.

use shipmark::image::Manifest;
use shipmark::record::{
    EntryName, RecordBlob, RecordId, ReleaseRecord, STATEMENT_MEDIA_TYPE, build_entry_manifest,
    parse_entry_manifest,
};

/// Reads `bytes` as each of the three. Returns whether they are one.
pub fn drive(bytes: &[u8]) -> bool {
    let name = std::str::from_utf8(bytes).is_ok_and(drive_name);
    let statement = drive_statement(bytes);
    let manifest = Manifest::parse(bytes.to_vec().into(), None);
    let entry = manifest.is_ok_and(|manifest| parse_entry_manifest(&manifest).is_ok());
    name || statement || entry
}

/// One name has one spelling, which is a tag.
fn drive_name(text: &str) -> bool {
    let Ok(name) = text.parse::<EntryName>() else {
        return false;
    };
    assert_eq!(name.to_string(), text);
    assert_eq!(name.to_tag().as_str(), text);
    true
}

/// A record is written as a statement that reads as itself, and its entry names and holds it.
fn drive_statement(bytes: &[u8]) -> bool {
    let Ok(record) = ReleaseRecord::parse_statement(bytes) else {
        return false;
    };
    let again = ReleaseRecord::parse_statement(&record.to_statement());
    assert_eq!(again.as_ref(), Ok(&record));
    let id = RecordId::from_blob(bytes);
    let name = record.entry_name(id);
    assert_eq!(name.to_string().parse(), Ok(name));
    let blob = RecordBlob {
        media_type: STATEMENT_MEDIA_TYPE.to_owned(),
        content: bytes.to_vec().into(),
    };
    let layers = parse_entry_manifest(&build_entry_manifest(&blob, &[])).unwrap();
    assert_eq!(layers.record.digest, id.digest());
    true
}
