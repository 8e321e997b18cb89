#!/usr/bin/env python3
"""Signing in with a real browser: `codex login` on one side, Chromium on the other, and between them
the sign-in page of the stand-in service.

Three people sign in, each with a fresh home: one allows it, one denies it, and one returns with a
forged answer and then does it right. Chromium is the installed one, without
a window (see chromium.py); if there is none, nothing is tested and the exit code is 0. Screenshots
of the pages are left in a directory. Exit code 1: a check failed. Linux only.
"""

import argparse
import contextlib
import pathlib
import re
import sys
import tempfile
import time

sys.dont_write_bytecode = True
sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))
import chromium
from needs import skip
from signin import Codex, Server, check, leave_on_signals, parts, soon

# The size of a phone, in CSS pixels.
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}

# External addresses in a page: in attributes and in styles.
AWAY = r"""(() => {
    const found = [];
    const look = text => {
        try {
            const url = new URL(text, location.href);
            if (/^(https?|wss?|ftp):$/.test(url.protocol) && url.origin !== location.origin) found.push(text);
        } catch { }
    };
    const style = text => [...text.matchAll(/url\(\s*["']?([^"')]*)|@import\s+["']([^"']*)/g)]
        .forEach(m => look(m[1] ?? m[2]));
    for (const element of document.querySelectorAll('*'))
        for (const {name, value} of element.attributes)
            if (name === 'style') style(value);
            else if (/^(src|href|xlink:href|action|formaction|poster|data|background|ping)$/.test(name)) look(value);
            else if (name === 'srcset') value.split(',').forEach(part => look(part.trim().split(/\s/)[0]));
            else if (name === 'content') (value.match(/url=(.*)/i) ?? []).slice(1).forEach(look);
    document.querySelectorAll('style').forEach(element => style(element.textContent));
    return found;
})()"""


class Test:
    """The three sign-ins."""

    def __init__(self, codex, standin, browser, folder, shots):
        self.program, self.standin, self.browser, self.folder, self.shots = codex, standin, browser, folder, shots

    @contextlib.contextmanager
    def signing_in(self, name):
        """A fresh home, a login that waits, and a page at the address that it printed."""
        codex = Codex(self.program, name, self.folder, self.standin.url, self.standin.url)
        with codex.start("login", "--no-browser") as login, chromium.Page(self.browser) as page:
            address = login.address(self.standin.url)
            self.visit(name, page, address)
            yield codex, login, page, address

    def visit(self, name, page, address):
        page.open(address)
        status = page.arrives(f"{name}: the browser opens the address", self.standin.url)
        check(f"{name}: the issuer shows its page", 200, status, more=page.value("document.body.innerText") or "")

    def answer(self, name, page, address, button, expected):
        """Clicks, and waits for the page of `codex` that follows."""
        page.click(button)
        back = parts(address)[1].get("redirect_uri", "")
        status = page.arrives(f"{name}: a click on #{button} leads back to codex", parts(back)[0])
        if expected:
            check(f"{name}: the page's status is {expected}", expected, status)
        text = page.value("document.body.innerText") or ""
        check(f"{name}: the page says something", "text", text, bool(text.strip()))
        return text

    def shot(self, page, name):
        page.shot(self.shots / f"{name}.png")

    def allow(self):
        with self.signing_in("allow") as (codex, login, page, address):
            self.shot(page, "1-issuer")
            text = self.answer("allow", page, address, "allow", 200)
            self.shot(page, "2-allowed")
            self.done_page(page, text, parts(parts(address)[1]["redirect_uri"])[0])
            login.ends(0)
        check("allow: the sign-in is stored", True, codex.stored.exists())
        codex.ends(0, "status")
        answer = codex.ends(0, "run", "--no-tools", "hi")
        check("allow: the run has an answer", "text", answer, bool(answer.strip()))
        codex.ends(0, "logout")
        check("allow: nothing is stored any more", False, codex.stored.exists())

    def done_page(self, page, text, origin):
        """The final page: its text, what it loads, and how it looks on a phone."""
        closing = re.search(r"clos[^.]*(window|tab|page)|(window|tab|page)[^.]*clos", text, re.I)
        check("allow: the page says that the window can be closed", "window, tab or page; close", text, bool(closing))
        check("allow: the page names no address elsewhere", [], page.value(AWAY))
        self.phone(page)
        time.sleep(0.5)  # for requests that come late
        known = {self.standin.url, origin}
        loaded = []
        for request in page.sent("Network.requestWillBeSent"):
            url = request["request"]["url"]
            is_page = request["type"] == "Document" and request["frameId"] == page.frame
            icons = {f"{origin}/favicon.ico", f"{self.standin.url}/favicon.ico"}
            if not (is_page and parts(url)[0] in known) and url not in icons and not url.startswith("data:"):
                loaded.append(url)
        check("allow: nothing is loaded but the pages and their icons", [], loaded)

    def phone(self, page):
        """A page that is too wide, or not made for phones, makes the phone's window wider than its screen."""
        page.call("Emulation.setDeviceMetricsOverride", **PHONE)
        soon(lambda: page.value("innerWidth") == PHONE["width"], 3)
        self.shot(page, "3-allowed-phone")
        width = page.value("innerWidth")
        check("allow: on a phone the window is as wide as the screen", PHONE["width"], width)
        widest = page.value("document.documentElement.scrollWidth")
        check("allow: on a phone nothing is wider than the window", f"at most {width}", widest, widest <= width)

    def deny(self):
        with self.signing_in("deny") as (codex, login, page, address):
            self.answer("deny", page, address, "deny", None)
            self.shot(page, "4-denied")
            login.ends(4)
        check("deny: nothing is stored", False, codex.stored.exists())

    def tamper(self):
        with self.signing_in("tamper") as (codex, login, page, address):
            self.answer("tamper", page, address, "tamper", 400)
            self.shot(page, "5-tampered")
            login.waits()
            check("tamper: nothing is stored", False, codex.stored.exists())
            self.visit("tamper", page, address)
            self.answer("tamper", page, address, "allow", 200)
            login.ends(0)
        check("tamper: the sign-in is stored", True, codex.stored.exists())


def main():
    parser = argparse.ArgumentParser(description="Signs in through the stand-in's page with Chromium.")
    parser.add_argument("--codex", type=pathlib.Path, required=True, help="the command to test")
    parser.add_argument("--standin", type=pathlib.Path, required=True, help="the stand-in service")
    parser.add_argument("--shots", type=pathlib.Path, required=True, help="directory for screenshots")
    options = parser.parse_args()
    if not (program := chromium.find()):
        skip("chromium", f"no browser is found ({', '.join(chromium.NAMES)})")
        return
    leave_on_signals()
    options.shots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="codex-browser-", ignore_cleanup_errors=True) as name:
        folder = pathlib.Path(name)
        with contextlib.ExitStack() as stack:
            command = [options.standin.resolve(), "--port", "0", "--until-eof"]
            standin = stack.enter_context(Server(command, folder / "standin.log"))
            browser = stack.enter_context(chromium.Browser(program, folder / "browser"))
            test = Test(options.codex.resolve(), standin, browser, folder, options.shots)
            test.allow()
            test.deny()
            test.tamper()
    print(f"all well; the pages are in {options.shots}")


if __name__ == "__main__":
    main()
