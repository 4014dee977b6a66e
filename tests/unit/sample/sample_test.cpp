// SPDX-License-Identifier: Apache-2.0
//
// The sample's few rules that are not static assertions.
#include "sample/sample.hpp"

#include <doctest/doctest.h>
#include <set>

namespace latmon {
namespace {

TEST_CASE("sample: each kind has a bit of its own") {
    const std::set<std::uint32_t> bits{
        kind_bit(LATMON_KIND_EXCHANGE), kind_bit(LATMON_KIND_CONNECT),
        kind_bit(LATMON_KIND_REFLECTION), kind_bit(LATMON_KIND_NODE)};
    CHECK(bits.size() == 4);
    CHECK_FALSE(bits.contains(0));
    CHECK(kind_bit(LATMON_KIND_NODE) == 16);
}

TEST_CASE("sample: one made of zeros has no kind and claims no field") {
    const Sample sample{};
    CHECK(sample.kind == 0);
    CHECK(sample.valid == 0);
    CHECK(sample.owd_class == LATMON_OWD_NONE);
    CHECK(sample.t1_stamp == LATMON_STAMP_NONE);
    CHECK(sample.protocol == LATMON_PROTOCOL_NONE);
}

}  // namespace
}  // namespace latmon
