// SPDX-License-Identifier: Apache-2.0
//
// Whatever claims to be a descriptor: reading it must neither crash nor let anything through that
// wire/descriptor.hpp forbids, and what was read can be sent again. A libFuzzer target.
#include "base/assert.hpp"
#include "wire/descriptor.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>

namespace latmon {
namespace {

// Said once more, in other words than those of the code under test.
void check_text(std::string_view text) {
    LATMON_ASSERT(!text.empty() && text.size() <= 64);
    for (const char letter : text) {
        LATMON_ASSERT(letter != '|' && letter != 0x7f);
        LATMON_ASSERT(static_cast<unsigned char>(letter) >= 0x20);
    }
    for (const std::string_view forbidden : {"\xc2\x80", "\xc2\x9f", "\xed\xa0\x80", "\xc0\xaf"}) {
        LATMON_ASSERT(text.find(forbidden) == std::string_view::npos);
    }
}

void check(std::span<const std::byte> value) {
    const std::optional<Descriptor> descriptor = decode_descriptor(value);
    if (!descriptor) return;
    LATMON_ASSERT(value.size() <= descriptor_value_bytes_max);
    check_text(descriptor->name());
    LATMON_ASSERT(descriptor->tag_count() <= descriptor_tags_max);
    for (std::uint32_t index = 0; index < descriptor->tag_count(); ++index) {
        check_text(descriptor->tag(index));
        LATMON_ASSERT(descriptor->tag(index).find(':', 1) != std::string_view::npos);
    }

    std::array<std::byte, descriptor_tlv_bytes_max> out{};
    const std::uint32_t bytes = encode_descriptor(*descriptor, out);
    LATMON_ASSERT(bytes <= value.size() + tlv_header_bytes);
    const std::optional<Descriptor> again =
        decode_descriptor(std::span(out).first(bytes).subspan(tlv_header_bytes));
    LATMON_ASSERT(again && again->name() == descriptor->name());
    LATMON_ASSERT(again->tag_count() == descriptor->tag_count());
    for (std::uint32_t index = 0; index < again->tag_count(); ++index) {
        LATMON_ASSERT(again->tag(index) == descriptor->tag(index));
    }
    LATMON_ASSERT(again->boot_nonce == descriptor->boot_nonce);
    LATMON_ASSERT(again->clock_epoch == descriptor->clock_epoch);
}

}  // namespace
}  // namespace latmon

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    latmon::check(std::as_bytes(std::span(data, size)));
    return 0;
}
