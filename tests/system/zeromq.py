# SPDX-License-Identifier: Apache-2.0
#
# The zeromq exporter with real subscribers: each message of each sample arrives or is counted, in
# every way to connect, encrypted or not, and with a subscriber that does not read.
import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path
from typing import NamedTuple

SUPPORT = Path(__file__).resolve().parents[1] / "support" / "python"
sys.path.insert(0, str(SUPPORT))
import node
import runner
import samples
import subscriber
from subscriber import Subscriber, zmq

RATE_TARGETS = 10  # Each is probed once a millisecond.
# Reads one message, and then none.
STUCK = """
import sys
sys.path.append("/usr/lib/python3/dist-packages")
import zmq
socket = zmq.Context().socket(zmq.SUB)
socket.setsockopt(zmq.RCVHWM, 10)
socket.subscribe("")
socket.connect(sys.argv[1])
socket.recv()
print("reading", flush=True)
sys.stdin.read()
"""


class Fates(NamedTuple):
    """Of samples, the first two; of messages, the others."""
    made: int
    queue_full: int
    sent: int
    dropped: int
    unheard: int


def setUpModule():
    subscriber.need()


def endpoint_of(port, host="127.0.0.1"):
    return f"tcp://{host}:{port}"


class Zeromq(unittest.TestCase):
    def setUp(self):
        self.ports = node.free_ports()
        self.port = node.free_ports().tcp

    def publishing(self, targets=1, interval=10, **keys):
        """A node that probes itself over UDP; by default bound to `port`."""
        exporter = {"plugin": "zeromq", "queue_samples": 1 << 16}
        if "connect" not in keys:
            exporter["bind"] = [endpoint_of(self.port)]
        return node.config(
            "node", self.ports, interval=interval, tcp=False, node_interval=1,
            targets=[node.target("127.0.0.1", self.ports, label=f"self{index}", type="udp",
                                 timeout=0.5) for index in range(targets)],
            exporters=[exporter | keys])

    def start(self, keys):
        return node.Node(self, keys).wait_started()

    def stop(self, daemon):
        """Its accounts of the exporter: each sample was taken, and each message has its fate."""
        mine = daemon.stop().exporters["zeromq"]
        fates = Fates(mine["made"], mine["dropped"],
                      *(mine[f"exporter_messages_{fate}_total"] for fate in Fates._fields[2:]))
        self.assertEqual(mine["exported"], fates.sent + fates.dropped + fates.unheard, mine)
        self.assertEqual(mine["rejected"], 0, mine)
        return fates

    # -- Accounts ---------------------------------------------------------------------------------

    def test_every_message_arrives_or_is_counted(self):
        # What is probed is ourselves: two samples for each probe.
        keys = self.publishing(RATE_TARGETS, 1, samples=["exchange", "reflection", "node"])
        reader = Subscriber(self, endpoint_of(self.port),
                            keep=lambda _, sample: subscriber.key_of(sample))
        daemon = self.start(keys)
        seconds = runner.seconds(5)
        node.run_for(seconds, daemon)
        mine = self.stop(daemon)
        kept = reader.finish()
        print(f"produced {mine.made} in {seconds:.0f} s, received {len(kept)}, dropped "
              f"{mine.dropped + mine.queue_full}, unheard {mine.unheard}", file=sys.stderr)
        self.assertEqual(len(set(kept)), len(kept), "some came twice")
        self.assertGreater(len(kept), 0)
        self.assertEqual(mine.made, len(kept) + mine.dropped +
                         mine.unheard + mine.queue_full)

    def test_a_slow_subscriber_gets_whole_messages_and_the_rest_is_counted(self):
        keys = self.publishing(RATE_TARGETS, 1, send_high_water_mark=100, stuck_timeout_ms=0,
                               linger_ms=4000, topic=True)
        reader = Subscriber(self, endpoint_of(self.port), paused=True,
                            keep=lambda frames, _: len(frames), options={zmq.RCVHWM: 100})
        daemon = self.start(keys)
        daemon.wait_line("a subscriber does not keep up")
        reader.resume()
        reader.wait(1000)
        mine = self.stop(daemon)
        kept = reader.finish()
        self.assertEqual(set(kept), {2})
        self.assertEqual(mine.sent, len(kept))
        self.assertGreater(mine.dropped, 0)

    def test_without_a_subscriber_nothing_is_dropped(self):
        daemon = self.start(self.publishing())
        node.run_for(0.5, daemon)
        mine = self.stop(daemon)
        self.assertEqual(mine.unheard, mine.made)
        self.assertGreater(mine.made, 0)

    def stuck_subscriber(self):
        process = subprocess.Popen([sys.executable, "-c", STUCK, endpoint_of(self.port)],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   preexec_fn=node.die_with_parent)

        def end():
            process.kill()
            process.wait()
            process.stdin.close()
            process.stdout.close()
        self.addCleanup(end)
        self.assertEqual(process.stdout.readline(), b"reading\n")
        os.kill(process.pid, signal.SIGSTOP)

    def test_a_stuck_subscriber_is_left_and_the_others_go_on(self):
        keys = self.publishing(RATE_TARGETS, 1, send_high_water_mark=1000, stuck_timeout_ms=1000)
        reader = Subscriber(self, endpoint_of(self.port))
        daemon = self.start(keys)
        reader.wait()  # What is sent before it subscribes goes to the other alone.
        self.stuck_subscriber()
        daemon.wait_line("a subscriber does not keep up")
        before = reader.wait_quiet(0.2)
        reader.wait(before + 5000)
        daemon.wait_line("all subscribers keep up; messages dropped: [1-9]")
        mine = self.stop(daemon)
        reader.finish()
        self.assertEqual(mine.sent, reader.count)

    def test_inexact_drops_harm_the_slow_subscriber_alone(self):
        keys = self.publishing(RATE_TARGETS, 1, send_high_water_mark=1000, stuck_timeout_ms=0,
                               exact_drops=False)
        reader = Subscriber(self, endpoint_of(self.port))
        daemon = self.start(keys)
        reader.wait()  # What is sent before it subscribes goes to the other alone.
        self.stuck_subscriber()
        reader.wait(15_000)
        mine = self.stop(daemon)
        self.assertEqual(mine.dropped, 0)
        reader.finish()
        self.assertEqual(mine.sent, reader.count)

    # -- Forms ------------------------------------------------------------------------------------

    def ancestors(self, address):
        return node.config(
            "node", self.ports, interval=10, tcp=False,
            targets=[node.target("127.0.0.1", self.ports, label="self", tags=["isp:a"])],
            metrics={"backend": "zeromq", "address": address, "port": self.port})

    def test_the_ancestors_shape_is_a_frame_with_the_ancestors_json(self):
        families = [("127.0.0.1", "127.0.0.1")]
        families += [("::1", "[::1]")] if runner.HAS_IPV6 else []
        for address, host in families:
            with self.subTest(address):
                reader = Subscriber(self, endpoint_of(self.port, host),
                                    keep=lambda frames, sample: (len(frames), sample))
                daemon = self.start(self.ancestors(address))
                reader.wait(5)
                daemon.stop()
                for frames, sample in reader.finish():
                    self.assertEqual(frames, 1)
                    self.assertEqual(set(sample), {"metric", "points", "tags"})
                metrics = {(sample["metric"], tuple(sample["tags"])) for _, sample in reader.kept}
                self.assertIn(("udp.wan.rtt", ("source:node", "target:self", "isp:a")), metrics)

    def test_samples_are_those_of_the_json_exporter(self):
        reader = Subscriber(self, endpoint_of(self.port), keep=lambda frames, sample: sample)
        daemon = self.start(self.publishing(samples=["exchange", "reflection", "node"]))
        runner.wait_until("every kind", lambda: {each["kind"] for each in list(reader.kept)} >=
                          {"exchange", "reflection", "node"})
        self.stop(daemon)
        for sample in reader.finish():
            samples.check(self, sample)

    def test_a_topic_selects_and_what_nobody_selected_is_unheard(self):
        topic = b"exchange|node|self1|"
        reader = Subscriber(self, endpoint_of(self.port), topics=(topic,),
                            keep=lambda frames, sample: (frames[0], sample["target"]))
        daemon = self.start(self.publishing(11, 10, topic=True))
        reader.wait(20)
        mine = self.stop(daemon)
        self.assertEqual(set(reader.finish()), {(topic, "self1")})
        self.assertEqual(mine.sent, len(reader.kept))
        self.assertGreater(mine.unheard, len(reader.kept))

    # -- Ways -------------------------------------------------------------------------------------

    def assert_reaches(self, keys, endpoint, **options):
        reader = Subscriber(self, endpoint, keep=lambda _, sample: sample, **options)
        daemon = self.start(keys)
        reader.wait(20)
        mine = self.stop(daemon)
        self.assertEqual(mine.sent, len(reader.finish()))

    def test_ipc(self):
        endpoint = f"ipc://{runner.scratch(self)}/samples"
        self.assert_reaches(self.publishing(bind=[endpoint]), endpoint)

    def test_ipv6(self):
        runner.need_ipv6()
        self.assert_reaches(self.publishing(bind=[f"tcp://*:{self.port}"]),
                            endpoint_of(self.port, "[::1]"))

    def test_connect_and_the_far_end_comes_back(self):
        endpoint = endpoint_of(self.port)
        daemon = self.start(self.publishing(connect=[endpoint]))
        for _ in range(2):
            reader = Subscriber(self, endpoint, binds=True)
            reader.wait(20)
            reader.close()
        mine = self.stop(daemon)
        self.assertGreater(mine.unheard, 0)
        self.assertEqual(mine.dropped, 0)

    # -- CURVE ------------------------------------------------------------------------------------

    def secret_file(self, secret):
        path = runner.scratch(self) / "secret"
        path.touch(mode=0o600)
        path.write_text(secret.decode() + "\n")
        return str(path)

    def as_client(self, server_public, keys):
        public, secret = keys
        return {zmq.CURVE_SERVERKEY: server_public, zmq.CURVE_PUBLICKEY: public,
                zmq.CURVE_SECRETKEY: secret}

    def test_curve_lets_in_whom_it_should(self):
        public, secret = zmq.curve_keypair()
        friend, stranger = zmq.curve_keypair(), zmq.curve_keypair()
        other_server, _ = zmq.curve_keypair()
        for allowed in ([], [friend[0].decode()]):
            with self.subTest(allowed=allowed):
                keys = {"curve_secret_key_file": self.secret_file(secret)}
                if allowed:
                    keys["curve_client_keys"] = allowed
                daemon = self.start(self.publishing(**keys))
                endpoint = endpoint_of(self.port)
                plain = Subscriber(self, endpoint)
                fooled = Subscriber(self, endpoint, options=self.as_client(other_server, friend))
                guest = Subscriber(self, endpoint, options=self.as_client(public, stranger))
                welcome = Subscriber(self, endpoint, options=self.as_client(public, friend))
                welcome.wait(50)
                if not allowed:
                    guest.wait(50)
                self.assertEqual(guest.count > 0, not allowed)
                self.assertEqual((plain.count, fooled.count), (0, 0))
                self.assertNotIn(secret.decode(), daemon.log())
                daemon.stop()

    def test_curve_as_client(self):
        server_public, server_secret = zmq.curve_keypair()
        public, secret = zmq.curve_keypair()
        endpoint = endpoint_of(self.port)
        self.assert_reaches(
            self.publishing(connect=[endpoint], curve_secret_key=secret.decode(),
                            curve_public_key=public.decode(),
                            curve_server_key=server_public.decode()),
            endpoint, binds=True,
            options={zmq.CURVE_SERVER: 1, zmq.CURVE_SECRETKEY: server_secret})

    # -- The rest ---------------------------------------------------------------------------------

    def test_an_endpoint_that_is_taken_is_refused(self):
        context = zmq.Context()
        self.addCleanup(context.destroy, 0)
        holder = context.socket(zmq.PUB)
        self.addCleanup(holder.close, 0)
        holder.bind(endpoint_of(self.port))
        daemon = node.Node(self, self.publishing())
        self.assertEqual(daemon.wait_end(), 78, daemon.log())
        self.assertIn("another process has it", daemon.log())

    def test_its_threads_keep_off_the_cores_cpus(self):
        runner.need_two_cpus()
        keys = self.publishing() | {"cores": [runner.CPUS[0]]}
        daemon = self.start(keys)
        seen = {}
        for task in Path(f"/proc/{daemon.pid}/task").iterdir():
            seen[task.name, (task / "comm").read_text().strip()] = os.sched_getaffinity(
                int(task.name))
        others = {name for (_, name), cpus in seen.items() if runner.CPUS[0] not in cpus}
        self.assertTrue({name for name in others if name.startswith("ZMQ")}, seen)
        for (_, name), cpus in seen.items():
            if not name.startswith(("lm-core", "iou-")):
                self.assertNotIn(runner.CPUS[0], cpus, name)
        daemon.stop()


if __name__ == "__main__":
    runner.main()
