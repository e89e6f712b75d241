//! The verbs, one file each: from arguments to the request that the road takes.

mod advice;
mod context;
mod facts;
mod keyless;
mod logins;
mod places;
mod promote;
mod push;
mod request;
mod signing;
mod subject;
mod tags;
mod verify;

use std::sync::Arc;
use std::time::Duration;

pub use logins::secrets;

use crate::actions::Environment;
use crate::cli::{Arguments, InputError, Verb};
use crate::release::{self, Context, Failure, Outcome, Request};
use crate::report::{Done, Log};

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
    let request = match given.arguments.verb {
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
        Verb::Push => push::request(&given).await,
        Verb::Promote => promote::request(&given).await,
    }?;
    let context = context::context(&given)?;
    let owners = places::owners(&given, &request.destinations);
    let result = released(&request, &context, cancelled).await;
    places::hand_over(&given, &owners);
    let outcome = result.map_err(|failure| advice::advise(failure, &given))?;
    Ok(Done::Released(Box::new(outcome)))
}

/// Walks the road, and tidies up where that ends early.
async fn released(
    request: &Request,
    context: &Context,
    cancelled: impl Future<Output = ()>,
) -> Result<Outcome, Failure> {
    let result = tokio::select! {
        result = release::run(request, context) => result,
        () = cancelled => Err(Failure::Cancelled),
    };
    if result.is_err() {
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
