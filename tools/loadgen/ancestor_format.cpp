// SPDX-License-Identifier: Apache-2.0
//
// Packets of the Python tool latency-monitor; see probe_format.hpp. All of a sender's packets have
// one length, so that what is measured does not change with the digits of a number.
#include "loadgen/probe_format.hpp"
#include "wire/ancestor.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <limits>
#include <string>

namespace latmon::loadgen {
namespace {

class AncestorFormat final : public ProbeFormat {
public:
    AncestorFormat(const std::vector<std::uint32_t>& sizes_bytes, std::uint32_t sender_count)
        : sizes_bytes_(sizes_bytes), latest_(sender_count) {
        const std::string source = source_of(sender_count - 1);
        std::vector<std::byte> head(ancestor_source_bytes_max);
        const std::size_t head_bytes =
            encode_ancestor_head({.sequence = ancestor_sequences - 1,
                                  .source = source,
                                  .time_ns = std::numeric_limits<std::int64_t>::max(),
                                  .tags = ""},
                                 head);
        for (std::uint32_t& size_bytes : sizes_bytes_) {
            size_bytes = std::max(size_bytes, static_cast<std::uint32_t>(head_bytes));
        }
    }

    std::size_t size_bytes_max() const noexcept override {
        return *std::ranges::max_element(sizes_bytes_);
    }
    std::size_t size_bytes(std::uint32_t sender) const noexcept override {
        return sizes_bytes_[sender % sizes_bytes_.size()];
    }

    void write(Shot& shot, std::uint16_t ssid, std::span<std::byte> out) override {
        static_cast<void>(ssid);
        const std::string source = source_of(shot.sender);
        const std::span<std::byte> packet = out.first(size_bytes(shot.sender));
        latest_[shot.sender] = std::max(latest_[shot.sender], shot.sequence);
        shot.sent_at = clock_.now();
        const WallTime now = clock_.wall_now();
        shot.t1 = to_ntp(now);
        shot.raw_sent_at = clock_.raw_now();
        const std::size_t head_bytes = encode_ancestor_head(
            {.sequence = static_cast<std::uint16_t>(shot.sequence % ancestor_sequences),
             .source = source,
             .time_ns = now.ns,
             .tags = ""},
            packet);
        std::ranges::fill(packet.subspan(head_bytes), std::byte{'0'});
    }

    std::optional<Echo> read(std::uint32_t sender,
                             std::span<const std::byte> reply) const override {
        AncestorPacket packet;
        if (read_ancestor_head(reply, packet) != AncestorHead::complete) return std::nullopt;
        if (packet.sequence >= ancestor_sequences) return std::nullopt;
        const std::uint32_t latest = latest_[sender];
        const std::uint32_t age =
            (latest + ancestor_sequences - packet.sequence) % ancestor_sequences;
        if (age > latest) return std::nullopt;  // We have not sent as many.
        return Echo{.sequence = latest - age, .t1 = std::nullopt, .turnaround = std::nullopt};
    }

private:
    [[nodiscard]] static std::string source_of(std::uint32_t sender) {
        return fmt::format("loadgen-{:05}", sender + 1);
    }

    std::vector<std::uint32_t> sizes_bytes_;
    std::vector<std::uint32_t> latest_;  // Sequence number of each sender.
    OsClock clock_;
};

}  // namespace

std::unique_ptr<ProbeFormat> make_ancestor_format(const std::vector<std::uint32_t>& sizes_bytes,
                                                  std::uint32_t sender_count) {
    return std::make_unique<AncestorFormat>(sizes_bytes, sender_count);
}

}  // namespace latmon::loadgen
