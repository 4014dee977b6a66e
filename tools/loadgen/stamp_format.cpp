// SPDX-License-Identifier: Apache-2.0
//
// STAMP requests and their replies; see probe_format.hpp. A packet is written anew each time, for
// its place may have held somebody else's, of another size.
#include "loadgen/probe_format.hpp"
#include "wire/auth.hpp"

#include <algorithm>

namespace latmon::loadgen {
namespace {

class StampFormat final : public ProbeFormat {
public:
    explicit StampFormat(const StampOptions& options)
        : key_(options.key),
          // What a wall clock that nobody vouches for may be wrong by; the reply's timing is not
          // judged.
          error_estimate_(encode_error_estimate({.error = Duration::from_ms(1)})) {
        const std::uint32_t base_bytes = static_cast<std::uint32_t>(base_bytes_of(key_));
        for (const std::uint32_t size_bytes : options.sizes_bytes) {
            layouts_.push_back(layout_tlvs(options.tlvs, base_bytes, size_bytes, key_ != nullptr));
            size_bytes_max_ = std::max<std::size_t>(size_bytes_max_, size_bytes);
        }
    }

    std::size_t size_bytes_max() const noexcept override { return size_bytes_max_; }
    std::size_t size_bytes(std::uint32_t sender) const noexcept override {
        return layout_of(sender).packet_bytes;
    }

    void write(Shot& shot, std::uint16_t ssid, std::span<std::byte> out) override {
        const TlvLayout& layout = layout_of(shot.sender);
        const std::span<std::byte> packet = out.first(layout.packet_bytes);
        std::ranges::fill(packet, std::byte{0});  // Somebody else's packet may be there.
        encode_request_tlvs(layout,
                            {.sequence = shot.sequence,
                             .key = key_,
                             .clock_epoch = 1,
                             .sent_count = shot.sequence + 1},
                            packet.subspan(base_bytes_of(key_)));
        shot.sent_at = clock_.now();
        shot.t1 = to_ntp(clock_.wall_now());
        shot.raw_sent_at = clock_.raw_now();
        encode_sender({.sequence = shot.sequence,
                       .t1 = shot.t1,
                       .error_estimate = error_estimate_,
                       .ssid = ssid},
                      key_, packet);
    }

    std::optional<Echo> read(std::uint32_t sender,
                             std::span<const std::byte> reply) const override {
        static_cast<void>(sender);
        if (key_ != nullptr && !verify_auth(reply, *key_)) return std::nullopt;
        const std::optional<ReflectorPacket> packet = decode_reflector(reply, key_);
        if (!packet) return std::nullopt;
        const WallTime near = clock_.wall_now();
        return Echo{.sequence = packet->sender_sequence,
                    .ssid = packet->ssid,
                    .t1 = packet->sender_t1,
                    .turnaround = from_ntp(packet->t3, near) - from_ntp(packet->t2, near)};
    }

private:
    [[nodiscard]] const TlvLayout& layout_of(std::uint32_t sender) const noexcept {
        return layouts_[sender % layouts_.size()];
    }

    const HmacKey* key_;
    std::uint16_t error_estimate_;
    std::vector<TlvLayout> layouts_;
    std::size_t size_bytes_max_ = 0;
    OsClock clock_;
};

}  // namespace

std::unique_ptr<ProbeFormat> make_stamp_format(const StampOptions& options) {
    return std::make_unique<StampFormat>(options);
}

}  // namespace latmon::loadgen
