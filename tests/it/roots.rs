//! Certificates from the environment: an unusable file is reported before anything is sent, and is not read if no connection
//! is encrypted. Whether the certificates are trusted takes a TLS server, and is not tested here.

use crate::home::{Cmd, Home};
use crate::network::AWAY;
use crate::standin::{Reply, Server};

#[test]
fn unreadable_certificates_are_exit_2_if_they_are_needed() {
    let server = Server::start(vec![Reply::text("ok"); 20]);
    let home = Home::with_token();
    let pem = |inside: &str| {
        format!("-----BEGIN CERTIFICATE-----\n{inside}\n-----END CERTIFICATE-----\n")
    };
    home.file("empty.pem", "");
    home.file("text.pem", "hello\n");
    home.file("damaged.pem", pem("####"));
    home.file("other.pem", pem("aGVsbG8="));
    for (file, why) in [
        ("gone.pem", "No such file"),
        (".", "irectory"),
        ("empty.pem", "it contains no certificate"),
        ("text.pem", "it contains no certificate"),
        ("damaged.pem", "part 1 of the file is damaged"),
        ("other.pem", "part 1 of the file is not a certificate"),
    ] {
        for (set, named) in [
            (&["CODEX_CA_CERTIFICATE"][..], "CODEX_CA_CERTIFICATE"),
            (&["SSL_CERT_FILE"], "SSL_CERT_FILE"),
            (
                &["SSL_CERT_FILE", "CODEX_CA_CERTIFICATE"],
                "CODEX_CA_CERTIFICATE",
            ),
        ] {
            let with = |cmd: Cmd| {
                let cmd = set.iter().fold(cmd, |cmd, name| cmd.env(name, file));
                cmd.args(["run", "--no-tools", "hi"]).run()
            };
            let ran = with(home.offline().env("CODEX_RUN_BASE_URL", AWAY));
            let reported = format!("codex: cannot use {named}: {file}: ");
            ran.exits(2)
                .stdout("")
                .says(&reported)
                .says(why)
                .says("codex: hint: ");
            with(home.codex(&server)).exits(0).stdout("ok\n").stderr("");
        }
    }
    assert_eq!(server.requests().len(), 18);
}

/// The certificate of an invented authority.
const AUTHORITY: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBkTCCATegAwIBAgIUcKDXil9teEe0RHusdtWs8AuCT20wCgYIKoZIzj0EAwIw\n\
HTEbMBkGA1UEAwwSSW52ZW50ZWQgQXV0aG9yaXR5MCAXDTI2MTEyOTA4MDA1OFoY\n\
DzIxMjYxMTA1MDgwMDU4WjAdMRswGQYDVQQDDBJJbnZlbnRlZCBBdXRob3JpdHkw\n\
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARkjBSn1Uk5k+dZ2bRDY9IgjgdWdLQ5\n\
EnORt2GszIJlwhHLQuO0+H7rKk2INdbkdjLPTGVCLdMvg6az+pm+BWWKo1MwUTAd\n\
BgNVHQ4EFgQUDW82OGt/HemTcBkfXUNyzo973rswHwYDVR0jBBgwFoAUDW82OGt/\n\
HemTcBkfXUNyzo973rswDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBF\n\
AiAD91VtXh9NAy3iD3yDnJEm1/2HWbldwmLaEKcxGg6MKAIhAPtYtMfinNwPEpMq\n\
mBsrPVdLqvQpoNd59YsBYSN5w+6b\n\
-----END CERTIFICATE-----\n\
";

#[test]
fn a_certificate_file_may_have_a_byte_order_mark_or_be_utf_16() {
    let home = Home::with_token();
    let wide = |unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let units = "\u{feff}".encode_utf16().chain(AUTHORITY.encode_utf16());
        units.flat_map(unit).collect()
    };
    for bytes in [
        AUTHORITY.as_bytes().to_vec(),
        format!("\u{feff}{AUTHORITY}").into_bytes(),
        wide(u16::to_le_bytes),
        wide(u16::to_be_bytes),
    ] {
        home.file("authority.pem", bytes);
        let ran = home
            .offline()
            .env("CODEX_RUN_BASE_URL", AWAY)
            .env("CODEX_CA_CERTIFICATE", "authority.pem")
            .args(["run", "--no-tools", "--retries", "0", "hi"])
            .run();
        ran.exits(7).says("cannot reach the service");
    }
}
