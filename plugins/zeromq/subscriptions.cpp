// SPDX-License-Identifier: Apache-2.0
//
// See subscriptions.hpp.
#include "zeromq/subscriptions.hpp"

namespace latmon::plugins {

void Subscriptions::take(std::string_view message) {
    if (message.empty()) return;
    const std::string_view prefix = message.substr(1);
    if (message.front() == '\1') {
        if (prefixes_.emplace(prefix).second) ++lengths_[prefix.size()];
    } else if (message.front() == '\0') {
        const auto found = prefixes_.find(prefix);
        if (found == prefixes_.end()) return;
        prefixes_.erase(found);
        if (--lengths_[prefix.size()] == 0) lengths_.erase(prefix.size());
    }
}

bool Subscriptions::wants(std::string_view first_frame) const {
    for (const auto& [length, count] : lengths_) {
        if (length > first_frame.size()) return false;
        if (prefixes_.contains(first_frame.substr(0, length))) return true;
    }
    return false;
}

}  // namespace latmon::plugins
