// SPDX-License-Identifier: Apache-2.0
//
// Claims about what a plan says of what is not as usual: by the text of a file, as it is described.
#include "config/plan_notes.hpp"

#include "unit/config/config_text.hpp"

#include <array>
#include <sstream>

namespace latmon {
namespace {

std::string described(std::string_view text) {
    const std::array<std::uint32_t, 2> cpus{0, 1};
    const Result<Plan> plan = make_plan(config_of(text), cpus);
    if (!plan) FAIL(plan.error().text);
    return describe_plan(*plan);
}

// The first line that begins with `start`, each run of blanks as one.
std::string line_of(const std::string& text, const std::string& start) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (!line.starts_with(start)) continue;
        std::istringstream words(line);
        std::string result;
        for (std::string word; words >> word;) {
            result += (result.empty() ? "" : " ") + word;
        }
        return result;
    }
    return "";
}

TEST_CASE("plan_notes: what is as usual has no words") {
    const std::string text = described("[[targets]]\nhost = \"a\"\n");
    for (const char* word : {"stamps", "clock:", "reflector:", "tlvs", "no "}) {
        CAPTURE(word);
        CHECK_FALSE(contains(text, word));
    }
}

TEST_CASE("plan_notes: where the admin listener is and what protects it is always said") {
    const auto notes = [](std::string_view text) { return notes_of_admin(config_of(text).admin); };
    CHECK(notes("") == "admin: 127.0.0.1:9464 if possible; no TLS, no credentials\n");
    CHECK(notes("[admin]\nlisten = \"\"\n") == "admin: off\n");
    CHECK(notes("[admin]\nlisten = \"[::1]:1\"\nbearer_token_file = \"/t\"\nprobe = true\n") ==
          "admin: [::1]:1; no TLS, bearer token, /probe\n");
    CHECK(notes(R"(
[admin]
listen = ["127.0.0.1:1", "unix:/run/a"]
tls_cert = "/c"
tls_key = "/k"
tls_client_ca = "/a"
bearer_token_file = "/t"
basic_user = "op"
basic_password_file = "/p"
)") == "admin: 127.0.0.1:1, unix:/run/a; TLS but on the unix socket, client certificates, "
       "bearer token or user op\n");
    CHECK(notes("[admin]\nlisten = \"127.0.0.1:1\"\ntls_cert = \"/c\"\ntls_key = \"/k\"\n"
                "tls_client_ca = \"/a\"\n") == "admin: 127.0.0.1:1; TLS, client certificates\n");
}

TEST_CASE("plan_notes: what is special about a probe stands behind it") {
    const std::string text = described(R"(
[[targets]]
host = "a"
size = 150
timestamp_format = "ptp"
tlvs = ["exchange", "timestamp_info"]
key_file = "/k"
trust_clock = true
lenient_echo = true
descriptor = false
reflector_mode = "stateful"
on_ssid_zero = "base"
[[targets]]
host = "b"
protocol = "twamp-light"
tlvs = []
[[targets]]
host = "c"
protocol = "latency-monitor"
[[targets]]
host = "d"
protocol = "stamp"
)");
    const std::string notes =
        "ptp, key_file /k, tlvs timestamp_info, no room for exchange, trust_clock, lenient_echo, "
        "no descriptor, reflector_mode stateful, on_ssid_zero base";
    CHECK(line_of(text, "0 ") == "0 udp a a:8001 1000 1000 150 " + notes);
    CHECK(line_of(text, "1     tcp") == "1 tcp a a:8000 1000 1000 150 " + notes);
    CHECK(line_of(text, "2 ") == "2 connect a a:8000 1000 1000 0");
    CHECK(line_of(text, "3 ") == "3 udp b b:8001 1000 1000 1470 twamp-light");
    CHECK(line_of(text, "4 ") == "4 tcp b b:8000 1000 1000 1470 no tlvs");
    CHECK(line_of(text, "6 ") == "6 udp c c:8001 1000 1000 1470 latency-monitor");
    CHECK(line_of(text, "7 ") == "7 tcp c c:8000 1000 1000 1470 latency-monitor");
    CHECK(line_of(text, "9 ") == "9 udp d d:8001 1000 1000 1470 stamp");
}

TEST_CASE("plan_notes: special stamps, clock and reflector are told") {
    const std::string text = described(R"(
stamps = "hardware"
[clock]
trust = "operator"
error_bound = 1.5
chrony = ""
drift_ppm = 100
series = false
[reflector]
mode = "stateless"
timestamp_format = "ptp"
fill_location = true
dscp_allow = [0, 46]
sessions_per_source = 5
[[reflector.keys]]
prefixes = ["192.0.2.0/24", "::1"]
key_file = "/k"
)");
    CHECK(contains(text, ", precision balanced, stamps hardware, 0 probes, "));
    CHECK(line_of(text, "clock:") ==
          "clock: trust operator, error_bound 1.5 us, no chrony, drift_ppm 100, no series");
    CHECK(line_of(text, "reflector:") ==
          "reflector: stateless, ptp, fill_location, dscp_allow 0,46, sessions_per_source 5, "
          "192.0.2.0/24 ::1/128 by key_file /k");
}

}  // namespace
}  // namespace latmon
