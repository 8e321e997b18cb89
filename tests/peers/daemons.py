"""Existing forward proxies: tinyproxy and squid, each with a password and a separate directory."""

import contextlib
import pathlib
import socket
import subprocess

import peer
from signin import soon

HELPERS = ("/usr/lib/squid/basic_ncsa_auth", "/usr/lib64/squid/basic_ncsa_auth", "/usr/libexec/squid/basic_ncsa_auth")

TINYPROXY = """
Listen 127.0.0.1
Port {port}
Timeout 30
LogFile "{folder}/log"
LogLevel Connect
BasicAuth peer {password}
upstream http 127.0.0.1:{above} ".test"
"""

SQUID = """
http_port 127.0.0.1:{port}
hosts_file {folder}/hosts
pid_filename none
coredump_dir none
pinger_enable off
cache deny all
access_log stdio:{folder}/log
cache_log {folder}/cache.log
auth_param basic program {helper} {folder}/passwords
acl known proxy_auth REQUIRED
http_access allow known
http_access deny all
shutdown_lifetime 0 seconds
"""


class Daemon:
    """A proxy that is a program: it listens when the `with` block begins, and is ended with it. Writes to `log`."""

    def __init__(self, command, folder, port):
        self.command, self.log, self.port = command, folder / "log", port
        self.console = folder / "console"

    def __enter__(self):
        with self.console.open("w") as out:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            soon(lambda: self.listens() or self.process.poll() is not None)
            if self.process.poll() is not None or not self.listens():
                raise RuntimeError(f"{self.command[0]} does not start: {self.console.read_text()}")
        except BaseException:  # a signal, too
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.process.wait()

    def listens(self):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True

    def said(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def tinyproxy(program, folder, password, above):
    """Accepts the user `peer`, and forwards names that end in .test to another proxy, at this port."""
    folder.mkdir()
    port = peer.free_port()
    (folder / "conf").write_text(TINYPROXY.format(port=port, folder=folder, password=password, above=above))
    return Daemon([program, "-d", "-c", folder / "conf"], folder, port)


def squid(program, folder, password, name):
    """Accepts the user `peer`, and resolves this name to this machine. Nothing if its helper is missing."""
    helper = next((file for file in HELPERS if pathlib.Path(file).exists()), None)
    if not helper:
        peer.skip("peer-programs", "squid's basic_ncsa_auth is not installed")
        return None
    folder.mkdir()
    port = peer.free_port()
    (folder / "conf").write_text(SQUID.format(port=port, folder=folder, helper=helper))
    (folder / "hosts").write_text(f"127.0.0.1 {name}\n")
    hashed = subprocess.run(["openssl", "passwd", "-apr1", password], capture_output=True, text=True, check=True)
    (folder / "passwords").write_text(f"peer:{hashed.stdout}")
    folder.parent.chmod(0o755)  # started by root, squid becomes somebody else
    folder.chmod(0o777)
    return Daemon([program, "-N", "-f", folder / "conf"], folder, port)
