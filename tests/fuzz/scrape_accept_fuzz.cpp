// SPDX-License-Identifier: Apache-2.0
//
// A scraper's headers Accept and Accept-Encoding, which anybody may send. Whatever they hold, there
// is an answer, and it is of a type that we have.
#include "base/assert.hpp"
#include "prometheus/negotiate.hpp"

#include <cstddef>
#include <cstdint>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace latmon::plugins::prometheus;
    const std::string header(reinterpret_cast<const char*>(data), size);
    const Choice choice = choose_exposition(header.c_str());
    LATMON_ASSERT(choice.exposition <= Exposition::protobuf);
    LATMON_ASSERT(content_type(choice).find('\n') == std::string::npos);
    // A wish in front, of the greatest weight there is, is granted, whatever stands behind it.
    const std::string protobuf =
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
        "encoding=delimited,";
    LATMON_ASSERT(choose_exposition((protobuf + header).c_str()).exposition ==
                  Exposition::protobuf);
    if (takes_gzip(header.c_str())) LATMON_ASSERT(!header.empty());
    return 0;
}
