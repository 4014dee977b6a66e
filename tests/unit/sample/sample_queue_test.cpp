// SPDX-License-Identifier: Apache-2.0
//
// The queue's accounts: what is made is queued or dropped, and other kinds are not made at all.
#include "sample/sample_queue.hpp"

#include <doctest/doctest.h>
#include <thread>

namespace latmon {
namespace {

Sample sample_of(latmon_kind_t kind) {
    Sample sample{};
    sample.kind = static_cast<std::uint8_t>(kind);
    return sample;
}

TEST_CASE("sample_queue: kinds that the exporter does not take are neither made nor dropped") {
    SampleQueue queue(2, kind_bit(LATMON_KIND_CONNECT));
    queue.emit(sample_of(LATMON_KIND_EXCHANGE));
    queue.emit(sample_of(LATMON_KIND_CONNECT));
    CHECK(queue.made.read() == 1);
    CHECK(queue.dropped.read() == 0);
    CHECK(queue.queue.size() == 1);
}

TEST_CASE("sample_queue: what does not fit is made and dropped") {
    SampleQueue queue(2, kind_bit(LATMON_KIND_EXCHANGE));
    for (int count = 0; count < 5; ++count) {
        queue.emit(sample_of(LATMON_KIND_EXCHANGE));
    }
    CHECK(queue.made.read() == 5);
    CHECK(queue.dropped.read() == 3);
    CHECK(queue.queue.size() == 2);
}

TEST_CASE("sample_queue: a counter can be read while its writer counts") {
    PublishedCounter counter;
    std::thread writer([&counter] {
        for (int count = 0; count < 10'000; ++count) {
            counter.add(1);
        }
    });
    std::uint64_t seen = 0;
    bool has_fallen = false;
    while (seen < 10'000) {
        const std::uint64_t now = counter.read();
        has_fallen = has_fallen || now < seen;
        seen = now;
    }
    writer.join();
    CHECK_FALSE(has_fallen);
    CHECK(counter.read() == 10'000);
}

}  // namespace
}  // namespace latmon
