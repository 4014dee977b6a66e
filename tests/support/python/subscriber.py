# SPDX-License-Identifier: Apache-2.0
#
# A subscriber of the zeromq exporter, with Debian's python3-zmq: receives on a thread of its own,
# and keeps what the test asks for.
import json
import sys
import threading
import time
import unittest

import runner

sys.path.append("/usr/lib/python3/dist-packages")  # Debian's, whichever Python this is.
try:
    import zmq
except ImportError:
    zmq = None


def need():
    if zmq is None:
        raise unittest.SkipTest("needs python3-zmq, for the Python that runs this")


def key_of(sample):
    """What no two samples have in common, nor need more memory than it is worth."""
    if sample["kind"] == "node":
        return sample["series_id"], sample["time_ns"]
    return sample["series_id"], sample["sequence"], sample.get("ssid"), sample["status"]


class Subscriber:
    """`keep`: what of (frames, sample) is kept; None keeps nothing but the count."""

    def __init__(self, case, endpoint, topics=("",), keep=None, binds=False, paused=False,
                 options=None):
        self.count, self.kept, self.keep = 0, [], keep
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.SUB)
        self.socket.setsockopt(zmq.IPV6, 1)
        self.socket.setsockopt(zmq.RCVHWM, 0)
        self.socket.setsockopt(zmq.LINGER, 0)
        for option, value in (options or {}).items():
            self.socket.setsockopt(option, value)
        for topic in topics:
            self.socket.subscribe(topic)
        self.endpoint = endpoint
        if binds:
            self.socket.bind(endpoint)
            self.endpoint = self.socket.getsockopt_string(zmq.LAST_ENDPOINT)
        else:
            self.socket.connect(endpoint)
        self.must_end = self.is_closed = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        case.addCleanup(self.close)
        if not paused:
            self.resume()

    def resume(self):
        self.thread.start()

    def run(self):
        while not self.is_closed:
            if self.socket.poll(200) == 0:
                if self.must_end:
                    return
                continue
            frames = self.socket.recv_multipart()
            self.count += 1
            if self.keep is not None:
                self.kept.append(self.keep(frames, json.loads(frames[-1])))

    def finish(self):
        """Call when the publisher has ended: reads what has arrived, and returns what it kept."""
        self.must_end = True
        self.thread.join(runner.DEADLINE_S)
        return self.kept

    def close(self):
        self.is_closed = self.must_end = True
        if self.thread.ident is not None:
            self.thread.join(runner.DEADLINE_S)
        self.socket.close()
        self.context.term()

    def wait(self, count=1):
        """Until it has received so many messages."""
        runner.wait_until(f"{count} messages", lambda: self.count >= count)

    def wait_quiet(self, seconds=1.0):
        """What it has after nothing has come for so long."""
        last, since = self.count, time.monotonic()
        while time.monotonic() - since < seconds:
            time.sleep(0.05)
            if self.count != last:
                last, since = self.count, time.monotonic()
        return last
