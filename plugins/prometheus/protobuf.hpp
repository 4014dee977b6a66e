// SPDX-License-Identifier: Apache-2.0
//
// The protobuf exposition: io.prometheus.client.MetricFamily, each behind its length. The only one
// of the formats that has native histograms. Needs no generated code and no registry, so that it
// cannot clash with a protobuf library elsewhere in the process. One thread at a time.
#pragma once

#include "prometheus/writer.hpp"

#include <string>
#include <utility>
#include <vector>

namespace latmon::plugins::prometheus {

// Fields `label` of a Metric. Octets that are not UTF-8 become U+FFFD. [any-thread]
[[nodiscard]] std::string label_pairs(
    const std::vector<std::pair<std::string, std::string>>& labels);

class ProtobufWriter final : public Writer {
public:
    ProtobufWriter(const Format& format, Sink& sink) : Writer(format, sink) {}

    void begin(const Family& family) override;
    void number(const Row& row, const Value& value) override;
    void summary(const Row& row, std::uint64_t count, const TimeSum& sum) override;
    void histogram(const Row& row, const Distribution& times,
                   std::span<const Exemplar> exemplars) override;
    void finish() override;

private:
    void add_metric(const Row& row, std::uint32_t field, const std::string& message);
    void end_family();

    std::string family_;  // The message under way; "": none.
    Type type_ = Type::gauge;
    bool has_rows_ = false;
};

}  // namespace latmon::plugins::prometheus
