// SPDX-License-Identifier: Apache-2.0
//
// OsClock: three vDSO reads. clock_gettime(2) cannot fail for these ids with a valid pointer.
#include "base/time.hpp"

#include "base/assert.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <array>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <limits>

namespace latmon {
namespace {

std::int64_t read_clock_ns(clockid_t id) noexcept {
    timespec value{};
    const int result = ::clock_gettime(id, &value);
    LATMON_ASSERT(result == 0);
    return static_cast<std::int64_t>(value.tv_sec) * 1'000'000'000 + value.tv_nsec;
}

// An undisturbed pair takes 70 ns on any machine of this decade; an interruption, microseconds.
constexpr Duration pair_undisturbed{500};
constexpr int pair_attempts = 4;
constexpr Duration uncertainty_none{std::numeric_limits<std::int64_t>::max()};

// USER_HZ is 100 on every architecture that runs io_uring, proc(5).
constexpr std::int64_t tick_ns = 10'000'000;

// The eighth figure of the line "cpuN" of /proc/stat, or 0.
std::int64_t read_steal_ticks(std::uint32_t cpu) noexcept {
    const int fd = ::open("/proc/stat", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    std::array<char, 32'768> text{};  // 256 CPUs, of some 100 octets each.
    const ssize_t octets = ::read(fd, text.data(), text.size() - 1);
    ::close(fd);
    if (octets <= 0) return 0;
    std::array<char, 16> name{};
    std::snprintf(name.data(), name.size(), "\ncpu%u ", cpu);
    const char* const line = std::strstr(text.data(), name.data());
    if (line == nullptr) return 0;
    long long ticks = 0;
    const int found =
        std::sscanf(line + std::strlen(name.data()), "%*d %*d %*d %*d %*d %*d %*d %lld", &ticks);
    return found == 1 ? ticks : 0;
}

}  // namespace

OsClock::OsClock(ClockSeam seam) noexcept
    : seam_(seam),
      has_step_(seam.wall_step.ns != 0),
      step_at_(RawInstant{read_clock_ns(CLOCK_MONOTONIC_RAW)} + seam.wall_step_after) {}

Instant OsClock::now() const noexcept {
    return Instant{read_clock_ns(CLOCK_MONOTONIC)};
}

RawInstant OsClock::raw_now() const noexcept {
    return RawInstant{read_clock_ns(CLOCK_MONOTONIC_RAW)};
}

WallTime OsClock::wall_now() const noexcept {
    return WallTime{read_clock_ns(CLOCK_REALTIME)} + shift();
}

WallTime OsClock::wall_of_kernel(WallTime stamp) const noexcept {
    return stamp + shift();
}

Duration OsClock::shift() const noexcept {
    const bool has_stepped = has_step_ && raw_now() >= step_at_;
    return has_stepped ? seam_.wall_offset + seam_.wall_step : seam_.wall_offset;
}

Duration OsClock::suspended() const noexcept {
    return Duration{read_clock_ns(CLOCK_BOOTTIME) - read_clock_ns(CLOCK_MONOTONIC)};
}

Duration OsClock::stolen(std::uint32_t cpu) const noexcept {
    return Duration{read_steal_ticks(cpu) * tick_ns};
}

Duration OsClock::thread_cpu() const noexcept {
    return Duration{read_clock_ns(CLOCK_THREAD_CPUTIME_ID)};
}

ClockPair read_pair(const Clock& clock) noexcept {
    ClockPair best{.raw = {}, .wall = {}, .uncertainty = uncertainty_none};
    for (int attempt = 0; attempt < pair_attempts; ++attempt) {
        const RawInstant before = clock.raw_now();
        const WallTime wall = clock.wall_now();
        const RawInstant after = clock.raw_now();
        const Duration between = after - before;
        if (between < best.uncertainty) {
            best = {.raw = before + between / 2, .wall = wall, .uncertainty = between};
        }
        if (best.uncertainty <= pair_undisturbed) break;
    }
    return best;
}

}  // namespace latmon
