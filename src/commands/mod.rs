//! The verbs, one file each: from arguments to the request that the road takes.

mod advice;
mod api;
mod attestations;
mod context;
mod facts;
mod instance;
mod keyless;
mod logins;
mod places;
mod policy;
mod promote;
mod push;
mod request;
mod route;
mod sign_bundle;
mod signing;
mod subject;
mod tags;
mod trust;
mod verify;
mod verify_bundle;
mod visibility;

use std::sync::Arc;
use std::time::{Duration, Instant};

pub use logins::secrets;
pub use signing::held;

use crate::actions::Environment;
use crate::cli::{Arguments, InputError, Verb};
use crate::release::{self, Context, Failure};
use crate::report::{self, Done, Log};
use request::Asked;

/// What a verb has to go by.
struct Given {
    arguments: Arguments,
    environment: Environment,
    log: Arc<Log>,
}

/// How long closing what a broken-off run has open may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs a verb, to its end or until `cancelled`.
pub async fn run(
    mut arguments: Arguments,
    environment: Environment,
    log: Arc<Log>,
    cancelled: impl Future<Output = ()>,
) -> Result<Done, Failure> {
    places::find(&mut arguments, &environment, &log)?;
    let given = Given {
        arguments,
        environment,
        log,
    };
    let asked = match given.arguments.verb {
        Verb::Tags => {
            return tokio::select! {
                result = tags::run(&given) => Ok(Done::Tagged(Box::new(result?))),
                () = cancelled => Err(Failure::Cancelled),
            };
        }
        Verb::Verify => {
            return tokio::select! {
                result = verify::run(&given) => Ok(Done::Verified(Box::new(result?))),
                () = cancelled => Err(Failure::Cancelled),
            };
        }
        Verb::VerifyBundle => {
            return tokio::select! {
                result = verify_bundle::run(&given) => Ok(Done::VerifiedBundle(Box::new(result?))),
                () = cancelled => Err(Failure::Cancelled),
            };
        }
        Verb::SignBundle => {
            return tokio::select! {
                result = sign_bundle::run(&given) => Ok(Done::SignedBundle(Box::new(result?))),
                () = cancelled => Err(Failure::Cancelled),
            };
        }
        Verb::Push => push::request(&given).await,
        Verb::Promote => promote::request(&given).await,
    }?;
    let context = context::context(&given)?;
    let owners = places::owners(&given, asked.destinations());
    let began = Instant::now();
    let result = walk(&asked, &context, &given.log, cancelled).await;
    given.log.info(&format!(
        "{} requests in {:.1} s",
        context.registry.requests(),
        began.elapsed().as_secs_f64()
    ));
    places::hand_over(&given, &owners);
    let mut done = result.map_err(|failure| advice::advise(failure, &given))?;
    if let Done::Fleet(fleet) = &mut done {
        for failure in fleet.failures_mut() {
            *failure = advice::advise(failure.clone(), &given);
        }
    }
    Ok(done)
}

/// Walks the road, and tidies up where that ends early.
async fn walk(
    asked: &Asked,
    context: &Context,
    log: &Log,
    cancelled: impl Future<Output = ()>,
) -> Result<Done, Failure> {
    let work = async {
        Ok(match asked {
            Asked::One(request) => Done::Released(Box::new(release::run(request, context).await?)),
            Asked::Fleet(fleet) => {
                let said = |service: &_, end: &_| log.info(&report::ended(service, end));
                Done::Fleet(Box::new(fleet.run(context, said).await))
            }
        })
    };
    let result = tokio::select! {
        result = work => result,
        () = cancelled => Err(Failure::Cancelled),
    };
    let failed = match &result {
        Ok(Done::Fleet(fleet)) => fleet.failed().next().is_some(),
        other => other.is_err(),
    };
    if failed {
        // A registry that does not answer expires its upload sessions by itself.
        let _ = tokio::time::timeout(LAST_WORDS, context.registry.abandon()).await;
    }
    result
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        Self::input(error.to_string())
    }
}

#[cfg(test)]
mod tests;
