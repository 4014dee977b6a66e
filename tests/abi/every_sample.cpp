// SPDX-License-Identifier: Apache-2.0
//
// abi_every_sample PLUGIN KEY=VALUE...: pushes a sample of every kind and status through the
// plugin's queue, once with every field that it may have and once with none, as a core-thread would
// make it. For tests that hold what comes out against a schema. Prints how many there were.
#include "abi/samples.hpp"

#include <cstdio>
#include <string_view>

namespace latmon::test {
namespace {

constexpr std::uint32_t rtt_bits = LATMON_HAS_RTT | LATMON_HAS_RTT_USER;
constexpr std::uint32_t error_bits = LATMON_HAS_ERROR;

bool has_answer(std::uint8_t status) {
    return status == LATMON_STATUS_OK || status == LATMON_STATUS_REORDERED;
}

// Every field set, also those whose bit is not: they must not show.
Sample full_sample() {
    Sample sample = reflection();
    sample.rtt_ns = 250'000;
    sample.rtt_user_ns = 282'072;
    sample.scheduled_ns = sample.time_ns - 300'000;
    sample.owd_fwd_ns = -5;
    sample.owd_class = LATMON_OWD_ESTIMATED;
    sample.t1_stamp = LATMON_STAMP_HW;
    sample.t2_stamp = LATMON_STAMP_PEER;
    sample.t3_stamp = LATMON_STAMP_USER;
    sample.t4_stamp = LATMON_STAMP_KERNEL;
    sample.error = 113;
    sample.dscp_fwd = 63;
    sample.packet_bytes = 44;
    sample.time_ns = 1'768'219'134'587'069'267;
    return sample;
}

std::uint32_t series_of_kind(std::uint8_t kind) {
    switch (kind) {
        case LATMON_KIND_CONNECT:
            return connect_id;
        case LATMON_KIND_REFLECTION:
            return reflected_id;
        case LATMON_KIND_NODE:
            return node_id;
        default:
            return udp_id;
    }
}

std::vector<Sample> every_sample() {
    std::vector<Sample> samples;
    for (std::uint8_t kind = LATMON_KIND_EXCHANGE; kind <= LATMON_KIND_NODE; ++kind) {
        for (std::uint8_t status = LATMON_STATUS_OK; status <= LATMON_STATUS_LOST_LOCAL_RX;
             ++status) {
            Sample sample = full_sample();
            sample.kind = kind;
            sample.status = status;
            sample.series_id = series_of_kind(kind);
            sample.valid = ~0U & ~(has_answer(status) ? error_bits : rtt_bits);
            sample.blame = (LATMON_BLAME_CLOCK_UNSYNCED << 1U) - 1;
            samples.push_back(sample);
            sample.valid = 0;
            sample.blame = 0;
            sample.owd_class = LATMON_OWD_NONE;
            sample.t1_stamp = sample.t2_stamp = sample.t3_stamp = sample.t4_stamp = 0;
            samples.push_back(sample);
        }
    }
    return samples;
}

int run(const ExporterConfig& config) {
    const SeriesTable series = series_table();
    const std::vector<std::string> plugin_path{PLUGIN_DIR};
    const std::vector<Sample> samples = every_sample();
    const auto exporter = Exporter::open(config, "every_sample", plugin_path, series, 1);
    if (!exporter) {
        std::fprintf(stderr, "%s\n", exporter.error().text.c_str());
        return 1;
    }
    for (const Sample& sample : samples)
        (*exporter)->queue(0).emit(sample);
    (*exporter)->start({});
    if (!(*exporter)->drain_and_stop(Duration::from_s(60))) return 1;
    std::printf("%zu\n", samples.size());
    return (*exporter)->accounts().samples.exported == samples.size() ? 0 : 1;
}

}  // namespace
}  // namespace latmon::test

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    latmon::ExporterConfig config;
    config.plugin = argv[1];
    config.name = argv[1];
    config.kinds = ~0U;
    for (int index = 2; index < argc; ++index) {
        const std::string_view option = argv[index];
        const std::size_t equals = option.find('=');
        if (equals == std::string_view::npos) return 2;
        const std::string key(option.substr(0, equals));
        latmon::test::set(config, key.c_str(), std::string(option.substr(equals + 1)));
    }
    return latmon::test::run(config);
}
