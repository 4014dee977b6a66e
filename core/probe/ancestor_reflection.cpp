// SPDX-License-Identifier: Apache-2.0
//
// See ancestor_reflection.hpp.
#include "probe/ancestor_reflection.hpp"

#include "probe/sample_fields.hpp"
#include "wire/code_point.hpp"

#include <algorithm>

namespace latmon {

// Names and tags go to databases and into web pages: those that are no text name nobody.
std::uint32_t AncestorReflection::series_of(const Reflection& reflection,
                                            const AncestorPacket& request) noexcept {
    if (context_.peer_series == nullptr) return reflection.series_id;
    if (!may_name_itself(rules_, reflection.source.address)) return reflection.series_id;
    if (!is_plain_text(request.source) || !tags_.read(request.tags)) return reflection.series_id;
    if (!std::ranges::all_of(tags_.tags(), is_plain_text)) return reflection.series_id;
    return context_.peer_series
        ->find_or_add(
            {.protocol = reflection.protocol, .name = request.source, .tags = tags_.tags()},
            rules_.allow_list.is_provisioned(reflection.source.address))
        .value_or(reflection.series_id);
}

bool AncestorReflection::answer(const Reflection& reflection, const AncestorPacket& request,
                                std::span<std::byte> packet) noexcept {
    const ArrivalTime arrival = arrival_time(context_, reflection);
    // Before the reply is written over it.
    Reflection named = reflection;
    named.series_id = series_of(reflection, request);
    const std::int64_t t2_ns = std::max<std::int64_t>(arrival.t2.ns, 0);
    if (!encode_ancestor_reply(request, {.source = name_, .t2_ns = t2_ns}, packet)) return false;

    Sample sample = reflection_sample(context_, named, arrival, departure_time(context_));
    sample.sequence = request.sequence;
    sample.peer_sequence = reflection.sequence;
    sample.packet_bytes = static_cast<std::uint32_t>(packet.size());
    sample.t1_ns = request.time_ns;
    sample.t1_stamp = LATMON_STAMP_PEER;
    sample.valid |= LATMON_HAS_SEQUENCE | LATMON_HAS_PEER_SEQUENCE | LATMON_HAS_T1;
    set_peer_fields(sample, reflection.source, 0);
    emit(context_, sample);
    return true;
}

}  // namespace latmon
