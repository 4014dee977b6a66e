// SPDX-License-Identifier: Apache-2.0
//
// Claims about [clock].
#include "config/read_clock.hpp"

#include "unit/config/config_text.hpp"

namespace latmon {
namespace {

TEST_CASE("read_clock: every key arrives in its unit") {
    const ClockConfig clock = config_of(R"(
[clock]
trust = "operator"
error_bound = 2.5
chrony = "[::1]:324"
drift_ppm = 100.5
series = false
)")
                                  .clock;
    CHECK(clock.trust == ClockTrust::operator_);
    CHECK(clock.error_bound == Duration{2'500});
    CHECK(clock.chrony == "[::1]:324");
    CHECK(clock.drift_ppb == 100'500);
    CHECK_FALSE(clock.has_series);
}

TEST_CASE("read_clock: the operator's word needs a bound, and a bound somebody who heeds it") {
    CHECK(errors_of("[clock]\ntrust = \"operator\"") ==
          "t.toml:2:9: \"trust\" is \"operator\", but no \"error_bound\" says what the operator "
          "vouches for; add error_bound = MICROSECONDS");
    CHECK(errors_of("[clock]\ntrust = \"operator\"\nerror_bound = 0") != "");
    CHECK(warnings_of("[clock]\nerror_bound = 1").empty());
    CHECK(contains(warnings_of("[clock]\ntrust = \"kernel\"\nerror_bound = 1").at(0),
                   "t.toml:3:15: \"error_bound\" has no effect with trust = \"kernel\""));
}

TEST_CASE("read_clock: chronyd is an address with a port, a path, or nobody") {
    const auto error_of_chrony = [](const std::string& chrony) {
        return errors_of("[clock]\nchrony = \"" + chrony + "\"");
    };
    for (const char* chrony :
         {"", "192.0.2.1:1", "[2001:db8::1]:65535", "/run/chrony/chronyd.sock"}) {
        CAPTURE(chrony);
        CHECK(error_of_chrony(chrony) == "");
    }
    for (const char* chrony :
         {"127.0.0.1", "::1:323", "[127.0.0.1]:323", "127.0.0.1:0", ":323", "[]:1",
          "127.0.0.1:65536", "127.0.0.1:+1", "chrony.example:323", "224.0.0.1:323", "[:1"}) {
        CAPTURE(chrony);
        CHECK(error_of_chrony(chrony).starts_with("t.toml:2:10: \"chrony\" is "));
    }
    CHECK(contains(errors_of("[clock]\ntrust = \"chrony\"\nchrony = \"\""), "switches off"));
}

TEST_CASE("read_clock: what is out of range is told with the range") {
    CHECK(errors_of("[clock]\ndrift_ppm = 0.9") ==
          "t.toml:2:13: \"drift_ppm\" is 0.9; write parts per million from 1 to 100000");
    CHECK(errors_of("[clock]\ndrift_ppm = 100001") != "");
    CHECK(errors_of("[clock]\ndrift_ppm = nan") != "");
    CHECK(contains(errors_of("[clock]\ndrift_ppm = \"600\""), "\"drift_ppm\" is a string"));
    CHECK(config_of("[clock]\ndrift_ppm = 100000").clock.drift_ppb == 100'000'000);
    CHECK(errors_of("[clock]\nerror_bound = 16000001") ==
          "t.toml:2:15: \"error_bound\" is 16000001; write 0 (off), or microseconds from 0.001 to "
          "16000000");
    CHECK(contains(errors_of("[clock]\ntrust = \"ntp\""), "\"auto\", \"kernel\", \"chrony\""));
    CHECK(contains(errors_of("clock = true"), "[clock], with one bracket"));
    CHECK(contains(errors_of("[clock]\nseries = 1"), "true or false"));
    CHECK(contains(errors_of("[clock]\ntrust_clock = true"), "top level"));
}

}  // namespace
}  // namespace latmon
