// SPDX-License-Identifier: Apache-2.0
//
// latmon's descriptor, TLV 252 of private use: a node's name and tags, told in packets that measure
// nothing. Octets in, values out, and back; pure; fixed in size; allocates nothing. Whether a peer
// is to be believed, and how often it may change its mind, is not decided here.
//
//    0  PEN                 4     Value of the TLV, at most 508 octets (512 with its header)
//    4  Version, 1          1
//    5  Kind                1
//    6  Flags               2
//    8  Boot nonce          8
//   16  Clock epoch         4
//   20  Hash                4
//   24  Items: Id(1) Length(1) Text; Id 1: the name, exactly once; Id 2: a tag "key:value"
//
// Every text has 1 to 64 octets of UTF-8 without control characters and without '|', which the
// ancestor's packets separate their fields with. Items of another Id are skipped.
#pragma once

#include "wire/tlv.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace latmon {

inline constexpr std::uint32_t descriptor_tlv_bytes_max = 512;
inline constexpr std::uint32_t descriptor_value_bytes_max =
    descriptor_tlv_bytes_max - tlv_header_bytes;
inline constexpr std::uint32_t descriptor_fixed_bytes = 24;
inline constexpr std::uint32_t descriptor_text_bytes_max = 64;
inline constexpr std::uint32_t descriptor_tags_max = 16;

inline constexpr std::uint8_t descriptor_kind_node = 1;

// True for a text as above; a tag must have a key as well. [any-thread]
[[nodiscard]] bool is_descriptor_text(std::string_view text) noexcept;
[[nodiscard]] bool is_descriptor_tag(std::string_view text) noexcept;

class Descriptor {
public:
    std::uint8_t kind = descriptor_kind_node;
    std::uint16_t flags = 0;
    std::uint64_t boot_nonce = 0;   // Random per process: tells a restarted peer from the same one.
    std::uint32_t clock_epoch = 0;  // As in the exchange TLV.
    // Of the items: equal as long as nothing changed. Written by the encoder, whatever it is here;
    // opaque to the receiver.
    std::uint32_t hash = 0;

    // False, and nothing changed, if the text breaks a rule or there is no room; a name can be set
    // once.
    [[nodiscard]] bool try_set_name(std::string_view name) noexcept;
    [[nodiscard]] bool try_add_tag(std::string_view tag) noexcept;

    [[nodiscard]] std::string_view name() const noexcept;
    [[nodiscard]] std::uint32_t tag_count() const noexcept { return tag_count_; }
    // `index` is below tag_count(). The view is into this object.
    [[nodiscard]] std::string_view tag(std::uint32_t index) const noexcept;

private:
    static constexpr std::uint32_t items_bytes_max =
        descriptor_value_bytes_max - descriptor_fixed_bytes;

    struct Text {
        std::uint16_t at = 0;
        std::uint8_t bytes = 0;
    };

    [[nodiscard]] bool has_room(std::size_t text_bytes) const noexcept;
    [[nodiscard]] Text append(std::string_view text) noexcept;
    [[nodiscard]] std::string_view view(Text text) const noexcept;

    Text name_;
    std::uint32_t tag_count_ = 0;
    std::uint32_t items_bytes_ = 0;  // On the wire, headers and all.
    std::uint16_t text_bytes_ = 0;
    std::array<Text, descriptor_tags_max> tags_;
    std::array<char, items_bytes_max> text_;  // The first text_bytes_ are set.
};

// Writes the whole TLV, with U=1, M=0, I=0, and returns its length. The name must be set.
// [any-thread]
[[nodiscard]] std::uint32_t encode_descriptor(
    const Descriptor& descriptor, std::span<std::byte, descriptor_tlv_bytes_max> out) noexcept;

// Reads a value that private_tlv() says is ours. Nothing if it is too long, an item does not lie
// inside it whole, or any rule above is broken. [any-thread]
[[nodiscard]] std::optional<Descriptor> decode_descriptor(
    std::span<const std::byte> value) noexcept;

}  // namespace latmon
