// SPDX-License-Identifier: Apache-2.0
//
// TLVs behind a STAMP base packet (RFC 8972 section 4): their types and flags, and how to walk a
// row of them. What their values mean is in tlv_values.hpp; what each side does with them is in
// tlv_request.hpp, tlv_reflect.hpp and tlv_reply.hpp. Pure; used on core-threads; allocates
// nothing.
//
//    0        1        2                 4
//   +--------+--------+-----------------+----------
//   | Flags  | Type   | Length of value | Value ...     Flags: U M I R R R R R
//   +--------+--------+-----------------+----------
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace latmon {

// RFC 8972 section 5.1. Types 9, 10 (RFC 9503) and 12 (RFC 10052) have no name here: they aim
// replies at third parties or multiply them, and are answered as unrecognised.
enum class TlvType : std::uint8_t {
    extra_padding = 1,
    location = 2,
    timestamp_info = 3,
    class_of_service = 4,
    direct_measurement = 5,
    access_report = 6,
    follow_up = 7,
    hmac = 8,
    descriptor = 252,  // Private use: descriptor.hpp.
    exchange = 253     // Private use: tlv_values.hpp.
};

[[nodiscard]] bool is_known_tlv(std::uint8_t type) noexcept;

namespace tlv_flags {
inline constexpr std::uint8_t unrecognized = 0x80;  // U
inline constexpr std::uint8_t malformed = 0x40;     // M
inline constexpr std::uint8_t integrity = 0x20;     // I
}  // namespace tlv_flags

inline constexpr std::uint32_t tlv_header_bytes = 4;
inline constexpr std::uint32_t tlv_value_bytes_max = 0xffff;

struct TlvView {
    std::uint8_t flags = 0;
    std::uint8_t type = 0;
    std::span<const std::byte> value;
    std::size_t at = 0;  // Of its header, counted from the beginning of the row.

    [[nodiscard]] bool is(TlvType wanted) const noexcept {
        return type == static_cast<std::uint8_t>(wanted);
    }
};

// Walks a row of TLVs, each of which lies inside it whole; stops at the first that does not.
// Borrows the octets.
class TlvReader {
public:
    explicit TlvReader(std::span<const std::byte> tlvs) noexcept : tlvs_(tlvs) {}

    // The next TLV; nothing at the end, or at a TLV that is longer than what is left.
    [[nodiscard]] std::optional<TlvView> next() noexcept;

    // True, once next() has given nothing, if that was for a TLV that is too long.
    [[nodiscard]] bool is_malformed() const noexcept;

    // What has not been walked: the TLV that is too long and all behind it, or the 0 to 3 octets at
    // the end that are no TLV.
    [[nodiscard]] std::span<const std::byte> rest() const noexcept { return tlvs_.subspan(at_); }
    [[nodiscard]] std::size_t position() const noexcept { return at_; }

private:
    std::span<const std::byte> tlvs_;
    std::size_t at_ = 0;
};

using TlvHeader = std::span<std::byte, tlv_header_bytes>;

// `value_bytes` is at most tlv_value_bytes_max. [any-thread]
void encode_tlv_header(std::uint8_t flags, TlvType type, std::size_t value_bytes,
                       TlvHeader out) noexcept;

// Sets the flags of the TLV whose header begins at `at`; the reserved ones become zero.
// [any-thread]
void set_tlv_flags(std::span<std::byte> tlvs, std::size_t at, unsigned flags) noexcept;

}  // namespace latmon
