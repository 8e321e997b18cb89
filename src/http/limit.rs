//! How long an exchange may take, and each of its steps.

use std::time::Duration;

/// How long finding the host's addresses may take, and as long again connecting to one. Through a proxy all of it, the
/// proxy's answer included, has this time once.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a connection may stay silent before we give up, counted from the last byte, if nobody says otherwise.
/// There is no limit on a stream's length: a healthy answer can take many minutes.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(300);

/// How long the body of an error may take.
pub(super) const ERROR_BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection is kept for the next request while tools run. Servers commonly close it after a minute.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(55);

/// One read of an answer takes at most this many bytes: as many as ureq takes from the socket at once,
/// so that what came together is handed on together. A flood costs the less, the more comes in one read.
pub(super) const READ_BYTES: usize = 512 << 10;

/// How long an exchange may take.
#[derive(Clone, Copy, Debug)]
pub enum TimeLimit {
    /// As a whole, the answer's body included.
    Whole(Duration),
    /// Only silence is limited, to what a stream may take.
    Stream,
}
