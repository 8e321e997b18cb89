//! Connects through a proxy within one connection timeout. ureq restarts the timeout at each step (resolving the proxy,
//! connecting to it, every read of its response to CONNECT), so a response that trickles in would never time out. Here
//! all steps share one deadline. The connection itself is this crate's socket, which races addresses.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use ureq::unversioned::transport::{
    self, Buffers, ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout,
    RustlsConnector, SocksConnector, Transport,
};
use ureq::{Error, Timeout};

use super::direct::{Lendable, Loan};
use super::interrupt::CurrentWait;
use super::socket::{DirectConnector, Offers};

/// A chain of connectors with one deadline for the whole connection.
#[derive(Debug)]
pub(super) struct DeadlineConnector(Box<dyn Connector<(), Out = Box<dyn Transport>>>);

impl DeadlineConnector {
    /// ureq's chain with this crate's sockets, which record the authentication schemes that a proxy offers, and whose waits can be
    /// ended.
    pub(super) fn new(offers: Offers, waits: CurrentWait, loan: Loan) -> Self {
        let chain =
            ().chain(SocksConnector::default())
                .chain(ConnectProxyConnector::default())
                .chain(DirectConnector { offers, waits })
                .chain(RustlsConnector::default())
                .chain(Boxed(loan));
        Self(Box::new(chain))
    }
}

/// The end of a chain: boxes every connection into one type, and makes it one that can be lent.
#[derive(Debug)]
struct Boxed(Loan);

impl<In: Transport> Connector<In> for Boxed {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|chained| -> Box<dyn Transport> {
            Box::new(Lendable::new(Box::new(chained), self.0.clone()))
        }))
    }
}

impl Connector<()> for DeadlineConnector {
    type Out = Box<dyn Transport>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        if details.config.proxy().is_none() {
            return self.0.connect(details, chained);
        }
        let clock = Deadline::new(details.timeout);
        let open = Arc::new(AtomicBool::new(false));
        let to_proxy = {
            let (run, open) = (Arc::clone(&details.run_connector), Arc::clone(&open));
            move |details: &ConnectionDetails<'_>| -> Result<Box<dyn Transport>, Error> {
                let details = ConnectionDetails {
                    now: transport::time::Instant::now(),
                    timeout: clock.cap(details.timeout)?,
                    ..copy_of(details)
                };
                Ok(Box::new(ProxyConnection {
                    inner: run(&details)?,
                    clock,
                    open: Arc::clone(&open),
                }))
            }
        };
        let details = ConnectionDetails {
            run_connector: Arc::new(to_proxy),
            ..copy_of(details)
        };
        let connected = self.0.connect(&details, chained);
        open.store(true, Ordering::Relaxed);
        connected
    }
}

/// A copy of the details.
fn copy_of<'a>(details: &ConnectionDetails<'a>) -> ConnectionDetails<'a> {
    ConnectionDetails {
        uri: details.uri,
        addrs: details.addrs.clone(),
        config: details.config,
        request_level: details.request_level,
        resolver: details.resolver,
        now: details.now,
        timeout: details.timeout,
        current_time: Arc::clone(&details.current_time),
        run_connector: Arc::clone(&details.run_connector),
        register_shutdown: Arc::clone(&details.register_shutdown),
    }
}

/// The deadline of a connection attempt.
#[derive(Clone, Copy)]
struct Deadline {
    /// `None` without a limit.
    until: Option<Instant>,
    /// The timeout to report.
    reason: Timeout,
}

impl Deadline {
    fn new(limit: NextTimeout) -> Self {
        let is_limited = !limit.after.is_not_happening();
        Self {
            until: is_limited.then(|| Instant::now() + *limit.after),
            reason: limit.reason,
        }
    }

    /// The shorter of this limit and the time left until the deadline.
    fn cap(&self, mut limit: NextTimeout) -> Result<NextTimeout, Error> {
        let Some(until) = self.until else {
            return Ok(limit);
        };
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Error::Timeout(self.reason));
        }
        if left < *limit.after {
            limit.after = left.into();
            limit.reason = self.reason;
        }
        Ok(limit)
    }
}

/// The connection to a proxy, on which a tunnel is opened and then used.
struct ProxyConnection {
    inner: Box<dyn Transport>,
    clock: Deadline,
    /// Set once the tunnel is open: from then on the request's own limits apply.
    open: Arc<AtomicBool>,
}

impl std::fmt::Debug for ProxyConnection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ProxyConnection(..)")
    }
}

impl ProxyConnection {
    fn limit(&self, limit: NextTimeout) -> Result<NextTimeout, Error> {
        if self.open.load(Ordering::Relaxed) {
            Ok(limit)
        } else {
            self.clock.cap(limit)
        }
    }
}

impl Transport for ProxyConnection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, limit: NextTimeout) -> Result<(), Error> {
        let limit = self.limit(limit)?;
        self.inner.transmit_output(amount, limit)
    }

    fn await_input(&mut self, limit: NextTimeout) -> Result<bool, Error> {
        let limit = self.limit(limit)?;
        self.inner.await_input(limit)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
