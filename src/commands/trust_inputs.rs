//! The trusted root that verification starts from: a file, or Sigstore's public instance.

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;

use super::context_inputs;
use super::invocation::Invocation;
use super::local_files::read_bounded_file;
use crate::cli::Input;
use crate::release::Failure;
use crate::signing::{BUNDLE_LIMIT, TrustRoot, TufRepository, split_json_lines};

/// Whose word counts: the roots in the file that is given, any of them, else the public instance's.
pub(super) async fn load_trust_roots(
    invocation: &Invocation,
) -> Result<Vec<Arc<TrustRoot>>, Failure> {
    let roots = match invocation.arguments.entries(Input::TrustedRoot).first() {
        Some(entry) => {
            let wrong = |reason: String| {
                invocation
                    .arguments
                    .entry_file_error(Input::TrustedRoot, entry, reason)
            };
            let json = read_bounded_file(Path::new(&entry.text), BUNDLE_LIMIT)
                .map_err(|error| wrong(format!("{error:#}")))?;
            parse_roots(&json).map_err(wrong)?
        }
        None => vec![Arc::new(load_public_root(invocation).await?)],
    };
    Ok(roots)
}

/// Parses trusted roots: one, or one per line.
///
/// # Errors
/// Why they cannot be used, as the end of a sentence.
pub(super) fn parse_roots(json: &[u8]) -> Result<Vec<Arc<TrustRoot>>, String> {
    let unusable = |error: &dyn Display| format!("is not a trusted root that can be used: {error}");
    let texts = split_json_lines(json).map_err(|error| unusable(&error))?;
    let roots = texts.into_iter().map(TrustRoot::parse);
    let roots: Result<Vec<_>, _> = roots.map(|root| root.map(Arc::new)).collect();
    roots.map_err(|error| unusable(&error))
}

/// Loads the root of Sigstore's public instance.
///
/// # Errors
/// A repository of the instance that cannot be read.
pub(super) async fn load_public_root(invocation: &Invocation) -> Result<TrustRoot, Failure> {
    let log = &invocation.log;
    if invocation.arguments.switch(Input::Offline)? {
        log.info("the roots of the public instance are those of this program");
        let root = TrustRoot::load_embedded();
        return root.map_err(|error| Failure::service(format!("the trusted root: {error}")));
    }
    let client = context_inputs::open_connections(invocation)?;
    let root = tuf_repository(invocation)
        .load_trust_root(&client, &log.notices())
        .await;
    root.map_err(|error| {
        Failure::service(format!("the roots of the public instance: {error}"))
            .with_reason("its repository is broken, or something between here and there answers in its place; a clock that is wrong shows so too")
            .with_hint("set offline: true to use the roots in this program, or trusted-root to use a file")
    })
}

/// Where the public instance says what it is. What it says is kept in the user's cache; a job's runner
/// has none that lasts.
#[expect(clippy::disallowed_methods, reason = "the surface reads the clock")]
pub(super) fn tuf_repository(invocation: &Invocation) -> TufRepository {
    let environment = &invocation.environment;
    let cache = environment.path("XDG_CACHE_HOME").map(Path::to_owned);
    let cache = cache.or_else(|| Some(environment.path("HOME")?.join(".cache")));
    let kept = cache.filter(|path| path.is_absolute() && !environment.is_in_runner());
    TufRepository::new(
        Timestamp::now(),
        kept.map(|path| path.join("shipmark").join("tuf")),
    )
}
