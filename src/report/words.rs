//! Figures and states as people read them.

use std::collections::BTreeMap;

use crate::image::{Digest, Place, Tag, Target};
use crate::referrers::{self, Travelled};
use crate::release::{Change, Form, Outcome, Signed, Subset, Verb};
use crate::tagging::Kind;
use crate::transfer::Content;

/// A number of bytes, in the largest unit that gives at least one.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if count < 1024 {
        return format!("{count} B");
    }
    // In tenths, to stay with whole numbers.
    let mut tenths = u128::from(count) * 10;
    let mut unit = "B";
    for next in UNITS {
        if tenths < 10 * 1024 {
            break;
        }
        tenths /= 1024;
        unit = next;
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

/// A number of things: `1 blob`, `2 blobs`.
pub(super) fn count(number: u64, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// The verb's name.
pub(super) fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Push => "push",
        Verb::Promote => "promote",
    }
}

/// The output `outcome`. A dry run releases nothing, whatever it would have.
pub(super) fn state(outcome: &Outcome) -> &'static str {
    if outcome.released() && !outcome.dry_run {
        "released"
    } else {
        "unchanged"
    }
}

/// What happened to the source, in a few words that go before it.
pub(super) fn deed(outcome: &Outcome) -> &'static str {
    match (outcome.dry_run, outcome.released(), outcome.verb) {
        (true, true, Verb::Push) => "dry run, nothing was written: would push",
        (true, true, Verb::Promote) => "dry run, nothing was written: would promote",
        (true, false, _) => "dry run: nothing would have to change for",
        (false, false, _) => "nothing had to change for",
        (false, true, Verb::Push) => "pushed",
        (false, true, Verb::Promote) => "promoted",
    }
}

/// How it ended, for a title.
pub(super) fn end(outcome: &Outcome) -> &'static str {
    match (outcome.dry_run, outcome.released()) {
        (true, true) => "dry run, nothing was written",
        (true, false) => "dry run, nothing would have to change",
        (false, true) => "released",
        (false, false) => "nothing had to change",
    }
}

/// The image under a tag.
pub(super) fn by_tag(place: &Place, tag: &Tag) -> String {
    format!("{place}:{tag}")
}

/// The image by its digest.
pub(super) fn by_digest(place: &Place, digest: Digest) -> String {
    format!("{place}@{digest}")
}

/// The name of a form of signatures, as the input `signature-format` has it.
pub(super) fn form(form: Form) -> &'static str {
    match form {
        Form::Bundle => "bundle",
        Form::Legacy => "legacy",
    }
}

/// Where a signature is, once it is made.
pub(super) fn signature(place: &Place, signed: &Signed) -> Option<String> {
    Some(match signed.at.as_ref()? {
        Target::Digest(digest) => by_digest(place, *digest),
        Target::Tag(tag) => by_tag(place, tag),
    })
}

/// What became of a signature or an attestation, of the root or of a manifest below it.
pub(super) fn signed(signed: &Signed, outcome: &Outcome) -> String {
    let (done, what) = match signed.attests {
        None => ("signed", String::new()),
        Some(kind) => ("attested", format!(" {kind}")),
    };
    let what = match (signed.made, outcome.dry_run) {
        (true, true) => format!("would be {done}{what}"),
        (true, false) => format!("{done}{what}"),
        (false, _) => format!("is {done} already{what}"),
    };
    match signed.of == outcome.root {
        true => format!("{what} ({})", signed.form),
        false => format!("{what} {} ({})", signed.of.short(), signed.form),
    }
}

/// What became of a tag, or would have.
pub(super) fn change(change: &Change, dry_run: bool) -> String {
    match (change, dry_run) {
        (Change::Created, false) => "created".to_owned(),
        (Change::Created, true) => "would be created".to_owned(),
        (Change::Moved { from }, false) => format!("moved from {}", from.short()),
        (Change::Moved { from }, true) => format!("would move from {}", from.short()),
        (Change::Unchanged, _) => "unchanged".to_owned(),
        (Change::Stays { at: Some(at), .. }, _) => format!("stays at {}", at.short()),
        (Change::Stays { at: None, .. }, _) => "not written".to_owned(),
        (Change::Corrected { to, .. }, false) => format!("put right, to {}", to.short()),
        (Change::Corrected { to, .. }, true) => format!("would be put right, to {}", to.short()),
    }
}

/// Why that became of a tag.
pub(super) fn reason(change: &Change, kind: &Kind, rule: &str) -> String {
    match change {
        Change::Stays { why, .. } | Change::Corrected { why, .. } => why.clone(),
        _ if kind.is_immutable() => format!("{rule} (immutable)"),
        _ => format!("{rule} (moving)"),
    }
}

/// What was copied.
pub(super) fn content(content: &Content, dry_run: bool) -> String {
    if dry_run {
        return "nothing was copied: a dry run".to_owned();
    }
    if *content == Content::default() {
        return "nothing had to be copied".to_owned();
    }
    let mut parts = vec![
        count(content.manifests_written, "manifest") + " written",
        format!(
            "{} moved in {}",
            bytes(content.moved.bytes),
            count(content.moved.blobs, "blob")
        ),
    ];
    let why = [
        (content.present, "there already"),
        (content.mounted, "mounted"),
        (content.shared, "brought by this run already"),
    ];
    let why = why.iter().filter(|(amount, _)| amount.blobs > 0);
    let why: Vec<String> = why
        .map(|(amount, why)| {
            format!(
                "{} in {} {why}",
                bytes(amount.bytes),
                count(amount.blobs, "blob")
            )
        })
        .collect();
    if !why.is_empty() {
        let spared = bytes(content.spared().bytes);
        parts.push(format!("{spared} not moved ({})", why.join(", ")));
    }
    if content.resumed.blobs > 0 {
        let (spared, breaks) = (bytes(content.resumed.bytes), content.resumed.blobs);
        parts.push(format!(
            "{spared} not moved again after {}",
            count(breaks, "break")
        ));
    }
    parts.join(", ")
}

/// The digest that was asked for.
pub(super) fn asked(outcome: &Outcome) -> Digest {
    let subset = outcome.subset.as_ref().map(|subset| subset.of);
    subset.or(outcome.kept).unwrap_or(outcome.root)
}

/// What the image was made of, where it is some platforms of another.
pub(super) fn subset(subset: &Subset) -> String {
    format!("a new index, of {} alone", subset.platforms.join(", "))
}

/// What travelled with the image, and what stayed behind: a line each, where there is anything.
pub(super) fn beside(beside: &Travelled, dry_run: bool) -> Vec<String> {
    let listed = |counts: &BTreeMap<referrers::Kind, u64>| -> Vec<String> {
        let counts = counts.iter();
        counts.map(|(kind, count)| kind.counted(*count)).collect()
    };
    let (copied, present) = (listed(&beside.copied), listed(&beside.present));
    let mut lines = Vec::new();
    if !copied.is_empty() {
        let deed = if dry_run { "would travel" } else { "travelled" };
        lines.push(format!("{deed} with it: {}", copied.join(", ")));
    }
    if !present.is_empty() {
        lines.push(format!("there with it already: {}", present.join(", ")));
    }
    let left = beside.left.iter();
    lines.extend(left.map(|left| format!("stayed behind: {left}")));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::Amount;

    #[test]
    fn what_was_not_moved_is_said_with_its_reason() {
        let amount = |blobs, bytes| Amount { blobs, bytes };
        let mut copied = Content {
            manifests_written: 1,
            moved: amount(1, 10),
            ..Content::default()
        };
        let moved = "1 manifest written, 10 B moved in 1 blob";
        assert_eq!(content(&copied, false), moved);
        copied.shared = amount(3, 2048);
        assert_eq!(
            content(&copied, false),
            format!("{moved}, 2.0 KiB not moved (2.0 KiB in 3 blobs brought by this run already)")
        );
        copied.present = amount(1, 1024);
        copied.resumed = amount(2, 4096);
        assert_eq!(
            content(&copied, false),
            format!(
                "{moved}, 3.0 KiB not moved (1.0 KiB in 1 blob there already, 2.0 KiB in 3 blobs brought by this run already), 4.0 KiB not moved again after 2 breaks"
            )
        );
    }

    #[test]
    fn figures_are_readable() {
        for (count, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1_048_575, "1023.9 KiB"),
            (1 << 30, "1.0 GiB"),
            (u64::MAX, "16777215.9 TiB"),
        ] {
            assert_eq!(bytes(count), text);
        }
        assert_eq!(count(1, "blob") + &count(0, "blob"), "1 blob0 blobs");
    }
}
