# SPDX-License-Identifier: Apache-2.0
#
# The admin listener of a running node: its pages, the probes that it makes for others, pages of
# exporters, who is let in, and what it says when it cannot listen.
import base64
import collections
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import admin
import node
import runner
import samples


class AdminCase(unittest.TestCase):
    def start(self, interval=100, exporters=None, node_interval=0, **keys):
        """A node that probes itself, with these keys of [admin]."""
        self.ports = node.free_ports()
        self.output = runner.scratch(self) / "samples"
        config = node.config(
            "node", self.ports, interval=interval, node_interval=node_interval,
            admin={"listen": admin.LISTEN} | keys,
            targets=[node.target("127.0.0.1", self.ports, label="self", tags=["a:b"])],
            exporters=exporters or [node.cli(self.output)])
        daemon = node.Node(self, config).wait_started()
        self.port = admin.port_of(daemon)
        return daemon

    def ask(self, path, **options):
        return admin.ask(self.port, path, **options)

    def refused(self, exit_code, **keys):
        """What a node says that does not start."""
        config = node.config("node", node.free_ports(), admin=keys)
        daemon = node.Node(self, config)
        self.assertEqual(daemon.wait_end(), exit_code, daemon.log())
        return daemon.log()

    def secret(self, text, mode=0o600):
        path = runner.scratch(self) / "secret"
        path.touch(mode=mode)
        path.write_text(text)
        return str(path)


class Pages(AdminCase):
    def test_pages(self):
        daemon = self.start()
        self.assertEqual(self.ask("/-/healthy").body, "latmon is healthy\n")
        self.assertEqual(self.ask("/-/ready").status, 200)
        self.assertIn('href="/api/v1/targets"', self.ask("/").body)
        self.assertEqual(self.ask("/none").status, 404)
        self.assertEqual(self.ask("/probe?target=127.0.0.1").status, 404)
        self.assertNotIn("/probe", self.ask("/").body)
        reload = self.ask("/-/reload")
        self.assertEqual((reload.status, reload.headers["Allow"]), (405, "POST, PUT"))
        foreign = {"Origin": "http://elsewhere.example"}
        self.assertEqual(self.ask("/-/reload", method="POST", headers=foreign).status, 403)
        head = self.ask("/", method="HEAD")
        self.assertEqual((head.status, head.body), (200, ""))
        self.assertGreater(int(head.headers["Content-Length"]), 100)
        daemon.stop()

    def test_targets_and_series(self):
        daemon = self.start()

        def answered():
            return [each for each in self.ask("/api/v1/targets").json()["targets"]
                    if each["state"] == "up"]

        targets = runner.wait_until("three probes that are up",
                                    lambda: len(answered()) == 3 and answered())
        for target in targets:
            with self.subTest(**target):
                self.assertEqual((target["target"], target["address"], target["tags"]),
                                 ("self", "127.0.0.1", ["a:b"]))
                self.assertEqual(target["interval_seconds"], 0.1)
                self.assertGreater(target["answered"], 0)
                self.assertLess(0, target["last_rtt_seconds"])
                self.assertEqual(target["sent"], sum(target[fate] for fate in (
                    "answered", "lost", "unreachable", "in_flight")))
        for window in ("1s", "5s"):
            answer = self.ask(f"/api/v1/series?window={window}&target=self").json()
            kinds = {(each["kind"], each["protocol"]) for each in answer["series"]}
            self.assertEqual(kinds, {("exchange", "udp"), ("exchange", "tcp"), ("connect", "tcp")})
            for series in answer["series"]:
                with self.subTest(**series):
                    self.assertEqual(series["length_seconds"], float(window[:-1]))
                    self.assertEqual(series["samples"], sum(series["by_status"].values()))
                    self.assertGreaterEqual(series["rtt"]["max_seconds"],
                                            series["rtt"]["p50_seconds"])
        self.assertTrue(self.ask("/api/v1/series?window=1s&limit=1").json()["is_cut"])
        self.assertEqual(self.ask("/api/v1/series?window=2s").status, 400)
        daemon.stop()

    def threads(self, daemon):
        return {(task / "comm").read_text().strip()
                for task in Path(f"/proc/{daemon.pid}/task").iterdir()}

    def test_windows_begin_with_the_first_question_and_are_whole(self):
        daemon = self.start(interval=10, node_interval=1)
        node.run_for(1.2, daemon)
        self.assertNotIn("lm-stats", self.threads(daemon))
        before = time.time()
        first = self.ask("/api/v1/series?window=1s").json()
        since = first["windows_since_seconds"]
        self.assertTrue(before <= since <= time.time(), (before, since))
        self.assertEqual(first["series"], [])
        self.assertIn("lm-stats", self.threads(daemon))

        def windows(window):
            answer = self.ask(f"/api/v1/series?window={window}").json()
            self.assertEqual(answer["windows_since_seconds"], since)
            return answer["series"]
        seen = {}
        runner.wait_until("three seconds of each", lambda: (
            seen.update({(each["series_id"], each["begin_seconds"]): each["samples"]
                         for each in windows("1s")}), len(seen) >= 9)[1])
        # The minute in which the first question was asked is not shown, nor what slides over it.
        self.assertEqual(windows("sliding"), [])
        self.assertTrue(all(each["begin_seconds"] >= since for each in windows("60s")))
        self.assertEqual(self.ask("/api/v1/targets").json()["windows_since_seconds"], since)
        daemon.stop()
        counted, made = collections.Counter(), set()
        for sample in samples.read(self.output):
            if sample["kind"] in ("exchange", "connect", "reflection"):
                counted[sample["series_id"], sample["time_ns"] // 10**9] += 1
            elif sample.get("name") == "stats_made_samples_total":
                made.add((sample["time_ns"] / 1e9 < since, sample["value"] == 0))
        self.assertIn((True, True), made, "nothing was made before anybody asked")
        self.assertNotIn((True, False), made)
        for (series, begin), count in seen.items():
            self.assertGreaterEqual(begin, since)
            # A busy host has some in the next one; a window that began too early has half.
            self.assertGreater(count, 0.8 * counted[series, int(begin)], (series, begin))

    def test_a_page_of_an_exporter(self):
        hang_file = runner.scratch(self) / "hang"
        page = {"path": str(runner.TEST_PLUGINS / "page.so"), "hang_file": str(hang_file)}
        daemon = self.start(exporters=[node.cli(runner.scratch(self) / "o"), page])
        answer = self.ask("/page?key=a%20b", headers={"Accept": "text/x"})
        self.assertEqual((answer.status, answer.body), (203, "key=a b accept=text/x\n"))
        self.assertEqual(answer.headers["X-Page"], "yes")
        self.assertNotIn("Set-Cookie", answer.headers)
        self.assertEqual(self.ask("/page", method="POST").status, 405)
        self.assertIn("A &lt;test&gt; page", self.ask("/").body)

        # All handlers hang: health does not, and the end comes all the same.
        hang_file.touch()
        waiting = []
        for _ in range(3):
            waiting.append(socket.create_connection(("127.0.0.1", self.port)))
            waiting[-1].sendall(b"GET /page HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(self.ask("/-/healthy").status, 200)
        daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.wait_end(), 0, daemon.log())
        self.assertIn("is left behind", daemon.log())
        for connection in waiting:
            connection.close()

    def test_pages_need_a_listener_and_a_path_of_their_own(self):
        for listen, page, reason in (("", "/page", r"\[admin\]"),
                                     (admin.LISTEN, "/-/page", "latmon's own"),
                                     (admin.LISTEN, "page", "must begin with '/'")):
            exporter = {"path": str(runner.TEST_PLUGINS / "page.so"), "page": page}
            daemon = node.Node(self, node.config("node", node.free_ports(),
                                                 admin={"listen": listen}, exporters=[exporter]))
            self.assertEqual(daemon.wait_end(), 78, daemon.log())
            self.assertRegex(daemon.log(), reason)


    def test_a_page_needs_the_address_that_somebody_has(self):
        # Nobody asks for 127.0.0.1:9464, so that it is left out elsewhere.
        with socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", 9464))
                taken.listen()
            except OSError:
                pass  # Somebody else has it, which does as well.
            for exporter in ({"path": str(runner.TEST_PLUGINS / "page.so"), "page": "/page"},
                             {"plugin": "prometheus"}):
                with self.subTest(exporter):
                    keys = node.config("node", node.free_ports(), exporters=[exporter])
                    keys.pop("admin", None)
                    daemon = node.Node(self, keys)
                    self.assertEqual(daemon.wait_end(), 77, daemon.log())
                    self.assertRegex(daemon.log(), r"toml:\d+:\d+: exporter \w+ has a page on the "
                                     r"admin listener: \[admin\] cannot listen on "
                                     r"127\.0\.0\.1:9464: somebody else has it")
                    self.assertNotIn("options", daemon.log())

    def test_a_reload_while_it_stops(self):
        silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)  # Its probes are waited for.
        self.addCleanup(silent.close)
        silent.bind(("127.0.0.1", 0))
        ports = node.free_ports()
        daemon = node.Node(self, node.config(
            "node", ports, interval=10, timeout=8, admin={"listen": admin.LISTEN},
            targets=[node.target("127.0.0.1", ports, label="silent", type="udp",
                                 udp_port=silent.getsockname()[1])],
            exporters=[node.cli(runner.scratch(self) / "samples")])).wait_started()
        self.port = admin.port_of(daemon)
        silent.recv(9000)
        daemon.process.send_signal(signal.SIGTERM)
        runner.wait_until("the end", lambda: self.ask("/-/ready").status == 503)
        reload = self.ask("/-/reload", method="POST")
        self.assertEqual((reload.status, reload.body), (503, "latmon is stopping\n"))
        daemon.wait_end()


class Probing(AdminCase):
    def test_the_list_of_pages_shows_how_to_ask(self):
        self.start(probe=True, modules=[{"name": "brief", "interval": 10, "port": 1}])
        page = self.ask("/").body
        link = re.search(r'href="(/probe\?[^"]*)">', page).group(1).replace("&amp;", "&")
        self.assertIn("brief, udp, tcp, tcp_connect<", page)
        self.assertIn("Metrics that would have been returned", self.ask(link).body)

    def probe(self, query, **options):
        return self.ask(f"/probe?{query}", **options)

    def test_every_module_probes(self):
        daemon = self.start(probe=True, modules=[{"name": "brief", "interval": 10, "port": 1}])
        for module, port in (("udp", self.ports.udp), ("tcp", self.ports.tcp),
                             ("tcp_connect", self.ports.tcp), ("brief", self.ports.udp)):
            with self.subTest(module):
                answer = self.probe(f"target=127.0.0.1:{port}&module={module}&count=4")
                self.assertEqual(answer.status, 200, answer.body)
                metrics = admin.gauges(answer.body)
                self.assertEqual(metrics["probe_success"], 1, answer.body)
                # A host that stalls sends one more (ping_session.hpp), or cannot send the first
                # over TCP, because its connection is not there yet.
                self.assertIn(metrics["probe_packets_sent"], (3, 4, 5), answer.body)
                self.assertEqual(metrics["probe_rtt_seconds_count"],
                                 metrics["probe_packets_answered"])
                self.assertGreater(metrics["probe_packets_answered"], 0)
                self.assertLessEqual(metrics["probe_rtt_min_seconds"],
                                     metrics["probe_rtt_max_seconds"])
                self.check_with_promtool(answer.body)
        metrics = admin.gauges(self.probe("target=127.0.0.1:1&module=tcp_connect&count=2").body)
        self.assertEqual((metrics["probe_success"], metrics["probe_loss_ratio"]), (0, 1))
        answer = self.probe("target=no.such.host.invalid")
        self.assertEqual(admin.gauges(answer.body)["probe_ip_protocol"], 0)
        daemon.stop()

    def check_with_promtool(self, text):
        runner.need_tool("promtool")
        done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                              capture_output=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_what_is_asked_wrongly(self):
        daemon = self.start(probe=True, probe_allow=["127.0.0.0/30"])
        udp = self.ports.udp
        self.assertEqual(self.probe("").status, 400)
        self.assertEqual(self.probe("target=127.0.0.1&module=none").status, 400)
        self.assertEqual(self.probe("target=127.0.0.1:0").status, 400)
        self.assertEqual(self.probe("target=127.0.0.1&module=tcp_connect").status, 400)
        self.assertEqual(self.probe(f"target=127.0.0.4:{udp}").status, 403)
        self.assertEqual(self.probe(f"target=127.0.0.1:{udp}&count=1").status, 200)
        foreign = {"Sec-Fetch-Site": "cross-site"}
        self.assertEqual(self.probe(f"target=127.0.0.1:{udp}", headers=foreign).status, 403)
        daemon.stop()

    def test_the_scrapers_patience_is_the_budget(self):
        daemon = self.start(probe=True)
        answer = self.probe(f"target=127.0.0.1:{self.ports.udp}&count=1000&debug=true",
                            headers={"X-Prometheus-Scrape-Timeout-Seconds": "2"})
        metrics = admin.gauges(answer.body)
        self.assertEqual(metrics["probe_timeout_seconds"], 1.5)
        self.assertIn(" of 1000 probes", answer.body)
        self.assertEqual(metrics["probe_loss_ratio"], 0)
        self.assertLess(metrics["probe_packets_sent"], 6)
        daemon.stop()

    def test_openmetrics(self):
        daemon = self.start(probe=True)
        answer = self.probe(f"target=127.0.0.1:{self.ports.udp}&count=1",
                            headers={"Accept": "application/openmetrics-text;version=1.0.0"})
        self.assertIn("openmetrics", answer.headers["Content-Type"])
        self.assertTrue(answer.body.endswith("\n# EOF\n"))
        daemon.stop()


class LettingIn(AdminCase):
    def test_token_and_password(self):
        daemon = self.start(bearer_token_file=self.secret("t0ken\n"), basic_user="op",
                            basic_password_file=self.secret("pass word\n"))
        self.assertEqual(self.ask("/-/healthy").status, 200)
        self.assertEqual(self.ask("/-/ready").status, 200)
        for path in ("/", "/api/v1/targets", "/none"):
            answer = self.ask(path)
            self.assertEqual(answer.status, 401)
            self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
        basic = base64.b64encode(b"op:pass word").decode()
        for given, status in (("Bearer t0ken", 200), ("Bearer t0ke", 401), (f"Basic {basic}", 200),
                              ("Basic b3A6cGFzcw==", 401)):
            self.assertEqual(self.ask("/", headers={"Authorization": given}).status, status, given)
        self.assertNotIn("t0ken", daemon.log())
        daemon.stop()

    def test_files_that_cannot_be_used(self):
        listen = {"listen": admin.LISTEN}
        log = self.refused(77, **listen, bearer_token_file=self.secret("t\n", mode=0o644))
        self.assertIn("run chmod 600", log)
        self.assertIn("one line", self.refused(78, **listen, bearer_token_file=self.secret("")))
        self.refused(78, **listen, bearer_token_file="/nonexistent")
        pem = self.secret("no PEM\n")
        self.assertIn("tls_cert", self.refused(78, **listen, tls_cert=pem, tls_key=pem))

    def certificate(self, name, issuer=None):
        """Paths of a certificate and its key, signed by itself or by `issuer`."""
        folder = runner.scratch(self)
        cert, key, request = (folder / f"{name}.{end}" for end in ("crt", "key", "csr"))

        def openssl(*arguments):
            subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True,
                           timeout=60)

        key_type = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        if issuer is None:
            openssl("req", "-x509", *key_type, "-keyout", key, "-out", cert, "-days", 2, "-subj",
                    f"/CN={name}", "-addext", "subjectAltName=DNS:localhost")
        else:
            openssl("req", *key_type, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
            openssl("x509", "-req", "-in", request, "-CA", issuer[0], "-CAkey", issuer[1], "-out",
                    cert, "-days", 2, "-CAcreateserial")
        return str(cert), str(key)

    def test_tls_with_certificates_of_clients(self):
        runner.need_tool("openssl")
        server, authority = self.certificate("localhost"), self.certificate("authority")
        client = self.certificate("client", authority)
        daemon = self.start(tls_cert=server[0], tls_key=server[1], tls_client_ca=authority[0])
        trusting = ssl.create_default_context(cafile=server[0])
        trusting.load_cert_chain(*client)
        self.assertEqual(self.ask("/api/v1/targets", tls=trusting).status, 200)
        self.assertEqual(self.ask("/-/healthy", tls=trusting).status, 200)
        nobody = ssl.create_default_context(cafile=server[0])
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.ask("/-/healthy", tls=nobody)
        stranger = ssl.create_default_context(cafile=server[0])
        stranger.load_cert_chain(*self.certificate("stranger"))
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            self.ask("/-/healthy", tls=stranger)
        # What is no TLS gets no page, and disturbs nobody.
        for garbage in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", os.urandom(4096),
                        b"\x16\x03\x01\xff\xff" + bytes(70_000)):
            self.assertNotIn(b"HTTP/1.1", admin.raw(self.port, garbage))
        self.assertEqual(self.ask("/-/healthy", tls=trusting).status, 200)
        daemon.stop()


    def test_tls_with_answers_of_many_records(self):
        runner.need_tool("openssl")
        cert, key = self.certificate("localhost")
        ports = node.free_ports()
        targets = [node.target("127.0.0.1", ports, label=f"target-{index:03}" + "x" * 40)
                   for index in range(30)]
        daemon = node.Node(self, node.config(
            "node", ports, interval=1_000, targets=targets,
            admin={"listen": admin.LISTEN, "tls_cert": cert, "tls_key": key},
            exporters=[node.cli(runner.scratch(self) / "samples")])).wait_started()
        port = admin.port_of(daemon)
        context = ssl.create_default_context(cafile=cert)
        with (socket.create_connection(("localhost", port), timeout=40) as plain,
              context.wrap_socket(plain, server_hostname="localhost") as connection):
            head = b"GET /api/v1/targets HTTP/1.1\r\nHost: x\r\n"
            connection.sendall((head + b"\r\n") * 3 + head + b"Connection: close\r\n\r\n")
            came = b""
            while octets := connection.recv(65_536):
                came += octets
            connection.unwrap().close()  # It says goodbye, too.
        for _ in range(4):
            before, _, came = came.partition(b"\r\n\r\n")
            self.assertTrue(before.startswith(b"HTTP/1.1 200 OK\r\n"), before)
            length = int(re.search(rb"Content-Length: (\d+)", before).group(1))
            self.assertGreater(length, 20_000, "two records at least")
            # UDP, connect and echo of each.
            self.assertEqual(len(json.loads(came[:length])["targets"]), 90)
            came = came[length:]
        self.assertEqual(came, b"")
        daemon.stop()


class Listening(AdminCase):
    def test_an_address_that_somebody_has(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            log = self.refused(77, listen=f"127.0.0.1:{port}")
            self.assertIn(f"[admin] cannot listen on 127.0.0.1:{port}: somebody else has it", log)

    def test_a_unix_socket(self):
        path = runner.scratch(self) / "admin.sock"
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))  # Of a process that died: nobody listens.
        daemon = self.start(listen=[admin.LISTEN, f"unix:{path}"])
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"GET /-/healthy HTTP/1.0\r\n\r\n")
            came = b""
            while octets := connection.recv(4096):
                came += octets
        self.assertTrue(came.endswith(b"latmon is healthy\n"), came)
        daemon.stop()
        self.assertFalse(path.exists())

    def test_what_is_open_to_others_is_told(self):
        daemon = self.start(listen="0.0.0.0:0")
        self.assertIn("open to other hosts without credentials", daemon.log())
        daemon.stop()


if __name__ == "__main__":
    runner.main()
