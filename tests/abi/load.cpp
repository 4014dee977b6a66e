// SPDX-License-Identifier: Apache-2.0
//
// abi_load FILE.so: opens an exporter on it as the daemon does, with no options, pushes three
// samples through its queue, one of them of a kind that no header knows, and stops. Exits with 0 if
// the plugin took them all; else says why not.
#include "exporter/exporter.hpp"

#include <cstdio>
#include <string>

namespace {

latmon::SeriesTable one_series() {
    latmon::SeriesTable table(1);
    table[0].protocol = LATMON_PROTOCOL_UDP;
    table[0].source = "here";
    table[0].target = "there";
    return table;
}

bool has_taken_all(latmon::Exporter& exporter) {
    latmon::Sample sample{};
    sample.time_ns = 1;
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.status = LATMON_STATUS_LOST;
    exporter.queue(0).emit(sample);
    sample.status = LATMON_STATUS_OK;
    exporter.queue(0).emit(sample);
    sample.kind = 31;
    exporter.queue(0).emit(sample);
    exporter.start({});
    if (!exporter.drain_and_stop(latmon::Duration::from_s(60))) return false;
    return exporter.accounts().samples.exported == 3;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    latmon::ExporterConfig config;
    config.path = argv[1];
    config.name = "loaded";
    config.kinds = ~0U;
    const latmon::SeriesTable series = one_series();
    const auto exporter = latmon::Exporter::open(config, "abi_load", {}, series, 1);
    if (!exporter) {
        std::fprintf(stderr, "%s\n", exporter.error().text.c_str());
        return 1;
    }
    return has_taken_all(**exporter) ? 0 : 1;
}
