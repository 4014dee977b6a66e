// SPDX-License-Identifier: Apache-2.0
//
// Lines put into packets of a size that arrives whole. What belongs together stays in one packet:
// packets may come in another order than they left, or not at all. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace latmon::plugins::statsd {

struct Packet {
    std::string octets{};  // Lines, '\n' between them.
    std::uint32_t lines = 0;
    std::uint32_t values = 0;  // Of timers, in these lines.
};

// How much some lines hold.
struct Weight {
    std::uint32_t lines = 1;
    std::uint32_t values = 0;
};

class Packets {
public:
    explicit Packets(std::size_t packet_bytes) : packet_bytes_(packet_bytes) {}

    // Appends lines with '\n' between them alone. False if they do not fit into any packet.
    [[nodiscard]] bool add(std::string_view lines, Weight weight);

    // Packets to which nothing can be added any more.
    [[nodiscard]] std::span<const Packet> complete() const noexcept {
        return {packets_.data(), complete_};
    }
    // Ends the one that is being filled, if it holds anything.
    void close();
    // Forgets the complete ones.
    void clear_complete();

    [[nodiscard]] std::size_t packet_bytes() const noexcept { return packet_bytes_; }

private:
    std::size_t packet_bytes_;
    std::vector<Packet> packets_{1};  // The complete ones, the open one, and spare ones.
    std::size_t complete_ = 0;
};

}  // namespace latmon::plugins::statsd
