//! The process under test, run as its users run it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use super::COMMIT;

/// A folder to run in, with nothing of this process's environment.
pub struct Place(tempfile::TempDir);

pub struct Ran {
    pub status: Option<i32>,
    pub out: String,
    pub log: String,
}

impl Place {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn root(&self) -> &Path {
        self.0.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_shipmark"));
        command.env_clear().current_dir(self.0.path());
        // Where coverage is measured, what this process runs counts too.
        if let Some(file) = std::env::var_os("LLVM_PROFILE_FILE") {
            command.env("LLVM_PROFILE_FILE", file);
        }
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(self.command().args(arguments).output().unwrap())
    }

    /// A step of a workflow that a push of `git_ref` started, with these inputs.
    pub fn step(&self, git_ref: &str, inputs: &[(&str, &str)]) -> Command {
        let mut command = self.command();
        for (variable, name) in [
            ("GITHUB_OUTPUT", "output"),
            ("GITHUB_STEP_SUMMARY", "summary"),
        ] {
            std::fs::write(self.path(name), "").unwrap();
            command.env(variable, self.path(name));
        }
        command
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_NAME", "push")
            .env("GITHUB_REF", git_ref)
            .env("GITHUB_SHA", COMMIT)
            .env("GITHUB_REPOSITORY", "acme/web");
        for (name, value) in inputs {
            command.env(format!("INPUT_{}", name.to_uppercase()), value);
        }
        command
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// The outputs of a step, as the runner reads them.
    pub fn outputs(&self) -> Vec<(String, String)> {
        let text = self.read("output");
        let mut lines = text.lines();
        let mut outputs = Vec::new();
        while let Some((name, delimiter)) = lines.next().and_then(|line| line.split_once("<<")) {
            let value: Vec<_> = lines
                .by_ref()
                .take_while(|line| *line != delimiter)
                .collect();
            outputs.push((name.to_owned(), value.join("\n")));
        }
        outputs
    }

    pub fn output(&self, name: &str) -> String {
        let outputs = self.outputs();
        let found = outputs.into_iter().find(|(known, _)| known == name);
        found.unwrap_or_default().1
    }
}

impl Ran {
    pub fn of(output: Output) -> Self {
        Self {
            status: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            log: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// Runs a program to its end, and tells the most memory that it had, in KiB.
pub fn peak(mut command: Command) -> (ExitStatus, u64) {
    command.stdout(Stdio::null()).stderr(Stdio::null());
    measured(command)
}

/// The same, with its output where the command says.
pub fn measured(mut command: Command) -> (ExitStatus, u64) {
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        // First of all a while: before it runs the program, the child has the memory of this process.
        std::thread::sleep(Duration::from_millis(2));
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let now = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok());
        most = most.max(now.unwrap_or_default());
        if let Some(ended) = child.try_wait().unwrap() {
            return (ended, most);
        }
    }
}

pub fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}
