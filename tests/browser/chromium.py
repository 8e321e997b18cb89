"""Chromium, driven through two pipes: JSON of the DevTools protocol, each message ended by a NUL."""

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import time

from signin import PATIENCE, check, soon

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --remote-debugging-pipe"
).split()


def find():
    return next(filter(None, map(shutil.which, NAMES)), None)


class Refused(Exception):
    """The browser refused a command."""


class Browser:
    """A Chromium with a separate profile, for as long as the `with` block lasts."""

    def __init__(self, program, folder):
        folder.mkdir()
        self.log = folder / "stderr"
        self.events, self.rest, self.number = [], b"", 0
        theirs, self.to = os.pipe()
        self.back, theirs_too = os.pipe()
        # Chromium reads descriptor 3 and writes 4: moved away first, in case these are already 3 and 4.
        ends = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (theirs, theirs_too)]
        actions = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, self.log, os.O_WRONLY | os.O_CREAT, 0o600),
            (os.POSIX_SPAWN_DUP2, ends[0], 3),
            (os.POSIX_SPAWN_DUP2, ends[1], 4),
        ]
        args = [program, *FLAGS, f"--user-data-dir={folder}/profile"]
        env = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)}
        # A separate group, so that its many processes can be ended together.
        self.pid = os.posix_spawn(program, args, env, file_actions=actions, setpgroup=0)
        for fd in (theirs, theirs_too, *ends):
            os.close(fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for fd in (self.to, self.back):
            os.close(fd)  # which it takes as the order to leave
        soon(lambda: os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT), 5)
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        os.waitpid(self.pid, 0)

    def call(self, method, session=None, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        end = time.monotonic() + PATIENCE
        try:
            os.write(self.to, json.dumps(message).encode() + b"\0")
            while (answer := self.read(end)) is not None:
                if answer.get("id") == self.number:
                    if "error" in answer:
                        raise Refused(answer["error"]["message"])
                    return answer["result"]
        except (BrokenPipeError, EOFError):
            pass
        check(f"the browser answers {method}", "an answer", "none", more=self.log.read_text())

    def read(self, end):
        """The next message, or None after the deadline. Events are kept."""
        while b"\0" not in self.rest:
            if not select.select([self.back], [], [], max(0, end - time.monotonic()))[0]:
                return None
            if not (data := os.read(self.back, 1 << 16)):
                raise EOFError
            self.rest += data
        line, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(line)
        if "method" in message:
            self.events.append(message)
        return message


class Page:
    """A page with separate cookies."""

    def __init__(self, browser):
        self.browser = browser
        self.context = browser.call("Target.createBrowserContext")["browserContextId"]
        self.frame = browser.call(
            "Target.createTarget", url="about:blank", browserContextId=self.context, width=1000, height=700
        )["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=self.frame, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Network.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.browser.call("Target.disposeBrowserContext", browserContextId=self.context)
        except (Refused, SystemExit):
            pass  # it is gone, and why was said before

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def value(self, script):
        """The value of a script, or None while the page is changing."""
        try:
            return self.call("Runtime.evaluate", expression=script, returnByValue=True)["result"].get("value")
        except Refused:
            return None

    def open(self, address):
        self.call("Page.navigate", url=address)

    def arrives(self, what, address):
        """Waits for a page whose address begins with this; returns its status."""
        place = f"document.readyState === 'complete' && location.href.startsWith({json.dumps(address)})"
        there = soon(lambda: self.value(place))
        check(what, f"a page at {address}", self.value("location.href"), bool(there))
        responses = [event["response"] for event in self.sent("Network.responseReceived", "Document")]
        return responses[-1]["status"]

    def sent(self, method, kind=None):
        """The network events of this page."""
        events = [e for e in self.browser.events if e.get("sessionId") == self.session and e["method"] == method]
        return [e["params"] for e in events if kind in (None, e["params"].get("type"))]

    def click(self, name):
        """Presses the mouse on the element with this id, as a person would."""
        script = f"""(() => {{
            const element = document.getElementById({json.dumps(name)});
            if (!element) return null;
            element.scrollIntoView({{block: 'center'}});
            const box = element.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()"""
        if not (place := soon(lambda: self.value(script), 5)):
            check(f"the page has #{name}", f"an element with the id {name}", self.value("document.body.outerHTML"))
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def shot(self, file):
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))
