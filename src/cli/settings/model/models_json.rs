//! `models.json` in the home of codex-run.

use crate::cli::config;
use crate::cli::environment::Environment;
use crate::failure::Failure;
use crate::jsonc;
use crate::models::custom::{self, Provider};

/// The contents of `models.json`.
pub(crate) fn providers(environment: &Environment) -> Result<Vec<Provider>, Failure> {
    let Some(file) = environment.home().map(|home| home.join("models.json")) else {
        return Ok(Vec::new());
    };
    let shown = file.display().to_string();
    match config::read_settings(&file)? {
        Some(text) => custom::parse(&jsonc::plain(&text), &shown)
            .map_err(|mistake| config::invalid("invalid setting in", &file, &mistake)),
        None => Ok(Vec::new()),
    }
}
