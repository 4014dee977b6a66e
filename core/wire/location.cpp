// SPDX-License-Identifier: Apache-2.0
//
// See location.hpp.
#include "wire/location.hpp"

#include "wire/octets.hpp"
#include "wire/tlv.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace latmon {
namespace {

// RFC 8972 section 5.3.
constexpr std::uint8_t source_mac = 1;
constexpr std::uint8_t source_eui_64 = 3;
constexpr std::uint8_t destination_ip = 4;
constexpr std::uint8_t destination_ipv4 = 5;
constexpr std::uint8_t destination_ipv6 = 6;
constexpr std::uint8_t source_ip = 7;
constexpr std::uint8_t source_ipv4 = 8;
constexpr std::uint8_t source_ipv6 = 9;

constexpr std::size_t ports_bytes = 4;
constexpr std::size_t mac_value_bytes = 8;
constexpr std::size_t ip_value_bytes = 16;
constexpr std::size_t ipv4_at = 12;  // Where an IPv4 address stands in an AddressBytes.

static_assert(location_request_bytes == ports_bytes + 2 * (tlv_header_bytes + ip_value_bytes));

struct Answer {
    std::uint8_t type = 0;
    std::array<std::byte, ip_value_bytes> value{};
};

Answer answer_ip(const AddressBytes& address, bool is_told, std::uint8_t type_ipv4) noexcept {
    const bool is_4 = is_ipv4(address);
    Answer answer{.type = static_cast<std::uint8_t>(is_4 ? type_ipv4 : type_ipv4 + 1)};
    if (!is_told) return answer;
    const std::size_t from = is_4 ? ipv4_at : 0;
    std::memcpy(answer.value.data(), address.data() + from, address.size() - from);
    return answer;
}

bool has_right_length(const TlvView& sub) noexcept {
    return sub.value.size() == (sub.type == source_mac ? mac_value_bytes : ip_value_bytes);
}

// Nothing if this is no question.
std::optional<Answer> answer_to(std::uint8_t type, const LocationFacts& facts) noexcept {
    static_assert(destination_ipv6 == destination_ipv4 + 1 && source_ipv6 == source_ipv4 + 1);
    switch (type) {
        case source_mac:
            return Answer{.type = source_eui_64};
        case destination_ip:
            return answer_ip(facts.destination.address, facts.is_told, destination_ipv4);
        case source_ip:
            return answer_ip(facts.source.address, facts.is_told, source_ipv4);
        default:
            return std::nullopt;
    }
}

// False if no further sub-TLV is to be looked at.
bool answer_sub_tlv(std::span<std::byte> subs, const TlvView& sub,
                    const LocationFacts& facts) noexcept {
    const std::optional<Answer> answer = answer_to(sub.type, facts);
    if (!answer) {
        set_tlv_flags(subs, sub.at, tlv_flags::unrecognized);
        return true;
    }
    if (!has_right_length(sub)) {
        set_tlv_flags(subs, sub.at, tlv_flags::malformed);
        return false;
    }
    set_tlv_flags(subs, sub.at, 0);
    subs[sub.at + 1] = std::byte{answer->type};
    std::copy_n(answer->value.begin(), sub.value.size(),
                subs.begin() + static_cast<std::ptrdiff_t>(sub.at + tlv_header_bytes));
    return true;
}

bool is_well_formed(std::span<const std::byte> subs) noexcept {
    TlvReader reader(subs);
    while (reader.next()) {
    }
    return reader.rest().empty();
}

}  // namespace

void encode_location_request(std::span<std::byte, location_request_bytes> out) noexcept {
    std::fill(out.begin(), out.end(), std::byte{0});
    std::size_t at = ports_bytes;
    for (const std::uint8_t type : {destination_ip, source_ip}) {
        // A sub-TLV's header is like a TLV's, but for its own numbers.
        out[at] = std::byte{tlv_flags::unrecognized};
        out[at + 1] = std::byte{type};
        out[at + 3] = std::byte{ip_value_bytes};
        at += tlv_header_bytes + ip_value_bytes;
    }
}

bool answer_location(std::span<std::byte> value, const LocationFacts& facts) noexcept {
    if (value.size() < ports_bytes) return false;
    const std::span<std::byte> subs = value.subspan(ports_bytes);
    if (!is_well_formed(subs)) return false;
    const std::span<std::byte, ports_bytes> ports = value.first<ports_bytes>();
    store_big_endian<0>(ports, facts.is_told ? facts.destination.port : std::uint16_t{0});
    store_big_endian<2>(ports, facts.is_told ? facts.source.port : std::uint16_t{0});
    TlvReader reader(subs);
    while (const std::optional<TlvView> sub = reader.next()) {
        if (!answer_sub_tlv(subs, *sub, facts)) break;
    }
    return true;
}

}  // namespace latmon
