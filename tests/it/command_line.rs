//! The command line as a person in a shell meets it: help, completions, the man page, and variables in
//! place of flags.

use std::path::Path;
use std::process::{Command, Stdio};

use shipmark::cli::{INPUTS, Verb};

use crate::support::example;
use crate::support::keys;
use crate::support::process::{Place, Ran};

fn run(arguments: &[&str]) -> Ran {
    in_columns(arguments, 80)
}

fn in_columns(arguments: &[&str], columns: usize) -> Ran {
    let place = Place::new();
    let mut command = place.command();
    command.args(arguments).env("COLUMNS", columns.to_string());
    Ran::of(command.output().unwrap())
}

/// What a command prints that ends well.
fn printed(arguments: &[&str]) -> String {
    let ran = run(arguments);
    assert_eq!(
        (ran.status, ran.log.as_str()),
        (Some(0), ""),
        "{arguments:?}"
    );
    ran.out
}

#[test]
fn short_help_has_a_line_for_each_flag_and_long_help_the_details() {
    for verb in Verb::ALL {
        let short = printed(&[verb.name(), "-h"]);
        let long = printed(&[verb.name(), "--help"]);
        assert_eq!(printed(&["help", verb.name()]), long);
        // A line may be wrapped anywhere.
        let join = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (joined, joined_long) = (join(&short), join(&long));
        for input in verb.inputs() {
            let declaration = input.declaration();
            for text in [&joined, &joined_long] {
                assert!(text.contains(&format!("--{input}")), "{verb} {input}");
                assert!(text.contains(declaration.help), "{verb} {input}");
            }
            let variable = format!("[env: {}]", declaration.shell_variable().unwrap());
            assert!(!short.contains(&variable) && joined_long.contains(&variable));
            if let Some(details) = input.details() {
                assert!(joined_long.contains(details), "{verb} {input}");
                assert!(!joined.contains(details), "{verb} {input}");
            }
        }
    }
}

#[test]
fn every_verb_has_help_of_the_same_layout() {
    for verb in Verb::ALL {
        for flag in ["-h", "--help"] {
            let help = printed(&[verb.name(), flag]);
            let titles: Vec<_> = help
                .lines()
                .filter(|line| !line.starts_with(' ') && line.ends_with(':'))
                .collect();
            let order = [
                "Source and destination:",
                "Tags:",
                "Policy:",
                "Release records:",
                "Retention:",
                "Signing:",
                "Sigstore instance:",
                "Verification:",
                "Registry access:",
                "Run:",
                "Output:",
                "Other variables:",
                "Exit status:",
                "Examples:",
            ];
            let mut expected = order.to_vec();
            expected.retain(|title| titles.contains(title));
            assert_eq!(titles, expected, "{verb} {flag}");
            assert!(help.starts_with(verb.help().get(..35).unwrap()), "{help}");
            assert!(
                help.contains(&format!("\nUsage: shipmark {verb}")),
                "{help}"
            );
            assert!(help.contains(&format!("\n  shipmark {verb} ")), "{help}");
        }
    }
}

#[test]
fn help_is_as_wide_as_the_terminal() {
    for columns in [60, 80, 100] {
        for verb in Verb::ALL {
            for flag in ["-h", "--help"] {
                let help = in_columns(&[verb.name(), flag], columns).out;
                let too_long = |line: &&str| {
                    let words = line.split_whitespace().count();
                    line.chars().count() > columns && words > 2 && !line.contains("https://")
                };
                let lines: Vec<_> = help.lines().filter(too_long).collect();
                assert!(lines.is_empty(), "{verb} {flag} {columns}: {lines:#?}");
                assert!(
                    help.lines().all(|line| line.trim_end() == line),
                    "{verb} {flag}"
                );
            }
        }
    }
    let long = |columns| in_columns(&["push", "--help"], columns).out.lines().count();
    assert!(long(60) > long(100));
}

#[test]
fn without_a_verb_help_is_short_and_an_error() {
    let ran = run(&[]);
    assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""));
    assert_eq!(ran.log, printed(&["-h"]));
    for verb in Verb::ALL {
        assert!(ran.log.contains(&format!("\n  {verb} ")), "{}", ran.log);
    }
    let long = printed(&["help"]);
    assert_eq!(long, printed(&["--help"]));
    assert!(long.contains("\nExit status:\n") && !ran.log.contains("Exit status"));
}

#[test]
fn an_error_ends_with_the_command_that_helps() {
    for (arguments, error, end) in [
        (
            &["psuh"][..],
            "error: \"psuh\" is not a verb; did you mean push?",
            "`shipmark help` lists the verbs",
        ),
        (
            &["help", "psuh"],
            "error: \"psuh\" is not a verb; did you mean push?",
            "`shipmark help help` explains help",
        ),
        (
            &["hunter2"],
            "error: \"hun…\" is not a verb; the verbs are tags, push, promote,",
            "`shipmark help` lists the verbs",
        ),
        (
            &["push", "--imagse=x"],
            "a similar argument exists: '--images'",
            "`shipmark help push` explains push",
        ),
        (
            &["push"],
            "--source <IMAGE>",
            "`shipmark help push` explains push",
        ),
        (
            &["verify", "--source"],
            "a value is required for '--source <IMAGE>'",
            "`shipmark help verify` explains verify",
        ),
        (
            &["push", "--source=a", "--artifact=b"],
            "--artifact is not an input of push, but of",
            "`shipmark help push` explains push",
        ),
        (
            &["push", "--source=a", "--sign=x"],
            "[possible values: key, keyless, off]",
            "`shipmark help push` explains push",
        ),
        (
            &["push", "--source=a", "--output=tagz"],
            "invalid value 'tagz' for '--output <FORMAT>'",
            "`shipmark help push` explains push",
        ),
        (
            &["completions"],
            "<SHELL>",
            "`shipmark help completions` explains completions",
        ),
    ] {
        let ran = run(arguments);
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert!(ran.log.contains(error), "{arguments:?}: {}", ran.log);
        assert_eq!(
            ran.log.lines().last(),
            Some(end),
            "{arguments:?}: {}",
            ran.log
        );
        assert!(!ran.log.contains("try '--help'"), "{}", ran.log);
    }
}

#[test]
fn a_wrong_command_line_in_a_job_is_annotated_and_in_the_summary() {
    let place = Place::new();
    let mut step = place.step("refs/heads/main", &[]);
    step.args(["push", "--source=a", "--imagse=x"]);
    let ran = Ran::of(step.output().unwrap());
    assert_eq!((ran.status, ran.out.as_str()), (Some(2), ""));
    let annotation = "::error title=shipmark::error: unexpected argument '--imagse' found";
    assert!(ran.log.contains(annotation), "{}", ran.log);
    let summary = place.read("summary");
    for part in ["[!CAUTION]", "imagse", "shipmark help push"] {
        assert!(summary.contains(part), "{part}: {summary}");
    }
}

/// Each example is run where no service answers: it fails at the services, not at its inputs.
#[test]
fn no_example_of_signing_a_file_lacks_an_input() {
    let place = Place::new();
    std::fs::write(place.path("cosign.key"), keys::pem()).unwrap();
    std::fs::write(place.path("web.tar.gz"), "content").unwrap();
    let help = in_columns(&["sign-bundle", "-h"], 100).out;
    let help = help.replace(" \\\n", " ");
    let examples = help.lines().map(str::trim);
    let examples: Vec<_> = examples
        .filter(|line| line.starts_with("shipmark sign-bundle ") && line.contains("--sign key "))
        .collect();
    assert_eq!(examples.len(), 1, "{help}");
    for line in examples {
        let mut command = place.command();
        command.args(line.split_whitespace().skip(1));
        command.env("HTTPS_PROXY", "http://127.0.0.1:9");
        let ran = Ran::of(command.output().unwrap());
        assert_eq!(ran.status, Some(3), "{line}: {}", ran.log);
    }
}

/// Runs a script with the shell, with shipmark's completions before it; `None` if the shell is not here.
fn with_completions(shell: &str, flags: &[&str], script: &str) -> Option<Ran> {
    let place = Place::new();
    let file = place.path("completions");
    std::fs::write(&file, printed(&["completions", shell])).unwrap();
    let script = script.replace("COMPLETIONS", file.to_str().unwrap());
    let mut command = Command::new(shell);
    command
        .args(flags)
        .args(["-c", &script])
        .current_dir(place.root());
    let output = command.stdin(Stdio::null()).output();
    match output {
        Ok(output) => Some(Ran::of(output)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("{shell}: {error}"),
    }
}

/// What bash offers after these words, of which the last is under way.
fn bash_offers(words: &[&str]) -> Vec<String> {
    let words = words.iter().map(|word| format!("'{word}'"));
    let words = words.collect::<Vec<_>>().join(" ");
    let script = format!(
        "set -eu; source COMPLETIONS; complete -p shipmark >&2; COMP_WORDS=({words}); \
         COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _shipmark; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    );
    let ran = with_completions("bash", &["--norc"], &script).expect("bash");
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    assert_eq!(ran.log, "complete -o default -F _shipmark shipmark\n");
    ran.out.lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_verbs_flags_and_words() {
    assert_eq!(bash_offers(&["shipmark", "pro"]), ["promote"]);
    assert_eq!(
        bash_offers(&["shipmark", "ver"]),
        ["verify", "verify-bundle"]
    );
    for verb in Verb::ALL {
        let offers = bash_offers(&["shipmark", verb.name(), "--"]);
        for input in verb.inputs() {
            assert!(offers.contains(&format!("--{input}")), "{verb} {input}");
        }
    }
    assert_eq!(
        bash_offers(&["shipmark", "push", "--sign", ""]),
        ["key", "keyless", "off"]
    );
    assert_eq!(
        bash_offers(&["shipmark", "push", "--sign", "=", "keyl"]),
        ["keyless"]
    );
    assert_eq!(
        bash_offers(&["shipmark", "push", "--sign", "="]),
        ["key", "keyless", "off"]
    );
    assert_eq!(
        bash_offers(&["shipmark", "push", "--ca-file", "comp"]),
        ["completions"]
    );
    assert_eq!(
        bash_offers(&["shipmark", "completions", ""]),
        ["bash", "zsh", "fish"]
    );
    assert_eq!(bash_offers(&["shipmark", "help", "sign"]), ["sign-bundle"]);
}

#[test]
#[ignore = "needs zsh and fish"]
fn zsh_and_fish_complete_verbs_flags_and_words() {
    let script =
        "autoload -Uz compinit; compinit -u -D; source COMPLETIONS; print ${_comps[shipmark]}";
    let ran = with_completions("zsh", &["-f"], script).expect("zsh");
    assert_eq!(
        (ran.status, ran.out.as_str(), ran.log.as_str()),
        (Some(0), "_shipmark\n", "")
    );
    for (line, offer) in [
        ("shipmark pro", "promote"),
        ("shipmark push --foreign-l", "--foreign-layers"),
        ("shipmark push --sign key", "keyless"),
        ("shipmark completions z", "zsh"),
    ] {
        let script = format!("source COMPLETIONS; complete -C '{line}'");
        let ran = with_completions("fish", &["-N"], &script).expect("fish");
        assert_eq!((ran.status, ran.log.as_str()), (Some(0), ""));
        let offers = |word: &str| {
            ran.out
                .lines()
                .any(|line| line.split('\t').next() == Some(word))
        };
        assert!(offers(offer), "{line}: {}", ran.out);
    }
}

#[test]
fn zsh_and_fish_scripts_have_every_flag() {
    let (zsh, fish) = (
        printed(&["completions", "zsh"]),
        printed(&["completions", "fish"]),
    );
    assert!(zsh.starts_with("#compdef shipmark\n"));
    for input in INPUTS.iter().filter(|input| !input.verbs.is_empty()) {
        let in_zsh = [format!("--{}=[", input.name), format!("--{}[", input.name)];
        assert!(
            in_zsh.iter().any(|text| zsh.contains(text)),
            "{}",
            input.name
        );
        let flag = format!("' -l {} ", input.name);
        let in_fish = fish.matches(&flag).count();
        assert_eq!(in_fish, input.verbs.len(), "{}", input.name);
    }
    assert!(zsh.contains("'--sign=[Sign with a key, keyless with the identity of the job, or not at all]:word:(key keyless off)'"));
}

#[test]
fn the_man_page_has_every_input_and_no_line_that_is_a_request() {
    let page = printed(&["man"]);
    for section in [
        "NAME",
        "SYNOPSIS",
        "VERBS",
        "FLAGS",
        "ENVIRONMENT",
        "EXIT STATUS",
        "EXAMPLES",
    ] {
        assert!(page.contains(&format!("\n.SH {section}\n")), "{section}");
    }
    let plain = page.replace("\\-", "-").replace("\\e", "\\");
    for input in INPUTS.iter().filter(|input| !input.verbs.is_empty()) {
        let flag = format!("\\fB--{}", input.name);
        let flags = plain.lines().filter(|line| {
            let rest = line.strip_prefix(&flag);
            rest.is_some_and(|rest| rest.starts_with([' ', '[', '\\']))
        });
        assert_eq!(flags.count(), 1, "{}", input.name);
        assert!(
            plain.contains(&format!("\n{}\n", input.help)),
            "{}",
            input.name
        );
        let variable = format!("[env: {}]", input.shell_variable().unwrap());
        assert!(plain.contains(&variable), "{}", input.name);
    }
    let requests = [
        ".TH ", ".SH ", ".SS ", ".TP", ".IP", ".PP", ".br", ".RS 4", ".RE",
    ];
    for line in page.lines().filter(|line| line.starts_with(['.', '\''])) {
        assert!(
            requests.iter().any(|request| line.starts_with(request)),
            "{line}"
        );
    }
}

#[test]
fn usage_errors_show_the_usage_of_help() {
    for arguments in [
        &["push", "--output=json", "--output=tags"][..],
        &["push", "-q", "-v"],
        &["push", "--bogus"],
    ] {
        let ran = Place::new().run(arguments);
        assert_eq!(ran.status, Some(2), "{}", ran.log);
        assert!(
            ran.log.contains("Usage: shipmark push [FLAGS]\n"),
            "{}",
            ran.log
        );
    }
}

#[test]
fn a_variable_gives_what_no_flag_gives() {
    let place = Place::new();
    let mut command = place.command();
    command
        .args(["push", "--tags=git-9f3c2a1"])
        .env("SHIPMARK_SOURCE", example())
        .env("SHIPMARK_IMAGES", "# both\noci:a\noci:b")
        .env("SHIPMARK_CREDENTIALS", "ghcr.io=robot:made-up-word")
        .env("SHIPMARK_SGIN", "keyless");
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.status, Some(0), "{}", ran.log);
    for folder in ["a", "b"] {
        assert!(
            ran.out.contains(&format!("\noci:{folder}@sha256:")),
            "{}",
            ran.out
        );
    }
    let told = "inputs from variables: SHIPMARK_SOURCE, SHIPMARK_IMAGES, SHIPMARK_CREDENTIALS";
    assert!(ran.log.contains(told), "{}", ran.log);
    assert!(
        ran.log
            .contains("SHIPMARK_SGIN is not read; did you mean SHIPMARK_SIGN?"),
        "{}",
        ran.log
    );
    command.env("SHIPMARK_IMAGES", "oci:a\nGHCR.io/made-up-word/Web:1");
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(ran.log.contains("SHIPMARK_IMAGES, line 2: "), "{}", ran.log);
    assert!(
        !ran.log.contains("made-up-word"),
        "a secret of a variable: {}",
        ran.log
    );
}

#[test]
fn an_input_that_a_variable_gives_in_vain_is_refused_by_its_name() {
    let place = Place::new();
    let mut command = place.command();
    command
        .args(["push", "--source", &example(), "--images=oci:a", "--tags=a"])
        .env("SHIPMARK_SBOM", "sbom.json");
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.status, Some(2), "{}", ran.log);
    assert!(ran.log.contains("SHIPMARK_SBOM is given"), "{}", ran.log);
}

#[test]
fn the_printed_ways_to_install_completions_and_the_man_page_work_in_a_new_home() {
    let place = Place::new();
    let program = Path::new(env!("CARGO_BIN_EXE_shipmark"));
    let folders = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    for (command, files) in [("completions", 3), ("man", 1)] {
        let help = printed(&["help", command]);
        let (_, examples) = help.split_once("Examples:\n").unwrap();
        assert_eq!(examples.matches("  shipmark ").count(), files, "{help}");
        let mut shell = Command::new("/bin/sh");
        shell.args(["-ec", examples]).env_clear();
        shell.env("HOME", place.root()).env("PATH", &folders);
        let ran = Ran::of(shell.output().unwrap());
        assert_eq!(ran.status, Some(0), "{}", ran.log);
    }
}
