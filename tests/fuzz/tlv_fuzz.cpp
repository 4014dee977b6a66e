// SPDX-License-Identifier: Apache-2.0
//
// Whatever stands behind a base packet: reflecting it, reading it as a reply and laying out a
// request must neither crash nor break what the wire/tlv_*.hpp promise. A libFuzzer target. The
// first two octets of the input choose the reflector's facts and the layout, the rest are TLVs.
#include "base/assert.hpp"
#include "wire/tlv.hpp"
#include "wire/tlv_reflect.hpp"
#include "wire/tlv_reply.hpp"
#include "wire/tlv_request.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <vector>

namespace latmon {
namespace {

using Octets = std::vector<std::byte>;

constexpr std::uint32_t request_sequence = 7;
constexpr std::uint32_t reply_sequence = 4;

const HmacKey& key() {
    static const HmacKey instance(std::as_bytes(std::span("secret").first<6>()));
    return instance;
}

const LocationFacts& location(bool is_ipv6) {
    static const LocationFacts v4{.source = *parse_endpoint("192.0.2.1", 7),
                                  .destination = *parse_endpoint("192.0.2.2", 862),
                                  .is_told = true};
    static const LocationFacts v6{.source = *parse_endpoint("2001:db8::1", 7),
                                  .destination = *parse_endpoint("2001:db8::2", 862)};
    return is_ipv6 ? v6 : v4;
}

struct Choice {
    unsigned bits;
    [[nodiscard]] bool operator()(unsigned bit) const { return (bits >> bit & 1U) != 0; }
};

const SessionFacts session{9, 8, FollowUp{3, {5}, 1}};

ReflectorFacts facts_of(Choice choose) {
    ReflectorFacts facts{.seal = {request_sequence, choose(0) ? &key() : nullptr, choose(1)},
                         .reply_sequence = reply_sequence,
                         .timestamp_info = {1, 2, 3, 4},
                         .allowed_dscps = choose(2) ? ~0ULL : 0ULL,
                         .session = choose(3) ? &session : nullptr,
                         .location = choose(4) ? &location(choose(5)) : nullptr,
                         .exchange = {.flags = 0x1f, .peer_rx_ns = 1, .clock_epoch = 2}};
    if (choose(6)) facts.traffic_class = static_cast<std::uint8_t>(choose.bits);
    return facts;
}

struct Header {
    std::uint8_t type;
    std::size_t value_bytes;
    friend bool operator==(const Header&, const Header&) = default;
};

std::vector<Header> headers_of(std::span<const std::byte> tlvs) {
    std::vector<Header> headers;
    TlvReader reader(tlvs);
    std::size_t expected = 0;
    while (const std::optional<TlvView> tlv = reader.next()) {
        LATMON_ASSERT(tlv->at == expected);
        headers.push_back({tlv->type, tlv->value.size()});
        expected = reader.position();
    }
    LATMON_ASSERT(expected + reader.rest().size() == tlvs.size());
    LATMON_ASSERT(reader.is_malformed() || reader.rest().size() < tlv_header_bytes);
    return headers;
}

// The row keeps its shape, its rest, and the values that nobody may touch.
void check_reflection(const Octets& before, Choice choose) {
    const ReflectorFacts facts = facts_of(choose);
    Octets after = before;
    const TlvOutcome outcome = reflect_tlvs(after, facts);
    LATMON_ASSERT(after.size() == before.size());
    LATMON_ASSERT(headers_of(after) == headers_of(before));
    LATMON_ASSERT(outcome.count <= headers_of(before).size() + 1);
    LATMON_ASSERT(outcome.unrecognized_count <= outcome.count);
    LATMON_ASSERT(!outcome.reply_dscp || *outcome.reply_dscp < 64);

    std::uint32_t index = 0;
    TlvReader reader(before);
    while (const std::optional<TlvView> tlv = reader.next()) {
        const auto first = after.begin() + static_cast<std::ptrdiff_t>(tlv->at + tlv_header_bytes);
        const bool is_same = std::equal(tlv->value.begin(), tlv->value.end(), first);
        const bool is_open = index++ < outcome.count && !outcome.has_failed_integrity;
        const bool is_filled = tlv->type >= 2 && tlv->type <= 8 && tlv->type != 6;
        LATMON_ASSERT(is_same || tlv->is(TlvType::hmac) ||
                      (is_open && (is_filled || tlv->is(TlvType::exchange))));
    }
    const std::span<const std::byte> rest = reader.rest();
    LATMON_ASSERT(
        std::equal(rest.begin() + (rest.empty() ? 0 : 1), rest.end(),
                   after.end() - static_cast<std::ptrdiff_t>(rest.empty() ? 0 : rest.size() - 1)));

    // What the sender makes of it agrees with what the reflector did.
    const ReplyTlvs reply =
        read_reply_tlvs(after, {reply_sequence, facts.seal.key, facts.seal.is_required});
    LATMON_ASSERT((reply.integrity_count != 0) == outcome.has_failed_integrity);
    if (outcome.has_failed_integrity) return;
    LATMON_ASSERT((reply.malformed_count != 0) == outcome.is_malformed);
}

// Octets of any sort, read as a reply.
void check_reply(const Octets& tlvs) {
    for (const bool has_key : {false, true}) {
        const ReplyTlvs reply =
            read_reply_tlvs(tlvs, {reply_sequence, has_key ? &key() : nullptr, has_key});
        LATMON_ASSERT(reply.malformed_count <= 1);
        if (reply.integrity_count == 0) continue;
        LATMON_ASSERT(!reply.follow_up && !reply.exchange && !reply.is_verified);
        LATMON_ASSERT(reply.unrecognized_count == 0 && reply.malformed_count == 0);
    }
}

// What we lay out fills its room, is understood, and comes back.
void check_request(TlvSet wanted, std::uint32_t room, Choice choose) {
    const bool is_sealed = choose(7);
    const TlvLayout layout = layout_tlvs(wanted, 112, 112 + room, is_sealed);
    LATMON_ASSERT(layout.tlv_bytes == room && layout.packet_bytes == 112 + room);
    LATMON_ASSERT(own_tlv_bytes(layout) <= room);
    Octets octets(room);
    encode_request_tlvs(layout, {.sequence = request_sequence, .key = &key()}, octets);
    ReflectorFacts facts = facts_of(choose);
    facts.seal = {request_sequence, &key(), is_sealed};
    const TlvOutcome outcome = reflect_tlvs(octets, facts);
    LATMON_ASSERT(!outcome.is_malformed && !outcome.has_failed_integrity);
    const ReplyTlvs reply = read_reply_tlvs(octets, {reply_sequence, &key(), is_sealed});
    LATMON_ASSERT(reply.malformed_count == 0 && reply.integrity_count == 0);
    LATMON_ASSERT(reply.unrecognized_count == outcome.unrecognized_count);
    LATMON_ASSERT(reply.exchange.has_value() == ((layout.included & tlv_set::exchange) != 0));
    LATMON_ASSERT(reply.is_verified == ((layout.included & tlv_set::hmac) != 0));
}

}  // namespace
}  // namespace latmon

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::span<const std::byte> octets = std::as_bytes(std::span(data + 2, size - 2));
    const latmon::Octets tlvs(octets.begin(), octets.end());
    const latmon::Choice choose{data[0]};
    latmon::check_reflection(tlvs, choose);
    latmon::check_reply(tlvs);
    latmon::check_request(data[1], static_cast<std::uint32_t>(size % 512), choose);
    return 0;
}
