//! From what happened to what is read of it: the log, the step's outputs and summary, text.

mod log;
mod markdown;
mod progress;
mod words;

pub use log::{Log, Reader};
