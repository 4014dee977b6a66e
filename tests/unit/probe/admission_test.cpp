// SPDX-License-Identifier: Apache-2.0
//
// Each reason against a datagram, on its own and in the order in which they are given.
#include "probe/admission.hpp"

#include "wire/stamp.hpp"

#include <doctest/doctest.h>
#include <array>
#include <string>
#include <vector>

namespace latmon {
namespace {

constexpr Instant start{1'000'000'000'000};
constexpr WallTime wall{1'790'000'000'000'000'000};
constexpr std::array<std::uint16_t, 2> own_ports{8001, 862};

constexpr const char* listed = "10.1.2.3:40000";
constexpr const char* target = "192.0.2.1:40000";
constexpr const char* loopback = "127.0.0.1:40000";
constexpr const char* stranger = "203.0.113.9:40000";

Endpoint endpoint(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    const auto port = static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1)));
    const auto parsed = parse_endpoint(text.substr(0, colon), port);
    REQUIRE(parsed);
    return *parsed;
}

ReflectorConfig default_config() {
    ReflectorConfig config;
    config.allow = {parse_prefix("127.0.0.0/8").value(),     parse_prefix("10.0.0.0/8").value(),
                    parse_prefix("0.0.0.0/32").value(),      parse_prefix("224.0.0.0/4").value(),
                    parse_prefix("255.255.255.255").value(), parse_prefix("::/0").value()};
    config.service_source_allow = {parse_prefix("10.9.0.0/16").value()};
    return config;
}

std::vector<std::byte> request(std::size_t size_bytes) {
    std::vector<std::byte> data(limits::stamp_base_bytes);
    encode_sender({.sequence = 1, .t1 = to_ntp(wall), .error_estimate = 0x8ad2, .ssid = 5},
                  StampBase(data.data(), limits::stamp_base_bytes));
    data.resize(size_bytes);
    return data;
}

std::vector<std::byte> reflection() {
    std::vector<std::byte> data(limits::stamp_base_bytes);
    encode_reflector({.t3 = to_ntp(wall),
                      .error_estimate = 0x8ad2,
                      .t2 = to_ntp(wall),
                      .sender_t1 = to_ntp(wall)},
                     StampBase(data.data(), limits::stamp_base_bytes));
    return data;
}

std::vector<std::byte> ancestor(std::size_t size_bytes, const std::string& mark = "") {
    std::string text = "7|n|1737463866123456789|[]" + mark + "|";
    text.resize(size_bytes, '0');
    const auto octets = std::as_bytes(std::span(text));
    return {octets.begin(), octets.end()};
}

struct Reflector {
    explicit Reflector(const ReflectorConfig& config = default_config())
        : policy(config),
          allow_list(config, 1, HashKey{1, 2}),
          rate_limiter(config, HashKey{3, 4}) {
        allow_list.set_target_address(0, endpoint(target).address);
    }
    ReflectReason judge(const std::vector<std::byte>& data, const std::string& source,
                        bool is_truncated = false) {
        return admit({.allow_list = allow_list,
                      .rate_limiter = rate_limiter,
                      .own_ports = own_ports,
                      .policy = policy,
                      .keys = keys},
                     {.data = data,
                      .source = endpoint(source),
                      .key = keys.find(endpoint(source).address),
                      .is_truncated = is_truncated,
                      .now = start,
                      .wall_now = wall});
    }
    ReflectorConfig policy;
    AllowList allow_list;
    RateLimiter rate_limiter;
    ReflectorKeys keys;
};

TEST_CASE("admission: an ordinary request of any size is admitted") {
    Reflector reflector;
    for (const std::size_t size : {44U, 45U, 48U, 1'470U, 65'507U}) {
        CAPTURE(size);
        CHECK(reflector.judge(request(size), listed) == ReflectReason::reflected);
        CHECK(reflector.judge(request(size), target) == ReflectReason::reflected);
        CHECK(reflector.judge(request(size), loopback) == ReflectReason::reflected);
    }
}

TEST_CASE("admission: fewer than 14 octets are too short from anybody") {
    Reflector reflector;
    for (std::size_t size = 0; size < 14; ++size) {
        CHECK(reflector.judge(request(size), loopback) == ReflectReason::too_short);
    }
}

TEST_CASE(
    "admission: 14 to 43 octets are for provisioned sources, and for none where any may ask") {
    Reflector reflector;
    ReflectorConfig config = default_config();
    config.allow_any = true;
    Reflector any(config);
    for (std::size_t size = 14; size < 44; ++size) {
        CAPTURE(size);
        CHECK(reflector.judge(request(size), target) == ReflectReason::reflected);
        CHECK(reflector.judge(request(size), loopback) == ReflectReason::reflected);
        CHECK(reflector.judge(request(size), listed) == ReflectReason::too_short);
        CHECK(any.judge(request(size), target) == ReflectReason::too_short);
        CHECK(any.judge(request(size), loopback) == ReflectReason::too_short);
    }
    CHECK(any.judge(request(44), stranger) == ReflectReason::reflected);
}

TEST_CASE("admission: what the kernel cut, or what no datagram holds, is too long") {
    Reflector reflector;
    CHECK(reflector.judge(request(1'470), listed, true) == ReflectReason::too_long);
    CHECK(reflector.judge(request(4), listed, true) == ReflectReason::too_long);
    CHECK(reflector.judge(request(65'508), listed) == ReflectReason::too_long);
}

TEST_CASE("admission: source ports that an ordinary sender never has are refused") {
    Reflector reflector;
    for (const char* source : {"10.1.2.3:0", "10.1.2.3:1", "10.1.2.3:7", "10.1.2.3:1023",
                               "10.1.2.3:862", "10.1.2.3:8001", "10.9.0.1:0"}) {
        CAPTURE(source);
        CHECK(reflector.judge(request(44), source) == ReflectReason::bad_source_port);
    }
    CHECK(reflector.judge(request(44), "10.1.2.3:1024") == ReflectReason::reflected);
    CHECK(reflector.judge(request(44), "10.1.2.3:8000") == ReflectReason::reflected);
}

TEST_CASE("admission: a service source may use a port below 1024, but never a reflector's own") {
    Reflector reflector;
    CHECK(reflector.judge(request(44), "10.9.0.1:1023") == ReflectReason::reflected);
    CHECK(reflector.judge(request(44), "10.9.0.1:1") == ReflectReason::reflected);
    CHECK(reflector.judge(request(44), "10.9.0.1:862") == ReflectReason::bad_source_port);
    CHECK(reflector.judge(request(44), "10.9.0.1:8001") == ReflectReason::bad_source_port);
}

TEST_CASE("admission: an address that cannot be a source is refused even if it is listed") {
    Reflector reflector;
    for (const char* source : {"0.0.0.0:4000", "224.0.0.1:4000", "239.1.2.3:4000",
                               "255.255.255.255:4000", ":::4000", "ff02::1:4000"}) {
        CAPTURE(source);
        CHECK(reflector.judge(request(44), source) == ReflectReason::bad_source_address);
    }
}

TEST_CASE("admission: who is not listed is not answered") {
    Reflector reflector;
    CHECK(reflector.judge(request(44), stranger) == ReflectReason::not_allowed);
    CHECK(reflector.judge(ancestor(1'470), stranger) == ReflectReason::not_allowed);
}

TEST_CASE("admission: the limit per source is not for targets and loopback, the total is for all") {
    ReflectorConfig config = default_config();
    config.rate_per_source = 1;
    config.burst_per_source = 1;
    config.rate_total = 100;  // At once: 10.
    Reflector reflector(config);
    CHECK(reflector.judge(request(44), listed) == ReflectReason::reflected);
    CHECK(reflector.judge(request(44), listed) == ReflectReason::rate_source);
    for (int packet = 0; packet < 4; ++packet) {
        CHECK(reflector.judge(request(44), target) == ReflectReason::reflected);
        CHECK(reflector.judge(request(44), loopback) == ReflectReason::reflected);
    }
    CHECK(reflector.judge(request(44), loopback) == ReflectReason::reflected);
    CHECK(reflector.judge(request(44), target) == ReflectReason::rate_total);
    CHECK(reflector.judge(request(44), loopback) == ReflectReason::rate_total);
    CHECK(reflector.judge(request(44), "10.1.2.4:40000") == ReflectReason::rate_total);
}

TEST_CASE("admission: strangers use up nobody's tokens") {
    ReflectorConfig config = default_config();
    config.rate_total = 10;  // At once: 1.
    Reflector reflector(config);
    for (int packet = 0; packet < 100; ++packet) {
        CHECK(reflector.judge(request(44), stranger) == ReflectReason::not_allowed);
    }
    CHECK(reflector.judge(request(44), listed) == ReflectReason::reflected);
}

TEST_CASE(
    "admission: the ancestor's packets are answered at any size, unless that is switched off") {
    Reflector reflector;
    ReflectorConfig config = default_config();
    config.answers_ancestor = false;
    Reflector strict(config);
    for (const std::size_t size : {27U, 44U, 1'470U}) {
        CHECK(reflector.judge(ancestor(size), listed) == ReflectReason::reflected);
        CHECK(strict.judge(ancestor(size), listed) == ReflectReason::ancestor_refused);
    }
    CHECK(reflector.judge(ancestor(1'470, " "), listed) == ReflectReason::reflected);
}

TEST_CASE("admission: what any reflector made of our reply to the ancestor is not answered") {
    Reflector reflector;
    for (const char* mark : {"  ", "   ", "          "}) {
        CHECK(reflector.judge(ancestor(1'470, mark), listed) == ReflectReason::looped);
        CHECK(reflector.judge(ancestor(1'470, mark), loopback) == ReflectReason::looped);
    }
}

TEST_CASE("admission: who must authenticate is not answered in the ancestor's format") {
    const HmacKey key(std::vector<std::byte>(32, std::byte{7}));
    Reflector reflector;
    reflector.keys.add(std::vector{parse_prefix("10.0.0.0/8").value()}, &key);
    CHECK(reflector.judge(ancestor(1'470), listed) == ReflectReason::unauthenticated);
    CHECK(reflector.judge(ancestor(1'470), loopback) == ReflectReason::reflected);
}

TEST_CASE("admission: where anybody may be reflected only whom the operator named has a name") {
    ReflectorConfig config = default_config();
    const auto may = [](const ReflectorConfig& policy, const char* source) {
        Reflector reflector(policy);
        return may_name_itself({.allow_list = reflector.allow_list,
                                .rate_limiter = reflector.rate_limiter,
                                .own_ports = own_ports,
                                .policy = reflector.policy,
                                .keys = reflector.keys},
                               endpoint(source).address);
    };
    CHECK(may(config, listed));
    CHECK(may(config, target));
    config.allow_any = true;
    CHECK_FALSE(may(config, listed));
    CHECK_FALSE(may(config, stranger));
    CHECK(may(config, target));
    CHECK(may(config, loopback));
}

TEST_CASE("admission: a reflection is never reflected, whoever sends it") {
    Reflector reflector;
    for (const char* source : {listed, target, loopback, "10.9.0.1:53"}) {
        CAPTURE(source);
        CHECK(reflector.judge(reflection(), source) == ReflectReason::looped);
    }
}

TEST_CASE("admission: an error estimate with multiplier 0 is corrupt") {
    Reflector reflector;
    std::vector<std::byte> data = request(44);
    data[13] = std::byte{0};
    CHECK(reflector.judge(data, listed) == ReflectReason::corrupt_error_estimate);
    data.resize(14);
    CHECK(reflector.judge(data, target) == ReflectReason::corrupt_error_estimate);
}

TEST_CASE("admission: the first reason in order is the one that is given") {
    ReflectorConfig config = default_config();
    config.rate_per_source = 1;
    config.burst_per_source = 1;
    Reflector reflector(config);
    CHECK(reflector.judge(request(4), "203.0.113.9:0") == ReflectReason::too_short);
    CHECK(reflector.judge(request(44), "203.0.113.9:0") == ReflectReason::bad_source_port);
    CHECK(reflector.judge(request(20), stranger) == ReflectReason::not_allowed);
    CHECK(reflector.judge(request(44), listed) == ReflectReason::reflected);
    CHECK(reflector.judge(reflection(), listed) == ReflectReason::rate_source);
    std::vector<std::byte> looped_and_corrupt = reflection();
    looped_and_corrupt[13] = std::byte{0};
    CHECK(reflector.judge(looped_and_corrupt, target) == ReflectReason::looped);
}

}  // namespace
}  // namespace latmon
