// SPDX-License-Identifier: Apache-2.0
//
// abi_every_window PLUGIN.so KEY=VALUE...: hands a plugin windows of every kind of series and every
// length, full ones and empty ones, and samples of an application. For tests that hold what comes
// out against a schema. Prints how many there were.
#include "abi/windows.hpp"
#include "support/driver/driver_host.hpp"

#include <dlfcn.h>
#include <bit>
#include <cstdio>
#include <vector>

namespace latmon::test {
namespace {

constexpr latmon_kind_t kinds[] = {LATMON_KIND_EXCHANGE,   LATMON_KIND_CONNECT,
                                   LATMON_KIND_REFLECTION, LATMON_KIND_COUNTER,
                                   LATMON_KIND_GAUGE,      LATMON_KIND_TIMING};

std::vector<driver::SeriesText> every_series() {
    std::vector<driver::SeriesText> all;
    for (const latmon_kind_t kind : kinds) {
        driver::SeriesText& series = all.emplace_back();
        series.kind = kind;
        series.source = "here";
        series.tags = {"isp:a"};
        if (kind >= LATMON_KIND_COUNTER) {
            series.protocol = LATMON_PROTOCOL_NONE;
            series.name = "orders";
        } else {
            series.target = "there";
        }
    }
    return all;
}

std::vector<latmon_window_t> every_window() {
    std::vector<latmon_window_t> all;
    for (std::uint32_t id = 0; id < std::size(kinds); ++id) {
        for (const std::int64_t length_s : {1, 5, 60}) {
            latmon_window_t full = full_window(id);
            full.length_ns = length_s * 1'000'000'000;
            full.percentile_valid = (1U << LATMON_PERCENTILES) - 1;
            full.loss_ratio = 1e-7;
            all.push_back(full);
            latmon_window_t empty{};
            empty.series_id = id;
            empty.length_ns = full.length_ns;
            all.push_back(empty);
        }
    }
    return all;
}

std::vector<latmon_sample_t> every_value() {
    std::vector<latmon_sample_t> all;
    for (std::uint32_t id = 0; id < std::size(kinds); ++id) {
        if (kinds[id] < LATMON_KIND_COUNTER) continue;
        latmon_sample_t sample{};
        sample.series_id = id;
        sample.kind = static_cast<std::uint8_t>(kinds[id]);
        sample.valid = LATMON_HAS_VALUE;
        sample.value = kinds[id] == LATMON_KIND_GAUGE ? std::bit_cast<std::int64_t>(-0.5) : 3;
        all.push_back(sample);
        sample.valid = 0;
        all.push_back(sample);
    }
    return all;
}

int run(driver::DriverHost& host, const latmon_plugin_t& plugin) {
    void* const exporter = plugin.create(host.table(), host.options());
    const auto* const ability =
        static_cast<const latmon_windows_t*>(plugin.extension(LATMON_WINDOWS_1));
    if (exporter == nullptr || ability == nullptr) return 1;
    const std::vector<latmon_window_t> windows = every_window();
    std::vector<const latmon_window_t*> pointers;
    for (const latmon_window_t& window : windows)
        pointers.push_back(&window);
    const std::vector<latmon_sample_t> values = every_value();
    const latmon_result_t results[] = {
        ability->export_windows(exporter, pointers.data(),
                                static_cast<std::uint32_t>(pointers.size())),
        plugin.export_batch(exporter, values.data(), static_cast<std::uint32_t>(values.size()))};
    plugin.destroy(exporter);
    std::printf("%zu\n", windows.size() + values.size());
    return results[0] == LATMON_RESULT_OK && results[1] == LATMON_RESULT_OK ? 0 : 1;
}

}  // namespace
}  // namespace latmon::test

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    latmon::driver::DriverHost host(latmon::test::every_series(), true);
    for (int index = 2; index < argc; ++index) {
        if (!host.add_option(argv[index])) return 2;
    }
    void* const library = ::dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return 1;
    const auto entry =
        reinterpret_cast<decltype(&latmon_plugin_entry)>(::dlsym(library, "latmon_plugin_entry"));
    return entry == nullptr ? 1 : latmon::test::run(host, *entry());
}
