// SPDX-License-Identifier: Apache-2.0
//
// What stands in a probe's packets, octet by octet, in each mode and at every size.
#include "probe/packet_template.hpp"

#include "wire/auth.hpp"
#include "wire/frame.hpp"
#include "wire/tlv_integrity.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <string_view>
#include <vector>

namespace latmon {
namespace {

using Octets = std::vector<std::byte>;

constexpr TlvSet all_tlvs = 0x7f;
constexpr SenderPacket packet{.sequence = 0x0102'0304,
                              .t1 = {0x1112'1314'1516'1718},
                              .error_estimate = 0x8a01,
                              .ssid = 0x2122};
constexpr ProbeExtras extras{.clock_epoch = 0x3132'3334, .sent_count = 9, .is_synchronized = true};

const Octets zeros(limits::probe_bytes_max);

HmacKey test_key() {
    constexpr std::string_view secret = "a secret";
    return HmacKey(std::as_bytes(std::span(secret)));
}

ProbePlan plan_of(std::uint32_t size_bytes, TlvSet tlvs) {
    ProbePlan plan;
    plan.size_bytes = size_bytes;
    plan.tlvs = tlvs;
    plan.dscp = 46;
    return plan;
}

Octets sent(const PacketTemplate& packet_template) {
    Octets octets;
    const msghdr& header = packet_template.message().header();
    for (std::size_t part = 0; part < header.msg_iovlen; ++part) {
        const auto* const data = static_cast<const std::byte*>(header.msg_iov[part].iov_base);
        octets.insert(octets.end(), data, data + header.msg_iov[part].iov_len);
    }
    return octets;
}

Octets written(const ProbePlan& plan, const HmacKey* key) {
    PacketTemplate packet_template(plan, zeros, key);
    packet_template.write(packet, extras);
    CHECK(packet_template.message().payload_bytes() == sent(packet_template).size());
    return sent(packet_template);
}

bool is_zero(std::span<const std::byte> octets) {
    return std::ranges::all_of(octets, [](std::byte octet) { return octet == std::byte{0}; });
}

// The types of the TLVs that follow one another to the very end.
std::vector<std::uint8_t> walk(std::span<const std::byte> tlvs) {
    std::vector<std::uint8_t> types;
    TlvReader reader(tlvs);
    while (const std::optional<TlvView> tlv = reader.next()) {
        types.push_back(tlv->type);
        CHECK(tlv->flags == tlv_flags::unrecognized);
    }
    CHECK(!reader.is_malformed());
    CHECK(reader.rest().size() < tlv_header_bytes);
    CHECK(is_zero(reader.rest()));
    return types;
}

}  // namespace

TEST_CASE("packet_template: an open probe is sequence, T1, error estimate, session id and zeros") {
    const Octets octets = written(plan_of(44, tlv_set::none), nullptr);
    REQUIRE(octets.size() == 44);
    constexpr std::array<unsigned, 16> head{1,    2,    3,    4,    0x11, 0x12, 0x13, 0x14,
                                            0x15, 0x16, 0x17, 0x18, 0x8a, 0x01, 0x21, 0x22};
    for (std::size_t at = 0; at < head.size(); ++at)
        CHECK(std::to_integer<unsigned>(octets[at]) == head[at]);
    CHECK(is_zero(std::span(octets).subspan(16)));
}

TEST_CASE("packet_template: an open probe has exactly its size, and TLVs that walk cleanly") {
    for (std::uint32_t size_bytes = 44; size_bytes <= 2'000; ++size_bytes) {
        CAPTURE(size_bytes);
        const Octets octets = written(plan_of(size_bytes, all_tlvs), nullptr);
        REQUIRE(octets.size() == size_bytes);
        CHECK(*decode_sender(octets) == packet);
        const std::vector<std::uint8_t> types = walk(std::span(octets).subspan(44));
        CHECK(types.size() == (size_bytes >= 44 + 128 + 4 ? 8 : types.size()));
        if (size_bytes >= 48) CHECK(!types.empty());
    }
}

TEST_CASE("packet_template: an authenticated probe of every size verifies, and so do its TLVs") {
    const HmacKey key = test_key();
    for (std::uint32_t size_bytes = 112; size_bytes <= 2'000; ++size_bytes) {
        CAPTURE(size_bytes);
        const Octets octets = written(plan_of(size_bytes, all_tlvs), &key);
        REQUIRE(octets.size() == size_bytes);
        CHECK(verify_auth(octets, key));
        CHECK(*decode_sender_auth(octets) == packet);
        const std::span<const std::byte> tlvs = std::span(octets).subspan(112);
        const std::vector<std::uint8_t> types = walk(tlvs);
        const Integrity verdict =
            check_integrity(tlvs, {.sequence = packet.sequence, .key = &key, .is_required = true})
                .verdict;
        const bool has_tlvs = types.size() > 1;  // More than padding: then they are sealed.
        CHECK(verdict == (has_tlvs ? Integrity::verified : Integrity::unsealed));
        if (size_bytes >= 112 + 148 + 4) CHECK(types.size() == 9);
    }
}

TEST_CASE("packet_template: the largest packet is as large as it says") {
    const HmacKey key = test_key();
    CHECK(written(plan_of(limits::probe_bytes_max, all_tlvs), nullptr).size() ==
          limits::probe_bytes_max);
    CHECK(written(plan_of(limits::probe_bytes_max, all_tlvs), &key).size() ==
          limits::probe_bytes_max);
}

TEST_CASE("packet_template: each packet is sealed anew, and padding costs no octet of its own") {
    const HmacKey key = test_key();
    PacketTemplate packet_template(plan_of(1'000, all_tlvs), zeros, &key);
    for (std::uint32_t sequence = 0; sequence < 5; ++sequence) {
        SenderPacket next = packet;
        next.sequence = sequence;
        packet_template.write(next, extras);
        const Octets octets = sent(packet_template);
        CHECK(verify_auth(octets, key));
        CHECK(decode_sender_auth(octets)->sequence == sequence);
        CHECK(check_integrity(std::span(octets).subspan(112), {.sequence = sequence, .key = &key})
                  .verdict == Integrity::verified);
    }
    const iovec& padding = packet_template.message().header().msg_iov[1];
    CHECK(padding.iov_base == zeros.data());
    CHECK(padding.iov_len == 1'000 - 112 - 148 - 4);
}

TEST_CASE("packet_template: TLVs tell what is asked of the reflector") {
    const Octets octets = written(plan_of(200, all_tlvs), nullptr);
    int seen = 0;
    const std::span<const std::byte> all(octets);
    TlvReader reader(all.subspan(44));
    while (const std::optional<TlvView> tlv = reader.next()) {
        if (tlv->is(TlvType::exchange)) {
            ++seen;
            CHECK(decode_exchange(tlv->value.first<exchange_bytes>()) ==
                  ExchangeInfo{.flags = exchange_flags::synchronized, .clock_epoch = 0x3132'3334});
        }
        if (tlv->is(TlvType::class_of_service)) {
            ++seen;
            CHECK(decode_class_of_service(tlv->value.first<class_of_service_bytes>()).dscp1 == 46);
        }
        if (tlv->is(TlvType::direct_measurement)) {
            ++seen;
            CHECK(decode_direct_measurement(tlv->value.first<direct_measurement_bytes>())
                      .sender_sent == 9);
        }
    }
    CHECK(seen == 3);
}

TEST_CASE("packet_template: TWAMP-Light is 14 octets and zeros at every size") {
    for (std::uint32_t size_bytes = 14; size_bytes <= 200; ++size_bytes) {
        CAPTURE(size_bytes);
        ProbePlan plan = plan_of(size_bytes, tlv_set::none);
        plan.protocol = ProbeProtocol::twamp_light;
        const Octets octets = written(plan, nullptr);
        REQUIRE(octets.size() == size_bytes);
        CHECK(decode_sender(octets)->sequence == packet.sequence);
        CHECK(decode_sender(octets)->t1 == packet.t1);
        CHECK(decode_sender(octets)->error_estimate == packet.error_estimate);
        CHECK(is_zero(std::span(octets).subspan(14)));  // The session id too.
    }
}

TEST_CASE("packet_template: over TCP the same octets stand behind a frame header") {
    const HmacKey key = test_key();
    for (const HmacKey* const used : {static_cast<const HmacKey*>(nullptr), &key}) {
        for (std::uint32_t size_bytes = 112; size_bytes <= 2'000; size_bytes += 9) {
            CAPTURE(size_bytes);
            ProbePlan plan = plan_of(size_bytes, all_tlvs);
            const Octets datagram = written(plan, used);
            plan.kind = ProbeKind::tcp;
            plan.protocol = ProbeProtocol::twamp_light;  // Of UDP alone.
            const Octets framed = written(plan, used);
            REQUIRE(framed.size() == size_bytes + frame_header_bytes);
            const auto header = decode_frame_header(std::span(framed).first<frame_header_bytes>());
            REQUIRE(header.has_value());
            CHECK(header->pdu_bytes == size_bytes);
            CHECK(header->type == FrameType::probe);
            CHECK(std::ranges::equal(std::span(framed).subspan(frame_header_bytes), datagram));
        }
    }
}

TEST_CASE("packet_template: reduced to the base packet it is as long, and says nothing more") {
    const HmacKey key = test_key();
    for (const HmacKey* const used : {static_cast<const HmacKey*>(nullptr), &key}) {
        const std::uint32_t base_bytes = used == nullptr ? 44 : 112;
        for (std::uint32_t size_bytes = base_bytes; size_bytes <= 600; ++size_bytes) {
            CAPTURE(size_bytes);
            PacketTemplate packet_template(plan_of(size_bytes, all_tlvs), zeros, used);
            packet_template.write(packet, extras);
            packet_template.reduce_to_base();
            packet_template.reduce_to_base();
            packet_template.write(packet, extras);
            const Octets octets = sent(packet_template);
            REQUIRE(octets.size() == size_bytes);
            const auto base = used == nullptr ? decode_sender(octets) : decode_sender_auth(octets);
            CHECK(base->ssid == 0);
            CHECK(base->sequence == packet.sequence);
            if (used != nullptr) CHECK(verify_auth(octets, key));
            const std::span<const std::byte> rest = std::span(octets).subspan(base_bytes);
            for (const std::uint8_t type : walk(rest))
                CHECK(type == static_cast<std::uint8_t>(TlvType::extra_padding));
            if (rest.size() > tlv_header_bytes) CHECK(is_zero(rest.subspan(tlv_header_bytes)));
        }
    }
}

}  // namespace latmon
