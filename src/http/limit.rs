//! Time limits for an exchange and its steps.

use std::time::Duration;

/// Timeout for resolving a host, and again for connecting to it. Through a proxy, one timeout covers all steps, the
/// including the proxy's response.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Default idle timeout for a connection, counted from the last byte. The length of a stream is not limited: a healthy
/// answer can take many minutes.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// Time limit for reading the body of an error response.
pub(super) const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an idle connection is kept for the next request while tools run. Servers commonly close one after a minute.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(55);

/// Size of the first read of a response body, in bytes. Reads grow while they fill their buffer.
pub(super) const FIRST_READ_BYTES: usize = 32 << 10;

/// Size of the largest read of a response body: as many bytes as are taken from the socket at once, so that bytes that arrived
/// together are passed on together. The larger a read, the less a flood costs.
pub(super) const READ_BYTES: usize = 512 << 10;

/// Size of the buffers for TLS, in bytes: a few of its records.
pub(super) const TLS_BUFFER_BYTES: usize = 64 << 10;

/// Time limit for an exchange.
#[derive(Clone, Copy, Debug)]
pub enum TimeLimit {
    /// For the whole exchange, including the response body.
    Whole(Duration),
    /// No total limit; only the idle timeout for a stream applies.
    Stream,
}
