//! Integration tests: the real binary on the real kernel, one module per group of commands.
//!
//! `cases!` runs a case in each identity mode that the process can take; `require!` names what a
//! machine lacks. `KETCH_TEST_STRICT=1` makes every skip a failure.
#![allow(clippy::print_stderr)]

#[macro_use]
#[path = "../harness/mod.rs"]
mod harness;

mod boot;
mod build;
mod build_cache;
mod build_copy;
mod build_docker;
mod build_faults;
mod build_hostile;
mod build_logins;
mod build_named;
mod build_output;
mod build_peer;
mod build_platforms;
mod build_real;
mod build_shown;
mod cdi;
mod cli;
mod clients;
mod commit;
mod completed;
mod copies;
mod cp;
mod crash;
mod debian;
mod detached;
mod detached_crash;
mod drivers;
mod events;
mod exec;
mod flags;
mod health;
mod hostile;
mod images;
mod initialized;
mod inspect;
mod joined;
mod lifecycle;
mod logs;
mod mounts;
mod network;
mod network_bridge;
mod network_names;
mod network_private;
mod network_shared;
mod notify;
mod pause;
mod peers;
mod personality;
mod podman_words;
mod ports;
mod power_cut;
mod process;
mod progress;
mod ps;
mod pull;
mod pull_faults;
mod push;
mod refusals;
mod restart;
mod rm;
mod rungs;
mod save;
mod secrets;
mod security;
mod security_escape;
mod security_race;
mod service;
mod signals;
mod stack;
mod stats;
mod stop;
mod store;
mod stress;
mod system;
mod terminal;
mod transfer;
mod update;
mod userns;
mod volumes;
mod wait;
mod watched;
mod web;
