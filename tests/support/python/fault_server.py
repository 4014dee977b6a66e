# SPDX-License-Identifier: Apache-2.0
#
# An HTTP/1.1 server that does as a test says, one behaviour per request, and keeps what it was
# sent: for every exporter that pushes. It knows nothing of their formats.
#
#   server = FaultServer(self)                 # stops with the test
#   server.then(answer(503), STALL)            # the next two requests; after them `usual`
#   server.usual = too_large(10_000)           # default OK
#   server.refuse(); ...; server.listen()      # nobody listens meanwhile; the port stays
#   server.stored                              # requests that were accepted, in order, unpacked
#   server.requests                            # all of them, with what was done
import gzip
import http.client
import socket
import struct
import threading
import time
import zlib
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple


class Request(NamedTuple):
    time_s: float  # CLOCK_MONOTONIC when it was there whole.
    method: str
    path: str
    headers: dict  # Names in lower case.
    body: bytes    # Unpacked.
    wire_bytes: int  # Its length before.
    behaviour: str


class Behaviour(NamedTuple):
    """`act` gets the handler after the request was read. A request is stored before it is answered
    if `stores(wire_bytes, body)`."""
    name: str
    act: object
    stores: object = lambda wire_bytes, body: False


def answer(status, body=b"", **headers):
    """Header names with _ for -: answer(429, Retry_After=1)."""
    def act(handler):
        handler.answer(status, body, headers)
    is_good = 200 <= status < 300
    return Behaviour(f"answer {status}", act, lambda wire_bytes, unpacked: is_good)


def retry_after_date(status, seconds):
    """As answer(), with the HTTP date of the first full second after `seconds` from now."""
    def act(handler):
        handler.answer(status, b"", {"Retry_After": formatdate(int(time.time()) + seconds + 1,
                                                               usegmt=True)})
    return Behaviour(f"answer {status} until a date", act)


def too_large(limit_bytes, unpacked=True):
    """413 to bodies of more than this, before packing or as they come."""
    def is_small(wire_bytes, body):
        return (len(body) if unpacked else wire_bytes) <= limit_bytes

    def act(handler):
        handler.answer(200 if is_small(handler.wire_bytes, handler.body) else 413,
                       b"too large" * (not is_small(handler.wire_bytes, handler.body)), {})
    return Behaviour(f"413 above {limit_bytes}", act, is_small)


def slow(seconds):
    """Answers, in small pieces."""
    def act(handler):
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        for index in range(len(head)):
            handler.wfile.write(head[index:index + 1])
            handler.server.owner.ended.wait(seconds / len(head))
    return Behaviour(f"slow {seconds}", act, lambda wire_bytes, body: True)


# Of one connection, not of what is passed on.
HOP_HEADERS = ("host", "connection", "content-length", "transfer-encoding", "keep-alive")


def upstream(handler, port):
    headers = {name: value for name, value in handler.headers.items()
               if name.lower() not in HOP_HEADERS}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    return connection, headers


def forward(port):
    """To a real server at this port; its answer comes back."""
    def act(handler):
        connection, headers = upstream(handler, port)
        try:
            connection.request(handler.command, handler.path, handler.raw, headers)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        back = {name: value for name, value in response.getheaders()
                if name.lower() not in HOP_HEADERS and name.lower() != "content-type"}
        handler.answer(response.status, body, back)
    return Behaviour("forward", act)


def forward_and(port, then, seconds=0):
    """To a real server, but its answer is lost: `then` is called with the handler instead. With
    `seconds`, the second half of the request comes so much later than the first."""
    def act(handler):
        connection, headers = upstream(handler, port)
        half = len(handler.raw) // 2
        try:
            connection.putrequest(handler.command, handler.path)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(handler.raw)))
            connection.endheaders()
            connection.send(handler.raw[:half])
            handler.server.owner.ended.wait(seconds)
            connection.send(handler.raw[half:])
            connection.getresponse().read()
        finally:
            connection.close()
        then(handler)
    return Behaviour("forward, answer lost", act)


def cut(text):
    def act(handler):
        handler.wfile.write(text)
        handler.close_connection = True
    return act


def drop(handler):
    """No answer at all."""
    handler.close_connection = True


def reset(handler):
    """The peer gets ECONNRESET instead of an end of file."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True


def stored(wire_bytes, body):
    return True


OK = answer(200)
# Until the test ends, or the client goes.
STALL = Behaviour("stall", lambda handler: handler.stall())
GARBAGE = Behaviour("garbage", cut(b"\x00\x01 this is no HTTP \xff\r\n\r\n"))
CLOSE = Behaviour("close", cut(b""))
RESET = Behaviour("reset", reset)
CLOSE_HALFWAY = Behaviour("close half-way",
                          cut(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart of it"),
                          stored)
CLOSE_AFTER_STORING = Behaviour("close after storing", cut(b""), stored)
ENDLESS = Behaviour("endless answer", lambda handler: handler.answer_endlessly(), stored)


def unpack(body, encoding):
    if encoding == "gzip":
        return gzip.decompress(body)
    return zlib.decompress(body) if encoding == "deflate" else body


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.server.owner.connections.append(self.connection)

    def log_message(self, *_):
        pass

    def take(self):
        owner = self.server.owner
        self.raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.wire_bytes = len(self.raw)
        self.body = unpack(self.raw, self.headers.get("Content-Encoding"))
        headers = {name.lower(): value for name, value in self.headers.items()}
        with owner.lock:
            behaviour = owner.script.pop(0) if owner.script else owner.usual
            request = Request(time.monotonic(), self.command, self.path, headers, self.body,
                              self.wire_bytes, behaviour.name)
            owner.requests.append(request)
            if behaviour.stores(self.wire_bytes, self.body):
                owner.stored.append(request)
        try:
            behaviour.act(self)
        except OSError:  # The client did not wait.
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = take

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer_endlessly(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not self.server.owner.ended.is_set():
            self.wfile.write(b"x" * 4096)

    def stall(self):
        self.close_connection = True
        self.connection.settimeout(0.1)
        while not self.server.owner.ended.is_set():
            try:
                if not self.connection.recv(1):
                    return
            except TimeoutError:
                continue


class Listener(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # A client that has gone.


class FaultServer:
    def __init__(self, case, host="127.0.0.1", wrap=None):
        """`wrap`: makes of a listening socket another, such as one with TLS."""
        self.host, self.wrap, self.port = host, wrap, 0
        self.lock = threading.Lock()
        self.ended = threading.Event()
        self.usual, self.script = OK, []
        self.requests, self.stored, self.connections = [], [], []
        self.listener = None
        self.listen()
        case.addCleanup(self.stop)

    @property
    def url(self):
        return f"http{'s' if self.wrap else ''}://{self.host}:{self.port}"

    def then(self, *behaviours):
        with self.lock:
            self.script += behaviours

    def listen(self):
        self.listener = Listener((self.host, self.port), Handler)
        self.listener.owner = self
        self.port = self.listener.server_address[1]
        if self.wrap:
            self.listener.socket = self.wrap(self.listener.socket)
        threading.Thread(target=self.listener.serve_forever, args=(0.02,), daemon=True).start()

    def refuse(self):
        """Stops listening, and closes every connection."""
        listener, self.listener = self.listener, None
        if listener is None:
            return
        listener.shutdown()
        listener.server_close()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # Closed already.
        self.connections.clear()

    def stop(self):
        self.ended.set()
        self.refuse()
