// SPDX-License-Identifier: Apache-2.0
//
// Packets of the Python tool latency-monitor, which arrive on the same ports and are answered in
// kind: recognised by a strict grammar and by nothing looser, because every one of them also reads
// as a STAMP request with an odd sequence number. Pure; used on core-threads; allocates nothing
// but where it says so. Nothing in them is evaluated.
//
//   SEQUENCE|source|timestamp_ns|tags|000...        ASCII, padded with '0' to the configured size
//
// A reply has the same form: the sequence number and the tags of the request, the reflector's name
// and the time at which it received, and the padding. There is no echo of T1 and no T3. Sequence
// numbers run from 0 to 100 and begin again, so that replies to probes that far apart cannot be
// told from each other.
//
// Spaces behind the list of tags mean nothing to the Python tool, which echoes them as they are.
// latmon says two things with them. A sender that would rather speak STAMP writes one: a node of
// the ancestor's echoes one. A reply of latmon's has two, or at least more than its request, which
// tells that sender who is there; and because every reflector echoes them, a packet that has two
// already is some reply, and answering it might never end. Sequence numbers could not stop that:
// any rule about them is kept by as many forged packets at once as there are numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace latmon {

inline constexpr std::uint32_t ancestor_sequences = 101;  // 0 to 100.
inline constexpr std::size_t ancestor_source_bytes_max = 255;
inline constexpr std::size_t ancestor_tags_max = 32;
inline constexpr std::size_t ancestor_tags_bytes_max = 1'024;  // Of all tags of a list together.

// AncestorPacket::hello, and how many spaces stand for it.
inline constexpr std::uint8_t ancestor_hello_none = 0;
inline constexpr std::uint8_t ancestor_hello_asked = 1;      // The sender knows STAMP too.
inline constexpr std::uint8_t ancestor_hello_reflected = 2;  // A reply of latmon's.

// One packet, or one message of a stream. Views into what was decoded.
struct AncestorPacket {
    std::uint16_t sequence = 0;  // 0 to 999.
    std::string_view source;     // UTF-8, or what passes for it; no control characters. Or empty.
    std::int64_t time_ns = 0;    // T1 of a request, T2 of a reply, since 1970.
    // As written: the repr() of a Python list of str, or empty. Without the spaces behind it.
    std::string_view tags;
    std::uint8_t hello = 0;      // How many those are; 2: or more.
    std::size_t head_bytes = 0;  // Up to and with the fourth '|'; padding follows.
};

// The packet, if the whole of `data` matches
//   ^(0|[1-9][0-9]{0,2})\|[^|\x00-\x1f]{0,255}\|[0-9]{16,20}\|[^|\x00]*\|0*$
// and the time fits an int64. A STAMP request never does (its octets 16-43 are zero), nor does, but
// for odds below 1e-25, one with random padding. To be asked before a packet is read as STAMP.
// [any-thread]
[[nodiscard]] std::optional<AncestorPacket> decode_ancestor(
    std::span<const std::byte> data) noexcept;

// What the beginning of a stream is.
enum class AncestorHead : std::uint8_t { complete, incomplete, broken };

// Reads a head alone, whatever follows its fourth '|'; `packet` is set if it is complete.
// [any-thread]
[[nodiscard]] AncestorHead read_ancestor_head(std::span<const std::byte> data,
                                              AncestorPacket& packet) noexcept;

// The strings of a list such as "['isp:local', \"it's\"]" in the order written: the syntax of
// Python's repr() of a list of str, with the escapes that repr() makes (\\ \' \" \n \r \t \xNN
// \uNNNN \UNNNNNNNN). Anything else is no list of tags: nothing is evaluated.
class AncestorTags {
public:
    AncestorTags() noexcept = default;
    AncestorTags(const AncestorTags&) = delete;
    AncestorTags& operator=(const AncestorTags&) = delete;

    // False, and no tags, if `text` is anything else, has more than ancestor_tags_max tags, or
    // needs more than ancestor_tags_bytes_max. "" and "[]" are no tags, and fine. [any-thread]
    [[nodiscard]] bool read(std::string_view text) noexcept;
    // Valid until the next read().
    [[nodiscard]] std::span<const std::string_view> tags() const noexcept {
        return std::span(tags_).first(count_);
    }

private:
    [[nodiscard]] bool read_list(std::string_view text) noexcept;
    [[nodiscard]] bool read_string(std::string_view& text) noexcept;
    [[nodiscard]] bool put(std::string_view octets) noexcept;
    [[nodiscard]] bool put_escaped(std::string_view& text) noexcept;

    std::array<char, ancestor_tags_bytes_max> octets_{};
    std::array<std::string_view, ancestor_tags_max> tags_{};
    std::size_t count_ = 0;
    std::size_t octets_used_ = 0;
};

// The repr() of a Python list of these strings into `out`: octets written, or 0 if there is no
// room. Control characters and what is not UTF-8 is escaped as repr() does; so is '|', which no
// field may hold and which the Python tool would split at. [any-thread]
[[nodiscard]] std::size_t encode_ancestor_tags(std::span<const std::string_view> tags,
                                               std::span<char> out) noexcept;

// `name` as it can be a source: what a source may not hold is '_', a name that is too long is cut,
// and one that is empty is "_". Allocates. [set-up]
[[nodiscard]] std::string ancestor_source(std::string_view name);

// Writes `SEQUENCE|source|time|tags|` into `out`, with as many spaces as `hello` behind the tags,
// cut to its size: octets written. A request and a reply alike. [any-thread]
[[nodiscard]] std::size_t encode_ancestor_head(const AncestorPacket& packet,
                                               std::span<std::byte> out) noexcept;

// What a reply says that its request does not.
struct AncestorReply {
    std::string_view source;  // As of ancestor_source(); cut if there is no room.
    std::int64_t t2_ns = 0;   // Not negative.
};

// Writes the reply to `request` over all of `out`: head, then padding. `out` may lie over what the
// request was decoded from, as long as it begins where that does or before. False, and nothing
// written, if `out` has no room for one space more than the request has: such a reply could be
// reflected for ever. With as many octets as the request, there is room for it always, unless that
// has no padding and a time of less than 19 digits. [any-thread]
[[nodiscard]] bool encode_ancestor_reply(const AncestorPacket& request, const AncestorReply& reply,
                                         std::span<std::byte> out) noexcept;

}  // namespace latmon
