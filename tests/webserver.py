"""A web server on this machine that answers range requests, counts what it sends, and can be told to misbehave."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

RANGE = re.compile(r"bytes=(\d+)-(\d+)")


class Web:
    """A folder on the web. `fault` is what goes wrong, `after` the number of requests before it does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fault: str | int | None = None
        self.after = 0
        self.once = False
        self.sent: list[tuple[str, int, int]] = []
        self.queries: set[str] = set()
        self.url = ""
        self.released = threading.Event()

    @property
    def bytes(self) -> int:
        """How many bytes of files were sent."""
        return sum(stop - start for _, start, stop in self.sent)

    def fault_now(self) -> str | int | None:
        """Give the fault of this request, if it is to have one."""
        if self.fault is None or self.fault == "no ranges" or len(self.sent) < self.after:
            return None
        fault = self.fault
        if self.once:
            self.fault = None
        return fault


def _handler(web: Web) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _answer(self, *, body: bool) -> None:
            place = urlsplit(self.path)
            web.queries.add(place.query)
            file = web.folder / place.path.lstrip("/")
            fault = web.fault_now()
            status = fault if isinstance(fault, int) else 200 if file.is_file() else 404
            if fault == "hang":
                web.released.wait(10)
            if status != 200 or fault == "hang":
                self.send_response(status if status != 200 else 503)
                self.send_header("Content-Length", "0")
                self.send_header("Location", self.path)  # where the status is that of a redirect
                self.end_headers()
                return
            size = file.stat().st_size
            match = RANGE.fullmatch(self.headers.get("Range", ""))
            ranged = match is not None and web.fault != "no ranges"
            start, stop = (int(match[1]), min(int(match[2]) + 1, size)) if match and ranged else (0, size)
            self.send_response(206 if ranged else 200)
            self.send_header("Content-Length", str(stop - start))
            self.send_header("ETag", f'"{size}"')
            if ranged:
                self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{size}")
            self.end_headers()
            if not body:
                return
            web.sent.append((place.path, start, stop))
            with file.open("rb") as content:
                content.seek(start)
                if fault == "reset":
                    self.wfile.write(content.read((stop - start) // 2))
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                self.wfile.write(content.read(stop - start))

    return Handler


@contextmanager
def serving(folder: Path) -> Iterator[Web]:
    """Serve a folder for a while."""
    web = Web(folder)

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that goes away is no news."""

    with Server(("127.0.0.1", 0), _handler(web)) as server:
        web.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield web
        finally:
            web.released.set()
            server.shutdown()
            thread.join()
