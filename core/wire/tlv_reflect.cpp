// SPDX-License-Identifier: Apache-2.0
//
// See tlv_reflect.hpp.
#include "wire/tlv_reflect.hpp"

#include "wire/tlv.hpp"

#include <algorithm>

namespace latmon {
namespace {

enum class Verdict : std::uint8_t { fine, unrecognized, malformed };

constexpr unsigned dscp_shift = 2;  // In the traffic class, behind two bits of ECN.
constexpr std::uint8_t ecn_mask = 0x3;

// One TLV of the request, which becomes one of the reply.
struct Subject {
    std::span<std::byte> value;
    const ReflectorFacts& facts;
    TlvOutcome& outcome;
};

Verdict reflect_location(const Subject& subject) noexcept {
    if (subject.facts.location == nullptr) return Verdict::unrecognized;
    const bool is_fine = answer_location(subject.value, *subject.facts.location);
    return is_fine ? Verdict::fine : Verdict::malformed;
}

Verdict reflect_timestamp_info(const Subject& subject) noexcept {
    if (subject.value.size() != timestamp_info_bytes) return Verdict::malformed;
    encode_timestamp_info(subject.facts.timestamp_info,
                          subject.value.first<timestamp_info_bytes>());
    return Verdict::fine;
}

Verdict reflect_class_of_service(const Subject& subject) noexcept {
    if (subject.value.size() != class_of_service_bytes) return Verdict::malformed;
    if (!subject.facts.traffic_class) return Verdict::unrecognized;
    const std::span<std::byte, class_of_service_bytes> value =
        subject.value.first<class_of_service_bytes>();
    ClassOfService service = decode_class_of_service(value);
    service.dscp2 = static_cast<std::uint8_t>(*subject.facts.traffic_class >> dscp_shift);
    service.ecn = *subject.facts.traffic_class & ecn_mask;
    const bool is_granted = (subject.facts.allowed_dscps >> service.dscp1 & 1U) != 0;
    service.rp = is_granted ? 0 : 1;
    encode_class_of_service(service, value);
    if (!subject.outcome.reply_dscp) {
        subject.outcome.reply_dscp = is_granted ? service.dscp1 : service.dscp2;
    }
    return Verdict::fine;
}

Verdict reflect_direct_measurement(const Subject& subject) noexcept {
    if (subject.value.size() != direct_measurement_bytes) return Verdict::malformed;
    const std::span<std::byte, direct_measurement_bytes> value =
        subject.value.first<direct_measurement_bytes>();
    DirectMeasurement counts = decode_direct_measurement(value);
    subject.outcome.sender_sent = counts.sender_sent;
    if (subject.facts.session == nullptr) return Verdict::unrecognized;
    counts.reflector_received = subject.facts.session->received_count;
    counts.reflector_sent = subject.facts.session->sent_count;
    encode_direct_measurement(counts, value);
    return Verdict::fine;
}

Verdict reflect_access_report(const Subject& subject) noexcept {
    if (subject.value.size() != access_report_bytes) return Verdict::malformed;
    const AccessReport report = decode_access_report(subject.value.first<access_report_bytes>());
    return is_valid(report) ? Verdict::fine : Verdict::unrecognized;
}

Verdict reflect_follow_up(const Subject& subject) noexcept {
    if (subject.value.size() != follow_up_bytes) {
        // As far as there are any: Sequence Number and Follow-Up Timestamp (erratum 8339).
        constexpr std::size_t zeroed_bytes = 12;
        std::fill_n(subject.value.begin(), std::min(zeroed_bytes, subject.value.size()),
                    std::byte{0});
        return Verdict::malformed;
    }
    const SessionFacts* const session = subject.facts.session;
    const bool is_known = session != nullptr && session->previous.has_value();
    encode_follow_up(is_known ? *session->previous : FollowUp{},
                     subject.value.first<follow_up_bytes>());
    return Verdict::fine;
}

Verdict reflect_descriptor(const Subject& subject) noexcept {
    const PrivateTlv owner = private_tlv(subject.value);
    if (owner == PrivateTlv::foreign) return Verdict::unrecognized;
    if (owner == PrivateTlv::ours) subject.outcome.descriptor = decode_descriptor(subject.value);
    subject.outcome.is_descriptor_invalid = !subject.outcome.descriptor;
    return subject.outcome.descriptor ? Verdict::fine : Verdict::malformed;
}

Verdict reflect_exchange(const Subject& subject) noexcept {
    const PrivateTlv owner = private_tlv(subject.value);
    if (owner == PrivateTlv::foreign) return Verdict::unrecognized;
    if (owner == PrivateTlv::malformed || subject.value.size() != exchange_bytes) {
        return Verdict::malformed;
    }
    const std::span<std::byte, exchange_bytes> value = subject.value.first<exchange_bytes>();
    subject.outcome.exchange = decode_exchange(value);
    encode_exchange(subject.facts.exchange, value);
    return Verdict::fine;
}

Verdict reflect(TlvType type, const Subject& subject) noexcept {
    switch (type) {
        case TlvType::location:
            return reflect_location(subject);
        case TlvType::timestamp_info:
            return reflect_timestamp_info(subject);
        case TlvType::class_of_service:
            return reflect_class_of_service(subject);
        case TlvType::direct_measurement:
            return reflect_direct_measurement(subject);
        case TlvType::access_report:
            return reflect_access_report(subject);
        case TlvType::follow_up:
            return reflect_follow_up(subject);
        case TlvType::descriptor:
            return reflect_descriptor(subject);
        case TlvType::exchange:
            return reflect_exchange(subject);
        case TlvType::extra_padding:
        case TlvType::hmac:
            return Verdict::fine;  // Verified before, made anew behind.
    }
    return Verdict::unrecognized;
}

// Counts a TLV and sets its flags, `extra` among them.
void mark(std::span<std::byte> tlvs, std::size_t at, unsigned flags, TlvOutcome& outcome) noexcept {
    ++outcome.count;
    if ((flags & tlv_flags::unrecognized) != 0) ++outcome.unrecognized_count;
    if ((flags & tlv_flags::malformed) != 0) outcome.is_malformed = true;
    set_tlv_flags(tlvs, at, flags);
}

unsigned flags_of_type(std::uint8_t type) noexcept {
    return is_known_tlv(type) ? 0U : tlv_flags::unrecognized;
}

// The TLV at the end that is longer than what is left, if there is one.
void mark_overlong(std::span<std::byte> tlvs, const TlvReader& reader, unsigned flags,
                   TlvOutcome& outcome) noexcept {
    if (!reader.is_malformed()) return;
    const auto type = std::to_integer<std::uint8_t>(reader.rest()[1]);
    mark(tlvs, reader.position(), flags | flags_of_type(type) | tlv_flags::malformed, outcome);
}

void mark_all_failed(std::span<std::byte> tlvs, TlvOutcome& outcome) noexcept {
    outcome.has_failed_integrity = true;
    TlvReader reader(tlvs);
    while (const std::optional<TlvView> tlv = reader.next()) {
        mark(tlvs, tlv->at, flags_of_type(tlv->type) | tlv_flags::integrity, outcome);
    }
    mark_overlong(tlvs, reader, tlv_flags::integrity, outcome);
}

void reflect_all(std::span<std::byte> tlvs, const ReflectorFacts& facts,
                 TlvOutcome& outcome) noexcept {
    TlvReader reader(tlvs);
    while (const std::optional<TlvView> tlv = reader.next()) {
        const std::span<std::byte> value =
            tlvs.subspan(tlv->at + tlv_header_bytes, tlv->value.size());
        const Verdict verdict = reflect(static_cast<TlvType>(tlv->type), {value, facts, outcome});
        const unsigned flags = verdict == Verdict::fine           ? 0U
                               : verdict == Verdict::unrecognized ? tlv_flags::unrecognized
                                                                  : tlv_flags::malformed;
        mark(tlvs, tlv->at, flags, outcome);
        if (verdict == Verdict::malformed) return;
    }
    mark_overlong(tlvs, reader, 0, outcome);
}

}  // namespace

TlvOutcome reflect_tlvs(std::span<std::byte> tlvs, const ReflectorFacts& facts) noexcept {
    TlvOutcome outcome;
    const TlvIntegrity integrity = check_integrity(tlvs, facts.seal);
    if (integrity.verdict == Integrity::failed) {
        mark_all_failed(tlvs, outcome);
        return outcome;
    }
    reflect_all(tlvs, facts, outcome);
    if (integrity.verdict == Integrity::verified) {
        seal_tlvs(tlvs, integrity.hmac_at, facts.reply_sequence, *facts.seal.key);
    }
    return outcome;
}

}  // namespace latmon
