//! The settings of each command, from its arguments and the environment. Every value is validated here; later code does not
//! validate it again.

mod account;
mod candidates;
mod chat;
mod clamping;
mod credential_order;
mod credentials;
mod endpoints;
mod inputs;
mod instructions;
mod key_commands;
mod limits;
mod model;
mod model_switch;
mod models;
mod outputs;
mod resumed_session;
mod run;
mod sessions;
mod setting_origins;
mod substitutes;
mod tools;

pub(super) use account::{login, logout, status, token};
pub(super) use candidates::candidates;
pub(super) use chat::chat;
pub(super) use endpoints::host;
pub(super) use models::models;
pub(super) use run::run;
pub(super) use sessions::sessions;
pub(super) use tools::tool_settings::{Tooling, of_servers, of_tool};
