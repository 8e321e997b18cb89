#!/usr/bin/env python3
"""`codex` with an existing strict OAuth server: signing in, refreshing, signing out.

The server is `oidc-provider` (see oidc.mjs), which requires PKCE, accepts only forms, issues
a new refresh token at every refresh, and ends the sign-in when an old one is used again. At first its
access tokens are valid for a few seconds, then for long enough that one refresh suffices. The browser is
simulated here, with redirects and cookies; the requests go to the stand-in service, which trusts a token's claims.
Needs node and

    npm install --prefix DIR oidc-provider@9
    python3 tests/peers/oidc.py --codex target/debug/codex --standin target/debug/examples/standin --oidc-dir DIR

Exit code 1: a check failed.
"""

import argparse
import base64
import contextlib
import http.cookiejar
import json
import os
import pathlib
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "browser"))
from signin import PATIENCE, Codex, Server, check, leave_on_signals

VALID = 6  # seconds that an access token is valid
EARLY = 300  # seconds before its end from which on codex replaces it
AT_ONCE = 4
FORMS_ONLY = "only application/x-www-form-urlencoded content-type bodies are supported on POST /oauth/revoke"


def browse(address):
    """Opens an address like a browser; returns the last page's status, address and text."""
    cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)
    try:
        with opener.open(address, timeout=PATIENCE) as page:
            return page.status, page.url, page.read().decode()
    except urllib.error.HTTPError as page:
        return page.code, page.url, page.read().decode()
    except OSError as error:
        return None, address, str(error)


def tokens(stored):
    """The tokens in a file of codex, wherever they are in it."""
    found = {}

    def look(value):
        if isinstance(value, dict):
            found.update({key: text for key, text in value.items() if key in ("access", "refresh")})
            for inner in value.values():
                look(inner)

    if stored.exists():
        look(json.loads(stored.read_text()))
    check("the stored sign-in has two tokens", ["access", "refresh"], sorted(found))
    return found


def expires(token):
    """When a JWT expires."""
    middle = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))["exp"]


class Test:
    """A sign-in from beginning to end. `early` is how long before its expiry a token counts as old."""

    def __init__(self, codex, oidc, early):
        self.codex, self.oidc, self.early = codex, oidc, early

    def heard(self, word):
        """The lines of one kind in the server's log."""
        return [line for line in self.oidc.said().splitlines() if line.startswith(f"{word} ")]

    def sign_in(self):
        with self.codex.start("login", "--no-browser") as login:
            status, place, text = browse(login.address(self.oidc.url))
            check("the browser ends on a page of codex that says 200", 200, status, more=f"{place}\n{text}")
            login.ends(0)
        check("the code was exchanged once", ["granted authorization_code"], self.heard("granted"))
        self.codex.ends(0, "status")

    def run(self):
        answer = self.codex.ends(0, "run", "--no-tools", "hi")
        check("the run has an answer", "text", answer, bool(answer.strip()))

    def expire(self):
        """Waits until the stored token is too old; returns what is stored, and the number of refreshes."""
        before = tokens(self.codex.stored)
        left = expires(before["access"]) - self.early - time.time()
        check("the token is one that is old soon", f"at most {VALID} s", f"{left:.1f} s", left <= VALID)
        time.sleep(max(0, left) + 1.1)
        return before, self.heard("granted").count("granted refresh_token")

    def refreshed(self, before, count, most):
        """Whether the server issued a new token, and whether that token is stored now."""
        seen = self.heard("granted").count("granted refresh_token") - count
        check("the server refreshed", "once" if most == 1 else f"1 to {most} times", seen, 1 <= seen <= most)
        after = tokens(self.codex.stored)
        for name in ("access", "refresh"):
            check(f"the {name} token stored is another one", True, before[name] != after[name])
        check("the server refused nothing", [], self.heard("refused"))
        check("the sign-in was not ended by the server", [], self.heard("revoked"))

    def refresh(self):
        before, count = self.expire()
        self.run()
        self.refreshed(before, count, 1)

    def refresh_at_once(self, most):
        """Several runs find an old token at once. If one uses the old refresh token again, the sign-in ends."""
        before, count = self.expire()
        with contextlib.ExitStack() as stack:
            runs = [stack.enter_context(self.codex.start("run", "--no-tools", "hi")) for _ in range(AT_ONCE)]
            for run in runs:
                run.ends(0)
        self.refreshed(before, count, most)

    def sign_out(self):
        """The real issuer accepts JSON here, this server does not: then nothing is revoked, and codex says so."""
        with self.codex.start("logout") as logout:
            logout.ends(0)
            said = logout.err.read_text()
        check("nothing is stored any more", False, self.codex.stored.exists())
        refused = self.heard("refused")
        check("the server refused nothing but JSON", FORMS_ONLY, refused, all(FORMS_ONLY in line for line in refused))
        ended = bool(self.heard("revoked"))
        check("codex tells whether it is ended there", ended, "could not be revoked" not in said, more=said)
        print(f"note    the sign-in is {'ended on the server too' if ended else 'not ended on the server, only here'}")


def main():
    parser = argparse.ArgumentParser(description="Signs in at a strict OAuth server.")
    parser.add_argument("--codex", type=pathlib.Path, required=True, help="the command to test")
    parser.add_argument("--standin", type=pathlib.Path, required=True, help="the stand-in service")
    parser.add_argument("--oidc-dir", type=pathlib.Path, required=True, help="where oidc-provider is installed")
    options = parser.parse_args()
    leave_on_signals()
    with tempfile.TemporaryDirectory(prefix="codex-oidc-") as name:
        folder = pathlib.Path(name)
        standin = [options.standin.resolve(), "--port", "0", "--until-eof"]
        oidc = ["node", HERE / "oidc.mjs", options.oidc_dir.resolve()]
        with Server(standin, folder / "standin.log") as backend:
            for name, early in (("short", 0), ("long", EARLY)):
                env = {**os.environ, "OIDC_TTL": str(early + VALID)}
                with Server(oidc, folder / f"{name}.log", env) as issuer:
                    codex = Codex(options.codex.resolve(), name, folder, issuer.url, backend.url)
                    test = Test(codex, issuer, early)
                    test.sign_in()
                    test.run()
                    test.refresh()
                    # A token that is valid only for a moment is old at once, and each run needs its own.
                    test.refresh_at_once(1 if early else AT_ONCE)
                    test.sign_out()
    print("all well")


if __name__ == "__main__":
    main()
