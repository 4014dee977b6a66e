// SPDX-License-Identifier: Apache-2.0
//
// What the tests of the plugin statsd share: a host with one target, and a writer whose lines are
// kept. One thread.
#pragma once

#include "statsd/claims.hpp"
#include "statsd/naming.hpp"
#include "statsd/writer.hpp"

#include "support/driver/driver_host.hpp"

#include <doctest/doctest.h>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace latmon::plugins::statsd {

inline driver::SeriesText target(std::string name, latmon_kind_t kind = LATMON_KIND_EXCHANGE) {
    driver::SeriesText series;
    series.kind = kind;
    series.protocol = kind == LATMON_KIND_CONNECT ? LATMON_PROTOCOL_TCP : LATMON_PROTOCOL_UDP;
    series.source = "berlin";
    series.target = std::move(name);
    return series;
}

inline driver::SeriesText of_application(std::string name, latmon_kind_t kind) {
    driver::SeriesText series = target("", kind);
    series.protocol = LATMON_PROTOCOL_NONE;
    series.name = std::move(name);
    return series;
}

inline NamingOptions plain_names() {
    NamingOptions options;
    options.name_template = "{proto}.{metric}.{source}.{target}";
    return options;
}

inline NamingOptions datadog_names() {
    NamingOptions options;
    options.mode = Mode::dogstatsd;
    options.tag_format = TagFormat::datadog;
    options.name_template = "{metric}";
    return options;
}

inline LineOptions datadog_lines() {
    LineOptions options;
    options.mode = Mode::dogstatsd;
    options.timer = "d";
    options.packs_values = true;
    return options;
}

inline Naming naming_of(const NamingOptions& options) {
    std::expected<Naming, std::string> naming = Naming::make(options);
    if (!naming) FAIL(naming.error());
    return *std::move(naming);
}

// A writer and what it sent.
class Written {
public:
    Written(const latmon_host_t* host, const LineOptions& options)
        : writer_(host, options, [this](std::span<const Packet> packets) {
              packets_.insert(packets_.end(), packets.begin(), packets.end());
          }) {}

    [[nodiscard]] Writer& writer() noexcept { return writer_; }
    [[nodiscard]] const std::vector<Packet>& packets() const noexcept { return packets_; }

    // All lines since the last call, in the order in which they were sent.
    [[nodiscard]] std::vector<std::string> lines() {
        writer_.write_values();
        writer_.write_out();
        std::vector<std::string> all;
        for (const Packet& packet : packets_) {
            std::istringstream text(packet.octets);
            for (std::string line; std::getline(text, line);)
                all.push_back(line);
        }
        packets_.clear();
        return all;
    }

private:
    std::vector<Packet> packets_;
    Writer writer_;
};

using Lines = std::vector<std::string>;

}  // namespace latmon::plugins::statsd
