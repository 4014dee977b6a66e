// SPDX-License-Identifier: Apache-2.0
//
// See host_facts.hpp.
#include "daemon/host_facts.hpp"

#include <algorithm>
#include <array>
#include <fstream>

namespace latmon {
namespace {

// Readings between two looks, so that the look itself costs little of what is seen.
constexpr std::int64_t readings_per_look = 16;

}  // namespace

std::string word_of(const std::string& path) {
    std::ifstream file(path);
    std::string word;
    file >> word;
    return word;
}

std::uint64_t number_of(const std::string& path) {
    std::ifstream file(path);
    std::uint64_t number = 0;
    file >> number;
    return file ? number : 0;
}

// user nice system idle iowait irq softirq steal ...
CpuTicks read_cpu_ticks() {
    std::ifstream file("/proc/stat");
    std::string label;
    file >> label;
    CpuTicks ticks;
    for (int index = 0; index < 8; ++index) {
        std::uint64_t of_kind = 0;
        if (!(file >> of_kind)) break;
        ticks.all += of_kind;
        if (index == 7) ticks.stolen = of_kind;
    }
    return ticks;
}

std::string governor_of(std::uint32_t cpu) {
    return word_of("/sys/devices/system/cpu/cpu" + std::to_string(cpu) +
                   "/cpufreq/scaling_governor");
}

std::string clock_source() {
    return word_of("/sys/devices/system/clocksource/clocksource0/current_clocksource");
}

Duration clock_reading_cost(const Clock& clock) {
    std::array<std::int64_t, 255> costs_ns{};
    for (std::int64_t& cost_ns : costs_ns) {
        const RawInstant began = clock.raw_now();
        RawInstant now = began;
        for (std::int64_t reading = 0; reading < readings_per_look; ++reading)
            now = clock.raw_now();
        cost_ns = (now - began).ns / readings_per_look;
    }
    std::ranges::nth_element(costs_ns, costs_ns.begin() + costs_ns.size() / 2);
    return Duration{costs_ns[costs_ns.size() / 2]};
}

}  // namespace latmon
