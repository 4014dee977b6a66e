// SPDX-License-Identifier: Apache-2.0
//
// See peers.hpp.
#include "daemon/peers.hpp"

#include "base/log.hpp"

#include <span>

namespace latmon {

Peers::Peers(std::size_t core_count) : taken_(std::make_unique<PeerDescriptor>()) {
    for (std::size_t core = 0; core < core_count; ++core) {
        queues_.push_back(std::make_unique<PeerQueue>(limits::queue_peers));
    }
}

void Peers::log_new() {
    for (const std::unique_ptr<PeerQueue>& queue : queues_) {
        while (queue->pop_batch(std::span(taken_.get(), 1)) > 0)
            log::info(describe(*taken_));
    }
}

std::string describe(const PeerDescriptor& peer) {
    const Descriptor& descriptor = peer.descriptor;
    std::string text = "peer " + to_string(peer.source) + " session " + std::to_string(peer.ssid) +
                       " is \"" + std::string(descriptor.name()) + "\"";
    for (std::uint32_t index = 0; index < descriptor.tag_count(); ++index) {
        text += (index == 0 ? " [" : ", ") + std::string(descriptor.tag(index));
    }
    return descriptor.tag_count() == 0 ? text : text + "]";
}

}  // namespace latmon
