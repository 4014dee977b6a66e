// SPDX-License-Identifier: Apache-2.0
//
// One request to the ring that is under way. Its user owns it, as a member, so that the loop
// allocates nothing; it must stay where it is until its last completion. Used on one core-thread.
#pragma once

#include "reactor/stamp.hpp"

#include <cstdint>

namespace latmon {

// What became of an operation, or of one round of a multishot one.
struct Completion {
    std::int32_t result = 0;  // Octets, a socket, or a negative errno value.
    bool has_more = false;    // A multishot operation goes on; false: it has ended.
    bool has_buffer = false;  // `buffer_index` names a receive buffer that is now the user's.
    std::uint16_t buffer_index = 0;
    TxStamp stamp{};  // If its `source` is not none: see Ring::prepare_tx_stamps().
};

// A base of what the user holds, found again from the operation by static_cast in the callback.
struct Operation {
    // Called from one place, the reactor's dispatch, never from within another callback.
    using Callback = void (*)(Operation& operation, const Completion& completion) noexcept;

    explicit Operation(Callback callback) noexcept : on_complete(callback) {}
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;

    Callback on_complete;
    bool is_active = false;  // From prepare until the completion without `has_more`.

    // The ring's own notes: what it has to do with a completion before the user sees it, and the
    // socket that it has to do it to.
    enum class Follow : std::uint8_t { nothing, accept, stamps, refused, counted_send };
    Follow follow = Follow::nothing;
    std::int32_t socket = -1;
};

// An operation that is a member of its owner and completes into one of its methods:
//
//     MethodOperation<&UdpProbe::on_receive> receive_{*this};
template <auto Method>
struct MethodOperation;

template <typename Owner, void (Owner::*Method)(const Completion&) noexcept>
struct MethodOperation<Method> : Operation {
    explicit MethodOperation(Owner& the_owner) noexcept : Operation(call), owner(the_owner) {}

    static void call(Operation& operation, const Completion& completion) noexcept {
        (static_cast<MethodOperation&>(operation).owner.*Method)(completion);
    }

    Owner& owner;
};

}  // namespace latmon
