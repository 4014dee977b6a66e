// SPDX-License-Identifier: Apache-2.0
//
// The bounds of the classic buckets, and in which of them a bucket of a window's histogram counts.
// The two have different edges: a bound may lie within a bucket. Such a bucket counts above the
// bound, so that `le` never claims what was not so; unless the window's largest value says that all
// of it is below. What may be missing under a bound is within 0.55 % below it, and never there
// where a window holds one value. Immutable; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace latmon::plugins::prometheus {

class Bounds {
public:
    struct Bound {
        std::int64_t ns = 0;
        double seconds = 0;
        std::int32_t last_index = 0;  // Schema 7: of the last bucket that lies below it as a whole.
        std::string text;             // As `le` in the text format: "1e-06", "1".
        std::string open_text;        // And in OpenMetrics: "1e-06", "1.0".
    };

    // None: there are only sums and counts.
    Bounds() = default;
    // Ascending, each above 0.
    explicit Bounds(const std::vector<std::int64_t>& bounds_ns);
    // 1, 2 and 5 per decade, from 1 us to 10 s.
    [[nodiscard]] static std::vector<std::int64_t> default_ns();

    [[nodiscard]] std::size_t size() const noexcept { return bounds_.size(); }
    [[nodiscard]] const Bound& operator[](std::size_t place) const noexcept {
        return bounds_[place];
    }

    // Place of the bucket for a value; size() is that above all bounds.
    [[nodiscard]] std::size_t place_of_value(std::int64_t value_ns) const noexcept;
    // And for the positive bucket `index` of schema 7, of values that are all at most `max_ns`.
    [[nodiscard]] std::size_t place_of_bucket(std::int32_t index,
                                              std::int64_t max_ns) const noexcept;

private:
    std::vector<Bound> bounds_;
};

// The bound that a text such as "0.001" or "1e-6" stands for, in whole nanoseconds from 1 to
// 10^18; 0 if it is none.
[[nodiscard]] std::int64_t bound_ns(std::string_view seconds) noexcept;

// As Go prints it, and so every server of Prometheus: the shortest that is read back as the same.
[[nodiscard]] std::string float_text(double value);

}  // namespace latmon::plugins::prometheus
