//! Keys, and both forms of a signature, as tables.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature as aws;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use crypto_secretbox::aead::Aead;
use crypto_secretbox::{KeyInit, XSalsa20Poly1305};
use serde_json::{Value, json};

use super::*;
use crate::image::Digest;

fn pkcs8(algorithm: &'static aws::EcdsaSigningAlgorithm) -> Vec<u8> {
    let document = aws::EcdsaKeyPair::generate_pkcs8(algorithm, &SystemRandom::new());
    document.unwrap().as_ref().to_vec()
}

fn p256() -> Vec<u8> {
    pkcs8(&aws::ECDSA_P256_SHA256_ASN1_SIGNING)
}

fn key() -> PrivateKey {
    PrivateKey::parse(&pem::write_pem("PRIVATE KEY", &p256()), "").unwrap()
}

/// A key as cosign seals it, with the cheapest of its costs.
fn sealed(content: &[u8], password: &str, change: impl Fn(&mut Value)) -> String {
    let parameters = scrypt::Params::new(15, 8, 1, 32).unwrap();
    let mut derived = [0; 32];
    scrypt::scrypt(password.as_bytes(), b"some salt", &parameters, &mut derived).unwrap();
    let box_ = XSalsa20Poly1305::new(&derived.into());
    let ciphertext = box_.encrypt(&[7; 24].into(), content).unwrap();
    let mut json = json!({
        "kdf": {
            "name": "scrypt",
            "params": {"N": 32768, "r": 8, "p": 1},
            "salt": BASE64_STANDARD.encode(b"some salt"),
        },
        "cipher": {"name": "nacl/secretbox", "nonce": BASE64_STANDARD.encode([7; 24])},
        "ciphertext": BASE64_STANDARD.encode(ciphertext),
    });
    change(&mut json);
    pem::write_pem(
        "ENCRYPTED SIGSTORE PRIVATE KEY",
        json.to_string().as_bytes(),
    )
}

fn reason(text: &str, password: &str) -> String {
    let error = PrivateKey::parse(text, password).unwrap_err().to_string();
    assert!(
        password.is_empty() || !error.contains(password),
        "{error} has the password"
    );
    error
}

#[test]
fn both_forms_of_a_key_are_read() {
    let der = p256();
    let plain = PrivateKey::parse(&pem::write_pem("PRIVATE KEY", &der), "unused").unwrap();
    let text = format!("a comment\r\n{}", sealed(&der, "open sesame", |_| ()));
    let opened = PrivateKey::parse(&text.replace('\n', "\r\n"), "open sesame").unwrap();
    assert_eq!(plain.public(), opened.public());
    let older = sealed(&der, "", |_| ()).replace("SIGSTORE", "COSIGN");
    assert_eq!(
        PrivateKey::parse(&older, "").unwrap().public(),
        plain.public()
    );
    let public = plain.public().to_pem();
    assert_eq!(PublicKey::parse(&public).unwrap(), *plain.public());
    let shown = format!("{plain:?}");
    assert!(
        shown.starts_with("PrivateKey(of PublicKey(sha256:"),
        "{shown}"
    );
}

/// The key that `cosign generate-key-pair` 3.1.3 made; it signs nothing.
#[test]
fn a_key_that_cosign_made_is_read() {
    let [secret, public] = [
        include_str!("../../tests/data/keys/cosign.key"),
        include_str!("../../tests/data/keys/cosign.pub"),
    ];
    let key = PrivateKey::parse(secret, "not a secret").unwrap();
    assert_eq!(*key.public(), PublicKey::parse(public).unwrap());
    assert_eq!(key.public().to_pem(), public);
}

#[test]
fn what_is_no_usable_key_is_refused_with_its_reason() {
    let large = rsa(aws_lc_rs::rsa::KeySize::Rsa8192);
    let private = |content: &[u8]| pem::write_pem("PRIVATE KEY", content);
    for (text, part) in [
        (String::new(), "not a key in PEM format"),
        (
            "k8s://cosign/key".to_owned(),
            "refers to a Kubernetes secret",
        ),
        (
            "awskms:///alias/release".to_owned(),
            "refers to a key in AWS KMS",
        ),
        ("gcpkms://projects/x".to_owned(), "Google Cloud KMS"),
        ("azurekms://vault/key".to_owned(), "Azure Key Vault"),
        ("hashivault://key".to_owned(), "HashiCorp Vault"),
        ("gitlab://1".to_owned(), "a GitLab project"),
        ("pkcs11:token=x".to_owned(), "PKCS #11"),
        ("https://example.com/cosign.key".to_owned(), "a web address"),
        ("env://COSIGN_PRIVATE_KEY".to_owned(), "${{ secrets.NAME }}"),
        (
            private(&p256()).replace('\n', "\\n"),
            "in place of line breaks",
        ),
        (
            BASE64_STANDARD.encode(private(&p256())),
            "is base64 of a PEM text",
        ),
        (private(&large), "is an RSA key of 8192 bits; supported"),
        (private(b"junk"), "its content is not a private key"),
        (private(&p256()[..60]), "its content is not a private key"),
        (private(&p256()).replace("-----END", "-----"), "cut short"),
        (
            private(&p256()).replacen("\nMI", "\n!!", 1),
            "expected base64",
        ),
        (
            pem::write_pem("EC PRIVATE KEY", b"x"),
            "its content is not an EC key over P-256",
        ),
        (pem::write_pem("RSA PRIVATE KEY", b"x"), "is an RSA key"),
        (
            pem::write_pem("ENCRYPTED PRIVATE KEY", b"x"),
            "is not an encrypted private key",
        ),
        (
            include_str!("../../tests/data/keys/sec1-encrypted.pem").to_owned(),
            "openssl pkcs8 -topk8 -v2 aes-256-cbc",
        ),
        (pem::write_pem("OPENSSH PRIVATE KEY", b"x"), "OpenSSH"),
        (key().public().to_pem(), "is a public key"),
        (pem::write_pem("CERTIFICATE", b"x"), "is a certificate"),
        (pem::write_pem("MESSAGE", b"x"), "\"MESSAGE\""),
        (
            pem::write_pem("ENCRYPTED SIGSTORE PRIVATE KEY", b"{}"),
            "its content is not an encrypted cosign key",
        ),
    ] {
        let reason = reason(&text, "");
        assert!(reason.contains(part), "{text}: {reason}");
    }
}

fn rsa(size: aws_lc_rs::rsa::KeySize) -> Vec<u8> {
    let key = aws_lc_rs::rsa::KeyPair::generate(size).unwrap();
    let der: Pkcs8V1Der<'_> = key.as_der().unwrap();
    der.as_ref().to_vec()
}

/// A key of each kind that signs, as PKCS#8.
fn all_kinds() -> [Vec<u8>; 6] {
    let ed25519 = aws::Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).unwrap();
    [
        p256(),
        pkcs8(&aws::ECDSA_P384_SHA384_ASN1_SIGNING),
        pkcs8(&aws::ECDSA_P521_SHA512_ASN1_SIGNING),
        ed25519.as_ref().to_vec(),
        rsa(aws_lc_rs::rsa::KeySize::Rsa2048),
        rsa(aws_lc_rs::rsa::KeySize::Rsa4096),
    ]
}

#[test]
fn keys_of_every_kind_sign_in_both_forms() {
    let image = claim().digest;
    for der in all_kinds() {
        let sealed_key = sealed(&der, "pw", |_| ());
        let key = PrivateKey::parse(&sealed_key, "pw").unwrap();
        let plain = PrivateKey::parse(&pem::write_pem("PRIVATE KEY", &der), "").unwrap();
        assert_eq!(key.public(), plain.public());
        let public = PublicKey::parse(&key.public().to_pem()).unwrap();
        assert_eq!(public, *key.public());
        let bundle = key.sign_bundle(&claim());
        let found = by(&key).check_bundle(&bundle, image);
        assert_eq!(found.unwrap().claim, claim(), "{:?}", public.algorithm());
        let legacy = key.sign_legacy(&claim());
        assert_eq!(
            by(&key).check_legacy(&legacy, image).unwrap().claim,
            claim()
        );
        assert!(by(&self::key()).check_legacy(&legacy, image).is_err());
        signs_with_sha256(&der, &key);
        signs_with_own_hash(&der, &key);
    }
}

/// `cosign verify --key` takes SHA-256 alone, whatever the curve.
fn signs_with_sha256(der: &[u8], key: &PrivateKey) {
    use key_algorithm::KeyAlgorithm::{Ed25519, P256, P384, P521, Rsa};
    let algorithm: &dyn aws::VerificationAlgorithm =
        match key_algorithm::private_key_algorithm(der).unwrap() {
            P256 => &aws::ECDSA_P256_SHA256_ASN1,
            P384 => &aws::ECDSA_P384_SHA256_ASN1,
            P521 => &aws::ECDSA_P521_SHA256_ASN1,
            Ed25519 => &aws::ED25519,
            Rsa => &aws::RSA_PKCS1_2048_8192_SHA256,
        };
    let valid = algorithm.verify_sig(key.public().spki(), b"message", &key.sign(b"message"));
    valid.unwrap();
}

/// Rekor v2 takes the hash of the curve's size.
fn signs_with_own_hash(der: &[u8], key: &PrivateKey) {
    use key_algorithm::KeyAlgorithm::{P256, P384, P521};
    let algorithm: &dyn aws::VerificationAlgorithm =
        match key_algorithm::private_key_algorithm(der).unwrap() {
            P256 => &aws::ECDSA_P256_SHA256_ASN1,
            P384 => &aws::ECDSA_P384_SHA384_ASN1,
            P521 => &aws::ECDSA_P521_SHA512_ASN1,
            _ => return,
        };
    let scheme = rekor_scheme::RekorScheme::of_key(key.public()).unwrap();
    let signature = key.sign_with(b"message", scheme.hash);
    let valid = algorithm.verify_sig(key.public().spki(), b"message", &signature);
    valid.unwrap();
}

#[test]
fn rekor_v2_has_a_name_for_each_kind_of_key_that_it_takes() {
    let names = all_kinds().map(|der| {
        let key = PrivateKey::parse(&pem::write_pem("PRIVATE KEY", &der), "").unwrap();
        let scheme = rekor_scheme::RekorScheme::of_key(key.public());
        scheme.map(|scheme| scheme.key_details)
    });
    assert_eq!(
        names,
        [
            Some("PKIX_ECDSA_P256_SHA_256"),
            Some("PKIX_ECDSA_P384_SHA_384"),
            Some("PKIX_ECDSA_P521_SHA_512"),
            None,
            Some("PKIX_RSA_PKCS1V15_2048_SHA256"),
            Some("PKIX_RSA_PKCS1V15_4096_SHA256"),
        ]
    );
}

/// Each group of the file holds one key in the forms of `openssl genpkey`, `pkcs8 -topk8`, `ec` and `rsa -traditional`.
#[test]
fn the_forms_that_openssl_writes_are_read() {
    let read = |text: &str, password: &str| PrivateKey::parse(text, password).unwrap();
    let sealed = include_str!("../../tests/data/keys/pkcs8-encrypted.pem");
    read(sealed, "pw");
    assert_eq!(
        reason(sealed, "wrong word"),
        KeyError::WrongPassword.to_string()
    );
    assert_eq!(reason(sealed, ""), KeyError::NoPassword.to_string());
    let forms = include_str!("../../tests/data/keys/openssl-forms.txt");
    let mut count = 0;
    for group in forms.split("=====\n") {
        let keys: Vec<PublicKey> = group
            .split("-----\n-\n")
            .filter(|text| text.contains("BEGIN"))
            .map(|text| {
                read(
                    &format!("{}-----\n", text.trim_end_matches("-----\n")),
                    "pw",
                )
            })
            .map(|key| key.public().clone())
            .collect();
        count += keys.len();
        assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "{group}");
    }
    assert_eq!(count, FORMS, "the file has all forms");
}

/// Keys in tests/data/keys/openssl-forms.txt.
const FORMS: usize = 14;

/// What is wrong with the text is known before the password has been tried.
#[tokio::test]
async fn a_key_opens_while_others_wait_for_it() {
    let text = sealed(&p256(), "right", |_| ());
    let opening = LazyPrivateKey::load(&text, "right").unwrap();
    let other = opening.clone();
    let (one, two) = tokio::join!(opening.wait(), other.wait());
    assert_eq!(one.unwrap().public(), two.unwrap().public());
    let wrong = LazyPrivateKey::load(&text, "wrong").unwrap();
    assert_eq!(wrong.wait().await.unwrap_err(), KeyError::WrongPassword);
    let damaged = sealed(&p256(), "right", |json| {
        json["cipher"]["nonce"] = json!("AAAA")
    });
    assert!(LazyPrivateKey::load(&damaged, "right").is_err());
}

#[test]
fn a_sealed_key_that_does_not_open_says_why() {
    let der = p256();
    let with = |change: fn(&mut Value)| reason(&sealed(&der, "right", change), "wrong word");
    assert_eq!(
        with(|_| ()),
        "cannot be decrypted with the password in COSIGN_PASSWORD"
    );
    assert_eq!(
        reason(&sealed(&der, "right", |_| ()), ""),
        "is encrypted, and COSIGN_PASSWORD is not set or empty"
    );
    let costly = with(|json| json["kdf"]["params"]["N"] = json!(1u64 << 40));
    assert!(costly.contains("N=1099511627776, r=8, p=1"), "{costly}");
    let wide = with(|json| json["kdf"]["params"]["r"] = json!(9999));
    assert!(wide.contains("r=9999"), "{wide}");
    let odd = with(|json| json["kdf"]["params"]["N"] = json!(0));
    assert!(odd.contains("N=0"), "{odd}");
    assert!(with(|json| json["kdf"]["name"] = json!("argon2")).contains("argon2"));
    assert!(with(|json| json["cipher"]["name"] = json!("aes")).contains("aes"));
    assert!(with(|json| json["cipher"]["nonce"] = json!("AAAA")).contains("nonce"));
}

#[test]
fn what_is_no_public_key_is_refused_with_its_reason() {
    let private = pem::write_pem("PRIVATE KEY", &p256());
    let mut off_the_curve = pem::parse_pem(&key().public().to_pem())
        .unwrap()
        .content
        .to_vec();
    *off_the_curve.last_mut().unwrap() ^= 1;
    for (text, part) in [
        (
            private,
            "is a private key; verification needs only the public key",
        ),
        (pem::write_pem("CERTIFICATE", b"x"), "is a certificate"),
        (
            pem::write_pem("PUBLIC KEY", b"x"),
            "its content is not a public key",
        ),
        (
            pem::write_pem("PUBLIC KEY", &off_the_curve),
            "its content is not a public key",
        ),
        (pem::write_pem("RSA PUBLIC KEY", b"x"), "in PKCS #1 form"),
        ("x".to_owned(), "not a key in PEM format"),
    ] {
        let reason = PublicKey::parse(&text).unwrap_err().to_string();
        assert!(reason.contains(part), "{text}: {reason}");
    }
}

/// By the key, with no log asked.
fn by(key: &PrivateKey) -> Requirement {
    Requirement::Key {
        key: key.public().clone(),
        log: None,
    }
}

fn claim() -> ImageClaim {
    ImageClaim {
        repository: "registry.example/team/web".to_owned(),
        digest: Digest::from_bytes(b"image"),
        annotations: [("commit", "9f3c2a1"), ("run", "https://ci.example/1")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    }
}

#[test]
fn a_claim_comes_back_from_both_forms() {
    let key = key();
    let digest = claim().digest;
    let detached = key.sign_legacy(&claim());
    insta::assert_snapshot!(
        String::from_utf8_lossy(&detached.payload),
        @r#"{"critical":{"identity":{"docker-reference":"registry.example/team/web"},"image":{"docker-manifest-digest":"sha256:6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d"},"type":"cosign container image signature"},"optional":{"commit":"9f3c2a1","run":"https://ci.example/1"}}"#
    );
    let found = by(&key).check_legacy(&detached, digest).unwrap();
    assert_eq!(found.claim, claim());
    let bundle = key.sign_bundle(&claim());
    let found = by(&key).check_bundle(&bundle, digest).unwrap();
    assert_eq!(found.claim, claim());
    let bundle: Value = serde_json::from_slice(&bundle).unwrap();
    assert_eq!(bundle["mediaType"], BUNDLE_TYPE);
    let hint = &bundle["verificationMaterial"]["publicKey"]["hint"];
    assert_eq!(*hint, key.public().key_hint());
    let statement = BASE64_STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap());
    insta::assert_snapshot!(
        String::from_utf8(statement.unwrap()).unwrap(),
        @r#"{"_type":"https://in-toto.io/Statement/v1","predicate":{},"predicateType":"https://sigstore.dev/cosign/sign/v1","subject":[{"annotations":{"commit":"9f3c2a1","run":"https://ci.example/1"},"digest":{"sha256":"6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d"},"name":"registry.example/team/web"}]}"#
    );
}

#[test]
fn without_annotations_there_is_none() {
    let bare = ImageClaim {
        annotations: Default::default(),
        ..claim()
    };
    let payload = key().sign_legacy(&bare).payload;
    assert!(payload.ends_with(br#""optional":null}"#));
}

#[test]
fn a_detached_signature_that_does_not_count_says_why() {
    let key = key();
    let good = key.sign_legacy(&claim());
    let check = |signed: LegacySignature| {
        let checked = by(&key).check_legacy(&signed, claim().digest);
        checked.map(|found| found.claim)
    };
    let other = super::tests::key();
    assert_eq!(
        check(other.sign_legacy(&claim())),
        Err(VerificationError::SignatureMismatch)
    );
    let mut changed = good.clone();
    changed.payload.push(b' ');
    assert_eq!(check(changed), Err(VerificationError::SignatureMismatch));
    let unsigned = LegacySignature {
        signature: None,
        ..good.clone()
    };
    assert_eq!(check(unsigned), Err(VerificationError::Unsigned));
    let keyless = LegacySignature {
        certificate: Some(String::new()),
        ..other.sign_legacy(&claim())
    };
    assert_eq!(
        check(keyless),
        Err(VerificationError::SignedWithCertificate)
    );
    let no_base64 = LegacySignature {
        signature: Some("!".to_owned()),
        ..good.clone()
    };
    assert!(matches!(
        check(no_base64),
        Err(VerificationError::Malformed(_))
    ));
    let elsewhere = ImageClaim {
        digest: Digest::from_bytes(b"another"),
        ..claim()
    };
    assert_eq!(
        check(key.sign_legacy(&elsewhere)),
        Err(VerificationError::OtherImage(elsewhere.digest))
    );
    let payload = br#"{"critical":{"identity":{"docker-reference":""},"image":{"docker-manifest-digest":""},"type":"atomic"},"optional":null}"#;
    let other_type = LegacySignature {
        payload: payload.to_vec(),
        signature: Some(BASE64_STANDARD.encode(key.sign(payload))),
        ..good.clone()
    };
    assert!(matches!(
        check(other_type),
        Err(VerificationError::OtherPredicateType(_))
    ));
}

#[test]
fn a_bundle_that_does_not_count_says_why() {
    let key = key();
    let digest = claim().digest;
    let check = |bundle: &Value| {
        let bytes = serde_json::to_vec(bundle).unwrap();
        by(&key).check_bundle(&bytes, digest).unwrap_err()
    };
    let good =
        |claim: &ImageClaim| -> Value { serde_json::from_slice(&key.sign_bundle(claim)).unwrap() };
    let changed = |change: fn(&mut Value)| {
        let mut bundle = good(&claim());
        change(&mut bundle);
        check(&bundle)
    };
    let other = super::tests::key();
    let mut by_other: Value = serde_json::from_slice(&other.sign_bundle(&claim())).unwrap();
    let fingerprint = other.public().fingerprint().to_string();
    assert_eq!(check(&by_other), VerificationError::OtherKey(fingerprint));
    by_other["verificationMaterial"]["publicKey"]["hint"] = "team".into();
    assert_eq!(
        check(&by_other),
        VerificationError::OtherKey("hint team".to_owned())
    );
    let elsewhere = ImageClaim {
        digest: Digest::from_bytes(b"another"),
        ..claim()
    };
    assert_eq!(
        check(&good(&elsewhere)),
        VerificationError::OtherImage(elsewhere.digest)
    );
    assert_eq!(
        changed(|bundle| bundle["dsseEnvelope"]["payload"] = json!("e30=")),
        VerificationError::Tampered
    );
    assert_eq!(
        changed(|bundle| bundle["dsseEnvelope"]["payloadType"] = json!("text/plain")),
        VerificationError::Tampered
    );
    assert_eq!(
        changed(|bundle| bundle["verificationMaterial"] = json!({"certificate": {"rawBytes": ""}})),
        VerificationError::SignedWithCertificate
    );
    assert!(matches!(
        changed(|bundle| {
            bundle.as_object_mut().unwrap().remove("dsseEnvelope");
            bundle["messageSignature"] = json!({"signature": "AA=="});
        }),
        VerificationError::OtherPredicateType(_)
    ));
    for broken in [
        changed(|bundle| bundle["mediaType"] = json!("text/html")),
        changed(|bundle| bundle["dsseEnvelope"]["signatures"] = json!([])),
        changed(|bundle| bundle["dsseEnvelope"]["signatures"][0]["sig"] = json!("!")),
        changed(|bundle| *bundle = json!("no bundle")),
    ] {
        assert!(
            matches!(broken, VerificationError::Malformed(_)),
            "{broken}"
        );
    }
    let attestation = signed(
        &key,
        &json!({"_type": "https://in-toto.io/Statement/v1", "subject": [{"digest": {"sha256": digest.to_hex()}}],
            "predicateType": "https://spdx.dev/Document", "predicate": {}}),
    );
    assert_eq!(
        check(&attestation),
        VerificationError::Attestation("https://spdx.dev/Document".to_owned())
    );
}

/// A bundle around any statement.
fn signed(key: &PrivateKey, statement: &Value) -> Value {
    let kind = "application/vnd.in-toto+json";
    let payload = statement.to_string();
    let message = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
    json!({
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {"publicKey": {"hint": key.public().key_hint()}},
        "dsseEnvelope": {
            "payload": BASE64_STANDARD.encode(&payload),
            "payloadType": kind,
            "signatures": [{"sig": BASE64_STANDARD.encode(key.sign(message.as_bytes()))}],
        },
    })
}

#[test]
fn a_later_run_says_nothing_new() {
    let mut later = claim();
    later
        .annotations
        .insert("run".to_owned(), "another".to_owned());
    assert!(claim().is_equivalent_to(&later));
    later
        .annotations
        .insert("commit".to_owned(), "x".to_owned());
    assert!(!claim().is_equivalent_to(&later));
}
