#!/usr/bin/env python3
"""`codex` with servers whose certificates lead to our own authority: which roots count, from which files they
are read, and what is reported if a certificate is not accepted.

The certificates are made with the `openssl` command, valid and invalid ones; Python's `ssl` ends TLS in front of the
stand-in service. This machine's own trust store is not changed. Needs openssl, and for --curl curl.

    python3 tests/peers/tls.py --codex target/debug/codex --standin target/debug/examples/standin

Every check is a line, `ok: ...` or `FAILED: ...`. Exit code 1: one of them failed. With --curl, curl is used instead
of codex, which tests the servers themselves.
"""

import contextlib
import pathlib
import re
import sys
import tempfile

sys.dont_write_bytecode = True
import authority
import peer
import relay
from peer import Codex, Curl
from signin import Server, leave_on_signals

BUILT_IN = "built-in roots"
OURS, OTHERS = "CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"
HERE = ("localhost", "127.0.0.1")


class Test:
    """`serve` starts a server with this certificate chain, and returns its address."""

    def __init__(self, client, checks, made, stack, standin):
        self.client, self.checks, self.made, self.stack, self.standin = client, checks, made, stack, standin
        self.plain = f"{standin}/v1"
        self.root = made.root("root")
        self.other = made.root("other")
        made.issue("good", "root", *HERE)
        self.good = self.serve("good")

    def serve(self, *chain, host="localhost"):
        port = int(self.standin.rsplit(":")[-1])
        server = self.stack.enter_context(relay.Tls(self.made.chain(*chain), port))
        return f"https://{host}:{server.port}/v1"

    def ends(self, what, base, code, *words, **env):
        """Makes a request, checks how it ends, and returns the client's messages."""
        seen = self.client.ask(base, **{name: str(file) for name, file in env.items()})
        self.checks.ended(what, seen, code, *words)
        return seen.err

    def variables(self):
        """Which roots count."""
        self.ends("neither variable set", self.good, 7, BUILT_IN)
        self.ends(OURS, self.good, 0, **{OURS: self.root})
        self.ends(f"{OURS}, a server with an address for its name", self.good.replace("localhost", "127.0.0.1"), 0,
                  **{OURS: self.root})
        self.ends(f"{OTHERS} alone", self.good, 0, **{OTHERS: self.root})
        self.ends(f"{OURS} wins over {OTHERS}", self.good, 0, **{OURS: self.root, OTHERS: self.other})
        self.ends(f"{OURS} wins where only {OTHERS} would do", self.good, 7, BUILT_IN, OURS,
                  **{OURS: self.other, OTHERS: self.root})
        self.ends(f"{OURS} wins over a file that is not there", self.good, 0, **{OURS: self.root, OTHERS: "/nowhere"})
        self.ends(f"the roots of {OTHERS} are named", self.good, 7, BUILT_IN, OTHERS, **{OTHERS: self.other})

    def bundles(self):
        """The formats of such a file."""
        text = {name: path.read_text() for name, path in {
            "root": self.root, "other": self.other, "trusted": self.made.trusted("root"),
            "list": self.made.revocations("root"), "key": self.made.path("other", "key")}.items()}
        comment = "# Our own authority\n subject=CN = root\n\n"
        files = {
            "several certificates": text["other"] + text["root"],
            "comments, several certificates and a list of revoked ones":
                comment + text["other"] + comment + text["list"] + comment + text["root"] + comment,
            "a certificate labelled TRUSTED CERTIFICATE": text["trusted"],
            "all of that": comment + text["other"] + text["list"] + comment + text["trusted"] + text["other"],
            "a key of somebody in front": text["key"] + text["root"],
            "the certificate twice": text["root"] * 2,
            "no newline at its end": text["root"].rstrip(),
            "lines that end as on Windows": (comment + text["other"] + text["root"]).replace("\n", "\r\n"),
        }
        for n, (what, content) in enumerate(files.items()):
            file = self.made.path(f"bundle-{n}")
            file.write_text(content, newline="")
            self.ends(f"a file with {what}", self.good, 0, **{OURS: file})

    def bad_files(self):
        """Unusable files. They are read only if they are needed."""
        folder = self.made.path("folder", "d")
        folder.mkdir()
        words = re.sub("[A-Za-z0-9+/]{20}\n", "?\n", self.root.read_text(), count=1)
        contents = {
            "an empty file": "",
            "a file without a certificate": "This is no certificate.\n",
            "a file with a key only": self.made.path("root", "key").read_text(),
            "a file with a damaged certificate": words,
        }
        files = {"a missing file": self.made.path("missing"), "a directory": folder,
                 "a file with a list of revoked ones only": self.made.revocations("root")}
        for n, (what, content) in enumerate(contents.items()):
            files[what] = self.made.path(f"bad-{n}")
            files[what].write_text(content)
        for variable in [OURS] if self.client.curl else [OURS, OTHERS]:
            for what, file in files.items():
                if self.client.curl and file.suffix == ".crl":
                    continue  # good enough for curl
                self.ends(f"{variable} is {what}", self.good, 2, variable, file.name, **{variable: file})
                self.ends(f"{variable} is {what}, but no TLS is spoken", self.plain, 0, **{variable: file})

    def servers(self):
        """Certificates that are not accepted, each for a different reason, which the client should report."""
        made = self.made
        made.issue("old", "root", *HERE, valid=authority.PAST)
        made.issue("early", "root", *HERE, valid=authority.FUTURE)
        made.issue("elsewhere", "root", "other.test")
        made.issue("between", "root", extensions="authority")
        made.issue("below", "between", *HERE)
        made.root("self", *HERE, extensions="below")
        made.root("itself", *HERE, extensions="itself")  # which is what `openssl req -x509` makes
        self.ends("a server that sends the certificate in between", self.serve("below", "between"), 0,
                  **{OURS: self.root})
        faults = {
            "an expired certificate": (self.serve("old"), "expired|no longer valid|not valid at this time"),
            "a certificate that is not valid yet": (self.serve("early"), "not valid yet|not valid at this time"),
            "a certificate for another name": (self.serve("elsewhere"), r"another (host|name)|other\.test"),
            "a certificate of its own making": (self.serve("self"), "issuer|self.signed"),
            "a certificate in between that is left out": (self.serve("below"), "issuer|in between"),
            "an authority's certificate as the server's": (self.serve("itself"), "certificate"),
            "plain HTTP at that port": (self.plain.replace("http:", "https:"), "does not speak TLS"),
        }
        said = {}
        for what, (base, words) in faults.items():
            words = self.ends(what, base, 7, words, **{OURS: self.root})
            said.setdefault(re.sub(r":\d+", ":PORT", words), []).append(what)
        # A TLS library cannot always tell which of these it was.
        alike = [list(faults)[:2], list(faults)[3:5]]
        for words, same in said.items() if not self.client.curl else ():
            fits = len(same) == 1 or same in alike
            self.checks.that(f"{' and '.join(same)}: told from the other faults", fits, words)


def main():
    options = peer.options("Asks servers with certificates of all kinds.", curl=True)
    leave_on_signals()
    needed = ["openssl", "curl"] if options.curl else ["openssl"]
    if not all([peer.installed(program) for program in needed]):
        return
    checks = peer.Checks()
    with tempfile.TemporaryDirectory(prefix="codex-tls-") as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        command = [options.standin.resolve(), "--port", "0", "--until-eof"]
        standin = stack.enter_context(Server(command, folder / "standin.log"))
        client = Curl(folder) if options.curl else Codex(options.codex, folder)
        test = Test(client, checks, authority.Authority(folder), stack, standin.url)
        test.variables()
        test.bundles()
        test.bad_files()
        test.servers()
    checks.leave()


if __name__ == "__main__":
    main()
