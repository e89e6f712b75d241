use serde_json::{Value, json};

use super::*;
use crate::record::RecordAction;

const ROOT: &str = "4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2";

fn statement() -> Value {
    let id = |letter: &str| format!("sha256:{}", letter.repeat(64));
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "prod.example.com/team/web", "digest": {"sha256": ROOT}}],
        "predicateType": "https://shipmark.dev/attestation/release/v0.1",
        "predicate": {
            "environment": "prod",
            "destination": "prod.example.com/team/web",
            "action": "promote",
            "version": "1.4.0",
            "tags": [
                {"name": "1.4.0", "kind": "immutable"},
                {"name": "prod", "kind": "moving", "previous": id("a")},
            ],
            "source": {"uri": "stage.example.com/team/web@sha256:0", "environment": "stage", "record": id("b")},
            "commit": {
                "repository": "https://github.com/acme/web",
                "sha": "860c1904a1ce19322e91ac35af1ab07466440c37",
                "ref": "refs/heads/main",
                "committedAt": "2026-11-20T20:00:00Z",
            },
            "build": {"dockerfile": "docker/web.Dockerfile", "target": "runtime", "from": "provenance"},
            "evidence": [{"kind": "sbom", "mediaType": "application/spdx+json", "digest": id("c"), "size": 12}],
            "policy": {"uri": ".github/shipmark.yml", "digest": id("d"), "commit": "860c190"},
            "run": {"uri": "https://github.com/acme/web/actions/runs/1", "attempt": 2, "actor": "mona",
                "workflow": "promote.yml", "approvals": [{"user": "hubot", "environment": "production", "comment": "go", "state": "approved"}]},
            "tool": "shipmark 0.1.0",
            "plannedAt": "2026-11-20T21:48:08.123Z",
            "previous": [id("e")],
            "past": [{"record": id("e"), "action": "push", "root": id("a"), "plannedAt": "2026-11-19T21:48:08.123Z",
                "version": "1.3.0"}],
        },
    })
}

fn parse(statement: &Value) -> Result<ReleaseRecord, RecordError> {
    ReleaseRecord::parse_statement(statement.to_string().as_bytes())
}

#[test]
fn a_record_is_read_back_as_it_was_written() {
    let record = parse(&statement()).unwrap();
    assert_eq!(record.root.to_hex(), ROOT);
    assert_eq!(record.predicate.action, RecordAction::Promote);
    assert_eq!(record.predicate.past.len(), 1);
    let bytes = record.to_statement();
    let written: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(written, statement());
    assert_eq!(ReleaseRecord::parse_statement(&bytes), Ok(record));
}

#[test]
fn absent_members_are_not_written() {
    let mut least = statement();
    let predicate = least["predicate"].as_object_mut().unwrap();
    let needed = ["environment", "destination", "action", "tool", "plannedAt"];
    predicate.retain(|name, _| needed.contains(&name.as_str()) || name == "previous");
    let record = parse(&least).unwrap();
    let written: Value = serde_json::from_slice(&record.to_statement()).unwrap();
    assert_eq!(written, least);
    for name in needed {
        let mut without = least.clone();
        without["predicate"].as_object_mut().unwrap().remove(name);
        let error = parse(&without).unwrap_err().to_string();
        assert!(
            error.contains(&format!("missing field `{name}`")),
            "{error}"
        );
    }
}

#[test]
fn an_unknown_member_is_ignored() {
    let mut later = statement();
    later["predicate"]["weather"] = json!({"sun": [1]});
    later["annotations"] = json!({});
    assert_eq!(parse(&later), parse(&statement()));
}

#[test]
fn a_known_member_of_another_type_is_refused() {
    let known = statement();
    let members = known["predicate"].as_object().unwrap();
    for name in members.keys() {
        let mut wrong = statement();
        wrong["predicate"][name] = json!(7);
        assert!(parse(&wrong).is_err(), "{name}");
    }
    for (path, value) in [
        ("/subject/0/digest/sha256", json!("4813")),
        ("/subject/0/digest/sha256", json!(ROOT.to_uppercase())),
        ("/predicate/environment", json!("Prod")),
        ("/predicate/action", json!("pro mote")),
        ("/predicate/plannedAt", json!("2026-11-20T21:48:08Z")),
        ("/predicate/previous/0", json!("sha256:12")),
        ("/predicate/tags/0/kind", json!("fixed")),
        ("/predicate/run/attempt", json!("2")),
    ] {
        let mut wrong = statement();
        *wrong.pointer_mut(path).unwrap() = value;
        assert!(parse(&wrong).is_err(), "{path}");
    }
}

/// Returns the pointers to all objects in a value.
fn objects(value: &Value, at: &str) -> Vec<String> {
    let (own, members): (_, Vec<(String, &Value)>) = match value {
        Value::Object(members) => {
            let members = members.iter();
            (
                true,
                members.map(|(name, value)| (name.clone(), value)).collect(),
            )
        }
        Value::Array(list) => {
            let list = list.iter().enumerate();
            (
                false,
                list.map(|(index, value)| (index.to_string(), value))
                    .collect(),
            )
        }
        _ => return Vec::new(),
    };
    let below = members
        .iter()
        .flat_map(|(name, value)| objects(value, &format!("{at}/{name}")));
    own.then(|| at.to_owned())
        .into_iter()
        .chain(below)
        .collect()
}

#[test]
fn promise_6_a_list_is_no_object() {
    let known = statement();
    let objects = objects(&known, "");
    assert_eq!(objects.len(), 14, "{objects:?}");
    for at in objects {
        // The members of the predicate in their order in the file.
        let members = known.pointer(&at).unwrap().as_object().unwrap();
        let mut wrong = known.clone();
        *wrong.pointer_mut(&at).unwrap() = members.values().cloned().collect();
        assert!(parse(&wrong).is_err(), "{at}");
    }
    // The order of the types' members, which serde would take.
    for (at, list) in [
        ("/subject/0/digest", json!([ROOT])),
        ("/predicate/build", json!(["Dockerfile", null, null])),
        (
            "/predicate/policy",
            json!(["x", format!("sha256:{ROOT}"), null]),
        ),
        (
            "/predicate/tags/0",
            json!(["1.4.0", "immutable", format!("sha256:{ROOT}")]),
        ),
    ] {
        let mut wrong = known.clone();
        *wrong.pointer_mut(at).unwrap() = list;
        let error = parse(&wrong).unwrap_err().to_string();
        assert!(
            error.contains("a list where an object belongs"),
            "{at}: {error}"
        );
    }
}

#[test]
fn promise_6_a_record_has_one_subject_and_one_type() {
    let mut two = statement();
    let subject = two["subject"][0].clone();
    two["subject"].as_array_mut().unwrap().push(subject);
    assert_eq!(parse(&two), Err(RecordError::Subjects(2)));
    let mut none = statement();
    none["subject"] = json!([]);
    assert_eq!(parse(&none), Err(RecordError::Subjects(0)));
    let mut elsewhere = statement();
    elsewhere["subject"][0]["name"] = json!("stage.example.com/team/web");
    assert!(matches!(
        parse(&elsewhere),
        Err(RecordError::Destination { .. })
    ));
    for member in ["_type", "predicateType"] {
        let mut other = statement();
        other[member] = json!("https://slsa.dev/provenance/v1");
        other["predicate"] = json!({});
        assert!(matches!(parse(&other), Err(RecordError::Type { .. })));
    }
}

#[test]
fn promise_6_a_record_has_one_meaning_and_a_limit() {
    let text = statement().to_string();
    let twice = text.replacen("\"action\":", "\"action\":\"push\",\"action\":", 1);
    let error = ReleaseRecord::parse_statement(twice.as_bytes());
    assert!(matches!(error, Err(RecordError::Json(_))), "{error:?}");
    let mut long = text.clone().into_bytes();
    long.resize(1 << 20, b' ');
    assert!(ReleaseRecord::parse_statement(&long).is_ok());
    long.push(b' ');
    let error = ReleaseRecord::parse_statement(&long);
    let size = (1 << 20) + 1;
    assert_eq!(error, Err(RecordError::Json(StrictJsonError::Size(size))));
    let mut deep = statement();
    deep["predicate"]["x"] = (0..62).fold(json!(1), |inner, _| json!([inner]));
    assert!(parse(&deep).is_ok());
    deep["predicate"]["x"] = json!([deep["predicate"]["x"]]);
    assert!(matches!(parse(&deep), Err(RecordError::Json(_))));
    let mut crowded = statement();
    let past = crowded["predicate"]["past"][0].clone();
    crowded["predicate"]["past"] = json!(vec![past; 33]);
    assert_eq!(parse(&crowded), Err(RecordError::Past(33)));
    for end in 0..text.len() {
        assert!(ReleaseRecord::parse_statement(&text.as_bytes()[..end]).is_err());
    }
}
