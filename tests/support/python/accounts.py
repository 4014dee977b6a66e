# SPDX-License-Identifier: Apache-2.0
#
# The `accounts:` lines that latmon logs when it ends, and the laws that hold among them. Plain
# dictionaries: a counter that is not printed any more is a KeyError, and the test fails.
import re

LINE = re.compile(r"^\[.*?\] \[INFO\] accounts: (.*)$", re.M)
FATES = ("answered", "lost", "unreachable", "in_flight")
# Where a loss fell, of those that could be told.
ADDRESSES = ("lost_forward", "lost_reverse", "lost_local_tx", "lost_local_rx")
SUMMED = ("sent", *FATES, "missed", "late", "duplicate", "reordered", "local_error", "invalid",
          "reopened", *ADDRESSES, "descriptors")


def fields_of(line):
    pairs = (field.split("=", 1) for field in line.split(" "))
    return {key: int(value) if value.isdigit() else value for key, value in pairs}


class Accounts:
    def __init__(self, log):
        self.probes, self.cores, self.exporters, self.windows = [], [], {}, {}
        self.udp, self.tcp = {}, {}
        pending = []
        for line in LINE.findall(log):
            fields = fields_of(line)
            if "target" in fields:
                pending.append(fields)
            elif "gone" in fields:  # Those that reloads took away, as one.
                pending.append(fields)
            elif "core" in fields:  # Closes the list of its probes.
                fields["of"] = pending
                self.probes += [probe for probe in pending if "target" in probe]
                self.cores.append(fields)
                pending = []
            elif "exporter" in fields:
                self.exporters[fields["exporter"]] = fields
            elif "windows" in fields:
                self.windows[fields["windows"]] = fields
            elif fields.get("reflector") == "udp":
                self.udp = fields
            elif fields.get("reflector") == "tcp":
                self.tcp = fields
            else:
                raise AssertionError(f"unknown accounts: {line}")

    def probe(self, target, kind="udp"):
        """`kind`: udp, tcp or connect."""
        want = {"udp": ("udp", "exchange"), "tcp": ("tcp", "exchange"),
                "connect": ("tcp", "connect")}[kind]
        found = [probe for probe in self.probes
                 if (probe["target"], probe["protocol"], probe["kind"]) == (target, *want)]
        if len(found) != 1:
            raise AssertionError(f"{len(found)} accounts of {target} {kind}")
        return found[0]

    def total(self, counter):
        return sum(core[counter] for core in self.cores)

    @property
    def udp_reasons(self):
        return {key: value for key, value in self.udp.items()
                if key not in ("reflector", "received")}

    @property
    def tcp_closed(self):
        return sum(value for key, value in self.tcp.items() if key.startswith("closed_"))

    @property
    def tcp_refused(self):
        return sum(value for key, value in self.tcp.items() if key.startswith("refused_"))

    def check(self, case):
        """What must hold whatever happened."""
        case.assertTrue(self.cores and self.udp and self.tcp and self.exporters, "no accounts")
        for probe in self.probes + self.cores:
            case.assertEqual(probe["sent"], sum(probe[fate] for fate in FATES), probe)
            case.assertGreaterEqual(probe["lost"], sum(probe[each] for each in ADDRESSES), probe)
        for core in self.cores:
            case.assertEqual(core["probes"], sum("target" in probe for probe in core["of"]))
            for counter in SUMMED:
                case.assertEqual(core[counter], sum(probe[counter] for probe in core["of"]),
                                 counter)
        case.assertEqual(self.udp["received"], sum(self.udp_reasons.values()), self.udp)
        case.assertGreaterEqual(self.tcp["accepted"], self.tcp_closed, self.tcp)
        for exporter in (*self.exporters.values(), *self.windows.values()):
            gone = sum(exporter[key] for key in ("exported", "rejected", "dropped", "abandoned"))
            case.assertEqual(exporter["made"], gone + exporter["queued"], exporter)
            case.assertEqual(exporter["queued"], 0, exporter)

    def check_delivered(self, case, exporter):
        """Every sample made for this exporter was exported."""
        accounts = self.exporters[exporter]
        case.assertEqual(accounts["made"], accounts["exported"], accounts)
