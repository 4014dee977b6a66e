// SPDX-License-Identifier: Apache-2.0
//
// The time types: what mixes and what does not, the arithmetic, and OsClock with its seam. Nothing
// here depends on how fast the machine is.
#include "base/time.hpp"

#include <doctest/doctest.h>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace latmon {
namespace {

template <typename Left, typename Right>
concept Subtractable = requires(Left left, Right right) {
    left - right;
};
template <typename Left, typename Right>
concept Addable = requires(Left left, Right right) {
    left + right;
};
template <typename Left, typename Right>
concept Comparable = requires(Left left, Right right) {
    left < right;
};

TEST_CASE("time: readings of two clocks neither subtract nor compare nor convert") {
    CHECK(Subtractable<Instant, Instant>);
    CHECK_FALSE(Subtractable<Instant, WallTime>);
    CHECK_FALSE(Subtractable<RawInstant, Instant>);
    CHECK_FALSE(Comparable<Instant, RawInstant>);
    CHECK_FALSE(Comparable<WallTime, Instant>);
    CHECK_FALSE(std::is_convertible_v<Instant, WallTime>);
    CHECK_FALSE(std::is_convertible_v<std::int64_t, Instant>);
    CHECK_FALSE(std::is_convertible_v<std::int64_t, Duration>);
}

TEST_CASE("time: two readings do not add up, a reading and a duration do") {
    CHECK_FALSE(Addable<Instant, Instant>);
    CHECK(Addable<Instant, Duration>);
    CHECK(std::is_same_v<decltype(Instant{} - Instant{}), Duration>);
    CHECK(std::is_same_v<decltype(Instant{} - Duration{}), Instant>);
}

TEST_CASE("time: a difference is exact and has a sign") {
    const WallTime early{1'768'219'134'587'069'267};
    const WallTime late{1'768'219'134'587'069'268};
    CHECK((late - early).ns == 1);
    CHECK((early - late).ns == -1);
    CHECK(early + (late - early) == late);
    CHECK(late - (late - early) == early);
    CHECK(early < late);
}

TEST_CASE("time: durations are made of units and keep to whole nanoseconds") {
    CHECK(Duration::from_us(3).ns == 3'000);
    CHECK(Duration::from_ms(-3) == -Duration::from_us(3'000));
    CHECK(Duration::from_s(2) == Duration::from_ms(500) * 4);
    CHECK((Duration{10} / 4).ns == 2);
    CHECK(Duration{10} / Duration{3} == 3);
    CHECK(Duration{-10} / Duration{3} == -3);
    CHECK(Duration{1} + Duration{2} - Duration{4} == Duration{-1});
}

TEST_CASE("time: the monotonic clocks do not run backwards") {
    const OsClock clock;
    const Instant first = clock.now();
    const RawInstant first_raw = clock.raw_now();
    CHECK(clock.now() >= first);
    CHECK(clock.raw_now() >= first_raw);
    CHECK(first.ns > 0);
}

// Reads the true wall clock before and after one reading of `clock`, so that the reading's offset
// is known to lie between two bounds however slow the machine is.
struct OffsetBounds {
    Duration least;
    Duration most;
};

OffsetBounds wall_offset_of(const Clock& clock) {
    const OsClock truth;
    const WallTime before = truth.wall_now();
    const WallTime reading = clock.wall_now();
    const WallTime after = truth.wall_now();
    return {.least = reading - after, .most = reading - before};
}

TEST_CASE("time: the seam's offset moves the wall clock and no other") {
    const Duration lie = Duration::from_s(3'600);
    const OsClock clock({.wall_offset = lie, .wall_step = {}, .wall_step_after = {}});
    const OffsetBounds offset = wall_offset_of(clock);
    CHECK(offset.least <= lie);
    CHECK(offset.most >= lie);

    const OsClock truth;
    const Instant before = truth.now();
    const Instant reading = clock.now();
    CHECK(before <= reading);
    CHECK(reading <= truth.now());
}

TEST_CASE("time: the seam's step comes when it is due, and not before") {
    const Duration step = Duration::from_s(-86'400);
    const Duration never = Duration::from_s(1'000'000);
    const OsClock due({.wall_offset = {}, .wall_step = step, .wall_step_after = {}});
    const OsClock pending({.wall_offset = {}, .wall_step = step, .wall_step_after = never});
    CHECK(wall_offset_of(due).least <= step);
    CHECK(wall_offset_of(due).most >= step);
    CHECK(wall_offset_of(pending).least <= Duration{0});
    CHECK(wall_offset_of(pending).most >= Duration{0});
}

// Shows the times that a test tells it to, one after the other.
class ScriptedClock final : public Clock {
public:
    explicit ScriptedClock(std::vector<std::int64_t> readings) : readings_(std::move(readings)) {}

    Instant now() const noexcept override { return Instant{take()}; }
    RawInstant raw_now() const noexcept override { return RawInstant{take()}; }
    WallTime wall_now() const noexcept override { return WallTime{take()}; }

    [[nodiscard]] std::size_t taken() const { return taken_; }

private:
    std::int64_t take() const noexcept { return readings_[taken_++ % readings_.size()]; }

    std::vector<std::int64_t> readings_;
    mutable std::size_t taken_ = 0;
};

TEST_CASE("time: a pair has its wall reading between its raw ones") {
    const OsClock clock;
    const RawInstant before = clock.raw_now();
    const WallTime wall_before = clock.wall_now();
    const ClockPair pair = read_pair(clock);
    const WallTime wall_after = clock.wall_now();
    const RawInstant after = clock.raw_now();
    CHECK(before <= pair.raw);
    CHECK(pair.raw <= after);
    CHECK(wall_before <= pair.wall);
    CHECK(pair.wall <= wall_after);
    CHECK(pair.uncertainty >= Duration{});
    CHECK(pair.uncertainty <= after - before);
    CHECK(WallTime{pair.raw.ns} + pair.wall_minus_raw() == pair.wall);
}

TEST_CASE("time: a pair that was interrupted is read again, and the best of four is kept") {
    const ScriptedClock once({1'000, 50'000, 1'070});
    const ClockPair pair = read_pair(once);
    CHECK(once.taken() == 3);
    CHECK(pair.raw.ns == 1'035);
    CHECK(pair.wall.ns == 50'000);
    CHECK(pair.uncertainty.ns == 70);

    const ScriptedClock twice({1'000, 50'000, 90'000, 100'000, 150'000, 100'080});
    CHECK(read_pair(twice).raw.ns == 100'040);
    CHECK(twice.taken() == 6);

    const ScriptedClock never(
        {0, 1, 9'000, 10'000, 2, 15'000, 20'000, 3, 28'000, 30'000, 4, 36'000});
    CHECK(read_pair(never).wall.ns == 2);
    CHECK(never.taken() == 12);
}

TEST_CASE("time: a kernel's stamp is moved as the wall clock is") {
    const WallTime stamp{1'768'219'134'587'069'267};
    CHECK(OsClock{}.wall_of_kernel(stamp) == stamp);
    const Duration lie = Duration::from_ms(3);
    const Duration step = Duration::from_s(-5);
    const OsClock offset({.wall_offset = lie, .wall_step = {}, .wall_step_after = {}});
    CHECK(offset.wall_of_kernel(stamp) == stamp + lie);
    const OsClock stepped({.wall_offset = lie, .wall_step = step, .wall_step_after = {}});
    CHECK(stepped.wall_of_kernel(stamp) == stamp + lie + step);
    const OsClock pending(
        {.wall_offset = lie, .wall_step = step, .wall_step_after = Duration::from_s(1'000'000)});
    CHECK(pending.wall_of_kernel(stamp) == stamp + lie);
}

TEST_CASE("time: a host's suspended time does not change while it runs") {
    const OsClock clock;
    // Two clocks are read one after the other: what lies between is not time suspended.
    const Instant before = clock.now();
    const Duration first = clock.suspended();
    const Duration second = clock.suspended();
    const Duration took = clock.now() - before;
    CHECK(first >= Duration{} - took);
    CHECK(second - first <= took);
    CHECK(first - second <= took);
}

TEST_CASE("time: a thread's CPU time grows while it works and is no other thread's") {
    const OsClock clock;
    const Duration before = clock.thread_cpu();
    while (clock.thread_cpu() == before) {
    }
    Duration elsewhere;
    std::thread([&] { elsewhere = clock.thread_cpu(); }).join();
    while (clock.thread_cpu() <= elsewhere) {
    }
    CHECK(clock.thread_cpu() > elsewhere);
}

TEST_CASE("time: stolen time is the eighth figure of the CPU's line, and 0 for no such CPU") {
    const OsClock clock;
    const Duration before = clock.stolen(0);
    std::ifstream file("/proc/stat");
    std::int64_t ticks = -1;
    for (std::string line; std::getline(file, line);) {
        if (line.rfind("cpu0 ", 0) != 0) continue;
        std::istringstream figures(line.substr(5));
        for (int index = 0; index < 8; ++index)
            figures >> ticks;
    }
    const Duration after = clock.stolen(0);
    CHECK(before <= Duration::from_ms(10) * ticks);
    CHECK(Duration::from_ms(10) * ticks <= after);
    CHECK(clock.stolen(1'000'000) == Duration{});
}

}  // namespace
}  // namespace latmon
