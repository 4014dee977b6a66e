// SPDX-License-Identifier: Apache-2.0
//
// See descriptor_sender.hpp.
#include "probe/descriptor_sender.hpp"

#include "base/assert.hpp"
#include "wire/auth.hpp"
#include "wire/descriptor.hpp"
#include "wire/tlv_integrity.hpp"
#include "wire/tlv_values.hpp"

#include <algorithm>
#include <array>

namespace latmon {
namespace {

// A reflector that was restarted, or that missed it, learns it at last by then.
constexpr Duration repeat_interval = Duration::from_s(60);

// However restless our clock is, and however many copies of replies come.
constexpr Duration spacing_min = Duration::from_s(1);

TlvHeader header_at(std::span<std::byte> octets, std::size_t at) noexcept {
    return octets.subspan(at).first<tlv_header_bytes>();
}

// A TLV with a value of zeros at `at`; returns where the next one goes.
std::size_t put_zeros(TlvType type, std::size_t value_bytes, std::size_t at,
                      std::span<std::byte> octets) noexcept {
    const std::size_t end = at + tlv_header_bytes + value_bytes;
    std::ranges::fill(octets.subspan(at, end - at), std::byte{0});
    encode_tlv_header(tlv_flags::unrecognized, type, value_bytes, header_at(octets, at));
    return end;
}

// What the descriptor takes of the plan; what it does not, `leave_out(tag)` gets.
template <typename LeaveOut>
Descriptor descriptor_of(const ProbePlan& plan, const LeaveOut& leave_out) {
    Descriptor descriptor;
    if (!descriptor.try_set_name(plan.node_name)) return descriptor;
    for (const std::string& tag : plan.tags) {
        if (!descriptor.try_add_tag(tag)) leave_out(tag);
    }
    return descriptor;
}

constexpr auto forget_it = [](const std::string&) noexcept {};

}  // namespace

DescriptorSender::DescriptorSender(const ProbePlan& plan, std::uint64_t boot_nonce,
                                   const HmacKey* key, DescriptorPacket& packet)
    : plan_(plan),
      boot_nonce_(boot_nonce),
      key_(key),
      packet_(packet),
      has_name_(plan.sends_descriptor && !descriptor_of(plan, forget_it).name().empty()) {}

bool DescriptorSender::is_due(Instant now, std::uint32_t clock_epoch) const noexcept {
    if (!has_name_ || now < not_before_ || packet_.is_taken) return false;
    return !is_told_ || clock_epoch != told_epoch_ || now - told_at_ >= repeat_interval;
}

void DescriptorSender::write(const SenderPacket& packet, Instant now,
                             std::uint32_t clock_epoch) noexcept {
    LATMON_ASSERT(has_name_ && !packet_.is_taken);
    packet_.is_taken = true;
    is_told_ = true;
    told_at_ = now;
    told_epoch_ = clock_epoch;
    not_before_ = now + std::max(plan_.timeout, spacing_min);
    Descriptor descriptor = descriptor_of(plan_, forget_it);
    descriptor.boot_nonce = boot_nonce_;
    descriptor.clock_epoch = clock_epoch;
    encode_sender(packet, key_, packet_.octets);
    const std::span<std::byte> tlvs = std::span(packet_.octets).subspan(base_bytes_of(key_));
    std::size_t tlv_bytes = encode_descriptor(descriptor, tlvs.first<descriptor_tlv_bytes_max>());
    // The sample of the probe before waits for it, and this packet's reply comes first.
    if (plan_.waits_for_follow_up) {
        tlv_bytes = put_zeros(TlvType::follow_up, follow_up_bytes, tlv_bytes, tlvs);
    }
    if (key_ != nullptr) {
        const std::size_t hmac_at = tlv_bytes;
        tlv_bytes = put_zeros(TlvType::hmac, mac_bytes, tlv_bytes, tlvs);
        seal_tlvs(tlvs.first(tlv_bytes), hmac_at, packet.sequence, *key_);
    }
    packet_.message.set_payload(std::span(packet_.octets).first(base_bytes_of(key_) + tlv_bytes));
}

std::vector<std::string> descriptor_warnings(const Plan& plan) {
    std::vector<std::string> warnings;
    for (const CorePlan& core : plan.cores) {
        for (const ProbePlan& probe : core.probes) {
            if (!probe.sends_descriptor || probe.kind != ProbeKind::udp) continue;
            std::vector<std::string> left_out;
            const auto leave_out = [&](const std::string& tag) { left_out.push_back(tag); };
            if (descriptor_of(probe, leave_out).name().empty()) {
                return {
                    "\"name\" is not told to peers: there a name has 1 to 64 octets of UTF-8 "
                    "without control characters and without '|'"};
            }
            if (left_out.empty()) continue;
            std::string list;
            for (const std::string& tag : left_out)
                list += (list.empty() ? "\"" : ", \"") + tag + "\"";
            warnings.push_back("target \"" + probe.host + "\": tags " + list +
                               " are not told to the peer: there is room for 16 tags \"key:value\" "
                               "of at most 64 octets each, without '|', 484 octets in all");
        }
    }
    return warnings;
}

}  // namespace latmon
