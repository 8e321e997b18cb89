//! The one user of ureq: the agent with its clocks, posts, and the bytes of an answer as they arrive.
//! Which address is called with what is the caller's affair.

mod address;
mod error;
mod limit;
mod network;
mod no_proxy;
mod race;
mod resolver;
mod socket;
mod tunnel;

use std::io::Read;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::tls::TlsConfig;

use crate::exhausted::at_start;
use crate::secret::Secret;
pub use address::{AddressError, BaseUrl, is_loopback};
pub use error::{Distrust, Error, Refused};
use limit::{CONNECT_TIMEOUT, ERROR_BODY_TIMEOUT, KEEP_ALIVE, READ_BYTES};
pub use limit::{IDLE_TIMEOUT, TimeLimit};
pub use network::Network;
use network::Through;
use resolver::Addresses;
use socket::Offers;
use tunnel::InTime;

/// A request: a post where it has a body. It does not print itself, since a body may hold a secret.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Where it goes.
    pub url: &'a str,
    /// Who asks.
    pub bearer: Option<&'a Secret>,
    /// Further headers.
    pub headers: &'a [(&'static str, String)],
    /// The body's type, and the body.
    pub body: Option<(&'static str, &'a [u8])>,
    /// How long it may take.
    pub limit: TimeLimit,
}

/// How this program names itself to the service, to the issuer of tokens too. Its version stands in the User-Agent.
pub const ORIGINATOR: &str = "codex-run";

/// The type of a body that is JSON.
pub const JSON: &str = "application/json";

/// The type of a body that is a form.
pub const FORM: &str = "application/x-www-form-urlencoded";

/// Who calls, and what lies between: the same for every request of the program.
#[derive(Clone, Debug)]
pub struct HttpSetup {
    /// How this program names itself in the `User-Agent` header.
    pub user_agent: String,
    /// The proxy and the roots.
    pub network: Network,
}

impl HttpSetup {
    /// Nothing lies between.
    #[must_use]
    pub fn new(user_agent: &str) -> Self {
        Self {
            user_agent: user_agent.to_owned(),
            network: Network::default(),
        }
    }
}

/// Connections to services. Clones share them.
#[derive(Clone, Debug)]
pub struct Http {
    agent: ureq::Agent,
    /// What a proxy offers that wants a sign-in.
    offers: Offers,
    setup: HttpSetup,
    silence: Duration,
}

impl Http {
    /// No connection is made before the first request. `silence` is how long one may stay silent.
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
            // The whole head, too: one that trickles in is no answer.
            .timeout_recv_response(Some(silence))
            .timeout_per_read(Some(silence))
            .timeout_per_write(Some(silence))
            .input_buffer_size(READ_BYTES)
            .max_idle_age(KEEP_ALIVE)
            .build();
        let offers = Offers::default();
        let connector = InTime::new(offers.clone());
        let agent = ureq::Agent::with_parts(config, connector, Addresses::default());
        Self {
            agent,
            offers,
            setup: setup.clone(),
            silence,
        }
    }

    /// The same again without any connection.
    #[must_use]
    pub fn renewed(&self) -> Self {
        Self::new(&self.setup, self.silence)
    }

    /// Sends a request and waits for the answer's head. No redirect is followed.
    ///
    /// # Errors
    /// When no answer begins. An answer that says no is an answer.
    pub fn send(&self, request: &Request<'_>) -> Result<HttpResponse, Error> {
        let mut parts = ureq::http::Request::builder()
            .method(if request.body.is_some() {
                "POST"
            } else {
                "GET"
            })
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
        Ok(HttpResponse {
            host: host(request.url),
            proxy,
            head,
            body: Box::new(body.into_reader()),
            buffer: vec![0; READ_BYTES],
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
            // It stays on this machine: nothing else is called without TLS.
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

    /// Ends every connection, also one that another thread is waiting on.
    pub fn shutdown(&self) {
        self.agent.clone().shutdown();
    }
}

/// The host of an address, and its port if it names one.
#[must_use]
pub fn host(url: &str) -> String {
    let uri = url.parse::<Uri>().ok();
    let authority = uri.as_ref().and_then(Uri::authority);
    authority.map_or_else(String::new, |authority| {
        // A user name or password before the host is nobody's business.
        let host = authority.as_str();
        host.rsplit_once('@')
            .map_or(host, |(_, host)| host)
            .to_owned()
    })
}

/// An answer whose head has come.
pub struct HttpResponse {
    host: String,
    proxy: Option<String>,
    head: ureq::http::response::Parts,
    body: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    silence: Duration,
}

impl HttpResponse {
    /// The host that was asked, and its port if the address names one.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host and port of the proxy that the request went through, if it did.
    #[must_use]
    pub fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    /// A header's value, where it is plain text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// What the next read brings; nothing at the end of the body.
    ///
    /// # Errors
    /// When the connection breaks or stays silent.
    pub fn read(&mut self) -> Result<&[u8], Error> {
        let count = self
            .body
            .read(&mut self.buffer)
            .map_err(|error| Error::of_io(error, true, self.silence))?;
        Ok(&self.buffer[..count])
    }

    /// The whole body, of which there must not be more than this many bytes.
    ///
    /// # Errors
    /// When the connection breaks, stays silent, or brings too much.
    pub fn whole(self, most: usize) -> Result<Vec<u8>, Error> {
        match self.partial(most) {
            (body, None) => Ok(body),
            (_, Some(error)) => Err(error),
        }
    }

    /// The part of the body that arrived, and the error that cut it short, if any.
    #[must_use]
    pub fn partial(mut self, most: usize) -> (Vec<u8>, Option<Error>) {
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

    /// The body up to this many bytes, or as far as it came in a short while. For errors: nobody waits long for one.
    ///
    /// # Errors
    /// When the system gives no thread to read it on.
    pub fn body(mut self, most: usize) -> Result<Vec<u8>, Error> {
        let (sender, pieces) = mpsc::channel();
        // A read cannot be given up. The thread ends with the body, with the silence that a connection is allowed,
        // or when its connection is shut down.
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
