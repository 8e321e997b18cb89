//! The HTTP client, and the only user of ureq: the agent with its timeouts, POST requests, and response bodies as they
//! arrive. The address and the content of a request are left to the callers.

mod address;
mod buffers;
mod direct;
mod error;
mod interrupt;
mod limit;
mod loan;
mod network;
mod no_proxy;
mod race;
mod resolver;
mod response;
mod socket;
mod tunnel;

use std::sync::Arc;
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::TlsConfig;

use crate::secret::Secret;
pub use address::{AddressError, BaseUrl, is_loopback};
pub use error::{Distrust, Error, Refused};
pub use interrupt::Interrupt;
use limit::{CONNECT_TIMEOUT, KEEP_ALIVE, TLS_BUFFER_BYTES};
pub use limit::{IDLE_TIMEOUT, TimeLimit};
pub use network::Network;
use network::Through;
#[cfg(test)]
pub(crate) use network::Unusable;
use resolver::Addresses;
pub use response::HttpResponse;
use response::ReadState;
use socket::Offers;
use tunnel::DeadlineConnector;

/// A request: a POST if it has a body, otherwise a GET. Not `Debug`, since a body may hold a secret.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// The URL.
    pub url: &'a str,
    /// The bearer token.
    pub bearer: Option<&'a Secret>,
    /// Additional headers.
    pub headers: &'a [(&'a str, String)],
    /// The content type, and the body.
    pub body: Option<(&'static str, &'a [u8])>,
    /// The time limit for the exchange.
    pub limit: TimeLimit,
}

/// This program's name, as sent to the service and the token issuer. The version is in the User-Agent.
pub const ORIGINATOR: &str = "codex-run";

/// Content type of a JSON body.
pub const JSON: &str = "application/json";

/// Content type of a form.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// The client's name and network settings: the same for every request of the program.
#[derive(Clone, Debug)]
pub struct HttpSetup {
    /// The `User-Agent` header.
    pub user_agent: String,
    /// Proxy and trusted roots.
    pub network: Network,
}

impl HttpSetup {
    /// Settings without a proxy or additional roots.
    #[must_use]
    pub fn new(user_agent: &str) -> Self {
        Self {
            user_agent: user_agent.to_owned(),
            network: Network::default(),
        }
    }
}

/// A pool of connections. Clones share it.
#[derive(Clone, Debug)]
pub struct Http {
    agent: ureq::Agent,
    /// The authentication schemes that a proxy offered.
    offers: Offers,
    shared: ReadState,
    setup: HttpSetup,
    silence: Duration,
}

impl Http {
    /// Creates a client, which connects at the first request. `silence` is the idle timeout.
    #[must_use]
    pub fn new(setup: &HttpSetup, silence: Duration) -> Self {
        let config = Config::builder()
            .user_agent(&setup.user_agent)
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_resolve(Some(CONNECT_TIMEOUT))
            .timeout_connect(Some(CONNECT_TIMEOUT))
            // Also limits the whole head, so that one that trickles in times out.
            .timeout_recv_response(Some(silence))
            .timeout_per_read(Some(silence))
            .timeout_per_write(Some(silence))
            .input_buffer_size(TLS_BUFFER_BYTES)
            .output_buffer_size(TLS_BUFFER_BYTES)
            .max_idle_age(KEEP_ALIVE)
            .build();
        let offers = Offers::default();
        let shared = ReadState::default();
        let connector = DeadlineConnector::new(offers.clone(), &shared);
        let agent = ureq::Agent::with_parts(config, connector, Addresses::default());
        Self {
            agent,
            offers,
            shared,
            setup: setup.clone(),
            silence,
        }
    }

    /// A client with the same settings and no connections.
    #[must_use]
    pub fn renewed(&self) -> Self {
        Self::new(&self.setup, self.silence)
    }

    /// Sends a request and waits for the response head. Redirects are not followed.
    ///
    /// # Errors
    /// When no response begins. An error status is a response, not an error.
    pub fn send(&self, request: &Request<'_>) -> Result<HttpResponse, Error> {
        let method = request.body.map_or("GET", |_| "POST");
        self.send_as(method, request)
    }

    /// Sends a DELETE request, and waits for the response head like [`Http::send`].
    ///
    /// # Errors
    /// When no response begins.
    pub fn delete(&self, request: &Request<'_>) -> Result<HttpResponse, Error> {
        self.send_as("DELETE", request)
    }

    fn send_as(&self, method: &str, request: &Request<'_>) -> Result<HttpResponse, Error> {
        let mut parts = ureq::http::Request::builder()
            .method(method)
            .uri(request.url);
        if let Some(secret) = request.bearer {
            parts = parts.header("authorization", format!("Bearer {}", secret.expose()));
        }
        if let Some((kind, _)) = request.body {
            parts = parts.header("content-type", kind);
        }
        for (name, value) in request.headers {
            parts = parts.header(*name, value);
        }
        let (response, proxy) = match request.body {
            Some((_, body)) => self.run(parts.body(body), request.limit),
            None => self.run(parts.body(()), request.limit),
        }?;
        let place = (host(request.url), proxy);
        let shared = self.shared.clone();
        Ok(HttpResponse::new(
            response,
            place,
            request.limit,
            self.silence,
            shared,
        ))
    }

    fn run(
        &self,
        request: Result<ureq::http::Request<impl ureq::AsSendBody>, ureq::http::Error>,
        limit: TimeLimit,
    ) -> Result<(ureq::http::Response<ureq::Body>, Option<String>), Error> {
        let request = request.map_err(|error| Error::Protocol(error.to_string()))?;
        let network = &self.setup.network;
        let uri = request.uri();
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().or(Some(443));
        let proxy = match uri.host() {
            Some(host) if secure => network.proxy(host, port).map_err(Error::Setup)?,
            // Loopback: plain HTTP is used for nothing else.
            _ => None,
        };
        let through = proxy.as_ref().map(Through::of);
        let request = self.agent.configure_request(request).proxy(proxy);
        let request = match limit {
            TimeLimit::Whole(time) => request.timeout_global(Some(time)),
            TimeLimit::Stream => request,
        };
        let request = if secure {
            let roots = network.roots().map_err(Error::Setup)?;
            let tls = TlsConfig::builder().root_certs(roots);
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            request.tls_config(tls.unversioned_rustls_crypto_provider(provider).build())
        } else {
            request
        };
        match self.agent.run(request.build()) {
            Ok(response) => Ok((response, through.map(|through| through.name))),
            Err(error) => {
                let error = Error::of(error, false, self.silence);
                let error = error.through(through.as_ref(), &self.offers.take());
                Err(error.trusting(|| network.trusted()))
            }
        }
    }

    /// Closes every connection, including one that another thread is waiting on.
    pub fn shutdown(&self) {
        self.agent.clone().shutdown();
    }
}

/// The host of a URL, with its port if the URL names one.
#[must_use]
pub fn host(url: &str) -> String {
    let uri = url.parse::<Uri>().ok();
    let authority = uri.as_ref().and_then(Uri::authority);
    authority.map_or_else(String::new, |authority| {
        // A user name or password before the host must not be shown.
        let host = authority.as_str();
        host.rsplit_once('@')
            .map_or(host, |(_, host)| host)
            .to_owned()
    })
}
