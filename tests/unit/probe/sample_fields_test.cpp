// SPDX-License-Identifier: Apache-2.0
//
// Fields and their bits come together.
#include "probe/sample_fields.hpp"

#include <doctest/doctest.h>

namespace latmon {

TEST_CASE("sample_fields: nothing is valid in a new sample") {
    const Sample sample = make_sample(LATMON_KIND_CONNECT, LATMON_STATUS_LOST, LATMON_PROTOCOL_TCP);
    CHECK(sample.valid == 0);
    CHECK(sample.blame == 0);
    CHECK(sample.owd_class == LATMON_OWD_NONE);
}

}  // namespace latmon
