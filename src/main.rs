//! The process: see [`shipmark`] for the map of the house.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use shipmark::actions::Environment;
use shipmark::cli::{self, Arguments, Invocation, UsageError};
use shipmark::commands;
use shipmark::release::Failure;
use shipmark::report::{self, Done, Log, Reader};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

fn main() -> ExitCode {
    let environment = Environment::of_process();
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let log = Log::new(io::stderr(), reader(&environment));
    log.hide(&commands::held(&environment));
    let end = |verb: &str, result: Result<Done, Failure>| {
        report::answer(verb, result, &environment, &log, &mut io::stdout()).into()
    };
    let arguments = match cli::read(&arguments, &environment) {
        Ok(Invocation::Run(arguments)) => arguments,
        Ok(Invocation::Print(text)) => {
            // Whoever reads it may have left.
            let _ = io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Err(UsageError::Flags(explanation)) => {
            log.info(explanation.trim_end());
            return ExitCode::from(2);
        }
        Err(UsageError::Input(error)) => return end("", Err(error.into())),
    };
    log.hide(&commands::secrets(&arguments));
    for warning in &arguments.warnings {
        log.warning(warning);
    }
    let verb = arguments.verb;
    let result = run(arguments, environment.clone(), log.clone());
    end(verb.name(), result)
}

/// A job's log goes to one stream, so that its order is kept; the runner acts on both.
fn reader(environment: &Environment) -> Reader {
    if environment.in_runner() {
        Reader::Job
    } else if io::stderr().is_terminal() && environment.get("CI").is_none() {
        // Other services give their jobs a terminal too, of which every line stays.
        Reader::Terminal
    } else {
        Reader::File
    }
}

/// Runs the verb to its end, or until a signal: the process may be the first of its container,
/// which signals do nothing to by themselves.
fn run(arguments: Arguments, environment: Environment, log: Arc<Log>) -> Result<Done, Failure> {
    let failed = |error: io::Error| Failure::service(format!("the system refuses: {error}"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(failed)?;
    let signals = {
        let _inside = runtime.enter();
        [SignalKind::interrupt(), SignalKind::terminate()].map(signal)
    };
    let [interrupt, terminate] = signals;
    let (interrupt, terminate) = (interrupt.map_err(failed)?, terminate.map_err(failed)?);
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
        .map_err(failed)?;
    let result = runtime.block_on(first(work, cancel, interrupt, terminate));
    runtime.shutdown_background();
    result
}

/// How long work that was told to stop may take to tidy up. The runner kills what is left after ten
/// seconds; a person at a terminal does so sooner.
const PATIENCE: Duration = Duration::from_millis(1500);

type Work = oneshot::Receiver<Result<Done, Failure>>;

async fn first(
    mut work: Work,
    cancel: oneshot::Sender<()>,
    mut interrupt: Signal,
    mut terminate: Signal,
) -> Result<Done, Failure> {
    tokio::select! {
        result = &mut work => return result.unwrap_or_else(|_| {
            Err(Failure::service("shipmark itself failed; the log says where"))
        }),
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    let _ = cancel.send(());
    tokio::select! {
        Ok(result) = work => result,
        () = tokio::time::sleep(PATIENCE) => Err(Failure::Cancelled),
        _ = interrupt.recv() => Err(Failure::Cancelled),
    }
}
