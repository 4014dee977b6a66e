# SPDX-License-Identifier: Apache-2.0
#
# Asks the admin listener of a running latmon: where it listens is read from its log, so that the
# port can be the kernel's choice.
import http.client
import json
import re
import socket

LISTEN = "127.0.0.1:0"


def port_of(daemon):
    """Of the first TCP address."""
    return int(daemon.wait_line(r"admin: listening on https?://\S+:(\d+)/").group(1))


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read().decode()

    def json(self):
        return json.loads(self.body)


def ask(port, path, method="GET", headers=None, source="127.0.0.1", tls=None):
    """One request on a connection of its own."""
    if tls is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=40,
                                                source_address=(source, 0))
    else:
        connection = http.client.HTTPSConnection("localhost", port, timeout=40, context=tls)
    try:
        connection.request(method, path, headers={"Connection": "close"} | (headers or {}))
        return Answer(connection.getresponse())
    finally:
        connection.close()


def raw(port, data, timeout_s=40):
    """What comes back for these octets until the connection is closed; the client goes on after
    an error of its own, as one does whose request is refused half-way."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
        came = b""
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        try:
            while octets := connection.recv(65536):
                came += octets
        except ConnectionError:
            pass
        return came


def gauges(text):
    """Metrics without labels, by name."""
    return {name: float(value) for name, value in re.findall(r"^(\w+) (\S+)$", text, re.M)}
