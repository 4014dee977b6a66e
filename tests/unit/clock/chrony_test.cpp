// SPDX-License-Identifier: Apache-2.0
//
// Asking chronyd over real sockets of this host, by a thread that plays chronyd. A real one is
// asked as well if LATMON_CHRONY says where it answers, and LATMON_CHRONY_IS what it should say:
// "synchronized", "unsynchronized", or "stratum 10" if it declares our own clock right
// (tests/system/chrony.py).
#include "clock/chrony.hpp"

#include "unit/clock/fake_chronyd.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <cstdlib>
#include <string>

namespace latmon {
namespace {

constexpr Instant now{1'000'000'000};

// A machine may be too busy for 5 ms: asks again, each time as if 10 s later.
std::optional<ChronyTracking> ask_patiently(Chrony& chrony) {
    for (int attempt = 0; attempt < 100; ++attempt) {
        const std::optional<ChronyTracking> tracking =
            chrony.ask(now + Duration::from_s(11) * attempt);
        if (tracking) return tracking;
    }
    return std::nullopt;
}

TEST_CASE("chrony: an answer arrives over UDP") {
    FakeChronyd chronyd;
    Chrony chrony(chronyd.where());
    const std::optional<ChronyTracking> tracking = ask_patiently(chrony);
    REQUIRE(tracking);
    CHECK(tracking->stratum == 3);
    CHECK(ask_patiently(chrony));
}

TEST_CASE("chrony: datagrams that answer nothing are read past") {
    FakeChronyd chronyd({.strays = 3});
    Chrony chrony(chronyd.where());
    CHECK(ask_patiently(chrony));
}

TEST_CASE("chrony: an answer arrives over a socket's path, and nothing is left there") {
    FakeChronyd chronyd({.has_path = true});
    std::string own;
    {
        Chrony chrony(chronyd.where());
        REQUIRE(ask_patiently(chrony));
        own = chronyd.where().substr(0, chronyd.where().rfind('/')) + "/latmon." +
              std::to_string(::getpid()) + ".sock";
        struct stat status {};
        CHECK(::stat(own.c_str(), &status) == 0);
    }
    struct stat status {};
    CHECK(::stat(own.c_str(), &status) != 0);
}

TEST_CASE("chrony: whoever does not answer is left alone for ten seconds") {
    FakeChronyd chronyd({.is_silent = true});
    Chrony chrony(chronyd.where());
    CHECK_FALSE(chrony.ask(now));
    for (int second = 1; second < 10; ++second) {
        CHECK_FALSE(chrony.ask(now + Duration::from_s(second)));
    }
    CHECK_FALSE(chrony.ask(now + Duration::from_s(10)));
    chronyd.stop();
    CHECK(chronyd.requests() == 2);
}

TEST_CASE("chrony: where nobody can be asked there is no answer") {
    for (const char* where : {"", "nonsense", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000",
                              "[::1:1", "localhost:323", "/nowhere/chronyd.sock", "/"}) {
        Chrony chrony(where);
        CHECK_FALSE(chrony.ask(now));
    }
    Chrony too_long("/" + std::string(200, 'x'));
    CHECK_FALSE(too_long.ask(now));
}

TEST_CASE("chrony: a real chronyd is understood") {
    const char* const where = std::getenv("LATMON_CHRONY");
    const char* const is = std::getenv("LATMON_CHRONY_IS");
    if (where == nullptr || is == nullptr) return;
    Chrony chrony(where);
    const std::optional<ChronyTracking> tracking = ask_patiently(chrony);
    REQUIRE(tracking);
    const OsClock clock;
    const std::optional<Duration> bound = error_bound(*tracking, clock.wall_now());
    CHECK(bound.has_value() == (std::string(is) == "synchronized"));
    CHECK((tracking->stratum == 10) == (std::string(is) == "stratum 10"));
    if (!bound) return;
    MESSAGE("bound ", bound->ns, " ns, stratum ", tracking->stratum, ", correction ",
            tracking->correction.ns, " ns, root delay ", tracking->root_delay.ns,
            " ns, root dispersion ", tracking->root_dispersion.ns, " ns, update interval ",
            tracking->update_interval.ns, " ns");
    CHECK(bound->ns > 0);
    CHECK(*bound < Duration::from_ms(100));
    CHECK(clock.wall_now() - tracking->reference_time < Duration::from_s(3'600));
}

}  // namespace
}  // namespace latmon
