// SPDX-License-Identifier: Apache-2.0
//
// Claims about words.
#include "config/words.hpp"

#include <doctest/doctest.h>

namespace latmon {
namespace {

TEST_CASE("words: case does not count, the rest does") {
    CHECK(find_word("ClickHouse", metrics_backends) == 5);
    CHECK(find_word("clickhouse ", metrics_backends) == std::nullopt);
    CHECK(find_word("", metrics_backends) == std::nullopt);
}

TEST_CASE("words: an unknown one is told with a guess and with all that are known") {
    CHECK(describe_unknown("spinn", texts_of(precision_words)) ==
          "\"spinn\" is not known here; did you mean \"spin\"? write one of \"power\", "
          "\"balanced\", \"spin\"");
    CHECK(describe_unknown("fast", texts_of(precision_words)) ==
          "\"fast\" is not known here; write one of \"power\", \"balanced\", \"spin\"");
}

TEST_CASE("words: every meaning has its word, and a mask those of its bits") {
    CHECK(text_of(clock_trust_words, ClockTrust::operator_) == "operator");
    CHECK(text_of(on_ssid_zero_words, OnSsidZero::keep) == "continue");
    CHECK(text_of(probe_protocol_words, ProbeProtocol::twamp_light) == "twamp-light");
    CHECK(list_of(tlv_words, tlv_access_report_bit | tlv_exchange_bit) == "exchange,access_report");
    CHECK(list_of(tlv_words, 0) == "");
}

}  // namespace
}  // namespace latmon
