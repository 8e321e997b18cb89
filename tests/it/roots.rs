//! Certificates that the environment names: a file that cannot be used is told before anything is sent, and is not read
//! where nothing is secure. Whether they are trusted takes a server with TLS, and is not tested here.

use crate::home::{Cmd, Home};
use crate::network::AWAY;
use crate::standin::{Reply, Server};

#[test]
fn roots_that_cannot_be_read_are_exit_2_where_they_are_needed() {
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
        ("empty.pem", "there is no certificate in it"),
        ("text.pem", "there is no certificate in it"),
        ("damaged.pem", "part 1 of it is damaged"),
        ("other.pem", "part 1 of it is no certificate"),
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
            let told = format!("codex: cannot use {named}: {file}: ");
            ran.exits(2)
                .stdout("")
                .says(&told)
                .says(why)
                .says("codex: hint: ");
            with(home.codex(&server)).exits(0).stdout("ok\n").stderr("");
        }
    }
    assert_eq!(server.requests().len(), 18);
}
