//! Situations that users of similar tools reported publicly, each with the right result.

mod events;
mod forms;
mod lines;
mod policy;
mod settings;
mod stage;
