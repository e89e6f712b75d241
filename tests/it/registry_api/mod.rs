//! Registries' own APIs: recorded answers over real HTTP, with faults, and prune with each of them.

mod abilities;
mod acr;
mod docker_hub;
mod ecr;
mod ecr_server;
mod gar;
mod ghcr;
mod ghcr_server;
mod harbor;
mod quay;
mod small_repository;
mod vendor_server;
mod vendor_stage;
