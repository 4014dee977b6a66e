// SPDX-License-Identifier: Apache-2.0
//
// Options of the simulated network that both ends of a load have, and which of them would do
// nothing; see arguments_common.hpp. What was asked for and does nothing is refused: a report that
// names it would say that it was simulated. Main thread only.
#include "loadgen/arguments_common.hpp"

#include <algorithm>
#include <array>

namespace latmon::loadgen {
namespace {

const std::map<std::string, JitterShape> shape_names{{"uniform", JitterShape::uniform},
                                                     {"normal", JitterShape::normal},
                                                     {"exponential", JitterShape::exponential},
                                                     {"heavy-tail", JitterShape::heavy_tail}};

// Of either end; what a stream does not do.
constexpr std::array datagram_options{"--loss",    "--loss-forward", "--loss-reverse",
                                      "--reorder", "--duplicate",    "--queue-us"};

}  // namespace

void LinkArguments::add(std::string_view packets) {
    app_.add_option("--loss-burst", loss_burst_,
                    "Packets lost in a row, on average, of one target or sender")
        ->check(CLI::Range(1.0, 1e6));
    app_.add_option("--jitter-us", jitter_us_, "Delay at random, in order; of targets each way")
        ->check(us_range);
    add_choice(app_, "--jitter-shape", shape_names, jitter_shape_)
        ->description(
            "uniform: 0 to that; normal: its deviation; exponential, heavy-tail: its mean");
    app_.add_option("--reorder", reorder_percent_, fmt::format("Percent of {} held up", packets))
        ->check(percent_range);
    app_.add_option("--reorder-by-us", reorder_by_us_, "For how long, so that others pass them")
        ->check(us_range);
    app_.add_option("--duplicate", duplicate_percent_,
                    fmt::format("Percent of {} sent twice", packets))
        ->check(percent_range);
}

void LinkArguments::apply(DirectionOptions& way) const {
    way.loss_burst = loss_burst_;
    way.jitter = Duration::from_us(jitter_us_);
    way.jitter_shape = jitter_shape_;
    way.reorder_percent = reorder_percent_;
    way.reorder_by = Duration::from_us(reorder_by_us_);
    way.duplicate_percent = duplicate_percent_;
}

Result<void> LinkArguments::check(std::initializer_list<double> loss_percents) const {
    if (loss_burst_ > 0 && std::max(loss_percents) == 0) {
        return usage_error("--loss-burst without a loss does nothing; add --loss");
    }
    for (const double loss : loss_percents) {
        if (loss_burst_ > 0 && loss < 100 && loss_burst_ < loss_burst_min(loss)) {
            return usage_error(fmt::format("{} % lost takes a --loss-burst of {:.3f} or more", loss,
                                           loss_burst_min(loss)));
        }
    }
    if (app_.count("--jitter-shape") > 0 && jitter_us_ == 0) {
        return usage_error("--jitter-shape without a jitter does nothing; add --jitter-us");
    }
    if (app_.count("--reorder-by-us") > 0 && reorder_percent_ == 0) {
        return usage_error("--reorder-by-us without --reorder does nothing; add --reorder");
    }
    if (reorder_percent_ > 0 && reorder_by_us_ == 0) {
        return usage_error("--reorder-by-us 0 holds nothing up; write 1 or more");
    }
    return {};
}

Result<void> LinkArguments::check_stream(std::string_view cure) const {
    for (const char* const name : datagram_options) {
        const CLI::Option* const option = app_.get_option_no_throw(name);
        if (option == nullptr || option->count() == 0) continue;
        return usage_error(fmt::format(
            "over TCP nothing is lost, reordered or doubled: leave {} out, or {}", name, cure));
    }
    return {};
}

}  // namespace latmon::loadgen
