use proptest::prelude::*;

use super::*;
use crate::strict_json::{JsonLimits, check_json};

/// Source that gives its bytes in pieces of one size.
struct PieceReader<'a>(&'a [u8], usize);

impl Read for PieceReader<'_> {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(target.len());
        let (piece, rest) = self.0.split_at(count);
        target[..count].copy_from_slice(piece);
        self.0 = rest;
        Ok(count)
    }
}

fn skip_all(bytes: &[u8], piece: usize) -> Result<(), JsonStreamError> {
    let mut source = PieceReader(bytes, piece);
    let mut json = JsonStream::open(&mut source, 1 << 20)?;
    json.skip()?;
    json.end().map(drop)
}

/// Reads a document as a value, to compare it with what others read.
fn read_value(json: &mut JsonStream<'_>) -> Result<serde_json::Value, JsonStreamError> {
    Ok(match json.peek_type()? {
        JsonType::Object => {
            let mut members = serde_json::Map::new();
            json.object(|json, name| {
                members.insert(name.to_owned(), read_value(json)?);
                Ok::<_, JsonStreamError>(())
            })?;
            members.into()
        }
        JsonType::List => {
            let mut elements = Vec::new();
            json.list(|json| {
                elements.push(read_value(json)?);
                Ok::<_, JsonStreamError>(())
            })?;
            elements.into()
        }
        JsonType::Text => json.text()?.unwrap().into(),
        JsonType::Number => serde_json::from_str(json.number()?.unwrap()).unwrap(),
        JsonType::Flag => json.flag()?.unwrap().into(),
        JsonType::Null => {
            json.skip()?;
            serde_json::Value::Null
        }
    })
}

#[test]
fn a_document_has_one_meaning() {
    for wrong in [
        "",
        " ",
        "{",
        "{} {}",
        "[1,]",
        "[,1]",
        "{,}",
        r#"{"a": 1,}"#,
        r#"{"a" 1}"#,
        r#"{1: 1}"#,
        "[1 2]",
        "NaN",
        "Infinity",
        "-",
        "01",
        "1.",
        ".5",
        "1e",
        "+1",
        "nul",
        "truE",
        "'a'",
        r#""\x""#,
        r#""\u12""#,
        r#""\ud800""#,
        r#""\ud800\u0041""#,
        r#""\udc00""#,
        "\"a\nb\"",
        "\"a\0b\"",
        "{}\0",
        "[1] // no",
        r#"{"a": 1, "a": 2}"#,
        r#"{"a": 1, "\u0061": 2}"#,
        r#"[{"b": {"a": 1, "a": 1}}]"#,
    ] {
        for piece in [1, 2, 100] {
            assert!(skip_all(wrong.as_bytes(), piece).is_err(), "{wrong:?}");
        }
    }
    for wrong in [
        &b"\"\xff\""[..],
        b"\"\xc3\"",
        b"\"\xc3",
        b"\"\xed\xa0\x80\"",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\0}\0",
        b"\xfe\xff\0{\0}",
        b"{\0}\0",
    ] {
        assert!(skip_all(wrong, 1).is_err() && skip_all(wrong, 9).is_err());
    }
}

#[test]
fn a_member_is_found_twice_among_few_and_many() {
    for count in [1, 23, 24, 25, 26, 1000] {
        let members = |last: &str| {
            let names = (0..count).map(|number| format!("\"m{number}\": {{\"m0\": 1}}"));
            format!(
                "{{{}, \"{last}\": 1}}",
                names.collect::<Vec<_>>().join(", ")
            )
        };
        assert_eq!(skip_all(members("other").as_bytes(), 7), Ok(()));
        for twice in [0, count / 2, count - 1] {
            let expected = JsonStreamError::DuplicateMember(format!("\"m{twice}\""));
            let document = members(&format!("m{twice}"));
            assert_eq!(skip_all(document.as_bytes(), 64), Err(expected));
        }
    }
}

#[test]
fn limits_hold() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(skip_all(nested(DEPTH_LIMIT).as_bytes(), 64), Ok(()));
    for depth in [DEPTH_LIMIT + 1, 10_000] {
        let error = skip_all(nested(depth).as_bytes(), 64).unwrap_err();
        assert!(error.to_string().contains("levels"), "{error}");
        let objects = "{\"a\":".repeat(depth);
        let error = skip_all(objects.as_bytes(), 64).unwrap_err();
        assert!(error.to_string().contains("levels"), "{error}");
    }
    let many: Vec<_> = (0..70_000)
        .map(|number| format!("\"{number}\":0"))
        .collect();
    let many = format!("{{{}}}", many.join(","));
    let error = skip_all(many.as_bytes(), 4096).unwrap_err();
    assert!(matches!(error, JsonStreamError::Limit(_)), "{error}");
    let large = format!("\"{}\"", "a".repeat(1 << 20));
    let error = skip_all(large.as_bytes(), 4096).unwrap_err();
    assert!(matches!(error, JsonStreamError::Limit(_)), "{error}");
    let text = format!("\"{}\"", "a".repeat(3 << 20));
    let mut source = text.as_bytes();
    let mut json = JsonStream::open(&mut source, 16 << 20).unwrap();
    let error = json.text().unwrap_err();
    assert!(matches!(error, JsonStreamError::Limit(_)), "{error}");
}

#[test]
fn a_value_of_another_type_is_read_over_and_noted() {
    let document = br#"{"a": [1, {"b": 2}], "c": null, "d": "e", "f": true, "g": 7}"#;
    let mut source = &document[..];
    let mut json = JsonStream::open(&mut source, 1000).unwrap();
    let mut texts = Vec::new();
    json.object(|json, name| {
        if name != "g" {
            let text = json.text()?.map(str::to_owned);
            texts.push((name.to_owned(), text));
        }
        Ok::<_, JsonStreamError>(())
    })
    .unwrap();
    let [a, c, d, f] = texts.as_slice() else {
        panic!("{texts:?}")
    };
    assert_eq!([&a.1, &c.1, &f.1], [&None, &None, &None]);
    assert_eq!(d.1.as_deref(), Some("e"));
    let problem = json.end().unwrap().unwrap();
    assert!(
        problem.starts_with("expected a text, got a list"),
        "{problem}"
    );
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
            prop::collection::hash_map(any::<String>(), inner, 0..8)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Whatever is written is read, in pieces of any size.
    #[test]
    fn documents_are_read_as_they_were_written(value in any_json(), piece in 1_usize..50, pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
        let text = text.unwrap();
        let mut source = PieceReader(text.as_bytes(), piece);
        let mut json = JsonStream::open(&mut source, 1 << 20).unwrap();
        // Not every double is read back as it was: two readers of the text must agree.
        let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(read_value(&mut json).unwrap(), expected);
        prop_assert_eq!(json.end(), Ok(None));
        prop_assert_eq!(skip_all(text.as_bytes(), piece), Ok(()));
    }

    /// What the other strict reader refuses is refused, and the other way round.
    #[test]
    fn both_strict_readers_agree(
        value in any_json(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 0..4),
        piece in 1_usize..50,
    ) {
        let mut bytes = serde_json::to_vec(&value).unwrap();
        for (at, byte, edit) in edits {
            let at = at.index(bytes.len());
            match edit {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, b"\"\\{}[]:,0-e."[byte as usize % 12]),
                _ => { bytes.remove(at); }
            }
            prop_assume!(!bytes.is_empty());
        }
        let other = check_json(&bytes, JsonLimits { bytes: 1 << 20, depth: 100 });
        // Numbers that a double cannot hold are JSON all the same.
        prop_assume!(!matches!(&other, Err(error) if error.to_string().contains("out of range")));
        prop_assert_eq!(skip_all(&bytes, piece).is_ok(), other.is_ok(), "{:?}", other);
    }
}
