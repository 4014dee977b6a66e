// SPDX-License-Identifier: Apache-2.0
//
// See descriptor.hpp.
#include "wire/descriptor.hpp"

#include "base/assert.hpp"
#include "wire/code_point.hpp"
#include "wire/octets.hpp"
#include "wire/tlv_values.hpp"

#include <algorithm>
#include <cstring>

namespace latmon {
namespace {

constexpr std::size_t item_header_bytes = 2;
constexpr std::uint8_t name_id = 1;
constexpr std::uint8_t tag_id = 2;

// FNV-1a, 32 bits.
std::uint32_t hash_of(std::span<const std::byte> octets) noexcept {
    std::uint32_t hash = 2'166'136'261;
    for (const std::byte octet : octets) {
        hash = (hash ^ std::to_integer<std::uint32_t>(octet)) * 16'777'619U;
    }
    return hash;
}

std::size_t put_item(std::uint8_t id, std::string_view text, std::span<std::byte> out) noexcept {
    out[0] = std::byte{id};
    out[1] = static_cast<std::byte>(text.size());
    std::memcpy(out.data() + item_header_bytes, text.data(), text.size());
    return item_header_bytes + text.size();
}

// False if an item breaks a rule.
bool read_items(std::span<const std::byte> items, Descriptor& descriptor) noexcept {
    while (!items.empty()) {
        if (items.size() < item_header_bytes) return false;
        const auto id = std::to_integer<std::uint8_t>(items[0]);
        const auto bytes = std::to_integer<std::size_t>(items[1]);
        if (bytes > items.size() - item_header_bytes) return false;
        const std::span<const std::byte> octets = items.subspan(item_header_bytes, bytes);
        const std::string_view text(reinterpret_cast<const char*>(octets.data()), octets.size());
        if (id == name_id && !descriptor.try_set_name(text)) return false;
        if (id == tag_id && !descriptor.try_add_tag(text)) return false;
        items = items.subspan(item_header_bytes + bytes);
    }
    return !descriptor.name().empty();
}

}  // namespace

bool is_descriptor_text(std::string_view text) noexcept {
    if (text.empty() || text.size() > descriptor_text_bytes_max) return false;
    return is_plain_text(text) && text.find('|') == std::string_view::npos;
}

bool is_descriptor_tag(std::string_view text) noexcept {
    const std::size_t colon = text.find(':');
    return colon != std::string_view::npos && colon != 0 && is_descriptor_text(text);
}

bool Descriptor::try_set_name(std::string_view name) noexcept {
    if (name_.bytes != 0 || !is_descriptor_text(name) || !has_room(name.size())) return false;
    name_ = append(name);
    return true;
}

bool Descriptor::try_add_tag(std::string_view tag) noexcept {
    if (tag_count_ == descriptor_tags_max) return false;
    if (!is_descriptor_tag(tag) || !has_room(tag.size())) return false;
    tags_[tag_count_] = append(tag);
    ++tag_count_;
    return true;
}

std::string_view Descriptor::name() const noexcept {
    return view(name_);
}

std::string_view Descriptor::tag(std::uint32_t index) const noexcept {
    LATMON_ASSERT(index < tag_count_);
    return view(tags_[index]);
}

bool Descriptor::has_room(std::size_t text_bytes) const noexcept {
    return items_bytes_ + item_header_bytes + text_bytes <= items_bytes_max;
}

Descriptor::Text Descriptor::append(std::string_view text) noexcept {
    const Text result{.at = text_bytes_, .bytes = static_cast<std::uint8_t>(text.size())};
    std::memcpy(text_.data() + text_bytes_, text.data(), text.size());
    text_bytes_ = static_cast<std::uint16_t>(text_bytes_ + text.size());
    items_bytes_ += static_cast<std::uint32_t>(item_header_bytes + text.size());
    return result;
}

std::string_view Descriptor::view(Text text) const noexcept {
    return {text_.data() + text.at, text.bytes};
}

std::uint32_t encode_descriptor(const Descriptor& descriptor,
                                std::span<std::byte, descriptor_tlv_bytes_max> out) noexcept {
    LATMON_ASSERT(!descriptor.name().empty());
    const std::span<std::byte, descriptor_value_bytes_max> value =
        out.subspan<tlv_header_bytes, descriptor_value_bytes_max>();
    const std::span<std::byte> items = value.subspan(descriptor_fixed_bytes);
    std::size_t bytes = put_item(name_id, descriptor.name(), items);
    for (std::uint32_t index = 0; index < descriptor.tag_count(); ++index) {
        bytes += put_item(tag_id, descriptor.tag(index), items.subspan(bytes));
    }
    store_big_endian<0>(value, enterprise_number);
    store_big_endian<4>(value, private_version);
    store_big_endian<5>(value, descriptor.kind);
    store_big_endian<6>(value, descriptor.flags);
    store_big_endian<8>(value, descriptor.boot_nonce);
    store_big_endian<16>(value, descriptor.clock_epoch);
    store_big_endian<20>(value, hash_of(items.first(bytes)));
    encode_tlv_header(tlv_flags::unrecognized, TlvType::descriptor, descriptor_fixed_bytes + bytes,
                      out.first<tlv_header_bytes>());
    return static_cast<std::uint32_t>(tlv_header_bytes + descriptor_fixed_bytes + bytes);
}

std::optional<Descriptor> decode_descriptor(std::span<const std::byte> value) noexcept {
    if (private_tlv(value) != PrivateTlv::ours) return std::nullopt;
    if (value.size() < descriptor_fixed_bytes) return std::nullopt;
    if (value.size() > descriptor_value_bytes_max) return std::nullopt;
    const std::span<const std::byte, descriptor_fixed_bytes> fixed =
        value.first<descriptor_fixed_bytes>();
    std::optional<Descriptor> result(std::in_place);
    result->kind = load_big_endian<std::uint8_t, 5>(fixed);
    result->flags = load_big_endian<std::uint16_t, 6>(fixed);
    result->boot_nonce = load_big_endian<std::uint64_t, 8>(fixed);
    result->clock_epoch = load_big_endian<std::uint32_t, 16>(fixed);
    result->hash = load_big_endian<std::uint32_t, 20>(fixed);
    if (!read_items(value.subspan(descriptor_fixed_bytes), *result)) result.reset();
    return result;
}

}  // namespace latmon
