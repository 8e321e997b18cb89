#!/usr/bin/env python3
"""`codex` through forward proxies: tinyproxy and squid if they are installed, and one of our own that can be made to
refuse. Which variable counts, what NO_PROXY exempts, what is never sent to a proxy, and what is reported on a refusal.

The service is the stand-in behind TLS (see relay.py). Its name does not resolve: squid has it in a file of its own,
and tinyproxy asks our own proxy, so a request only arrives if the client leaves the name to the proxy. For requests
that should bypass the proxy, the name is made known in a mount namespace; if that is not allowed, they fail, and
the only check is that the proxy was not asked. Needs openssl, and for --curl curl.

    python3 tests/peers/proxy.py --codex target/debug/codex --standin target/debug/examples/standin

Every check is a line, `ok: ...` or `FAILED: ...`. Exit code 1: one of them failed. With --curl, curl is used instead
of codex, as far as it has the same rules, which tests the proxies themselves.
"""

import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import authority
import daemons
import peer
import relay
from peer import Codex, Curl
from signin import Server, leave_on_signals, soon

NAME = "service.peer.test"
PASSWORD = "p@ss:w/rd%"
LETTERS = "letters"  # tinyproxy takes no other ones

def encoded(text):
    """With every character percent-encoded, letters too."""
    return "".join(f"%{byte:02X}" for byte in text.encode())


class Test:
    """`base` is the service under the name that does not resolve."""

    def __init__(self, client, checks, base, roots, namespace):
        self.client, self.checks, self.base, self.namespace = client, checks, base, namespace
        self.roots = {"CODEX_CA_CERTIFICATE": str(roots)}
        self.target = base.split("/")[2]

    def ends(self, what, code, *words, base=None, flags=(), within=(), never=(), **env):
        seen = self.client.ask(base or self.base, *flags, within=within, **self.roots, **env)
        self.checks.ended(what, seen, code, *words, never=never)

    def through(self, what, proxy, *others, **env):
        """A request that is sent to this proxy and to no other."""
        self.ends(what, 0, **env)
        asked = proxy.asked()
        self.checks.that(f"{what}: the proxy is asked for the name", asked == [f"CONNECT {self.target}"], asked)
        for other in others:
            self.checks.that(f"{what}: the other proxy is not asked", not (asked := other.asked()), asked)

    def past(self, what, proxy, **env):
        """A request that is sent to no proxy."""
        self.ends(f"{what}, {'direct' if self.namespace else 'and there is no such host'}",
                  0 if self.namespace else 7, within=self.namespace, **env)
        self.checks.that(f"{what}: the proxy is not asked", not (asked := proxy.asked()), asked)

    def daemon(self, name, proxy, password, line):
        """An existing proxy that requires a password. `line` is its log line of an accepted request."""
        place = f"127.0.0.1:{proxy.port}"
        users = {"a password": f"peer:{encoded(password)}", "all encoded": f"{encoded('peer')}:{encoded(password)}"}
        for what, user in users.items():
            before = len(re.findall(line, proxy.said(), re.M))
            self.ends(f"{name}, {what}", 0, https_proxy=f"http://{user}@{place}")
            logged = soon(lambda: len(re.findall(line, proxy.said(), re.M)) == before + 1)
            self.checks.that(f"{name}, {what}: its log has the CONNECT", logged, proxy.said())
        self.ends(f"{name}, no password", 7, re.escape(place), "password|407", https_proxy=f"http://{place}")
        self.ends(f"{name}, a wrong password", 7, re.escape(place), "password|407", never=("wr0ng",),
                  https_proxy=f"http://peer:wr0ng@{place}")

    def variables(self, one, two):
        """Which variable counts. Both proxies are our own."""
        a, b = (f"http://127.0.0.1:{proxy.port}" for proxy in (one, two))
        self.through("https_proxy", one, https_proxy=a)
        self.checks.that("the proxy does not see the key", peer.KEY not in "".join(one.heads), *one.heads)
        self.through("HTTPS_PROXY", one, HTTPS_PROXY=a)
        self.through("all_proxy", one, all_proxy=a)
        self.through("ALL_PROXY", one, ALL_PROXY=a)
        self.through("https_proxy before HTTPS_PROXY", one, two, https_proxy=a, HTTPS_PROXY=b)
        self.through("all_proxy before ALL_PROXY", one, two, all_proxy=a, ALL_PROXY=b)
        self.through("https_proxy before all_proxy", one, two, https_proxy=a, all_proxy=b)
        self.through("HTTPS_PROXY before all_proxy", one, two, HTTPS_PROXY=a, all_proxy=b)
        self.through("an address without http://", one, https_proxy=a.removeprefix("http://"))
        self.past("http_proxy alone", one, http_proxy=a, HTTP_PROXY=a)

    def exempt(self, proxy):
        """The rules of NO_PROXY."""
        use = {"https_proxy": f"http://127.0.0.1:{proxy.port}"}
        port = self.target.rsplit(":")[-1]
        past = [NAME, NAME.upper(), f"other.test,{NAME}", f"other.test, {NAME}", ".peer.test", ".test", "*"]
        through = ["other.test", f"x{NAME}", f"vice.{NAME.split('.', 1)[1]}"]
        if not self.client.curl:
            past += [f"{NAME}:{port}", f"other.test:1,.test:{port}"]
            through += [f"{NAME}:1"]
        for value in past:
            self.past(f"NO_PROXY={value}", proxy, NO_PROXY=value, **use)
        for value in through:
            self.through(f"NO_PROXY={value}", proxy, NO_PROXY=value, **use)
        self.past("no_proxy", proxy, no_proxy=NAME, **use)
        self.through("no_proxy before NO_PROXY", proxy, no_proxy="other.test", NO_PROXY=NAME, **use)

    def loopback(self, proxy, bases):
        """Loopback addresses bypass the proxy."""
        names = [f"{kind}_proxy" for kind in ("https", "all", "http")]
        use = {name: f"http://127.0.0.1:{proxy.port}" for name in names + [name.upper() for name in names]}
        for base in bases:
            self.ends(f"every variable set, {base}", 0, base=base, **use)
            self.checks.that(f"every variable set, {base}: the proxy is not asked", not (asked := proxy.asked()), asked)

    def refused(self, proxy):
        """Proxies that let nothing through."""
        place = f"127.0.0.1:{proxy.port}"
        use = {"https_proxy": f"http://{place}"}
        for proxy.status, words in {407: "password|407", 403: "403", 502: "502"}.items():
            self.ends(f"a proxy that answers {proxy.status}", 7, re.escape(place), words, **use)
        proxy.status = 0
        self.ends("a proxy that hangs up", 7, **use)
        proxy.status = None
        if not self.client.curl:
            self.ends("a proxy that says nothing, within --timeout", 124, flags=("--timeout", "2s"), **use)
        proxy.asked()
        gone = f"127.0.0.1:{peer.free_port()}"
        self.ends("a proxy that is not there", 7, f"proxy {gone}", https_proxy=f"http://{gone}")
        self.ends("a proxy whose name is not known", 7, "nowhere.test:3128", never=("s3cret",),
                  https_proxy="http://me:s3cret@nowhere.test:3128")


def namespace(folder):
    """A command that runs another one in a namespace where the name resolves: with its own hosts file."""
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 localhost {NAME}\n")
    for flags in (["--mount"], ["--user", "--map-root-user", "--mount"]):
        command = ["unshare", *flags, "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts)]
        with contextlib.suppress(OSError):
            if not subprocess.run([*command, "true"], stderr=subprocess.DEVNULL).returncode:
                return command
    print("note: no mount namespaces here, so nothing is checked to arrive without a proxy")
    return ()


def main():
    options = peer.options("Asks through forward proxies.", curl=True)
    leave_on_signals()
    if not all([peer.installed(program) for program in (["openssl", "curl"] if options.curl else ["openssl"])]):
        return
    checks = peer.Checks()
    with tempfile.TemporaryDirectory(prefix="codex-proxy-") as name, contextlib.ExitStack() as stack:
        folder = pathlib.Path(name)
        enter = stack.enter_context
        standin = enter(Server([options.standin.resolve(), "--port", "0", "--until-eof"], folder / "standin.log"))
        port = int(standin.url.rsplit(":")[-1])
        made = authority.Authority(folder)
        roots = made.root("root")
        made.issue("good", "root", NAME, "localhost", "127.0.0.1")
        tls = enter(relay.Tls(made.chain("good"), port))
        client = Curl(folder) if options.curl else Codex(options.codex, folder)
        test = Test(client, checks, f"https://{NAME}:{tls.port}/v1", roots, namespace(folder))
        one, two, locked = (enter(relay.Proxy(user)) for user in (None, None, f"peer:{PASSWORD}"))
        test.variables(one, two)
        test.exempt(one)
        bases = [standin.url, f"http://localhost:{port}"]
        bases += [f"https://{host}:{tls.port}" for host in ("localhost", "127.0.0.1")]
        with contextlib.suppress(OSError):  # where there is no IPv6
            bases.append(f"http://[::1]:{enter(relay.Plain(port, host='::1')).port}")
        if not options.curl:
            test.loopback(one, [f"{base}/v1" for base in bases])
        test.daemon("our own proxy", locked, PASSWORD, f"^200 CONNECT {NAME}:{tls.port} ")
        if program := peer.installed("tinyproxy"):
            proxy = enter(daemons.tinyproxy(program, folder / "tinyproxy", LETTERS, one.port))
            test.daemon("tinyproxy", proxy, LETTERS, "Established connection to upstream proxy")
            asked = set(one.asked())
            checks.that("tinyproxy: it asks for the name", asked == {f"CONNECT {test.target}"}, asked)
        if (program := peer.installed("squid")) and (proxy := daemons.squid(program, folder / "squid", PASSWORD, NAME)):
            test.daemon("squid", enter(proxy), PASSWORD, rf"TCP_TUNNEL/200 .* CONNECT {NAME}:{tls.port} peer ")
        test.refused(one)
    checks.leave()


if __name__ == "__main__":
    main()
