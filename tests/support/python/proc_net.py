# SPDX-License-Identifier: Apache-2.0
#
# What the kernel knows about sockets and processes: /proc/net of the caller's namespace, and
# /proc/PID.
from pathlib import Path


def rows(table, port):
    """The lines of /proc/net/TABLE for a local port."""
    lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    return [fields for fields in (line.split() for line in lines)
            if int(fields[1].split(":")[1], 16) == port]


def waiting_octets(port):
    return sum(int(fields[4].split(":")[1], 16) for fields in rows("udp", port))


def dropped(port):
    """Datagrams that the kernel could not put into the socket."""
    return sum(int(fields[-1]) for fields in rows("udp", port))


def udp_counter(name):
    """Of the whole namespace, IPv4: RcvbufErrors, for one."""
    lines = Path("/proc/net/snmp").read_text().splitlines()
    names, values = (line.split() for line in lines if line.startswith("Udp:"))
    return int(values[names.index(name)])


def resident_bytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"no VmRSS of {pid}")
