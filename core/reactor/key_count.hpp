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
// A send that failed may have used up a number or not, depending on how far it came. From then on
// nothing is stamped, until all stamps that are still due have come, or cannot come any more; then
// the kernel is made to count from 0 again. A wrong stamp is worse than none.
#pragma once

#include <cstdint>
#include <optional>

namespace latmon {

class KeyCount {
public:
    // So many sends without a stamp, and whatever is still due was lost on its way out.
    static constexpr std::uint32_t unstamped_max = 64;

    // What has to be done to the socket before the next send.
    enum class Act : std::uint8_t {
        nothing,
        restart  // Switch the kernel's numbering off and on, and stamping on.
    };

    // A datagram with this key is about to be sent.
    [[nodiscard]] Act before_send(std::uint32_t key) noexcept {
        if (!is_stamping_) {
            // What is prepared already would be stamped as well.
            const bool may_restart = under_way_ == 0;
            if (!may_restart || (seen_ != next_ && ++unstamped_ < unstamped_max)) {
                ++under_way_;
                return Act::nothing;
            }
            *this = KeyCount{};
            now_.offset = key;
            next_ = under_way_ = 1;
            return Act::restart;
        }
        if (key - next_ != now_.offset) {  // Keys were left out.
            before_ = now_;
            now_ = {.first = next_, .offset = key - next_};
            has_before_ = true;
        }
        ++next_;
        ++under_way_;
        return Act::nothing;
    }

    void on_sent() noexcept { --under_way_; }

    // True if the socket must stamp no more datagrams; before_send() says when again.
    [[nodiscard]] bool on_failed() noexcept {
        const bool was_stamping = is_stamping_;
        // The oldest under way is the one that failed: nobody knows the numbers from there on.
        if (was_stamping) next_ -= under_way_;
        is_stamping_ = false;
        --under_way_;
        unstamped_ = 0;
        return was_stamping;
    }

    // The key of the datagram that the kernel numbered `number`, whose stamp as it left has come,
    // perhaps before the completion of its send; none: it cannot be told.
    [[nodiscard]] std::optional<std::uint32_t> key_of(std::uint32_t number) noexcept {
        if (!is_before(number, next_)) return std::nullopt;
        if (is_before(seen_, number + 1)) seen_ = number + 1;
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
    bool is_stamping_ = true;
    std::uint32_t under_way_ = 0;  // Sends prepared and not completed.
    std::uint32_t next_ = 0;       // The number that the next datagram gets; what is less is known.
    std::uint32_t seen_ = 0;       // One more than the last number whose stamp has come.
    std::uint32_t unstamped_ = 0;  // Sends since stamping was switched off.
};

}  // namespace latmon
