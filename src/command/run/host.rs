//! The process that hosts a run.

use crate::agent::StopRequest;
use crate::failure::Used;
use crate::http;
use crate::output::paint::Paint;

/// The process that hosts a run.
#[derive(Clone, Debug)]
pub struct Host {
    /// User-Agent, proxies and TLS roots.
    pub setup: http::HttpSetup,
    /// Ends the process at once for this stop request and reports it, in these colours.
    pub exit_now: fn(StopRequest, Paint),
    /// The credential, for the failures of turns.
    pub used: Option<Used>,
}
