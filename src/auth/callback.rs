//! The loopback callback of a browser sign-in: two small servers, on 127.0.0.1 and `::1`,
//! because browsers resolve `localhost` to either. A redirect that belongs to the sign-in is passed on with its
//! response still open, so that the page can show the real outcome; every other request is answered by this module.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use tiny_http::{Header, Method, Request, Response, Server};

use super::page::Page;
use super::redirect::{RedirectAnswer, of_query};
use crate::exhausted::{Exhausted, at_start, check_threads};
use crate::http::{self, Http, is_loopback};
use crate::secret::Secret;

/// The redirect ports that the issuer accepts, in order of preference.
const PORTS: [u16; 2] = [1455, 1457];

/// Timeout of the request that asks another sign-in to release a port.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(2);

/// Retries of a busy port, and the pause between them.
const BIND_ATTEMPTS: u32 = 10;
const BIND_PAUSE: Duration = Duration::from_millis(200);

/// Maximum concurrent requests per address.
const MAX_CONNECTIONS: usize = 64;

/// Threads that the servers start (`tiny_http` 0.12): for each of the two addresses one acceptor and four readers,
/// plus one of this module. `tiny_http` panics if it cannot start a thread.
const SERVER_THREADS: usize = 12;

/// Time allowed for the last page to reach the browser.
const LAST_PAGE_TIMEOUT: Duration = Duration::from_secs(1);

/// An event of the callback server.
#[derive(Debug)]
pub enum Arrival {
    /// A redirect that belongs to the sign-in, and the browser waiting for a page.
    Redirect(RedirectAnswer, WaitingBrowser),
    /// Another program has asked for the port.
    Cancelled,
}

/// A browser whose request has not been answered yet.
pub struct WaitingBrowser(Box<Request>);

impl std::fmt::Debug for WaitingBrowser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WaitingBrowser(..)")
    }
}

impl WaitingBrowser {
    /// Sends the page on a separate thread, so that a slow reader blocks nothing.
    pub fn show(self, page: &Page) {
        let page = page.clone();
        let _ = thread::Builder::new().spawn(move || answer(*self.0, &page));
    }
}

/// The callback port, with a server on each loopback address.
pub struct Callback {
    port: u16,
    servers: Vec<Arc<Server>>,
    /// The page for every redirect once the outcome is known.
    last: Arc<OnceLock<Page>>,
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Callback")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

/// Returns the redirect URI for a port.
#[must_use]
pub fn redirect(port: u16) -> String {
    format!("http://localhost:{port}/auth/callback")
}

/// Returns the redirect URI to use when no server listens and the user pastes the address.
#[must_use]
pub fn paste_redirect() -> String {
    redirect(PORTS[0])
}

impl Callback {
    /// Listens on the first available port; `None` if all are taken. `arrived` is called on other threads for each
    /// event, `busy` for a port in use before its owner is asked to release it.
    ///
    /// # Errors
    /// If threads or file descriptors have run out.
    pub fn listen(
        http: &Http,
        state: &Secret,
        arrived: impl Fn(Arrival) + Clone + Send + 'static,
        busy: impl Fn(u16),
    ) -> io::Result<Option<Self>> {
        check_threads(SERVER_THREADS)?;
        for port in PORTS {
            if let Some(listeners) = take(port, http, &busy)? {
                match Self::serve(port, listeners, state, arrived.clone()) {
                    Err(error) if Exhausted::of(&error).is_none() => {}
                    served => return served.map(Some),
                }
            }
        }
        Ok(None)
    }

    fn serve(
        port: u16,
        listeners: Vec<TcpListener>,
        state: &Secret,
        arrived: impl Fn(Arrival) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let mut callback = Self {
            port,
            servers: Vec::new(),
            last: Arc::default(),
        };
        for listener in listeners {
            let server = Server::from_listener(listener, None).map_err(into_io_error)?;
            let server = Arc::new(server);
            callback.servers.push(Arc::clone(&server));
            let (state, arrived) = (state.clone(), arrived.clone());
            let last = Arc::clone(&callback.last);
            let serving = thread::Builder::new().spawn(move || {
                let busy = Arc::new(AtomicUsize::new(0));
                for request in server.incoming_requests() {
                    // A stalled request blocks only its thread; beyond the limit, a flood blocks only this
                    // server.
                    if busy.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
                        busy.fetch_sub(1, Ordering::Relaxed);
                        receive(request, &state, &arrived, last.get().cloned());
                        continue;
                    }
                    let (state, arrived) = (state.clone(), arrived.clone());
                    let (last, busy) = (Arc::clone(&last), Arc::clone(&busy));
                    let _ = thread::Builder::new().spawn(move || {
                        receive(request, &state, &arrived, last.get().cloned());
                        busy.fetch_sub(1, Ordering::Relaxed);
                    });
                }
            });
            serving.map_err(at_start)?;
        }
        Ok(callback)
    }

    /// Returns the redirect URI.
    #[must_use]
    pub fn redirect(&self) -> String {
        redirect(self.port)
    }

    /// Sets the page to show for every later redirect.
    pub fn settle(&self, page: &Page) {
        let _ = self.last.set(page.clone());
    }

    /// Gives the last page time to arrive, because `tiny_http` cannot close connections.
    pub fn linger(&self) {
        thread::sleep(LAST_PAGE_TIMEOUT);
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        // The threads are not joined: one may be blocked writing to a client that does not read.
        for server in &self.servers {
            server.unblock();
        }
    }
}

/// Binds a port on both addresses; `None` if it is taken. A sign-in that already listens there is asked once to
/// release it.
fn take(port: u16, http: &Http, busy: &impl Fn(u16)) -> io::Result<Option<Vec<TcpListener>>> {
    let mut asked = false;
    for _ in 0..=BIND_ATTEMPTS {
        match bind(port) {
            Ok(listeners) => return Ok(Some(listeners)),
            Err((host, error)) if error.kind() == io::ErrorKind::AddrInUse => {
                if !asked {
                    asked = true;
                    busy(port);
                    let _ = http.send(&http::Request {
                        url: &format!("http://{host}:{port}/cancel"),
                        bearer: None,
                        headers: &[],
                        body: None,
                        limit: http::TimeLimit::Whole(CANCEL_TIMEOUT),
                    });
                }
            }
            Err((_, error)) if Exhausted::of(&error).is_some() => return Err(error),
            Err(_) => return Ok(None),
        }
        thread::sleep(BIND_PAUSE);
    }
    Ok(None)
}

/// Converts a server error, keeping the system's error if there is one.
fn into_io_error(error: Box<dyn std::error::Error + Send + Sync>) -> io::Error {
    match error.downcast::<io::Error>() {
        Ok(error) => *error,
        Err(error) => io::Error::other(error),
    }
}

/// Binds a port on 127.0.0.1 and `::1`. If another program has the port on `::1`, the browser might send the code
/// there, so the port is unusable. A system without `::1` is fine.
fn bind(port: u16) -> Result<Vec<TcpListener>, (&'static str, io::Error)> {
    let first = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    let mut listeners = vec![first.map_err(|error| ("127.0.0.1", error))?];
    match TcpListener::bind((Ipv6Addr::LOCALHOST, port)) {
        Ok(listener) => listeners.push(listener),
        Err(error)
            if error.kind() == io::ErrorKind::AddrInUse || Exhausted::of(&error).is_some() =>
        {
            return Err(("[::1]", error));
        }
        Err(_) => {}
    }
    Ok(listeners)
}

fn receive(request: Request, state: &Secret, arrived: &impl Fn(Arrival), last: Option<Page>) {
    let requester = Requester::of(&request);
    match (
        route(request.method(), request.url(), state, &requester),
        last,
    ) {
        (CallbackRoute::Show(page), _) | (CallbackRoute::PassOn(_), Some(page)) => {
            answer(request, &page)
        }
        (CallbackRoute::Cancel, _) => {
            answer(request, &Page::cancelled());
            arrived(Arrival::Cancelled);
        }
        (CallbackRoute::PassOn(answer), None) => {
            arrived(Arrival::Redirect(answer, WaitingBrowser(Box::new(request))))
        }
    }
}

/// What to do with a request.
#[derive(Debug, PartialEq, Eq)]
enum CallbackRoute {
    Show(Page),
    Cancel,
    PassOn(RedirectAnswer),
}

/// The sender of a request, judged by its headers.
#[derive(Debug, Default)]
struct Requester {
    /// The `Host` header.
    host: Option<String>,
    /// Whether a web page caused the request, by the browser's `Sec-Fetch-Site`, `Origin` or `Referer`.
    is_page: bool,
}

impl Requester {
    fn of(request: &Request) -> Self {
        let header = |name: &'static str| {
            let found = request.headers().iter().find(|one| one.field.equiv(name));
            found.map(|found| found.value.as_str())
        };
        // An address typed by the user has the value `none` (Fetch Metadata, section 2.3).
        let is_site = header("sec-fetch-site").is_some_and(|site| site != "none");
        Self {
            host: header("host").map(str::to_owned),
            is_page: is_site || header("origin").is_some() || header("referer").is_some(),
        }
    }

    /// Whether the sender may cancel the sign-in. Another sign-in on this machine may, using a loopback name. A web
    /// page must not, nor a request with a host name rebound to this address (DNS rebinding).
    fn may_cancel(&self) -> bool {
        let here = self.host.as_deref().is_none_or(|host| {
            let name = match host.rsplit_once(':') {
                Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
                _ => host,
            };
            is_loopback(name)
        });
        here && !self.is_page
    }
}

fn route(method: &Method, url: &str, state: &Secret, requester: &Requester) -> CallbackRoute {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    match (method, path) {
        (Method::Get, "/auth/callback") => match of_query(query, state) {
            RedirectAnswer::WrongState => CallbackRoute::Show(Page::stray()),
            answer => CallbackRoute::PassOn(answer),
        },
        (Method::Get, "/cancel") if requester.may_cancel() => CallbackRoute::Cancel,
        (_, "/cancel") => CallbackRoute::Show(Page::refused()),
        _ => CallbackRoute::Show(Page::none()),
    }
}

fn answer(request: Request, page: &Page) {
    let headers = [
        ("content-type", "text/html; charset=utf-8"),
        ("cache-control", "no-store"),
        ("referrer-policy", "no-referrer"),
        ("x-content-type-options", "nosniff"),
        (
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
        ),
    ];
    let mut response = Response::from_string(page.html()).with_status_code(page.status);
    for (name, value) in headers {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    let _ = request.respond(response);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_redirect_of_this_sign_in_is_passed_on() {
        let state = Secret::new("st".to_owned());
        let check = |method: &Method, url: &str, expected: CallbackRoute| {
            let found = route(method, url, &state, &Requester::default());
            assert_eq!(found, expected, "{url}");
        };
        let code = RedirectAnswer::Code(Secret::new("ac".to_owned()));
        let get = &Method::Get;
        check(
            get,
            "/auth/callback?code=ac&state=st",
            CallbackRoute::PassOn(code),
        );
        check(
            get,
            "/auth/callback?state=st",
            CallbackRoute::PassOn(RedirectAnswer::Nothing),
        );
        check(
            get,
            "/auth/callback?code=ac&state=x",
            CallbackRoute::Show(Page::stray()),
        );
        check(get, "/auth/callback", CallbackRoute::Show(Page::stray()));
        check(get, "/cancel", CallbackRoute::Cancel);
        check(
            &Method::Post,
            "/cancel",
            CallbackRoute::Show(Page::refused()),
        );
        check(get, "/favicon.ico", CallbackRoute::Show(Page::none()));
        check(get, "/", CallbackRoute::Show(Page::none()));
    }

    #[test]
    fn a_web_page_cannot_cancel_the_sign_in() {
        let state = Secret::new("st".to_owned());
        let check = |host: Option<&str>, is_page: bool, expected: bool| {
            let requester = Requester {
                host: host.map(str::to_owned),
                is_page,
            };
            let found = route(&Method::Get, "/cancel", &state, &requester);
            assert_eq!(found == CallbackRoute::Cancel, expected, "{requester:?}");
        };
        for host in [
            "127.0.0.1:1455",
            "localhost:1457",
            "LocalHost",
            "[::1]:1455",
            "[::1]",
            "127.0.0.1",
        ] {
            check(Some(host), false, true);
            check(Some(host), true, false);
        }
        // HTTP/1.0 has no `Host` header.
        check(None, false, true);
        for host in [
            "evil.example:1455",
            "localhost.evil.example",
            "10.0.0.1",
            "",
        ] {
            check(Some(host), false, false);
        }
    }
}
