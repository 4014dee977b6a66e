# SPDX-License-Identifier: Apache-2.0
#
# A ClickHouse server of Debian (18.16) for one test: on ports of its own, with its data in a
# scratch directory, two users, and TLS if it is asked for. It can be killed and started again on
# its data, and never outlives the test.
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import node
import runner

PROGRAM = "/usr/sbin/clickhouse-server"
USER, PASSWORD = "latmon", "secret"

CONFIG = """<yandex>
 <logger><level>warning</level><console>1</console></logger>
 <http_port>{http}</http_port><tcp_port>{tcp}</tcp_port>{tls}
 <listen_host>127.0.0.1</listen_host>
 <mark_cache_size>67108864</mark_cache_size><uncompressed_cache_size>0</uncompressed_cache_size>
 <path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path>
 <user_files_path>{folder}/user_files/</user_files_path>
 <format_schema_path>{folder}/format_schemas/</format_schema_path>
 <users_config>{folder}/users.xml</users_config>
 <default_profile>default</default_profile><default_database>default</default_database>
 <timezone>UTC</timezone><mlock_executable>false</mlock_executable>
</yandex>
"""
TLS = """<https_port>{https}</https_port><openSSL><server>
 <certificateFile>{folder}/server.crt</certificateFile>
 <privateKeyFile>{folder}/server.key</privateKeyFile>
 <verificationMode>none</verificationMode></server></openSSL>"""
USERS = """<yandex><profiles><default/></profiles><quotas><default/></quotas><users>
 <default><password></password><networks><ip>127.0.0.1</ip></networks>
  <profile>default</profile><quota>default</quota></default>
 <{user}><password>{password}</password><networks><ip>127.0.0.1</ip></networks>
  <profile>default</profile><quota>default</quota></{user}>
</users></yandex>
"""


class QueryError(Exception):
    pass


class ClickHouseServer:
    def __init__(self, case, with_tls=False):
        runner.need_tool(PROGRAM)
        self.case = case
        self.folder = runner.scratch(case)
        self.http, self.tcp, self.https = node.free_ports()
        for name in ("data", "tmp", "user_files", "format_schemas"):
            (self.folder / name).mkdir()
        if with_tls:
            self.make_certificate()
        tls = TLS.format(https=self.https, folder=self.folder) if with_tls else ""
        (self.folder / "config.xml").write_text(
            CONFIG.format(http=self.http, tcp=self.tcp, tls=tls, folder=self.folder))
        (self.folder / "users.xml").write_text(USERS.format(user=USER, password=PASSWORD))
        self.process = None
        case.addCleanup(self.kill)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http}"

    @property
    def certificate(self):
        return self.folder / "server.crt"

    def make_certificate(self):
        runner.need_tool("openssl")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
             "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
             "-keyout", self.folder / "server.key", "-out", self.certificate],
            check=True, capture_output=True)

    def start(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, f"--config-file={self.folder}/config.xml"], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, cwd=self.folder, preexec_fn=node.die_with_parent)
        runner.wait_until("the ClickHouse server", self.answers)
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError("clickhouse-server ended:\n"
                                 + (self.folder / "log").read_text(errors="replace")[-4000:])
        try:
            with socket.create_connection(("127.0.0.1", self.http), timeout=1):
                return self.query("SELECT 1") == "1\n"
        except OSError:
            return False

    def kill(self):
        """As a crash would: kill -9."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=runner.DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def query(self, sql):
        """The answer as text, TabSeparated unless the statement says otherwise."""
        request = urllib.request.Request(f"{self.url}/", data=sql.encode())
        try:
            with urllib.request.urlopen(request, timeout=runner.DEADLINE_S) as response:
                return response.read().decode()
        except urllib.error.HTTPError as error:
            raise QueryError(error.read().decode(errors="replace")) from None

    def row(self, sql):
        """The first row of the answer: integers where they are."""
        def value(text):
            return int(text) if text.lstrip("-").isdigit() else text
        return [value(text) for text in self.query(sql).split("\n")[0].split("\t")]

    def run_file(self, path):
        """Every statement of a file of contrib/clickhouse."""
        self.run_text(path.read_text())

    def run_text(self, text):
        text = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
        for statement in text.split(";"):
            if statement.strip():
                self.query(statement)
