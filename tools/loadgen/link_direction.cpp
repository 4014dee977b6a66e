// SPDX-License-Identifier: Apache-2.0
//
// See link_direction.hpp.
#include "loadgen/link_direction.hpp"

#include <algorithm>

namespace latmon::loadgen {
namespace {

constexpr double ns_per_s = 1e9;
constexpr double octet_bits = 8;
constexpr double percent_all = 100;

Duration scaled(Duration duration, double factor) noexcept {
    return Duration{static_cast<std::int64_t>(static_cast<double>(duration.ns) * factor)};
}

}  // namespace

// A line that does not lose begins to with a probability p, and ends with 1 / burst; the share of
// lost packets is p / (p + 1 / burst), and p is at most 1.
double loss_burst_min(double loss_percent) noexcept {
    return std::max(1.0, loss_percent / (percent_all - loss_percent));
}

std::string_view to_text(JitterShape shape) noexcept {
    switch (shape) {
        case JitterShape::uniform:
            return "uniform";
        case JitterShape::normal:
            return "normal";
        case JitterShape::exponential:
            return "exponential";
        case JitterShape::heavy_tail:
            return "heavy-tail";
    }
    return "";
}

// Chance has 53 bits: no logarithm of it is beyond 53 ln 2, which is 36.8.
Duration delay_max(const DirectionOptions& options) noexcept {
    double factor = 0;
    switch (options.jitter_shape) {
        case JitterShape::uniform:
            factor = 1;
            break;
        case JitterShape::normal:
            factor = 9;  // The root of twice that.
            break;
        case JitterShape::exponential:
            factor = 37;
            break;
        case JitterShape::heavy_tail:
            factor = 1'000;  // Where it is cut off.
            break;
    }
    const Duration jitter = options.delay + scaled(options.jitter, factor);
    return options.reorder_percent > 0 ? jitter + options.reorder_by : jitter;
}

LinkDirection::LinkDirection(const DirectionOptions& options, std::uint32_t target_count,
                             std::uint64_t seed)
    : options_(options),
      lines_(target_count),
      loss_(seed),
      jitter_(seed ^ 0x4a69'7474'6572'2121),
      order_(seed ^ 0x4f72'6465'7221'2121),
      double_(seed ^ 0x446f'7562'6c65'2121) {}

bool LinkDirection::delays() const noexcept {
    return options_.delay.ns > 0 || options_.jitter.ns > 0 || options_.bits_per_s > 0 ||
           (options_.reorder_percent > 0 && options_.reorder_by.ns > 0);
}

bool LinkDirection::loses(Line& line) noexcept {
    const double loss = options_.loss_percent;
    if (options_.loss_burst == 0 || loss == 0 || loss >= percent_all) return loss_.happens(loss);
    const double end_percent = percent_all / options_.loss_burst;
    const double begin_percent = end_percent * loss / (percent_all - loss);
    const bool changes = loss_.happens(line.is_losing ? end_percent : begin_percent);
    line.is_losing = line.is_losing != changes;
    return line.is_losing;
}

Duration LinkDirection::next_delay() noexcept {
    double factor = 0;
    switch (options_.jitter_shape) {
        case JitterShape::uniform:
            factor = jitter_.unit();
            break;
        case JitterShape::normal:
            factor = jitter_.normal();
            break;
        case JitterShape::exponential:
            factor = jitter_.exponential();
            break;
        case JitterShape::heavy_tail:
            factor = jitter_.heavy_tail();
            break;
    }
    return std::max(Duration{}, options_.delay + scaled(options_.jitter, factor));
}

Passage LinkDirection::cross(const Crossing& packet) noexcept {
    Line& line = lines_[packet.target];
    Passage passage{.arrival = packet.at};
    if (loses(line)) {
        passage.fate = Fate::lost;
        return passage;
    }
    if (options_.bits_per_s > 0) {
        const Instant begin = std::max(packet.at, line.free_from);
        if (begin - packet.at > options_.queue_max) {
            passage.fate = Fate::queue_full;
            return passage;
        }
        const double bits = octet_bits * static_cast<double>(packet.size_bytes);
        const double seconds = bits / static_cast<double>(options_.bits_per_s);
        line.free_from = begin + Duration{static_cast<std::int64_t>(seconds * ns_per_s)};
        passage.arrival = line.free_from;
    }
    passage.arrival = std::max(passage.arrival + next_delay(), line.arrival);
    if (options_.reorder_percent > 0 && order_.happens(options_.reorder_percent)) {
        passage.arrival = passage.arrival + options_.reorder_by;
    } else {
        line.arrival = passage.arrival;
    }
    passage.is_doubled =
        options_.duplicate_percent > 0 && double_.happens(options_.duplicate_percent);
    return passage;
}

}  // namespace latmon::loadgen
