// SPDX-License-Identifier: Apache-2.0
//
// Fills groups of a sample's fields together with the bits that say so, so that no field can be set
// without its bit. Pure, but for what is passed in; used on core-threads.
#pragma once

#include "base/address.hpp"
#include "sample/sample.hpp"
#include "wire/stamp.hpp"

namespace latmon {

struct CoreContext;
struct ReplyPath;

// A sample with nothing valid in it.
[[nodiscard]] Sample make_sample(latmon_kind_t kind, latmon_status_t status,
                                 latmon_protocol_t protocol) noexcept;

// When the probe was due, in wall-clock time: the moment `wall` is known to be `now` too.
void set_schedule(Sample& sample, WallTime wall, Instant due, Duration lateness,
                  Instant now) noexcept;

void set_error(Sample& sample, int error_number) noexcept;
void set_peer_fields(Sample& sample, const Endpoint& peer, std::uint16_t ssid) noexcept;

// TTL and traffic class of the way back.
void set_path(Sample& sample, const ReplyPath& path) noexcept;
// TTL of the way there, the reflector's own sequence number.
void set_reply(Sample& sample, const ReflectorPacket& reply) noexcept;

// What this host did wrong since an exchange was due: LATMON_BLAME_ bits of what was sent at
// `sent`, `lateness` after it was due.
[[nodiscard]] std::uint32_t blame_since(const CoreContext& context, RawInstant sent,
                                        Duration lateness) noexcept;

}  // namespace latmon
