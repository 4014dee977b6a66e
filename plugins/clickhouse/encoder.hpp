// SPDX-License-Identifier: Apache-2.0
//
// Samples to rows. What does not change from sample to sample of a series is made once and copied
// from then on. On the exporter-thread; knows nothing of tables.
#pragma once

#include "clickhouse/row.hpp"

#include <latmon/latmon.h>

#include <string>
#include <string_view>
#include <vector>

namespace latmon::plugins::clickhouse {

// The part of "key:value" before the first colon, and the part after it; without a colon all of it
// is the key.
[[nodiscard]] Tag split_tag(std::string_view tag) noexcept;

class Encoder {
public:
    Encoder(const latmon_host_t* host, Shape shape) : host_(host), shape_(shape) {}

    // The row of `sample`, valid until the next call; "" if there is nothing to say: its series is
    // not known, or the ancestor had no word for it. `taken_ns`: CLOCK_REALTIME, now.
    [[nodiscard]] std::string_view encode(const latmon_sample_t& sample, std::int64_t taken_ns);

private:
    [[nodiscard]] bool encode_point(const latmon_sample_t& sample, const latmon_series_t& series,
                                    std::int64_t taken_ns);
    // The place in `labels_` for this series; empty if it is new.
    [[nodiscard]] std::string& labels_of(std::uint32_t series_id);

    const latmon_host_t* host_;
    Shape shape_;
    std::vector<std::string> labels_;  // Index = series id.
    std::string passing_labels_;       // Of a sample whose labels are its own.
    std::string row_;
};

}  // namespace latmon::plugins::clickhouse
