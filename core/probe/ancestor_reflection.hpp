// SPDX-License-Identifier: Apache-2.0
//
// Answers one admitted packet of the ancestor's, over UDP or TCP alike: writes the reply, and emits
// the sample in the series of who sent it. The sender's clock is its own affair: T1 and T2 are in
// the sample, but no one-way delay is made of them here. Used on one core-thread; allocates nothing
// after construction.
#pragma once

#include "probe/admission.hpp"
#include "probe/probe.hpp"
#include "probe/reflection.hpp"
#include "wire/ancestor.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace latmon {

class AncestorReflection {
public:
    // [set-up]
    AncestorReflection(CoreContext& context, const AdmissionRules& rules)
        : context_(context), rules_(rules), name_(ancestor_source(context.node_name)) {}

    // Writes the reply to `request` over all of `packet`, as encode_ancestor_reply() does, and
    // emits the sample: of the peer's own series if it may name itself and there is one, else of
    // the reflection's. False, and nothing done, if that finds no room. [core-thread]
    [[nodiscard]] bool answer(const Reflection& reflection, const AncestorPacket& request,
                              std::span<std::byte> packet) noexcept;

private:
    [[nodiscard]] std::uint32_t series_of(const Reflection& reflection,
                                          const AncestorPacket& request) noexcept;

    CoreContext& context_;
    const AdmissionRules& rules_;
    const std::string name_;  // Ours.
    AncestorTags tags_;       // Of the packet under way.
};

}  // namespace latmon
