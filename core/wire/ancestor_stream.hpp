// SPDX-License-Identifier: Apache-2.0
//
// Cuts a stream into the ancestor's messages, which have no framing: a head says nothing of the
// padding behind it, and that may come much later. So a message is given out as soon as its head is
// there, with the padding that is; padding that comes later belongs to nothing and is passed over.
// A '0' before a '|' is a sequence number, every other one before a head is padding.
//
// Pure; one object per connection, whose buffer is the caller's; allocates nothing.
#pragma once

#include "wire/ancestor.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace latmon {

// The longest head that is waited for, all four '|' included.
inline constexpr std::size_t ancestor_head_bytes_max = 4'096;

class AncestorStream {
public:
    enum class Outcome : std::uint8_t { message, needs_more, broken };

    // For a new connection.
    void reset() noexcept { is_used_ = false; }

    // Looks at `data` from its beginning: remainder() of the last time, and what came since. It
    // stays until the next look, but what a message had may be written over. [core-thread]
    void look(std::span<const std::byte> data) noexcept {
        data_ = data;
        at_ = 0;
        is_open_ = false;
    }

    // The next message, until `needs_more`. `broken`: this is no stream of the ancestor's, and
    // nothing more may be asked. [core-thread]
    [[nodiscard]] Outcome next() noexcept;

    // Of the latest message.
    [[nodiscard]] const AncestorPacket& packet() const noexcept { return packet_; }
    // Where in `data` its head begins,
    [[nodiscard]] std::size_t message_at() const noexcept { return message_at_; }
    // and how many octets it has that no message had before it: all but one, if it begins with a
    // '0' that was taken for padding.
    [[nodiscard]] std::size_t message_bytes() const noexcept { return message_bytes_; }

    // Nothing has come behind it yet.
    [[nodiscard]] bool is_last() const noexcept { return is_open_ || at_ == data_.size(); }

    // After `needs_more`: what must be in front of the next look, less than
    // ancestor_head_bytes_max. Counted to no message, but for a '0' that was, and is needed again.
    [[nodiscard]] std::span<const std::byte> remainder() const noexcept {
        return is_open_ ? std::span<const std::byte>(zero) : data_.subspan(at_);
    }

private:
    static constexpr std::array<std::byte, 1> zero{std::byte{'0'}};

    // Where the padding that begins at `at` ends: at what may be a head.
    [[nodiscard]] std::size_t after_padding(std::size_t at) const noexcept;

    std::span<const std::byte> data_;
    std::size_t at_ = 0;
    AncestorPacket packet_;
    std::size_t message_at_ = 0;
    std::size_t message_bytes_ = 0;
    // The latest message had all that came, its last octet a '0'.
    bool is_open_ = false;
    // The octet at at_ is a '0' that was counted to the message before it, and may yet be a
    // sequence number.
    bool is_used_ = false;
};

}  // namespace latmon
