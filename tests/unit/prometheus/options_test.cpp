// SPDX-License-Identifier: Apache-2.0
//
// Keys and what is made of them.
#include "prometheus/options.hpp"

#include "support/driver/driver_host.hpp"

#include <doctest/doctest.h>

namespace latmon::plugins::prometheus {
namespace {

std::optional<Options> read(std::initializer_list<const char*> keys, std::string* log = nullptr) {
    driver::DriverHost host({});
    for (const char* const key : keys) {
        CHECK(host.add_option(key));
    }
    std::optional<Options> options = read_options(host.table(), host.options());
    if (log != nullptr) *log = host.log_text();
    return options;
}

TEST_CASE("options: what nobody wrote is as the manual says") {
    const std::optional<Options> options = read({});
    REQUIRE(options);
    CHECK(options->page == "/metrics");
    CHECK(options->format.shape.has_native);
    CHECK(options->format.shape.schema == 5);
    CHECK(options->format.shape.bounds.size() == 22);
    CHECK(options->format.has_exemplars);
    CHECK(options->format.has_created);
    CHECK_FALSE(options->has_percentiles);
}

TEST_CASE("options: buckets of one's own, or none") {
    CHECK(read({"classic_buckets_seconds=[0.001,0.01]"})->format.shape.bounds[1].ns == 10'000'000);
    CHECK(read({"classic_buckets=false"})->format.shape.bounds.size() == 0);
}

TEST_CASE("options: bounds that are none, or fall, are refused with an example") {
    for (const char* const key :
         {"classic_buckets_seconds=[x]", "classic_buckets_seconds=[0.1,0.1]",
          "classic_buckets_seconds=[0.2,0.1]", "classic_buckets_seconds=[0]"}) {
        std::string log;
        CHECK_FALSE(read({key}, &log));
        CHECK(log.find("ascending order") != std::string::npos);
    }
}

}  // namespace
}  // namespace latmon::plugins::prometheus
