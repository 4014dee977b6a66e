// SPDX-License-Identifier: Apache-2.0
//
// Who probes us, by what they say of themselves: takes the descriptors that the core-threads
// accepted, and logs them. Keeps nothing. [main-thread]
#pragma once

#include "probe/peer_descriptors.hpp"

#include <memory>
#include <string>
#include <vector>

namespace latmon {

class Peers {
public:
    // One queue per core.
    explicit Peers(std::size_t core_count);

    // Outlives the core-thread that it is given to.
    [[nodiscard]] PeerQueue& queue(std::size_t core) noexcept { return *queues_[core]; }

    // One line for each descriptor accepted since the last call.
    void log_new();

private:
    std::vector<std::unique_ptr<PeerQueue>> queues_;
    std::unique_ptr<PeerDescriptor> taken_;
};

// `peer 10.0.0.1:40000 session 3 is "web1" [site:home, rack:2]`
[[nodiscard]] std::string describe(const PeerDescriptor& peer);

}  // namespace latmon
