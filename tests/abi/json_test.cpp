// SPDX-License-Identifier: Apache-2.0
//
// Strings and numbers as JSON text. What Python's json.dumps() writes is the measure for strings;
// the expected texts here were made with it.
#include "support/json.hpp"

#include <doctest/doctest.h>
#include <array>
#include <limits>

namespace latmon::plugins {
namespace {

std::string quoted(std::string_view text) {
    std::string out;
    append_json_string(out, text);
    return out;
}

std::string integer(std::int64_t value) {
    std::string out;
    append_integer(out, value);
    return out;
}

TEST_CASE("json: printable ASCII stands as it is, but for quote and backslash") {
    CHECK(quoted("") == R"("")");
    CHECK(quoted("isp:local / ~ '") == R"("isp:local / ~ '")");
    CHECK(quoted("a\"b\\c") == R"("a\"b\\c")");
}

TEST_CASE("json: control characters are escaped, the usual ones by letter") {
    CHECK(quoted("\b\f\n\r\t") == R"("\b\f\n\r\t")");
    CHECK(quoted(std::string_view("\0\x1b\x1f\x7f", 4)) == R"("\u0000\u001b\u001f\u007f")");
}

TEST_CASE("json: what is not ASCII is escaped, in pairs above U+FFFF") {
    CHECK(quoted("Zürich") == R"("Z\u00fcrich")");
    CHECK(quoted("\u20ac\uffff") == R"("\u20ac\uffff")");
    CHECK(quoted("\U0001F600\U0010FFFF") == R"("\ud83d\ude00\udbff\udfff")");
}

TEST_CASE("json: octets that are not UTF-8 become U+FFFD, and what follows is kept") {
    CHECK(quoted("a\xffz") == R"("a\ufffdz")");
    CHECK(quoted("\x80z") == R"("\ufffdz")");
    CHECK(quoted("\xc3") == R"("\ufffd")");  // Cut short.
    CHECK(quoted("\xc3z") == R"("\ufffdz")");
    CHECK(quoted("\xc0\xaf") == R"("\ufffd\ufffd")");  // Overlong.
    CHECK(quoted("\xe0\x80\xaf") == R"("\ufffd\ufffd\ufffd")");
    CHECK(quoted("\xed\xa0\x80") == R"("\ufffd\ufffd\ufffd")");  // A surrogate.
    CHECK(quoted("\xf4\x90\x80\x80") == R"("\ufffd\ufffd\ufffd\ufffd")");
    CHECK(quoted("\xf0\x9f\x98") == R"("\ufffd\ufffd\ufffd")");
}

TEST_CASE("json: integers are written whole, to both ends") {
    CHECK(integer(0) == "0");
    CHECK(integer(-282'072) == "-282072");
    CHECK(integer(std::numeric_limits<std::int64_t>::max()) == "9223372036854775807");
    CHECK(integer(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
}

TEST_CASE("json: a point in time as text keeps every nanosecond, also before 1970") {
    const auto text = [](std::int64_t time_ns) -> std::string {
        std::string out;
        append_rfc3339(out, time_ns);
        return out;
    };
    CHECK(text(0) == "1970-01-01T00:00:00.000000000Z");
    CHECK(text(-1) == "1969-12-31T23:59:59.999999999Z");
    CHECK(text(1'768'219'134'587'069'267) == "2026-01-12T11:58:54.587069267Z");
    CHECK(text(951'782'400'000'000'000) == "2000-02-29T00:00:00.000000000Z");
    CHECK(text(std::numeric_limits<std::int64_t>::max()) == "2262-04-11T23:47:16.854775807Z");
    CHECK(text(std::numeric_limits<std::int64_t>::min()) == "1677-09-21T00:12:43.145224192Z");
}

TEST_CASE("json: addresses are written as people write them") {
    std::array<std::uint8_t, 16> address{};
    CHECK(address_text(address.data()) == "::");
    address[15] = 1;
    CHECK(address_text(address.data()) == "::1");
    address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 192, 0, 2, 7};
    CHECK(address_text(address.data()) == "192.0.2.7");
}

TEST_CASE("json: a field without its bit is not there, with it it is, even if it is zero") {
    latmon_sample_t sample{};
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.status = LATMON_STATUS_LOST;
    sample.protocol = LATMON_PROTOCOL_UDP;
    sample.rtt_ns = 77;  // Means nothing.
    std::string out;
    append_json_sample(out, sample, nullptr);
    CHECK(out ==
          R"({"v":1,"kind":"exchange","status":"lost","protocol":"udp","series_id":0,"core":0,)"
          R"("time_ns":0,"packet_bytes":0,"blame":[]})");

    sample.status = LATMON_STATUS_OK;
    sample.valid = LATMON_HAS_RTT | LATMON_HAS_OWD_REV;
    sample.rtt_ns = 0;
    sample.owd_rev_ns = -5;
    sample.owd_class = LATMON_OWD_RELATIVE;
    out.clear();
    append_json_sample(out, sample, nullptr);
    CHECK(out.find(R"("rtt_ns":0,"owd_rev_ns":-5,"owd_class":"relative")") != std::string::npos);
}

TEST_CASE("json: all bits set, all fields there, each under its name in the ABI") {
    latmon_sample_t sample{};
    sample.kind = LATMON_KIND_EXCHANGE;
    sample.status = LATMON_STATUS_UNREACHABLE;
    sample.valid = ~0U;
    sample.error = 113;
    sample.t1_stamp = LATMON_STAMP_HW;
    sample.t2_stamp = LATMON_STAMP_PEER;
    sample.t4_stamp = LATMON_STAMP_KERNEL;
    sample.blame = LATMON_BLAME_SENT_LATE | LATMON_BLAME_CLOCK_UNSYNCED | (1U << 20);
    std::string out;
    append_json_sample(out, sample, nullptr);
    for (const char* const name : {"sequence",
                                   "scheduled_ns",
                                   "lateness_ns",
                                   "rtt_ns",
                                   "rtt_user_ns",
                                   "turnaround_ns",
                                   "local_tx_ns",
                                   "local_rx_ns",
                                   "peer_rx_ns",
                                   "peer_tx_ns",
                                   "owd_fwd_ns",
                                   "owd_fwd_lo_ns",
                                   "owd_fwd_hi_ns",
                                   "owd_rev_ns",
                                   "owd_rev_lo_ns",
                                   "owd_rev_hi_ns",
                                   "t1_ns",
                                   "t2_ns",
                                   "t3_ns",
                                   "t4_ns",
                                   "clock_error_local_ns",
                                   "clock_error_remote_ns",
                                   "ttl_fwd",
                                   "ttl_rev",
                                   "dscp_fwd",
                                   "dscp_rev",
                                   "peer_sequence",
                                   "peer_address",
                                   "peer_port",
                                   "ssid",
                                   "value"}) {
        CHECK_MESSAGE(out.find("\"" + std::string(name) + "\":") != std::string::npos, name);
    }
    CHECK(out.find(R"("t1_stamp":"hw","t2_stamp":"peer","t4_stamp":"kernel")") !=
          std::string::npos);
    CHECK(out.find(R"("error":113,"error_name":"EHOSTUNREACH")") != std::string::npos);
    CHECK(out.ends_with(R"("blame":["sent_late","clock_unsynced","unknown"]})"));
}

}  // namespace
}  // namespace latmon::plugins
