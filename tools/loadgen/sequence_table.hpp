// SPDX-License-Identifier: Apache-2.0
//
// A reflector's own sequence number for everybody who probes it (RFC 8762 section 4.3, stateful
// mode), in a fixed table: sets of eight places, and who has been silent longest gives way when a
// set is full. One per thread; allocates when it is built, never after. Its hash is not secret:
// whoever probes a load generator is not an enemy.
#pragma once

#include "base/address.hpp"

#include <cstdint>
#include <vector>

namespace latmon::loadgen {

struct ProberKey {
    AddressBytes source{};
    std::uint32_t target = 0;  // Its index.
    std::uint16_t source_port = 0;
    std::uint16_t ssid = 0;
    friend bool operator==(const ProberKey&, const ProberKey&) noexcept = default;
};

class SequenceTable {
public:
    // Rounded up to a power of two, at least one set.
    explicit SequenceTable(std::uint32_t prober_count);

    // The number for the next reply to `key`, counting from 0.
    [[nodiscard]] std::uint32_t next(const ProberKey& key) noexcept;

    // How often somebody had to give way; numbers of theirs then start from 0 again.
    [[nodiscard]] std::uint64_t evictions() const noexcept { return evictions_; }

private:
    struct Place {
        ProberKey key;
        std::uint32_t sequence = 0;
        std::uint64_t last_used = 0;  // 0: free.
    };

    std::vector<Place> places_;
    std::uint64_t set_mask_;
    std::uint64_t uses_ = 0;
    std::uint64_t evictions_ = 0;
};

}  // namespace latmon::loadgen
