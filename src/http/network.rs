//! The network settings between this program and a service: the proxy and the trusted roots. Both are checked and read
//! at the first request that needs them, and never for a request that stays on this machine or does not use TLS.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

use super::address::{BaseUrl, is_loopback};
use super::no_proxy::Exempt;

/// Proxy and roots as configured. Nothing is checked before its first use.
#[derive(Clone, Default)]
pub struct Network {
    proxy: Option<Arc<Proxy>>,
    roots: Option<Arc<Roots>>,
}

impl fmt::Debug for Network {
    /// A proxy's address may contain a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Network(..)")
    }
}

/// An unusable setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The environment variable that set it.
    pub variable: String,
    /// The reason. Contains no password.
    pub why: String,
}

struct Proxy {
    variable: String,
    address: String,
    exempt: Exempt,
    parsed: OnceLock<Result<ureq::Proxy, Unusable>>,
}

struct Roots {
    variable: String,
    file: PathBuf,
    bytes: Box<dyn Fn() -> Result<Vec<u8>, String> + Send + Sync>,
    read: OnceLock<Result<RootCerts, Unusable>>,
}

impl Network {
    /// Adds this proxy, set by `variable`, with the hosts that bypass it.
    #[must_use]
    pub fn with_proxy(mut self, variable: &str, address: &str, exempt: &str) -> Self {
        self.proxy = Some(Arc::new(Proxy {
            variable: variable.to_owned(),
            address: address.to_owned(),
            exempt: Exempt::parse(exempt),
            parsed: OnceLock::new(),
        }));
        self
    }

    /// Adds the certificates in this file, set by `variable`, to the built-in roots. `bytes` reads the file, or returns
    /// the reason why it cannot.
    #[must_use]
    pub fn with_roots(
        mut self,
        variable: &str,
        file: &Path,
        bytes: impl Fn() -> Result<Vec<u8>, String> + Send + Sync + 'static,
    ) -> Self {
        self.roots = Some(Arc::new(Roots {
            variable: variable.to_owned(),
            file: file.to_owned(),
            bytes: Box::new(bytes),
            read: OnceLock::new(),
        }));
        self
    }

    /// The proxy for requests to this host, if any. Loopback requests never have one.
    pub(super) fn proxy(
        &self,
        host: &str,
        port: Option<u16>,
    ) -> Result<Option<ureq::Proxy>, Unusable> {
        match &self.proxy {
            Some(proxy) if !is_loopback(host) && !proxy.exempt.covers(host, port) => {
                proxy.parsed.get_or_init(|| proxy.parse()).clone().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// The proxy for requests to this address, in words, if there is one.
    ///
    /// # Errors
    /// If its setting cannot be used.
    pub fn proxy_for(&self, address: &BaseUrl) -> Result<Option<String>, Unusable> {
        let Some(uri) = secure(address) else {
            return Ok(None);
        };
        let host = uri.host().unwrap_or_default();
        let proxy = self.proxy(host, uri.port_u16().or(Some(443)));
        let named = |proxy: &ureq::Proxy| {
            let variable = self.proxy.as_ref().map(|proxy| &*proxy.variable);
            let name = Through::of(proxy).name;
            format!("{name}, from {}", variable.unwrap_or_default())
        };
        Ok(proxy?.as_ref().map(named))
    }

    /// The trusted roots for connections to this address, in words; `None` if it needs none.
    ///
    /// # Errors
    /// If their file cannot be used.
    pub fn roots_for(&self, address: &BaseUrl) -> Result<Option<String>, Unusable> {
        if secure(address).is_none() {
            return Ok(None);
        }
        self.roots()?;
        Ok(Some(self.trusted()))
    }

    /// The trusted roots of a TLS connection: the built-in ones unless configured otherwise.
    pub(super) fn roots(&self) -> Result<RootCerts, Unusable> {
        match &self.roots {
            Some(roots) => roots.read.get_or_init(|| roots.load()).clone(),
            None => Ok(BUILT_IN
                .get_or_init(|| RootCerts::from(built_in_roots()))
                .clone()),
        }
    }

    /// The trusted roots, in words.
    pub(super) fn trusted(&self) -> String {
        let built_in = "the built-in roots (Mozilla's)";
        match &self.roots {
            None => built_in.to_owned(),
            Some(roots) => {
                let number = match roots.read.get() {
                    Some(Ok(RootCerts::Specific(all))) => all.len() - built_in_roots().count(),
                    _ => 0,
                };
                let plural = if number == 1 { "" } else { "s" };
                format!(
                    "{built_in} and {number} certificate{plural} from {}, named by {}",
                    roots.file.display(),
                    roots.variable
                )
            }
        }
    }
}

/// The address, if TLS is used for it.
fn secure(address: &BaseUrl) -> Option<Uri> {
    let uri: Uri = address.as_str().parse().ok()?;
    (uri.scheme_str() == Some("https")).then_some(uri)
}

impl Proxy {
    fn parse(&self) -> Result<ureq::Proxy, Unusable> {
        let wrong = |why: &str| Unusable {
            variable: self.variable.clone(),
            why: why.to_owned(),
        };
        let proxy = ureq::Proxy::new(self.address.trim()).map_err(|_| {
            wrong("it is not a proxy URL such as http://proxy.example:3128 or socks5h://proxy.example:1080")
        })?;
        // After one of these characters, the rest would be parsed as a path, and the user name as the host.
        let rest = self.address.split("://").last().unwrap_or_default();
        let authority = rest.trim().trim_end_matches('/');
        if authority.contains(['#', '?', '/']) {
            return Err(wrong(
                "it contains a #, ? or /; in a user name or password, write them as %23, %3F and %2F",
            ));
        }
        let port = authority
            .rsplit(['@', ']'])
            .next()
            .and_then(|host| host.rsplit_once(':'));
        if port.is_some_and(|(_, port)| port.parse::<u16>().is_err()) {
            return Err(wrong("its port is not a number from 0 to 65535"));
        }
        if proxy.host().is_empty() {
            return Err(wrong("it has no host"));
        }
        Ok(proxy)
    }
}

/// The proxy that a request goes through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Through {
    /// Host and port, for messages. The rest of the address may contain a password.
    pub(super) name: String,
    /// Whether it is a SOCKS proxy.
    pub(super) is_socks: bool,
    /// Whether the server's name is resolved on this machine, not by the proxy.
    pub(super) looks_up: bool,
}

impl Through {
    pub(super) fn of(proxy: &ureq::Proxy) -> Self {
        use ureq::ProxyProtocol::{Socks4, Socks4A, Socks5, Socks5h};
        Self {
            name: format!("{}:{}", proxy.host(), proxy.port()),
            is_socks: matches!(proxy.protocol(), Socks4 | Socks4A | Socks5 | Socks5h),
            looks_up: matches!(proxy.protocol(), Socks4 | Socks5),
        }
    }
}

/// The built-in roots, parsed once.
static BUILT_IN: OnceLock<RootCerts> = OnceLock::new();

fn built_in_roots() -> impl Iterator<Item = Certificate<'static>> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|der| Certificate::from_der(der))
}

impl Roots {
    fn load(&self) -> Result<RootCerts, Unusable> {
        let named = self.certificates().map_err(|why| Unusable {
            variable: self.variable.clone(),
            why: format!("{}: {why}", self.file.display()),
        })?;
        let all = built_in_roots().chain(named);
        Ok(RootCerts::Specific(Arc::new(all.collect())))
    }

    /// The certificates in the file. Revocation lists and keys are skipped.
    fn certificates(&self) -> Result<Vec<Certificate<'static>>, String> {
        let bytes = (self.bytes)()?;
        // OpenSSL's own certificate form appends trust settings, which the reader ignores.
        let text = text(&bytes).replace("TRUSTED CERTIFICATE-", "CERTIFICATE-");
        let mut found = Vec::new();
        for (n, item) in parse_pem(text.as_bytes()).enumerate() {
            match item {
                Ok(PemItem::Certificate(certificate)) => {
                    let der = one(certificate.der()).ok_or_else(|| {
                        format!("part {} of the file is not a certificate", n + 1)
                    })?;
                    found.push(Certificate::from_der(der).to_owned());
                }
                Ok(_) => {}
                Err(_) => return Err(format!("part {} of the file is damaged", n + 1)),
            }
        }
        match found.len() {
            0 => Err("it contains no certificate in PEM format".to_owned()),
            _ => Ok(found),
        }
    }
}

/// Decodes a file's text, which may be UTF-16, as Windows programs write it.
fn text(bytes: &[u8]) -> String {
    let little = match bytes {
        [0xff, 0xfe, ..] => true,
        [0xfe, 0xff, ..] => false,
        // No byte order mark: PEM text begins with a letter or a dash.
        [first, 0, ..] if first.is_ascii_graphic() => true,
        [0, first, ..] if first.is_ascii_graphic() => false,
        _ => {
            let text = String::from_utf8_lossy(bytes);
            return text.trim_start_matches('\u{feff}').to_owned();
        }
    };
    let units = bytes.chunks_exact(2).map(|pair| {
        let pair = [pair[0], pair[1]];
        if little {
            u16::from_le_bytes(pair)
        } else {
            u16::from_be_bytes(pair)
        }
    });
    let text: String = char::decode_utf16(units)
        .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    text.trim_start_matches('\u{feff}').to_owned()
}

/// The certificate without the trust settings that OpenSSL appends: a single ASN.1 sequence (X.690, 8.1.3).
fn one(der: &[u8]) -> Option<&[u8]> {
    let [0x30, first, rest @ ..] = der else {
        return None;
    };
    let (head, length) = match usize::from(*first) {
        short @ 0..0x80 => (2, short),
        long => {
            let digits = rest.get(..(long & 0x7f).min(5))?;
            let length = digits
                .iter()
                .fold(0, |length, digit| length << 8 | usize::from(*digit));
            (2 + digits.len(), length)
        }
    };
    der.get(..head.checked_add(length)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_requests_use_no_proxy() {
        let network =
            Network::default().with_proxy("P", "http://me:pa%3Ass@proxy.example", "a.example");
        let through = |host: &str| {
            network
                .proxy(host, None)
                .expect("an address")
                .map(|p| Through::of(&p).name)
        };
        assert_eq!(through("b.example"), Some("proxy.example:80".to_owned()));
        for host in [
            "127.0.0.1",
            "127.8.9.1",
            "localhost",
            "LocalHost",
            "[::1]",
            "a.example",
        ] {
            assert_eq!(through(host), None, "{host}");
        }
    }

    #[test]
    fn text_is_decoded_in_every_encoding() {
        let words = "-----BEGIN CERTIFICATE-----\r\nAA\u{e9}\r\n";
        let wide = |mark: &[u8], unit: fn(u16) -> [u8; 2]| {
            let units = words.encode_utf16().flat_map(unit);
            mark.iter().copied().chain(units).collect::<Vec<u8>>()
        };
        for bytes in [
            words.as_bytes().to_vec(),
            format!("\u{feff}{words}").into_bytes(),
            wide(&[0xff, 0xfe], u16::to_le_bytes),
            wide(&[0xfe, 0xff], u16::to_be_bytes),
            wide(&[], u16::to_le_bytes),
            wide(&[], u16::to_be_bytes),
        ] {
            assert_eq!(text(&bytes), words, "{bytes:?}");
        }
        assert_eq!(text(&[]), "");
    }

    #[test]
    fn a_certificate_ends_at_its_encoded_length() {
        assert_eq!(one(&[0x30, 2, 1, 2, 9, 9]), Some(&[0x30, 2, 1, 2][..]));
        assert_eq!(one(&[0x30, 0x81, 1, 7, 9]), Some(&[0x30, 0x81, 1, 7][..]));
        for damaged in [
            &[][..],
            &[0x30],
            &[0x31, 0],
            &[0x30, 3, 1],
            &[0x30, 0x82, 1],
            &[0x30, 0xff, 1, 1, 1, 1, 1],
        ] {
            assert_eq!(one(damaged), None, "{damaged:?}");
        }
    }

    #[test]
    fn an_unneeded_setting_is_not_checked() {
        let network = Network::default()
            .with_proxy("P", "gopher://x", "")
            .with_roots("R", Path::new("/nowhere"), || Err("it is gone".to_owned()));
        assert!(network.proxy("127.0.0.1", None).is_ok());
        let wrong = network
            .proxy("a.example", None)
            .map(drop)
            .expect_err("no proxy");
        assert_eq!(wrong.variable, "P");
        let wrong = network.roots().map(drop).expect_err("no file");
        assert!(
            wrong.variable == "R" && wrong.why == "/nowhere: it is gone",
            "{wrong:?}"
        );
    }
}
