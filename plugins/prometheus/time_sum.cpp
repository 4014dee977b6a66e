// SPDX-License-Identifier: Apache-2.0
//
// See time_sum.hpp.
#include "prometheus/time_sum.hpp"

namespace latmon::plugins::prometheus {

void TimeSum::append_to(std::string& out) const {
    const bool is_negative = seconds_ < 0;
    std::int64_t whole = seconds_;
    std::int64_t part = rest_ns_;
    if (is_negative) {
        whole = part == 0 ? -seconds_ : -(seconds_ + 1);
        part = part == 0 ? 0 : 1'000'000'000 - part;
        out += '-';
    }
    out += std::to_string(whole);
    if (part == 0) return;
    std::string digits = std::to_string(part);
    digits.insert(0, 9 - digits.size(), '0');
    digits.erase(digits.find_last_not_of('0') + 1);
    out.append(".").append(digits);
}

}  // namespace latmon::plugins::prometheus
