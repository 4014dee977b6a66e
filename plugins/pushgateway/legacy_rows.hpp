// SPDX-License-Identifier: Apache-2.0
//
// The ancestor's shape: a series of its own for every sample, told apart by the label `timestamp`.
//
//   udp_wan_owd{source="a",target="b",isp="c",instance="b",timestamp="1768219134587069267"} 282072
//
// A row is one such line, whole in itself; what stands around the lines of a push is added when it
// is made. Rows are made on the exporter-thread, bodies on the sender-thread.
#pragma once

#include "push/backend.hpp"

#include <latmon/latmon.h>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace latmon::plugins::pushgateway {

class LegacyRows {
public:
    // `instance`: this node's name.
    LegacyRows(const latmon_host_t* host, std::string instance)
        : host_(host), instance_(std::move(instance)) {}

    // Replaces `row` by the line, with its newline. False if the ancestor would have said nothing
    // of this sample. [exporter-thread]
    bool make(std::string& row, const latmon_sample_t& sample, const latmon_series_t& series);

private:
    [[nodiscard]] std::string labels_of(const latmon_sample_t& sample,
                                        const latmon_series_t& series);

    const latmon_host_t* host_;
    std::string instance_;
    std::vector<std::string> cached_;  // By series id, up to the time stamp's own digits.
    bool has_warned_ = false;
};

// The body of one push: all lines of a name together below its TYPE, and of two lines of one series
// the last alone, because the gateway refuses a push with both. Lines that are no rows are left
// out. Ends with a newline, as the format wants. Pure.
[[nodiscard]] std::string legacy_body(std::span<const push::Record> records, std::string_view job,
                                      std::string_view instance);

}  // namespace latmon::plugins::pushgateway
