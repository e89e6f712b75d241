//! Tests of parsing, on the command line and in a workflow.

use std::ffi::OsString;

use super::*;
use crate::actions::ProcessEnvironment;

fn in_runner(variables: &[(&str, &str)]) -> Result<InputValues, String> {
    let runner = [("GITHUB_ACTIONS", "true")];
    parse_from(
        &["shipmark"],
        runner.iter().chain(variables).copied().collect(),
    )
}

pub(super) fn on_command_line(arguments: &[&str]) -> Result<InputValues, String> {
    parse_from(arguments, ProcessEnvironment::default())
}

pub(super) fn parse_from(
    arguments: &[&str],
    environment: ProcessEnvironment,
) -> Result<InputValues, String> {
    let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
    match parse(&arguments, &environment) {
        Ok(CliAction::Run(arguments)) => Ok(arguments),
        Ok(CliAction::Print(text)) => Err(text),
        Err(UsageError::Flags(text)) => Err(text),
        Err(UsageError::Input(error)) => Err(error.to_string()),
    }
}

const MINIMUM: [(&str, &str); 3] = [
    ("INPUT_COMMAND", "push"),
    ("INPUT_SOURCE", "oci:dev"),
    ("INPUT_IMAGES", "oci:prod"),
];

#[test]
fn workflow_and_command_line_give_the_same_values() {
    let workflow = in_runner(&[
        ("INPUT_COMMAND", "promote"),
        ("INPUT_SOURCE", " oci:dev\n"),
        ("INPUT_IMAGES", "\n oci:a\r\n# not b\n\n oci:c\n"),
        ("INPUT_DRY-RUN", "True"),
        ("INPUT_ENVIRONMENT", ""),
        ("INPUT_ARGS", "x"),
    ])
    .unwrap();
    let flags = on_command_line(&[
        "shipmark",
        "promote",
        "--source",
        "oci:dev",
        "--images",
        "oci:a",
        "--images=oci:c",
        "--dry-run",
        "--environment",
        "",
    ])
    .unwrap();
    for arguments in [&workflow, &flags] {
        assert_eq!(arguments.verb, Verb::Promote);
        assert_eq!(arguments.text(Input::Source), Some("oci:dev"));
        let images = arguments.entries(Input::Images);
        assert_eq!([&images[0].text, &images[1].text], ["oci:a", "oci:c"]);
        assert_eq!(arguments.switch(Input::DryRun), Ok(true));
        assert_eq!(arguments.text(Input::Environment), None);
        assert_eq!(arguments.warnings, [""; 0]);
    }
    assert_eq!(workflow.entries(Input::Images)[1].line, Some(5));
}

#[test]
fn arguments_go_before_inputs() {
    let environment = ProcessEnvironment::from_iter(
        [("GITHUB_ACTIONS", "true"), ("INPUT_TAGS", "x")]
            .into_iter()
            .chain(MINIMUM),
    );
    let line = ["shipmark", "promote", "--source=a/b", "--images=oci:x"];
    let arguments = parse_from(&line, environment).unwrap();
    assert_eq!(arguments.verb, Verb::Promote);
    assert_eq!(arguments.text(Input::Tags), None);
}

#[test]
fn an_input_near_a_declared_one_is_refused() {
    for (variable, name, known) in [
        ("INPUT_DRYRUN", "dryrun", "dry-run"),
        ("INPUT_DRY_RUN", "dry_run", "dry-run"),
        ("INPUT_SGIN", "sgin", "sign"),
        ("INPUT_ENVIROMENT", "enviroment", "environment"),
        ("INPUT_ENV", "env", "environment"),
        ("INPUT_IMAGSE", "imagse", "images"),
        ("INPUT_IMAGE", "image", "images"),
        ("INPUT_TGAS", "tgas", "tags"),
        ("INPUT_COMAND", "comand", "command"),
        ("INPUT_SCAN_REPORT", "scan_report", "scan-report"),
        ("INPUT_SIGNING KEY", "signing key", "signing-key"),
        ("INPUT_VERIFYSOURCE", "verifysource", "verify-source"),
    ] {
        let mut variables = MINIMUM.to_vec();
        variables.push((variable, "x"));
        assert_eq!(
            in_runner(&variables).unwrap_err(),
            format!("{name} is not an input; did you mean {known}?")
        );
    }
}

#[test]
fn an_input_near_none_is_a_warning() {
    let mut variables = MINIMUM.to_vec();
    variables.extend([
        ("INPUT_QQQ", "x"),
        ("INPUT_Z\n::B", "x"),
        ("dry-run", "true"),
    ]);
    assert_eq!(
        in_runner(&variables).unwrap().warnings,
        [
            "unknown input qqq, which is ignored",
            "unknown input z\u{fffd}::b, which is ignored",
        ]
    );
}

#[test]
fn an_input_of_another_verb_says_which() {
    insta::assert_snapshot!(
        in_runner(&[("INPUT_SOURCE", "oci:dev"), ("INPUT_IMAGES", "oci:prod")]).unwrap_err(),
        @"source is not an input of tags, which runs where command is not given: set command to one of push, promote, check, verify, inspect"
    );
    insta::assert_snapshot!(
        in_runner(&[MINIMUM[0], MINIMUM[1], MINIMUM[2], ("INPUT_ARTIFACT", "x")]).unwrap_err(),
        @"artifact is not an input of push, but of verify-bundle, sign-bundle"
    );
    let line = [
        "shipmark",
        "push",
        "--source=a/b",
        "--images=oci:x",
        "--artifact=y",
    ];
    let error = on_command_line(&line).unwrap_err();
    assert!(
        error.contains("--artifact is not an input of push, but of verify-bundle, sign-bundle"),
        "{error}"
    );
}

#[test]
fn errors_name_the_input_and_the_line() {
    let with = |more: &[(&'static str, &'static str)]| {
        let mut variables = MINIMUM.to_vec();
        variables.extend(more);
        in_runner(&variables).unwrap()
    };
    let images = with(&[("INPUT_IMAGES", "oci:a\n\nGHCR.io/Acme/web")]);
    insta::assert_snapshot!(
        images.values::<crate::image::Destination>(Input::Images).unwrap_err(),
        @r#"images, line 3: "GHCR.io/Acme/web" has upper-case letters in its repository name: write acme/web"#
    );
    insta::assert_snapshot!(
        with(&[("INPUT_DRY-RUN", "1")]).switch(Input::DryRun).unwrap_err(),
        @r#"dry-run: "1" is neither true nor false"#
    );
    insta::assert_snapshot!(
        with(&[("INPUT_EXISTING", "force")]).choice(Input::Existing).unwrap_err(),
        @r#"existing: "force" is not one of fail, keep"#
    );
    let secret = with(&[("INPUT_CREDENTIALS", "made-up-word")]);
    insta::assert_snapshot!(
        secret.entry_error(Input::Credentials, &secret.entries(Input::Credentials)[0], "is no login"),
        @"credentials, line 1: is no login"
    );
    assert_eq!(
        secret.secrets().collect::<Vec<_>>(),
        [(Input::Credentials, "made-up-word")]
    );
}

#[test]
fn a_step_of_any_verb_takes_the_defaults_of_action_yml() {
    for (verb, needs) in [
        ("tags", vec![]),
        ("push", vec!["INPUT_SOURCE"]),
        ("promote", vec!["INPUT_SOURCE"]),
        ("verify", vec!["INPUT_SOURCE"]),
        ("verify-bundle", vec!["INPUT_BUNDLE"]),
        ("sign-bundle", vec!["INPUT_BUNDLE", "INPUT_ARTIFACT"]),
    ] {
        let mut variables = vec![("GITHUB_ACTIONS", "true"), ("INPUT_COMMAND", verb)];
        variables.extend(needs.into_iter().map(|name| (name, "oci:a")));
        variables.push(("INPUT_GITHUB-TOKEN", "made-up-token"));
        for declared in Input::ALL.iter().map(|input| input.declaration()) {
            let variable: &'static str = declared.variable().leak();
            variables.extend(declared.default.map(|default| (variable, default)));
        }
        variables.retain(|(name, value)| *name != "INPUT_COMMAND" || *value == verb);
        assert_eq!(in_runner(&variables).err(), None, "{verb}");
    }
    let given = [MINIMUM[0], MINIMUM[1], MINIMUM[2], ("INPUT_DIGEST", "x")];
    assert!(in_runner(&given).is_err());
}

#[test]
fn missing_inputs_are_named() {
    assert_eq!(in_runner(&[]).unwrap().verb, Verb::Tags);
    insta::assert_snapshot!(
        in_runner(&[("INPUT_COMMAND", "psuh")]).unwrap_err(),
        @r#"command: "psuh" is not one of tags, push, promote, check, verify, verify-bundle, sign-bundle, history, inspect, rollback, mark, adopt, hold, unhold, prune, restore, policy"#
    );
    let broken = [MINIMUM[0], ("INPUT_SOURCE", "oci:a\n::b"), MINIMUM[2]];
    insta::assert_snapshot!(
        in_runner(&broken).unwrap_err(),
        @r#"source: "oci:a�::b" contains a line break or another control character"#
    );
    insta::assert_snapshot!(in_runner(&MINIMUM[..1]).unwrap_err(), @"source is required");
    let line = ["shipmark", "push", "--source=", "--images=oci:x"];
    insta::assert_snapshot!(on_command_line(&line).unwrap_err(), @"--source is required");
}

#[test]
fn paths_are_renamed_in_every_input() {
    let mut arguments = in_runner(&[
        ("INPUT_COMMAND", "push"),
        ("INPUT_SOURCE", "oci-archive:/host/x.tar:v1"),
        ("INPUT_IMAGES", "oci:out\noci:/host/out\n/host/a"),
        ("INPUT_CA-FILE", "/host/a=b.pem"),
        ("INPUT_EVENT", "push=/host/event.json"),
        ("INPUT_CREDENTIALS", "a.example=robot:/host/word"),
    ])
    .unwrap();
    let renamed = arguments.rename_paths(|path| {
        let rest = path.strip_prefix("/host/")?;
        Some(format!("/here/{rest}"))
    });
    assert_eq!(renamed.len(), 5, "{renamed:?}");
    assert!(renamed.contains(&("/host/x.tar:v1".into(), "/here/x.tar:v1".into())));
    assert_eq!(
        arguments.text(Input::Source),
        Some("oci-archive:/here/x.tar:v1")
    );
    let images = arguments.entries(Input::Images);
    let images: Vec<_> = images.iter().map(|entry| entry.text.as_str()).collect();
    assert_eq!(images, ["oci:out", "oci:/here/out", "/here/a"]);
    assert_eq!(arguments.text(Input::CaFile), Some("/here/a=b.pem"));
    assert_eq!(arguments.text(Input::Event), Some("push=/here/event.json"));
    assert_eq!(
        arguments.secrets().next(),
        Some((Input::Credentials, "a.example=robot:/host/word"))
    );
}

#[test]
fn inputs_that_take_a_file_can_hold_a_path() {
    for input in INPUTS {
        let (InputKind::Text(word) | InputKind::List(word)) = input.kind else {
            continue;
        };
        let words = ["FILE", "DIR", "IMAGE", "PLACE"];
        let named = words.iter().any(|known| word.contains(known));
        assert_eq!(input.path, named, "{}", input.name);
    }
}

#[test]
fn the_command_line_explains_itself() {
    let version = on_command_line(&["shipmark", "--version"]).unwrap_err();
    assert_eq!(
        version,
        concat!("shipmark ", env!("CARGO_PKG_VERSION"), "\n")
    );
    let help = on_command_line(&["shipmark", "push", "--help"]).unwrap_err();
    for input in Verb::Push.inputs() {
        let flag = format!("--{}", input.name());
        assert!(help.contains(&flag), "{flag}");
    }
    let line = ["shipmark", "push", "--imagse=oci:x"];
    assert!(on_command_line(&line).unwrap_err().contains("--images"));
}
