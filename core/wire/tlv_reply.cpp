// SPDX-License-Identifier: Apache-2.0
//
// See tlv_reply.hpp.
#include "wire/tlv_reply.hpp"

#include "wire/tlv.hpp"

namespace latmon {
namespace {

enum class Verdict : std::uint8_t { fine, unrecognized, malformed };

// Keeps what `decode` makes of `value` in `slot`, unless something is there already.
template <std::size_t bytes, typename T>
Verdict keep(std::span<const std::byte> value, T (*decode)(std::span<const std::byte, bytes>),
             std::optional<T>& slot) noexcept {
    if (value.size() != bytes) return Verdict::malformed;
    if (!slot) slot = decode(value.first<bytes>());
    return Verdict::fine;
}

Verdict keep_follow_up(std::span<const std::byte> value, std::optional<FollowUp>& slot) noexcept {
    std::optional<FollowUp> found;
    const Verdict verdict = keep(value, &decode_follow_up, found);
    if (found && found->timestamp.bits != 0 && !slot) slot = found;
    return verdict;
}

Verdict keep_exchange(std::span<const std::byte> value,
                      std::optional<ExchangeInfo>& slot) noexcept {
    switch (private_tlv(value)) {
        case PrivateTlv::ours:
            return keep(value, &decode_exchange, slot);
        case PrivateTlv::foreign:
            return Verdict::unrecognized;
        case PrivateTlv::malformed:
            break;
    }
    return Verdict::malformed;
}

Verdict read(const TlvView& tlv, ReplyTlvs& reply) noexcept {
    switch (static_cast<TlvType>(tlv.type)) {
        case TlvType::follow_up:
            return keep_follow_up(tlv.value, reply.follow_up);
        case TlvType::timestamp_info:
            return keep(tlv.value, &decode_timestamp_info, reply.timestamp_info);
        case TlvType::class_of_service:
            return keep(tlv.value, &decode_class_of_service, reply.class_of_service);
        case TlvType::direct_measurement:
            return keep(tlv.value, &decode_direct_measurement, reply.direct_measurement);
        case TlvType::access_report:
            return keep(tlv.value, &decode_access_report, reply.access_report);
        case TlvType::exchange:
            return keep_exchange(tlv.value, reply.exchange);
        case TlvType::extra_padding:
        case TlvType::location:    // Nothing of ours reads it.
        case TlvType::descriptor:  // An echo of our own.
        case TlvType::hmac:
            return Verdict::fine;
    }
    return Verdict::unrecognized;
}

bool has(std::uint8_t flags, std::uint8_t flag) noexcept {
    return (flags & flag) != 0;
}

// How many TLVs have I, up to the first with M: what is behind that was copied unseen, flags of the
// request and all.
std::uint32_t count_failed(std::span<const std::byte> tlvs) noexcept {
    std::uint32_t count = 0;
    TlvReader reader(tlvs);
    while (const std::optional<TlvView> tlv = reader.next()) {
        count += has(tlv->flags, tlv_flags::integrity) ? 1U : 0U;
        if (has(tlv->flags, tlv_flags::malformed)) return count;
    }
    if (reader.is_malformed()) {
        const auto flags = std::to_integer<std::uint8_t>(reader.rest()[0]);
        count += has(flags, tlv_flags::integrity) ? 1U : 0U;
    }
    return count;
}

void read_all(std::span<const std::byte> tlvs, ReplyTlvs& reply) noexcept {
    TlvReader reader(tlvs);
    while (const std::optional<TlvView> tlv = reader.next()) {
        const bool is_stop = has(tlv->flags, tlv_flags::malformed);
        const bool is_skipped = has(tlv->flags, tlv_flags::unrecognized);
        const Verdict verdict = is_stop      ? Verdict::malformed
                                : is_skipped ? Verdict::unrecognized
                                             : read(*tlv, reply);
        if (verdict == Verdict::unrecognized) ++reply.unrecognized_count;
        if (verdict == Verdict::malformed) {
            reply.malformed_count = 1;
            return;
        }
    }
    if (reader.is_malformed()) reply.malformed_count = 1;
}

}  // namespace

ReplyTlvs read_reply_tlvs(std::span<const std::byte> tlvs, const TlvSeal& seal) noexcept {
    ReplyTlvs reply;
    reply.integrity_count = count_failed(tlvs);
    if (reply.integrity_count != 0) return reply;
    const TlvIntegrity integrity = check_integrity(tlvs, seal);
    if (integrity.verdict == Integrity::failed) {
        reply.integrity_count = 1;
        return reply;
    }
    reply.is_verified = integrity.verdict == Integrity::verified;
    read_all(tlvs, reply);
    return reply;
}

}  // namespace latmon
