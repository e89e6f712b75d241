//! The process: see [`shipmark`] for the map of the house.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use shipmark::actions::ProcessEnvironment;
use shipmark::cli::{self, CliAction, InputValues, OutputFlags, UsageError};
use shipmark::commands;
use shipmark::release::Failure;
use shipmark::report::{self, RunLog, Terminals, VerbResult};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

fn main() -> ExitCode {
    let environment = ProcessEnvironment::capture();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let terminals = Terminals::of_process(&environment, &io::stdout(), &io::stderr());
    let log = RunLog::new(io::stderr(), terminals.log_reader(&environment));
    log.add_secrets(&commands::environment_secrets(&environment));
    let configure = |flags: OutputFlags| {
        // Without a current folder no annotation names a file by a relative path.
        let current = std::env::current_dir().unwrap_or_default();
        log.configure(terminals.log_settings(&environment, flags, &current));
    };
    configure(OutputFlags::default());
    let end = |verb: &str, flags: OutputFlags, result: Result<VerbResult, Failure>| {
        let mut page = terminals.report_page(&environment, flags, io::stdout());
        report::report_result(verb, result, &environment, &log, &mut page).into()
    };
    let arguments = match cli::parse(&arguments, &environment) {
        Ok(CliAction::Run(arguments)) => arguments,
        Ok(CliAction::Print(text)) => {
            let written = io::stdout().write_all(text.as_bytes());
            return report::report_written(written, &log).into();
        }
        Err(UsageError::Flags(explanation)) if environment.is_in_runner() => {
            let failure = commands::usage_failure(&explanation);
            return end("", OutputFlags::default(), Err(failure));
        }
        Err(UsageError::Flags(explanation)) => {
            log.info(explanation.trim_end());
            return ExitCode::from(2);
        }
        Err(UsageError::Input(error)) => {
            return end("", OutputFlags::default(), Err(error.into()));
        }
    };
    log.add_secrets(&commands::collect_secrets(&arguments));
    let (verb, flags) = (arguments.verb, arguments.output);
    configure(flags);
    for warning in &arguments.warnings {
        log.warning(warning);
    }
    let variables = arguments.variable_names();
    if !variables.is_empty() {
        log.info(&format!("inputs from variables: {}", variables.join(", ")));
    }
    let result = run_until_signal(arguments, environment.clone(), log.clone());
    end(verb.name(), flags, result)
}

/// Runs the verb to its end, or until a signal: the process may be the first of its container,
/// which signals do nothing to by themselves.
fn run_until_signal(
    arguments: InputValues,
    environment: ProcessEnvironment,
    log: Arc<RunLog>,
) -> Result<VerbResult, Failure> {
    let internal = |error: anyhow::Error| Failure::service(format!("{error:#}"));
    let (runtime, signals) = start_runtime().map_err(internal)?;
    // A thread of its own: what blocks there does not keep a signal waiting here.
    let (done, work) = oneshot::channel();
    let (cancel, cancelled) = oneshot::channel();
    let handle = runtime.handle().clone();
    let work_thread = move || {
        let cancelled = async {
            if cancelled.await.is_err() {
                std::future::pending().await
            }
        };
        let result = handle.block_on(commands::run(arguments, environment, log, cancelled));
        let _ = done.send(result);
    };
    std::thread::Builder::new()
        .spawn(work_thread)
        .context("cannot start a thread")
        .map_err(internal)?;
    let result = runtime.block_on(first_event(work, cancel, signals));
    // The process ends next. Work that goes on until then would fail in a runtime that is shut down.
    std::mem::forget(runtime);
    result
}

/// Signals that cancel a run.
struct EndSignals {
    interrupt: Signal,
    terminate: Signal,
    /// `None` where the process was told to outlive its terminal.
    hang_up: Option<Signal>,
}

impl EndSignals {
    fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        let hang_up = (!is_hang_up_ignored()).then(|| listen(SignalKind::hangup()));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hang_up: hang_up.transpose()?,
        })
    }

    /// Waits for one of them.
    async fn wait(&mut self) {
        let hang_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            _ = hang_up => {}
        }
    }
}

/// Returns whether the process began with SIGHUP ignored, as below `nohup` (proc(5), "SigIgn").
fn is_hang_up_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 == 1)
}

/// Starts the runtime, and listens for the signals that end a run.
fn start_runtime() -> anyhow::Result<(Runtime, EndSignals)> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the asynchronous runtime")?;
    let signals = {
        let _inside = runtime.enter();
        EndSignals::listen()?
    };
    Ok((runtime, signals))
}

/// How long work that was told to stop may take to tidy up. The runner kills what is left after ten
/// seconds; a person at a terminal does so sooner.
const CLEANUP_TIMEOUT: Duration = Duration::from_millis(1500);

type RunningVerb = oneshot::Receiver<Result<VerbResult, Failure>>;

async fn first_event(
    mut work: RunningVerb,
    cancel: oneshot::Sender<()>,
    mut signals: EndSignals,
) -> Result<VerbResult, Failure> {
    tokio::select! {
        result = &mut work => return result.unwrap_or_else(|_| {
            Err(Failure::service("shipmark itself failed; the log says where"))
        }),
        () = signals.wait() => {}
    }
    let _ = cancel.send(());
    tokio::select! {
        Ok(result) = work => result,
        () = tokio::time::sleep(CLEANUP_TIMEOUT) => Err(Failure::Cancelled),
        () = signals.wait() => Err(Failure::Cancelled),
    }
}
