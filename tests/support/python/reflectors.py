# SPDX-License-Identifier: Apache-2.0
#
# Reflectors that do as a test tells them: each is a socket and a function from a request to the
# replies to it, now or later. All run on one thread. Bind them, start what probes them, then start
# this: no process is ever forked while the thread runs, and requests wait in the sockets.
import heapq
import itertools
import select
import socket
import threading
import time


class Reflectors:
    def __init__(self, case):
        self.case = case
        self.behaviours = {}  # By socket: a function and the count of its requests.
        self.pending = []  # A heap of (when, number, socket, octets, address).
        self.numbers = itertools.count()
        self.is_stopping = threading.Event()
        self.thread = None

    def add(self, behaviour):
        """`behaviour(request, index)` gives (delay in seconds, octets) for each reply. Returns the
        port."""
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.case.addCleanup(opened.close)
        opened.bind(("127.0.0.1", 0))
        self.behaviours[opened] = (behaviour, itertools.count())
        return opened.getsockname()[1]

    def start(self):
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        self.case.addCleanup(self.stop)

    def stop(self):
        if self.thread is not None:
            self.is_stopping.set()
            self.thread.join()
            self.thread = None

    def run(self):
        while not self.is_stopping.is_set():
            wait_s = 0.05
            if self.pending:
                wait_s = min(wait_s, max(0, self.pending[0][0] - time.monotonic()))
            for ready in select.select(list(self.behaviours), [], [], wait_s)[0]:
                self.take(ready)
            self.send_due()

    def take(self, ready):
        request, sender = ready.recvfrom(65_536)
        behaviour, requests = self.behaviours[ready]
        now = time.monotonic()
        for delay_s, octets in behaviour(request, next(requests)):
            entry = (now + delay_s, next(self.numbers), ready, octets, sender)
            heapq.heappush(self.pending, entry)

    def send_due(self):
        while self.pending and self.pending[0][0] <= time.monotonic():
            _, _, ready, octets, sender = heapq.heappop(self.pending)
            try:
                ready.sendto(octets, sender)
            except ConnectionRefusedError:  # An earlier reply found nobody.
                ready.sendto(octets, sender)
