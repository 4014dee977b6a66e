// SPDX-License-Identifier: Apache-2.0
//
// Claims about what a host is asked: an answer that is not there is empty.
#include "daemon/host_facts.hpp"

#include "support/scratch_directory.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

TEST_CASE("host_facts: a word, a number, and what is neither") {
    const test::ScratchDirectory folder;
    const std::string path = folder.file("fact");
    test::write_text(path, "1234 octets\n");
    CHECK(word_of(path) == "1234");
    CHECK(number_of(path) == 1'234);
    test::write_text(path, "performance\n");
    CHECK(word_of(path) == "performance");
    CHECK(number_of(path) == 0);
    CHECK(word_of(folder.file("nothing")).empty());
    CHECK(number_of(folder.file("nothing")) == 0);
}

TEST_CASE("host_facts: ticks grow, and no more are stolen than there are") {
    const CpuTicks ticks = read_cpu_ticks();
    CHECK(ticks.all > 0);
    CHECK(ticks.stolen <= ticks.all);
    CHECK(read_cpu_ticks().all >= ticks.all);
}

TEST_CASE("host_facts: no such CPU has no governor") {
    CHECK(governor_of(1'000'000).empty());
}

// Every reading takes `step`.
class SteppingClock final : public Clock {
public:
    explicit SteppingClock(Duration step) : step_(step) {}
    [[nodiscard]] Instant now() const noexcept override { return {}; }
    [[nodiscard]] RawInstant raw_now() const noexcept override {
        now_ = now_ + step_;
        return now_;
    }
    [[nodiscard]] WallTime wall_now() const noexcept override { return {}; }

private:
    Duration step_;
    mutable RawInstant now_{};
};

TEST_CASE("host_facts: what a reading costs is what lies between two of them") {
    CHECK(clock_reading_cost(SteppingClock(Duration{37})) == Duration{37});
}

}  // namespace
}  // namespace latmon
