//! Signing keys of every kind, made by openssl, against the real cosign. Left out of a plain `cargo test`;
//! scripts/interop.sh starts the servers and runs them.

use shipmark::signing::PrivateKey;

use crate::interop_cosign::{Bench, FORMS, PASSWORD, pushed};
use crate::support::context;
use crate::support::keys::good;

/// Keys that sign, by the arguments of `openssl genpkey`.
const KINDS: [(&str, &str, &str); 7] = [
    ("p256", "EC", "ec_paramgen_curve:P-256"),
    ("p384", "EC", "ec_paramgen_curve:P-384"),
    ("p521", "EC", "ec_paramgen_curve:P-521"),
    ("ed25519", "ED25519", ""),
    ("rsa2048", "RSA", "rsa_keygen_bits:2048"),
    ("rsa3072", "RSA", "rsa_keygen_bits:3072"),
    ("rsa4096", "RSA", "rsa_keygen_bits:4096"),
];

fn make_key(bench: &Bench, name: &str, algorithm: &str, option: &str) {
    let file = format!("{name}.pem");
    let mut arguments = vec!["genpkey", "-algorithm", algorithm, "-out", &file];
    if !option.is_empty() {
        arguments.extend(["-pkeyopt", option]);
    }
    bench.must_run("openssl", &arguments);
    let public = format!("{name}.pub");
    bench.must_run(
        "openssl",
        &["pkey", "-in", &file, "-pubout", "-out", &public],
    );
}

/// A key alone, the same key in cosign's encrypted form, and the same one encrypted by openssl.
#[tokio::test]
#[ignore = "needs cosign, openssl and two registries: scripts/interop.sh"]
async fn cosign_verifies_keys_of_every_kind() {
    let bench = Bench::new("kinds");
    for (name, algorithm, option) in KINDS {
        make_key(&bench, name, algorithm, option);
        let (plain, prefix) = (format!("{name}.pem"), format!("{name}-cosign"));
        let import = [
            "import-key-pair",
            "--key",
            &plain,
            "--output-key-prefix",
            &prefix,
        ];
        bench.must_run("cosign", &import);
        let sealed = format!("{name}-sealed.pem");
        let output = format!("pass:{PASSWORD}");
        let seal = [
            "pkcs8", "-topk8", "-in", &plain, "-out", &sealed, "-passout", &output,
        ];
        bench.must_run("openssl", &seal);
        let files = [plain, format!("{prefix}.key"), sealed];
        for (number, file) in files.iter().enumerate() {
            let key = PrivateKey::parse(&bench.read(file), PASSWORD).unwrap();
            for place in bench.places() {
                let image = pushed(&format!("{place}/{name}-{number}"), Some(&key)).await;
                for form in FORMS {
                    assert!(bench.verifies(name, form, &image), "{image} {form:?}");
                    assert!(!bench.verifies("other", form, &image), "{image} {form:?}");
                }
                assert_eq!(good(&image, &key, &context()).await, FORMS);
            }
        }
    }
}

/// The hints for keys that are not read name commands that make readable ones.
#[test]
#[ignore = "needs cosign and openssl: scripts/interop.sh"]
fn the_advice_for_encrypted_keys_works() {
    let bench = Bench::new("advice");
    make_key(&bench, "plain", "EC", "ec_paramgen_curve:P-256");
    let password = format!("pass:{PASSWORD}");
    let traditional = [
        "ec",
        "-in",
        "plain.pem",
        "-aes256",
        "-passout",
        &password,
        "-out",
        "FILE",
    ];
    bench.must_run("openssl", &traditional);
    let error = PrivateKey::parse(&bench.read("FILE"), PASSWORD)
        .unwrap_err()
        .to_string();
    let (_, advice) = error.split_once("convert it with openssl ").unwrap();
    let mut arguments: Vec<&str> = advice.split(' ').collect();
    arguments.extend(["-passin", &password, "-passout", &password]);
    bench.must_run("openssl", &arguments);
    let key = PrivateKey::parse(&bench.read("NEW-FILE"), PASSWORD).unwrap();
    let same = PrivateKey::parse(&bench.read("plain.pem"), "").unwrap();
    assert_eq!(key.public(), same.public());
}
