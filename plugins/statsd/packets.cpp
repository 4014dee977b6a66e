// SPDX-License-Identifier: Apache-2.0
//
// See packets.hpp. Packets keep their memory from one round to the next.
#include "statsd/packets.hpp"

#include <utility>

namespace latmon::plugins::statsd {

bool Packets::add(std::string_view lines, Weight weight) {
    if (lines.size() > packet_bytes_) return false;
    if (packets_[complete_].octets.size() + 1 + lines.size() > packet_bytes_) close();
    Packet& open = packets_[complete_];
    if (!open.octets.empty()) open.octets += '\n';
    open.octets += lines;
    open.lines += weight.lines;
    open.values += weight.values;
    return true;
}

void Packets::close() {
    if (packets_[complete_].octets.empty()) return;
    if (++complete_ == packets_.size()) packets_.emplace_back();
}

void Packets::clear_complete() {
    for (std::size_t index = 0; index < complete_; ++index) {
        packets_[index].octets.clear();
        packets_[index].lines = packets_[index].values = 0;
    }
    std::swap(packets_.front(), packets_[complete_]);
    complete_ = 0;
}

}  // namespace latmon::plugins::statsd
