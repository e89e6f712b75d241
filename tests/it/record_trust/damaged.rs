//! Records that are changed, of another form, or not signed.

use super::*;

#[tokio::test]
async fn promise_6_one_signature_is_of_one_whole_record() {
    let key = keys::key();
    let trust = trust([any_action(of_key(&key))]);
    let signer = key_signer(&key);
    let good = statement("promote");
    let mut two = good.clone();
    let subject = two["subject"][0].clone();
    two["subject"].as_array_mut().unwrap().push(subject);
    let mut other_type = good.clone();
    other_type["predicateType"] = json!("https://slsa.dev/provenance/v1");
    let twice = good
        .to_string()
        .replacen("\"action\":", "\"action\":\"push\",\"action\":", 1);
    let mut long = good.clone();
    long["predicate"]["reason"] = json!("");
    let missing = (1 << 20) + 1 - long.to_string().len();
    long["predicate"]["reason"] = json!("x".repeat(missing));
    for (statement, expected) in [
        (
            two.to_string(),
            "the statement has 2 subjects, expected one",
        ),
        (other_type.to_string(), "predicateType is"),
        (twice, "twice"),
        (long.to_string(), "1048577"),
        ("{}".to_owned(), "missing field"),
        (String::new(), "it is not a release record"),
    ] {
        let blob = sign(&signer, statement).await;
        for trust in [Some(&trust), None] {
            let read = read_record(trust, &blob);
            let is_record_error = matches!(read, Err(RecordRejection::Record(_)));
            let text = rejection(read);
            assert!(is_record_error && text.contains(expected), "{text}");
        }
    }
    long["predicate"]["reason"] = json!("x".repeat(missing - 1));
    let largest = sign(&signer, &long).await;
    assert!(trust.verify(&largest).is_ok());
    let mut padded = largest;
    padded.resize(usize::try_from(RECORD_BLOB_LIMIT).unwrap(), b' ');
    assert!(trust.verify(&padded).is_ok());
    padded.push(b' ');
    for trust in [Some(&trust), None] {
        let error = read_record(trust, &padded).unwrap_err();
        assert_eq!(error, RecordRejection::Size(RECORD_BLOB_LIMIT + 1));
    }
}

#[tokio::test]
async fn promise_6_a_changed_record_does_not_count() {
    let key = keys::key();
    let trust = trust([any_action(of_key(&key))]);
    let signer = key_signer(&key);
    let blob = sign(&signer, statement("promote")).await;
    for end in (0..blob.len()).step_by(7) {
        assert!(trust.verify(&blob[..end]).is_err(), "{end}");
        assert!(read_record(None, &blob[..end]).is_err(), "{end}");
    }
    let bundle: Value = serde_json::from_slice(&blob).unwrap();
    let changed = |path: &str, value: Value| {
        let mut changed = bundle.clone();
        *changed.pointer_mut(path).unwrap() = value;
        changed.to_string()
    };
    let other = statement("rollback");
    let signed_other: Value = serde_json::from_slice(&sign(&signer, &other).await).unwrap();
    // The payload of one record with the signature of another.
    let rewrapped = changed(
        "/dsseEnvelope/payload",
        signed_other["dsseEnvelope"]["payload"].clone(),
    );
    let tampered = RecordRejection::Signature(VerificationError::Tampered);
    assert_eq!(trust.verify(rewrapped.as_bytes()), Err(tampered));
    let other_payload = changed("/dsseEnvelope/payloadType", json!("application/json"));
    let other_key = changed(
        "/verificationMaterial/publicKey/hint",
        json!(BASE64_STANDARD.encode([7; 32])),
    );
    let twice = bundle
        .to_string()
        .replacen("\"payload\":", "\"payload\":\"\",\"payload\":", 1);
    let twice_wrapped = {
        let payload = json!({"dsseEnvelope": bundle["dsseEnvelope"]}).to_string();
        changed(
            "/dsseEnvelope/payload",
            json!(BASE64_STANDARD.encode(payload)),
        )
    };
    for wrong in [other_payload, twice, twice_wrapped] {
        assert!(trust.verify(wrong.as_bytes()).is_err(), "{wrong}");
        assert!(read_record(None, wrong.as_bytes()).is_err(), "{wrong}");
    }
    // The hint is not signed: it finds a key and proves nothing.
    assert!(trust.verify(other_key.as_bytes()).is_ok());
    // The statement without its envelope.
    let bare = payload_of(&blob);
    let name = key.public().fingerprint();
    assert_eq!(
        rejection(trust.verify(&bare)),
        format!("it is not signed, expected a signature of the key {name}")
    );
    assert!(matches!(
        trust.verify(b"junk"),
        Err(RecordRejection::Record(RecordError::Json(_)))
    ));
}

#[tokio::test]
async fn promise_6_a_record_under_another_id_has_the_same_statement() {
    let key = keys::key();
    let trust = trust([any_action(of_key(&key))]);
    let blob = sign(&key_signer(&key), statement("rollback")).await;
    let spaced = [blob.as_slice(), b" "].concat();
    let [record, replayed] = [&blob, &spaced].map(|blob| trust.verify(blob).unwrap());
    assert_ne!(record.id, replayed.id);
    assert_eq!(record.statement, replayed.statement);
}

#[tokio::test]
async fn an_unsigned_environment_reads_statements_bare_and_in_bundles() {
    let bare = statement("promote").to_string();
    let bundle = sign(&key_signer(&keys::key()), &bare).await;
    let [bare, bundle] = [bare.as_bytes(), &bundle].map(|blob| read_record(None, blob).unwrap());
    assert_eq!(bare.record, bundle.record);
    assert_eq!(bare.statement, bundle.statement);
    assert_eq!(bare.id.digest(), bare.statement);
    assert_ne!(bundle.id, bare.id);
    for read in [bare, bundle] {
        assert_eq!(read.signer, None);
        assert!(read.vouches_for(&RecordAction::Promote));
    }
}
