//! The HTTP client, and the only user of ureq: the agent with its timeouts, POST requests, and response bodies as they
//! arrive. The address and the content of a request are left to the callers.

mod address;
mod buffers;
mod direct;
mod error;
mod interrupt;
mod limit;
mod network;
mod no_proxy;
mod race;
mod resolver;
mod socket;
mod tunnel;

use std::io::{self, Read};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::TlsConfig;

use crate::exhausted::at_start;
use crate::secret::Secret;
pub use address::{AddressError, BaseUrl, is_loopback};
use direct::{Advance, DirectBody, Framing, Loan};
pub use error::{Distrust, Error, Refused};
pub use interrupt::Interrupt;
use interrupt::{BodyWait, CurrentWait, Woken};
use limit::{CONNECT_TIMEOUT, ERROR_BODY_TIMEOUT, FIRST_READ_BYTES, READ_BYTES, TLS_BUFFER_BYTES};
pub use limit::{IDLE_TIMEOUT, KEEP_ALIVE, TimeLimit};
pub use network::Network;
use network::Through;
#[cfg(test)]
pub(crate) use network::Unusable;
use resolver::Addresses;
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
    waits: CurrentWait,
    loan: Loan,
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
        let waits = CurrentWait::default();
        let loan = Loan::default();
        let connector = DeadlineConnector::new(offers.clone(), waits.clone(), loan.clone());
        let agent = ureq::Agent::with_parts(config, connector, Addresses::default());
        Self {
            agent,
            offers,
            waits,
            loan,
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
        let (head, body) = response.into_parts();
        let framing = match request.limit {
            TimeLimit::Stream => Framing::of(&head),
            // ureq knows how much time is left.
            TimeLimit::Whole(_) => None,
        };
        Ok(HttpResponse {
            host: host(request.url),
            proxy,
            head,
            body: Box::new(body.into_reader()),
            framing,
            direct: None,
            buffer: Vec::new(),
            filled: false,
            waits: self.waits.clone(),
            loan: self.loan.clone(),
            silence: self.silence,
        })
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

/// Where the next bytes of a body are.
enum Found {
    /// In the buffer of the connection.
    Direct,
    /// In the buffer of the response, this many.
    Copied(usize),
}

/// A response whose head has arrived.
pub struct HttpResponse {
    host: String,
    proxy: Option<String>,
    head: ureq::http::response::Parts,
    body: Box<dyn Read + Send>,
    /// The framing of the body, if it can be read directly and nothing of it was read.
    framing: Option<Framing>,
    direct: Option<DirectBody>,
    buffer: Vec<u8>,
    /// The last read filled the buffer.
    filled: bool,
    waits: CurrentWait,
    loan: Loan,
    silence: Duration,
}

impl HttpResponse {
    /// The host of the request, with its port if the URL names one.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Host and port of the proxy that the request went through, if any.
    #[must_use]
    pub fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    /// A header's value, if it is plain text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// Reads the next bytes of the body; an empty slice at its end.
    ///
    /// # Errors
    /// When the connection is lost or stays silent.
    pub fn read(&mut self) -> Result<&[u8], Error> {
        match self.fill() {
            Ok(count) => Ok(&self.buffer[..count]),
            Err(error) => Err(Error::of_io(error, true, self.silence)),
        }
    }

    /// The same, but returns nothing if `interrupt` or `until` ends the wait. The time of silence goes on meanwhile.
    ///
    /// # Errors
    /// As for [`HttpResponse::read`].
    pub fn read_until(
        &mut self,
        interrupt: &Interrupt,
        until: Option<Instant>,
    ) -> Result<Option<&[u8]>, Error> {
        if let Some(framing) = self.framing.take() {
            let transport = self.loan.borrow(|| self.body.read(&mut [0]));
            let direct = |transport| DirectBody::new(transport, framing, self.silence);
            self.direct = transport.map(direct);
        }
        self.waits.set(Some(BodyWait {
            interrupt: interrupt.clone(),
            until,
        }));
        let found = self.find_bytes();
        self.waits.set(None);
        match found {
            Ok(Found::Direct) => Ok(self.direct.as_mut().map(DirectBody::data)),
            Ok(Found::Copied(count)) => Ok(Some(&self.buffer[..count])),
            Err(error) if Woken::is(&error) => Ok(None),
            Err(error) => Err(Error::of_io(error, true, self.silence)),
        }
    }

    /// Further bytes that arrived with those of the last `read_until`, if there are any.
    pub fn buffered(&mut self) -> Option<&[u8]> {
        let direct = self.direct.as_mut()?;
        matches!(direct.advance(), Advance::Data).then(|| direct.data())
    }

    fn find_bytes(&mut self) -> io::Result<Found> {
        while let Some(direct) = &mut self.direct {
            let is_over = match direct.advance() {
                Advance::Data => return Ok(Found::Direct),
                Advance::Await => !direct.await_more()?,
                Advance::Leave => true,
                Advance::Wrong(why) => return Err(why.into_io()),
            };
            if is_over && let Some(direct) = self.direct.take() {
                self.loan.give_back(direct.into_transport());
            }
        }
        self.fill().map(Found::Copied)
    }

    /// Fills the buffer, which grows while reads fill it.
    fn fill(&mut self) -> io::Result<usize> {
        let room = self.buffer.len();
        if room == 0 || self.filled && room < READ_BYTES {
            self.buffer.resize((2 * room).max(FIRST_READ_BYTES), 0);
        }
        let count = self.body.read(&mut self.buffer)?;
        self.filled = count == self.buffer.len();
        Ok(count)
    }

    /// Reads the whole body, at most `most` bytes.
    ///
    /// # Errors
    /// When the connection is lost or stays silent, or the body is larger.
    pub fn whole(self, most: usize) -> Result<Vec<u8>, Error> {
        match self.read_up_to(most) {
            (body, None) => Ok(body),
            (_, Some(error)) => Err(error),
        }
    }

    /// The bytes of the body that arrived, and the error that ended it early, if any.
    #[must_use]
    pub fn read_up_to(mut self, most: usize) -> (Vec<u8>, Option<Error>) {
        let mut body = Vec::new();
        loop {
            match self.read() {
                Ok([]) => return (body, None),
                Ok(piece) => body.extend_from_slice(piece),
                Err(error) => return (body, Some(error)),
            }
            if body.len() > most {
                let error = Error::Protocol(format!("more than {most} bytes"));
                return (body, Some(error));
            }
        }
    }

    /// The body up to `most` bytes, or the part that arrives within a short time. For error responses, which are not
    /// worth a long wait.
    ///
    /// # Errors
    /// When the system cannot start a thread for the read.
    pub fn body(mut self, most: usize) -> Result<Vec<u8>, Error> {
        let (sender, pieces) = mpsc::channel();
        // A read cannot be cancelled. The thread ends with the body, at the idle timeout for the connection, or when the
        // connection is shut down.
        let reader = thread::Builder::new().spawn(move || {
            while let Ok(piece @ [_, ..]) = self.read()
                && sender.send(piece.to_vec()).is_ok()
            {}
        });
        reader.map_err(|error| Error::Exhausted(at_start(error)))?;
        let begun = Instant::now();
        let mut body = Vec::new();
        while body.len() < most {
            match pieces.recv_timeout(ERROR_BODY_TIMEOUT.saturating_sub(begun.elapsed())) {
                Ok(piece) => body.extend_from_slice(&piece),
                Err(_) => break,
            }
        }
        body.truncate(most);
        Ok(body)
    }
}
