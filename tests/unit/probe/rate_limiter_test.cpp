// SPDX-License-Identifier: Apache-2.0
//
// Limits hold to the packet, per source and over all, and a flood of other sources neither frees
// one that is over its limit nor hinders one that is not.
#include "probe/rate_limiter.hpp"

#include <doctest/doctest.h>
#include <string>

namespace latmon {
namespace {

constexpr HashKey key{0xfeed, 0xbeef};
constexpr Instant start{1'000'000'000'000};

AddressBytes address(const std::string& literal) {
    const auto endpoint = parse_endpoint(literal, 0);
    REQUIRE(endpoint);
    return endpoint->address;
}

AddressBytes numbered(std::uint32_t number) {
    AddressBytes bytes = address("0.0.0.0");
    for (unsigned index = 0; index < 4; ++index) {
        bytes[12 + index] = static_cast<std::uint8_t>(number >> (24 - 8 * index));
    }
    return bytes;
}

ReflectorConfig limits_of(std::uint32_t per_source, std::uint32_t burst, std::uint32_t total) {
    ReflectorConfig config;
    config.rate_per_source = per_source;
    config.burst_per_source = burst;
    config.rate_total = total;
    return config;
}

std::uint32_t admitted(RateLimiter& limiter, const AddressBytes& source, Instant now,
                       std::uint32_t attempts) {
    std::uint32_t count = 0;
    for (std::uint32_t attempt = 0; attempt < attempts; ++attempt) {
        count += limiter.admit(source, now) == RateVerdict::ok ? 1U : 0U;
    }
    return count;
}

TEST_CASE("rate limiter: a silent source has its burst, then its rate") {
    RateLimiter limiter(limits_of(1'000, 20, 1'000'000), key);
    const AddressBytes source = address("192.0.2.1");
    CHECK(admitted(limiter, source, start, 100) == 20);
    CHECK(limiter.admit(source, start) == RateVerdict::source_limited);
    CHECK(admitted(limiter, source, start + Duration{999'999}, 100) == 0);
    CHECK(admitted(limiter, source, start + Duration{1'000'000}, 100) == 1);
    CHECK(admitted(limiter, source, start + Duration::from_ms(6), 100) == 5);
    CHECK(admitted(limiter, source, start + Duration::from_s(60), 100) == 20);
}

TEST_CASE("rate limiter: a source that keeps to its rate is never refused") {
    RateLimiter limiter(limits_of(10'000, 1, 1'000'000), key);
    for (std::int64_t packet = 0; packet < 100'000; ++packet) {
        const Instant now = start + Duration::from_us(100) * packet;
        if (limiter.admit(address("192.0.2.1"), now) != RateVerdict::ok) FAIL_CHECK(packet);
    }
}

TEST_CASE("rate limiter: over ten seconds of flooding exactly rate x time + burst get through") {
    RateLimiter limiter(limits_of(10'000, 2'000, 1'000'000), key);
    std::uint32_t count = 0;
    for (std::int64_t us = 0; us < 10'000'000; us += 20) {  // 50,000 a second.
        count += admitted(limiter, address("192.0.2.1"), start + Duration::from_us(us), 1);
    }
    CHECK(count >= 101'998);
    CHECK(count <= 102'000);
}

TEST_CASE("rate limiter: IPv4 sources are single, IPv6 sources are a /64") {
    RateLimiter limiter(limits_of(1, 1, 1'000'000), key);
    CHECK(limiter.admit(address("192.0.2.1"), start) == RateVerdict::ok);
    CHECK(limiter.admit(address("192.0.2.2"), start) == RateVerdict::ok);
    CHECK(limiter.admit(address("192.0.2.1"), start) == RateVerdict::source_limited);
    CHECK(limiter.admit(address("2001:db8::1"), start) == RateVerdict::ok);
    CHECK(limiter.admit(address("2001:db8::ffff:0:0:2"), start) == RateVerdict::source_limited);
    CHECK(limiter.admit(address("2001:db8:0:1::1"), start) == RateVerdict::ok);
}

TEST_CASE("rate limiter: the total holds over all sources, provisioned or not") {
    RateLimiter limiter(limits_of(1'000, 10, 5'000), key);  // Burst: 100 ms, 500 packets.
    std::uint32_t count = 0;
    for (std::uint32_t source = 0; source < 1'000; ++source) {
        count += admitted(limiter, numbered(source), start, 1);
    }
    CHECK(count == 500);
    CHECK(limiter.admit(numbered(5'000), start) == RateVerdict::total_limited);
    CHECK(limiter.admit_provisioned(start) == RateVerdict::total_limited);
    CHECK(limiter.admit_provisioned(start + Duration::from_us(200)) == RateVerdict::ok);
    CHECK(limiter.admit_provisioned(start + Duration::from_us(200)) == RateVerdict::total_limited);
}

TEST_CASE("rate limiter: a refusal takes no token from either bucket") {
    RateLimiter limiter(limits_of(1'000, 10, 10'000), key);  // Total burst: 1,000.
    const AddressBytes loud = address("192.0.2.1");
    CHECK(admitted(limiter, loud, start, 100'000) == 10);  // The total lost 10, not 100,000.
    std::uint32_t count = 0;
    while (limiter.admit_provisioned(start) == RateVerdict::ok) {
        ++count;
    }
    CHECK(count == 990);
    const AddressBytes quiet = address("192.0.2.2");
    for (int attempt = 0; attempt < 5; ++attempt) {
        CHECK(limiter.admit(quiet, start) == RateVerdict::total_limited);
    }
    // When the total has tokens again the quiet one still has its whole burst.
    CHECK(admitted(limiter, quiet, start + Duration::from_ms(1), 100) == 10);
}

TEST_CASE("rate limiter: provisioned sources have no limit of their own") {
    RateLimiter limiter(limits_of(1, 1, 10'000), key);
    for (int packet = 0; packet < 1'000; ++packet) {
        CHECK(limiter.admit_provisioned(start) == RateVerdict::ok);
    }
}

TEST_CASE("rate limiter: a million distinct sources do not make it forget who is over the limit") {
    RateLimiter limiter(limits_of(10'000, 2'000, 4'000'000'000), key);
    const AddressBytes loud = address("192.0.2.1");
    REQUIRE(admitted(limiter, loud, start, 10'000) == 2'000);
    std::uint32_t wrongly_refused = 0;
    for (std::uint32_t source = 0; source < 1'000'000; ++source) {
        // All within 50 ns, so that no bucket fills up in between.
        const Instant now = start + Duration{source / 20'000};
        if (limiter.admit(numbered(0x0a00'0000U + source), now) != RateVerdict::ok) {
            ++wrongly_refused;
        }
        if (source % 50'000 == 0) {
            CHECK(limiter.admit(loud, now) == RateVerdict::source_limited);
        }
    }
    CHECK(limiter.admit(loud, start + Duration::from_us(99)) == RateVerdict::source_limited);
    CHECK(limiter.admit(loud, start + Duration::from_us(100)) == RateVerdict::ok);
    CHECK(wrongly_refused == 0);
}

TEST_CASE(
    "rate limiter: a million distinct sources a second do not hinder one that keeps its rate") {
    RateLimiter limiter(limits_of(10'000, 20, 4'000'000'000), key);
    const AddressBytes active = address("192.0.2.1");
    std::uint32_t refused = 0;
    for (std::uint32_t source = 0; source < 1'000'000; ++source) {
        const Instant now = start + Duration::from_us(source);
        (void)limiter.admit(numbered(0x0a00'0000U + source), now);
        if (source % 200 != 0) continue;  // 5,000 a second.
        refused += limiter.admit(active, now) == RateVerdict::ok ? 0U : 1U;
    }
    CHECK(refused == 0);
}

TEST_CASE("rate limiter: making up addresses wins no more than the table can remember") {
    // 65,536 slots at 1 a second with a burst of 2: made-up sources share what is there.
    RateLimiter limiter(limits_of(1, 2, 4'000'000'000), key);
    std::uint32_t count = 0;
    for (std::uint32_t source = 0; source < 1'000'000; ++source) {
        count += admitted(limiter, numbered(source), start, 2);
    }
    CHECK(count <= 2 * limits::rate_slots_per_core);
}

}  // namespace
}  // namespace latmon
