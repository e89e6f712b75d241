//! Deletion by retention rules, over HTTP against the test registry, and on image layouts.

mod archive;
mod cases;
mod counts;
mod crash;
mod layouts;
mod plan_files;
mod races;
mod stage;
