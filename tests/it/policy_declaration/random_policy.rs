//! Small policies by the declared keys, most of them with a mistake.

use fastrand::Rng;
use serde_json::{Value, json};

const NAMES: &[&str] = &[
    "dev", "stage", "prod", "Prod", "e-1", "0x1f", "true", "latest", "x_y",
];
const REPOSITORIES: &[&str] = &[
    "ghcr.io/acme/{service}",
    "oci:out/{service}/x",
    "oci:{service}",
    "acme/{service}",
    "my_org/{service}",
    "[::1]:5000/a/{service}",
    "GHCR.io/acme/{service}-x",
    "ghcr.io/acme/web",
    "ghcr.io/acme/db",
    "oci:dev",
    "localhost:5000/a",
    "a__b/c-d.e",
    "web",
    "1",
    "1.0",
    "true",
    "https://ghcr.io/acme/web",
    "ghcr.io/Acme/web",
    "ghcr.io/acme/web:1",
    "oci:a:b",
    "{service}",
    "ghcr.io/{x}/y",
];
const RULES: &[&str] = &[
    "type=sha",
    "v1",
    "type=raw,value=latest",
    "# none",
    "1",
    "1.0",
    "true",
    "type=sah",
];
const VERSIONS: &[&str] = &[
    "1.10", "1.10.6", "2024.*", "1e3", "0x10", "v?.*", "x", "1.x", "1 0", "-1", "+1",
];
const SERVICES: &[&str] = &[
    "web", "api", "db", "1", "1.0", "true", "a-b.c_d", "null", "Web", "-a", "a/b", "1e1",
];
const RECORDS: &[&str] = &[
    "ghcr.io/acme/records/{environment}/{service}",
    "oci:records/{environment}/{service}",
    "a/{environment}",
    "oci:{environment}",
    "ghcr.io/acme/records",
    "{service}",
    "a/{version}",
    "a:1",
];
const IDENTITIES: &[&str] = &[
    "https://github.com/acme/web/.github/workflows/a.yml@refs/heads/*",
    "https://github.com/acme/web/*",
    "ops@example.com",
    "https://github.com/acme/*",
    "a b",
    "*",
];
const TIMES: &[&str] = &[
    "2027-01-31",
    "2027-01-31T12:00:00Z",
    "2027-01-31T12:00:00.123+01:00",
    "2027-02-30",
    "2027-01-31T12:00Z",
    "2027",
];
const ODD_KEYS: &[&str] = &["form", "refs", "Services", "'from '", "null", "environment"];

/// Writes the policy of a seed.
pub fn write(seed: u64, schema: &Value) -> String {
    let mut rng = Rng::with_seed(seed);
    let mut text = String::new();
    mapping(&mut rng, schema, 0, &mut text);
    if rng.u8(..) < 60 {
        change_characters(&mut rng, &mut text);
    }
    text
}

fn mapping(rng: &mut Rng, schema: &Value, depth: usize, text: &mut String) {
    let required = schema["required"].as_array();
    let mut sign = String::new();
    for (key, value) in schema["properties"].as_object().unwrap() {
        let is_required = required.is_some_and(|keys| keys.contains(&Value::from(key.as_str())));
        let likelihood = match key.as_str() {
            _ if is_required => 250,
            "environments" | "services" => 200,
            "production" => 3,
            "refs" | "immutable" | "vsa" | "trusted-root" | "transparency-log" | "existing" => 10,
            "defaults" | "gates" => 14,
            "retention" => 12,
            "fail-on" => 230,
            "signers" if sign.ends_with("key") || sign.ends_with("keyless") => 245,
            "signers" => 5,
            "records" | "issuer" | "repository" | "adopt-until" => 30,
            "sign" => 70,
            _ => 90,
        };
        if rng.u8(..) < likelihood {
            let before = text.len();
            match key.as_str() {
                "signers" => signers(rng, &sign, value, depth, text),
                _ => entry(rng, key, value, depth, text),
            }
            if key == "sign" {
                sign = text[before..].trim().trim_matches('\'').to_owned();
            }
        }
    }
    if rng.u8(..) < 6 {
        let key = *rng.choice(ODD_KEYS).unwrap();
        *text += &format!("{}{key}: x\n", "  ".repeat(depth));
    }
}

fn entry(rng: &mut Rng, key: &str, schema: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    if let Some(alternatives) = schema["anyOf"].as_array() {
        let alternative = rng.choice(alternatives).unwrap();
        return entry(rng, key, alternative, depth, text);
    }
    match schema["type"].as_str() {
        Some("object") if schema["properties"].is_object() => {
            let mut inner = String::new();
            mapping(rng, schema, depth + 1, &mut inner);
            *text += &match inner.is_empty() {
                true => format!("{indent}{key}: {{}}\n"),
                false => format!("{indent}{key}:\n{inner}"),
            };
        }
        Some("object") => {
            *text += &format!("{indent}{key}:\n");
            let first = rng.usize(..3);
            let names = match key {
                "services" => SERVICES,
                _ => NAMES,
            };
            for name in names.iter().skip(first).take(1 + rng.usize(..3)) {
                entry(rng, name, &schema["additionalProperties"], depth + 1, text);
            }
        }
        Some("array") if is_mapping(&schema["items"]) => {
            entries(rng, key, &schema["items"], depth, text);
        }
        Some("array") => {
            let entries: Vec<String> = (0..rng.usize(..3)).map(|_| scalar(rng, key)).collect();
            *text += &format!("{indent}{key}: [{}]\n", entries.join(", "));
        }
        Some("null") => *text += &format!("{indent}{key}:\n"),
        _ if key == "tags" && rng.bool() => {
            *text += &format!(
                "{indent}{key}: |\n{indent}  {}\n{indent}  type=sha\n",
                scalar(rng, key)
            );
        }
        _ => *text += &format!("{indent}{key}: {}\n", scalar(rng, key)),
    }
}

/// Whether entries of a list can be mappings.
fn is_mapping(schema: &Value) -> bool {
    let alternatives = schema["anyOf"].as_array();
    schema["type"] == "object"
        || alternatives.is_some_and(|alternatives| alternatives.iter().any(is_mapping))
}

/// A list of mappings, or of texts where entries can be texts.
fn entries(rng: &mut Rng, key: &str, schema: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let count = rng.usize(..3);
    if count == 0 {
        *text += &format!("{indent}{key}: []\n");
        return;
    }
    *text += &format!("{indent}{key}:\n");
    for _ in 0..count {
        let alternatives = schema["anyOf"].as_array();
        let schema = alternatives.map_or(schema, |it| rng.choice(it).unwrap());
        if schema["type"] != "object" {
            *text += &format!("{indent}- {}\n", scalar(rng, key));
            continue;
        }
        let choice = if rng.bool() { "key" } else { "identity" };
        let mut narrowed = schema.clone();
        if key == "prune" {
            let choices = ["tags", "versions", "untagged"];
            let choice: &str = rng.choice(choices).unwrap();
            let bound: &str = rng.choice(["older-than", "keep-last"]).unwrap();
            narrowed["required"] = json!([choice, bound]);
            let keys = narrowed["properties"].as_object_mut().unwrap();
            keys.retain(|key, _| key == choice || !choices.contains(&key.as_str()));
        } else if schema["oneOf"].is_array() {
            narrowed["required"] = json!([choice]);
            let other = if choice == "key" {
                ["identity", "issuer", "repository"].as_slice()
            } else {
                &["key"]
            };
            let keys = narrowed["properties"].as_object_mut().unwrap();
            keys.retain(|key, _| !other.contains(&key.as_str()));
        }
        let mut entry = String::new();
        mapping(rng, &narrowed, depth + 1, &mut entry);
        *text += &match entry.strip_prefix(&format!("{indent}  ")) {
            Some(rest) => format!("{indent}- {rest}"),
            None => format!("{indent}- {{}}\n"),
        };
    }
}

/// Signers, most often such as `sign` demands, and with exactly one of the keys that are a choice.
fn signers(rng: &mut Rng, sign: &str, schema: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    *text += &format!("{indent}signers:\n");
    for _ in 0..1 + rng.usize(..2) {
        let is_certified = sign.ends_with("keyless") == (rng.u8(..) < 230);
        let (choice, unwanted): (&str, &[&str]) = match is_certified {
            true => ("identity", &["key"]),
            false => ("key", &["identity", "issuer", "repository"]),
        };
        let mut keys = schema["items"]["properties"].as_object().unwrap().clone();
        if rng.u8(..) < 230 {
            keys.retain(|key, _| !unwanted.contains(&key.as_str()));
        }
        let narrowed = json!({"properties": keys, "required": [choice]});
        let mut entry = String::new();
        mapping(rng, &narrowed, depth + 1, &mut entry);
        *text += &match entry.strip_prefix(&format!("{indent}  ")) {
            Some(rest) => format!("{indent}- {rest}"),
            None => format!("{indent}- {{}}\n"),
        };
    }
}

/// A text for the key, most often a right one, plain or in quotes.
fn scalar(rng: &mut Rng, key: &str) -> String {
    let words: &[&str] = match key {
        "from" if rng.u8(..) < 60 => &["fri 15:00", "mon 06:00"],
        "from" => &NAMES[..3],
        "repository" => REPOSITORIES,
        "tags" => RULES,
        "unbound" => &["allow", "refuse", "Allow"],
        "exclude-versions" => VERSIONS,
        "services" => SERVICES,
        "sign" => &["keyless", "key", "off", "Key", "yes", "signed"],
        "records" => RECORDS,
        "adopt-until" => &["2026-12-31", "2026-02-30"],
        "production" | "vsa" | "orphans" | "signed" | "ignore-unfixed" | "attach" | "attested"
        | "signature" | "still-current" | "override" => &["true", "false", "True", "yes", "1"],
        "lines" => &["on", "off", "Off", "no"],
        "suppressed" => &["show", "deny", "hide", "Show"],
        "fail-on" => &["high", "critical", "low", "High", "unknown", "7.0"],
        "refs" => &[
            "main",
            "release/**",
            "refs/tags/v*",
            "!x",
            "refs/pull/1",
            "a[",
            "a b",
            "?",
        ],
        "immutable" => &[
            "v*",
            "[0-9]*.[0-9]*",
            "sha-?",
            "[!a-c]x",
            "[",
            "a/b",
            "[]",
            "[z-a]",
        ],
        "released" => &["7y", "90d", "1y26w", "7", "1d1y"],
        "rollback" | "keep-last" | "images" => &["5", "100", "1", "0", "x", "05"],
        "share" => &["30%", "100%", "30", "0%"],
        "pinned" => &["deploy/**/*.yaml", "a.yaml", "../x", "/etc"],
        "untagged" => &["true", "false"],
        "versions" => &["*", "[0-9]*", "a b"],
        "max-age" | "soak" | "for" | "older-than" | "grace" => {
            &["24h", "90d", "1d12h", "1h1d", "24", "0h", "1 day"]
        }
        "max-size" => &["500MiB", "1GB", "1.5GiB", "500", "1gb", "0B"],
        "to" => &[
            "fri 15:00",
            "mon 06:00",
            "2027-01-01T00:00",
            "friday",
            "fri 25:00",
        ],
        "zone" => &["UTC", "Europe/Berlin", "Europe/Atlantis", "x y"],
        "user" => &["non-root", "1000", "app:app", ":app", "a b"],
        "labels" => &["a", "org.opencontainers.image.title", "a=b*", "=b", "a b"],
        "platforms" | "platform" => &[
            "linux/amd64",
            "linux/arm/v7",
            "windows(10.0)/amd64",
            "linux",
            "a/b/c/d",
        ],
        "attestations" | "rule" => &[
            "spdx",
            "https://slsa.dev/provenance/v1",
            "cyclonedx,/a=b",
            "sbom",
            "x,a=b",
        ],
        "vex" | "dockerfile" => &[
            "a.json",
            "security/web.openvex.json",
            "../x",
            "/etc/x",
            "a//b",
        ],
        "target" => &["runtime", "1", "a b", "-x"],
        "id" => &["CVE-2026-1234", "GHSA-x", "a b"],
        "package" => &["pkg:deb/*", "openssl"],
        "reason" => &["not reachable", "1"],
        "identity" => IDENTITIES,
        "issuer" => &["https://x.example.com", "x"],
        "key" => &["keys/a.pub", "a.pub", "1", "-----BEGIN PRIVATE KEY-----"],
        "actions" => &["push", "deployed", "rollback", "release"],
        "until" => TIMES,
        _ => NAMES,
    };
    // The first of them are right.
    let count = if rng.u8(..) < 200 {
        words.len().div_ceil(2)
    } else {
        words.len()
    };
    let word = rng.choice(&words[..count]).unwrap();
    match rng.u8(..) {
        0..150 => (*word).to_owned(),
        150..240 => format!("'{word}'"),
        240..250 => format!("\" {word}\\_\""),
        _ => "~".to_owned(),
    }
}

fn change_characters(rng: &mut Rng, text: &mut String) {
    for _ in 0..1 + rng.usize(..3) {
        let mut letters: Vec<char> = text.chars().collect();
        if letters.is_empty() {
            return;
        }
        let at = rng.usize(..letters.len());
        match rng.u8(..3) {
            0 => drop(letters.remove(at)),
            1 => letters.insert(
                at,
                *rng.choice(&[' ', '\n', ':', '-', '\'', '&', '#', 'x', '0', '\u{a0}'])
                    .unwrap(),
            ),
            _ => letters[at] = char::from(rng.u8(32..127)),
        }
        *text = letters.into_iter().collect();
    }
}
