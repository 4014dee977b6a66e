// SPDX-License-Identifier: Apache-2.0
//
// The ancestor's grammar against a second reading of it: the hand-written reader and a regular
// expression must agree on every input; what is read is written back the same; a reply to it is in
// the same form, as long as the request, and never answered itself. A libFuzzer target.
#include "base/assert.hpp"
#include "wire/ancestor.hpp"

#include <array>
#include <cstdint>
#include <cstring>
#include <regex>
#include <span>
#include <string>
#include <vector>

namespace {

using latmon::AncestorPacket;
using latmon::AncestorTags;

// std::regex recurses once per octet of a repetition; short inputs hold every rule of the grammar.
constexpr std::size_t oracle_bytes_max = 2'000;

// The expression of wire/ancestor.hpp. No field takes a NUL, which std::regex would end at.
bool matches_expression(const std::string& text) {
    static const std::regex expression(
        "(0|[1-9][0-9]{0,2})\\|[^|\\x01-\\x1f]{0,255}\\|([0-9]{16,20})\\|[^|]*\\|0*",
        std::regex::ECMAScript | std::regex::optimize);
    if (text.find('\0') != std::string::npos) return false;
    std::smatch match;
    if (!std::regex_match(text, match, expression)) return false;
    return (std::string(20 - static_cast<std::size_t>(match[2].length()), '0') + match.str(2)) <=
           "09223372036854775807";
}

// Strings that were read are written as a list that reads the same.
void check_tags(std::string_view text) {
    AncestorTags tags;
    if (!tags.read(text)) {
        LATMON_ASSERT(tags.tags().empty());
        return;
    }
    std::vector<char> written(20'000);
    const std::size_t bytes = latmon::encode_ancestor_tags(tags.tags(), written);
    LATMON_ASSERT(bytes > 0);
    AncestorTags again;
    LATMON_ASSERT(again.read({written.data(), bytes}));
    LATMON_ASSERT(std::equal(tags.tags().begin(), tags.tags().end(), again.tags().begin(),
                             again.tags().end()));
}

void check_reply(const AncestorPacket& request, std::span<std::byte> octets) {
    const std::uint16_t sequence = request.sequence;
    const std::string tags(request.tags);
    const std::uint8_t hello = request.hello;
    const latmon::AncestorReply reply{.source = "node", .t2_ns = 1'800'000'000'000'000'000};
    if (!latmon::encode_ancestor_reply(request, reply, octets)) return;
    AncestorPacket read;
    const auto head = latmon::read_ancestor_head(octets, read);
    LATMON_ASSERT(head == latmon::AncestorHead::complete);
    LATMON_ASSERT(latmon::decode_ancestor(octets));
    LATMON_ASSERT(read.sequence == sequence && read.tags == tags && read.hello > hello);
    LATMON_ASSERT(read.time_ns == reply.t2_ns);
    if (read.hello < latmon::ancestor_hello_reflected) return;
    LATMON_ASSERT(!latmon::encode_ancestor_reply(read, reply, octets));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto packet = latmon::decode_ancestor(std::as_bytes(std::span(data, size)));
    if (size <= oracle_bytes_max) {
        LATMON_ASSERT(packet.has_value() == matches_expression(std::string(data, data + size)));
    }
    check_tags({reinterpret_cast<const char*>(data), size});
    if (!packet) return 0;
    check_tags(packet->tags);
    std::vector<std::uint8_t> replied(data, data + size);
    check_reply(*packet, std::as_writable_bytes(std::span(replied)));
    // A time that has fewer digits without its zeros is none that a packet may hold.
    if (packet->time_ns < 1'000'000'000'000'000) return 0;
    std::vector<std::byte> head(size);
    const std::size_t bytes = latmon::encode_ancestor_head(*packet, head);
    AncestorPacket again;
    LATMON_ASSERT(latmon::read_ancestor_head(std::span(head).first(bytes), again) ==
                  latmon::AncestorHead::complete);
    LATMON_ASSERT(again.time_ns == packet->time_ns && again.source == packet->source &&
                  again.tags == packet->tags && again.hello == packet->hello);
    return 0;
}
