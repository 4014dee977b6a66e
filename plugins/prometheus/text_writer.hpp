// SPDX-License-Identifier: Apache-2.0
//
// Both text formats: Prometheus' 0.0.4, and OpenMetrics 1.0, which adds units, exemplars, the time
// of a series' start and an end mark. Neither has native histograms. One thread at a time.
#pragma once

#include "prometheus/writer.hpp"

#include <string>

namespace latmon::plugins::prometheus {

enum class Dialect : std::uint8_t { prometheus, open_metrics };

class TextWriter final : public Writer {
public:
    TextWriter(const Format& format, Sink& sink, Dialect dialect)
        : Writer(format, sink), is_open_(dialect == Dialect::open_metrics) {}

    void begin(const Family& family) override;
    void number(const Row& row, const Value& value) override;
    void summary(const Row& row, std::uint64_t count, const TimeSum& sum) override;
    // The sum is left out once there was a negative value: it may have fallen, which reads as a
    // restart, and what a rate makes of that is no mean. The count goes with it, as OpenMetrics
    // asks, and is in the last bucket.
    void histogram(const Row& row, const Distribution& times,
                   std::span<const Exemplar> exemplars) override;
    void finish() override;

private:
    void append_head();
    // name SUFFIX {labels, le="..."} and a blank.
    void append_name(const Row& row, std::string_view suffix, std::string_view bound = {});
    void append_line(const Row& row, std::string_view suffix, const Value& value);
    void append_created(const Row& row);
    void append_exemplar(const Exemplar& exemplar);

    bool is_open_;
    std::string name_;    // Of the family.
    std::string suffix_;  // Of its plain lines: "_total" in OpenMetrics' counters.
    std::string help_;
    Type type_ = Type::gauge;
    bool has_rows_ = false;
};

}  // namespace latmon::plugins::prometheus
