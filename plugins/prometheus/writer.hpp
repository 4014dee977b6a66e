// SPDX-License-Identifier: Apache-2.0
//
// What an exposition consists of, whatever its format: families of rows. What is exposed says
// families.cpp; how it is written, the writer of each format. One thread at a time.
#pragma once

#include "prometheus/distribution.hpp"
#include "prometheus/labelling.hpp"
#include "prometheus/time_sum.hpp"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace latmon::plugins::prometheus {

enum class Type : std::uint8_t { counter, gauge, summary, histogram };

struct Family {
    std::string_view name;  // In full: of a counter with "_total".
    Type type = Type::gauge;
    std::string_view help;
};

// One exchange that stands for those in its bucket.
struct Exemplar {
    std::int64_t value_ns = 0;
    std::int64_t time_ns = 0;  // CLOCK_REALTIME
    std::uint32_t sequence = 0;
    std::uint32_t place = 0;  // Of its classic bucket, as in Bounds.
};

// value / 10^digits.
struct Decimal {
    std::int64_t value = 0;
    unsigned digits = 0;
};
using Value = std::variant<std::uint64_t, Decimal, TimeSum, double>;

// One set of labels: those of its series, and what sets it apart within the family.
struct Row {
    const SeriesLabels& labels;
    std::span<const std::pair<std::string_view, std::string_view>> extra{};  // Plain ASCII.
    std::int64_t created_ns = 0;  // CLOCK_REALTIME; 0: not told.
};

// Takes what has been written so far.
class Sink {
public:
    virtual ~Sink() = default;
    virtual void take(std::string_view octets) = 0;
};

// What an operator chose, and when this is.
struct Format {
    Shape shape{};
    bool has_exemplars = true;
    bool has_created = true;  // Lines `_created` in OpenMetrics.
    std::int64_t now_ns = 0;  // CLOCK_REALTIME
};

class Writer {
public:
    // Both outlive it.
    Writer(const Format& format, Sink& sink) : format_(format), sink_(sink) {}
    virtual ~Writer() = default;
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    // Ends the family before. One without rows is not there at all.
    virtual void begin(const Family& family) = 0;
    // Of a counter or a gauge.
    virtual void number(const Row& row, const Value& value) = 0;
    // Sum and count, without quantiles.
    virtual void summary(const Row& row, std::uint64_t count, const TimeSum& sum) = 0;
    // `exemplars` ascend by place, one for each at most.
    virtual void histogram(const Row& row, const Distribution& times,
                           std::span<const Exemplar> exemplars) = 0;
    // Nothing follows.
    virtual void finish() = 0;

protected:
    // Exemplars older than this were scraped long ago, or never will be.
    [[nodiscard]] bool is_fresh(const Exemplar& exemplar) const noexcept {
        constexpr std::int64_t five_minutes_ns = 300'000'000'000;
        return format_.has_exemplars && exemplar.time_ns > format_.now_ns - five_minutes_ns;
    }
    // Hands on what is waiting if it is much, or all of it.
    void offer(bool is_all = false) {
        constexpr std::size_t much_bytes = 64 * 1024;
        if (out_.size() < much_bytes && !is_all) return;
        sink_.take(out_);
        out_.clear();
    }

    const Format& format_;
    Sink& sink_;
    std::string out_;
};

// As text; as it stands in both text formats.
void append_value(std::string& out, const Value& value);
[[nodiscard]] double double_of(const Value& value) noexcept;

// "2026-11-22T01:02:03.123456789Z". [any-thread]
[[nodiscard]] std::string utc_text(std::int64_t time_ns);

}  // namespace latmon::plugins::prometheus
