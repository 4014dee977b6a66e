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

void append(std::span<const std::byte> more, std::vector<std::byte>& octets) {
    octets.insert(octets.end(), more.begin(), more.end());
}

// Behind `octets`: a TLV with a value of zeros.
void append_zeros(TlvType type, std::size_t value_bytes, std::vector<std::byte>& octets) {
    const std::size_t at = octets.size();
    octets.resize(at + tlv_header_bytes + value_bytes);
    encode_tlv_header(tlv_flags::unrecognized, type, value_bytes, header_at(octets, at));
}

// What the descriptor takes of the plan, and into `left_out` what it does not.
Descriptor descriptor_of(const ProbePlan& plan, std::vector<std::string>& left_out) {
    Descriptor descriptor;
    if (!descriptor.try_set_name(plan.node_name)) return descriptor;
    for (const std::string& tag : plan.tags) {
        if (!descriptor.try_add_tag(tag)) left_out.push_back(tag);
    }
    return descriptor;
}

}  // namespace

DescriptorSender::DescriptorSender(const ProbePlan& plan, std::uint64_t boot_nonce,
                                   const HmacKey* key)
    : key_(key), spacing_(std::max(plan.timeout, spacing_min)) {
    if (!plan.sends_descriptor) return;
    std::vector<std::string> left_out;
    Descriptor descriptor = descriptor_of(plan, left_out);
    if (descriptor.name().empty()) return;
    descriptor.boot_nonce = boot_nonce;
    std::array<std::byte, descriptor_tlv_bytes_max> tlv{};
    const std::uint32_t tlv_bytes = encode_descriptor(descriptor, tlv);
    octets_.resize(base_bytes_of(key));
    append(std::span(tlv).first(tlv_bytes), octets_);
    // The sample of the probe before waits for it, and this packet's reply comes first.
    if (plan.waits_for_follow_up) append_zeros(TlvType::follow_up, follow_up_bytes, octets_);
    hmac_at_ = octets_.size() - base_bytes_of(key);
    if (key != nullptr) append_zeros(TlvType::hmac, mac_bytes, octets_);
    message_.set_payload(octets_);
}

bool DescriptorSender::is_due(Instant now, std::uint32_t clock_epoch) const noexcept {
    if (octets_.empty() || now < not_before_) return false;
    return !is_told_ || clock_epoch != told_epoch_ || now - told_at_ >= repeat_interval;
}

void DescriptorSender::write(const SenderPacket& packet, Instant now,
                             std::uint32_t clock_epoch) noexcept {
    LATMON_ASSERT(!octets_.empty());
    is_told_ = true;
    told_at_ = now;
    told_epoch_ = clock_epoch;
    not_before_ = now + spacing_;
    set_clock_epoch(tlvs(), clock_epoch);
    encode_sender(packet, key_, octets_);
    if (key_ != nullptr) seal_tlvs(tlvs(), hmac_at_, packet.sequence, *key_);
}

std::span<std::byte> DescriptorSender::tlvs() noexcept {
    return std::span(octets_).subspan(base_bytes_of(key_));
}

std::vector<std::string> descriptor_warnings(const Plan& plan) {
    std::vector<std::string> warnings;
    for (const CorePlan& core : plan.cores) {
        for (const ProbePlan& probe : core.probes) {
            if (!probe.sends_descriptor || probe.kind != ProbeKind::udp) continue;
            std::vector<std::string> left_out;
            if (descriptor_of(probe, left_out).name().empty()) {
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
