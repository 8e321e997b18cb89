"""Servers that forward bytes, for as long as a `with` block lasts: one ends TLS in front of a plain server, one is a
proxy for CONNECT that records its requests and can be made to refuse.
"""

import asyncio
import base64
import contextlib
import ssl
import threading

PATIENCE = 30  # seconds for a head to come
REASONS = {200: "Connection established", 403: "Forbidden", 407: "Proxy Authentication Required", 502: "Bad Gateway"}


class Relay:
    """A server on a free port of this machine, in a thread with its own event loop."""

    tls = None

    def __init__(self, host="127.0.0.1"):
        self.host = host
        self.loop = asyncio.new_event_loop()
        # A client that rejects a certificate closes the connection: that is what is tested, and not an error here.
        self.loop.set_exception_handler(lambda *_: None)
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        start = asyncio.start_server(self.serve, self.host, 0, ssl=self.tls)
        self.server = asyncio.run_coroutine_threadsafe(start, self.loop).result(PATIENCE)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(PATIENCE)
        self.server.close()

    async def serve(self, reader, writer):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            await self.answer(reader, writer)
        writer.close()

    async def join(self, reader, writer, host, port):
        """Forwards data from both sides, until both have ended."""
        back, forth = await asyncio.open_connection(host, port)
        await asyncio.gather(copy(reader, forth), copy(back, writer), return_exceptions=True)


class Plain(Relay):
    """Forwards everything to a port of this machine."""

    def __init__(self, port, **more):
        super().__init__(**more)
        self.to = port
        self.taken = 0  # connections

    async def answer(self, reader, writer):
        self.taken += 1
        await self.join(reader, writer, "127.0.0.1", self.to)


class Tls(Plain):
    """The same behind TLS. `chain` is a file with the server's certificates and its key."""

    def __init__(self, chain, port, **more):
        super().__init__(port, **more)
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.tls.load_cert_chain(chain)


class Proxy(Relay):
    """A proxy for CONNECT only. It resolves every name to this machine: only a proxy knows the names that
    are used here. `status` is its response, unless it is 200; 0 hangs up, and `None` waits forever."""

    def __init__(self, user=None, status=200):
        super().__init__()
        self.wanted = user and f"Basic {base64.b64encode(user.encode()).decode()}"
        self.status = status
        self.heads = []  # of all requests, as they came
        self.log = []  # the first line of each of them, behind the status that it got
        self.told = 0

    def asked(self):
        """The requests since the last call."""
        heads, self.told = self.heads[self.told:], len(self.heads)
        return [head.split("\r\n")[0].rsplit(" ", 1)[0] for head in heads]

    def said(self):
        return "\n".join(self.log)

    async def answer(self, reader, writer):
        head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)).decode("latin-1")
        self.heads.append(head)
        method, target = head.split(" ")[:2]
        status = self.status
        if status == 200 and self.wanted and f"proxy-authorization: {self.wanted}".lower() not in head.lower():
            status = 407
        if status == 200 and method != "CONNECT":
            status = 403
        self.log.append(f"{status} {head.splitlines()[0]}")
        if status is None:
            await asyncio.sleep(PATIENCE)
        if not status:
            return
        more = 'Proxy-Authenticate: Basic realm="peer"\r\n' if status == 407 else ""
        length = "" if status == 200 else "Content-Length: 0\r\n"
        writer.write(f"HTTP/1.1 {status} {REASONS[status]}\r\n{more}{length}\r\n".encode())
        await writer.drain()
        if status == 200:
            await self.join(reader, writer, "127.0.0.1", int(target.rsplit(":")[-1]))


async def copy(reader, writer):
    """Forwards from one to the other until the end."""
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()
