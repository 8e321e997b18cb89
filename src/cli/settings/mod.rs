//! What each command is to do, from its arguments and the environment: every value is judged here, so that what follows
//! need not.

mod account;
mod credentials;
mod endpoints;
mod fitting;
mod inputs;
mod instructions;
mod keys;
mod limits;
mod model;
mod models;
mod order;
mod origins;
mod outputs;
mod resuming;
mod run;
mod tools;

pub(super) use account::{login, logout, status, token};
pub(super) use endpoints::host;
pub(super) use models::models;
pub(super) use run::run;
pub(super) use tools::around::{Tooling, of_tool};
