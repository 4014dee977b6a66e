// SPDX-License-Identifier: Apache-2.0
//
// Which datagram a stamp belongs to where the datagram does not say so itself: because the kernel
// takes no keys (Linux 6.1 to 6.12), or because a key is dear, being a control message for which
// the kernel looks the route up anew. The kernel then numbers the stamped datagrams of a socket
// itself, from 0 (SOF_TIMESTAMPING_OPT_ID in the kernel's networking/timestamping); here these
// numbers become the user's keys again. For a socket whose sends complete in the order in which
// they were prepared, as datagrams sent without waiting do. Pure; owned by the ring, one per
// socket.
//
// A send that failed may have used up a number of the kernel's or not, depending on how far it
// came. From then on the numbers here are sent along, each as a key of its own, or, where the
// kernel takes none, nothing is stamped on this socket any more. To let the kernel count from 0
// again would need a moment at which no stamp is due, and nobody knows how long a queue below holds
// a datagram back. A wrong stamp is worse than none.
#pragma once

#include <cstdint>
#include <optional>

namespace latmon {

class KeyCount {
public:
    // A datagram with this key is about to be sent. Its number, which has to go with it from the
    // first failure on.
    [[nodiscard]] std::uint32_t before_send(std::uint32_t key) noexcept {
        if (key - next_ != now_.offset) {  // Keys were left out.
            before_ = now_;
            now_ = {.first = next_, .offset = key - next_};
            has_before_ = true;
        }
        ++under_way_;
        return next_++;
    }

    void on_sent() noexcept { --under_way_; }

    // True for the first that failed.
    [[nodiscard]] bool on_failed() noexcept {
        const bool is_first = !has_failed_;
        if (is_first) {
            // The oldest under way is the one that failed: nobody knows the numbers that the kernel
            // gave to those behind it.
            doubt_from_ = next_ - under_way_;
            doubt_to_ = next_;
        }
        has_failed_ = true;
        --under_way_;
        return is_first;
    }

    // The kernel's own numbers are worth nothing any more.
    [[nodiscard]] bool has_failed() const noexcept { return has_failed_; }

    // The key of the datagram of this number, whose stamp has come, perhaps before the completion
    // of its send; none: it cannot be told.
    [[nodiscard]] std::optional<std::uint32_t> key_of(std::uint32_t number) const noexcept {
        const bool is_doubtful = has_failed_ && number - doubt_from_ < doubt_to_ - doubt_from_;
        if (!is_before(number, next_) || is_doubtful) return std::nullopt;
        if (!is_before(number, now_.first)) return number + now_.offset;
        if (has_before_ && !is_before(number, before_.first)) return number + before_.offset;
        return std::nullopt;
    }

private:
    // Numbers from `first` on are `offset` less than the keys.
    struct Range {
        std::uint32_t first = 0;
        std::uint32_t offset = 0;
    };

    // Numbers wrap around, at 10,000 datagrams a second after five days.
    [[nodiscard]] static bool is_before(std::uint32_t left, std::uint32_t right) noexcept {
        return static_cast<std::int32_t>(left - right) < 0;
    }

    Range now_{};
    Range before_{};
    bool has_before_ = false;
    bool has_failed_ = false;
    std::uint32_t doubt_from_ = 0;
    std::uint32_t doubt_to_ = 0;
    std::uint32_t under_way_ = 0;  // Sends prepared and not completed.
    std::uint32_t next_ = 0;       // The number that the next datagram gets.
};

}  // namespace latmon
