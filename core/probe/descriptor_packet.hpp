// SPDX-License-Identifier: Apache-2.0
//
// Where a probe writes the packet that tells its peer who we are, until it has been sent. One for
// all probes of a core, which send such a packet once a minute: who finds it taken waits for his
// next reply. Used on one core-thread; allocates nothing.
#pragma once

#include "reactor/message.hpp"
#include "wire/auth.hpp"
#include "wire/descriptor.hpp"
#include "wire/hmac.hpp"
#include "wire/stamp.hpp"
#include "wire/tlv.hpp"
#include "wire/tlv_values.hpp"

#include <array>
#include <cstddef>
#include <span>

namespace latmon {

// `octets` and `message` are those of who has taken it.
struct DescriptorPacket {
    static constexpr std::size_t bytes_max = stamp_auth_base_bytes + descriptor_tlv_bytes_max +
                                             tlv_header_bytes + follow_up_bytes + tlv_header_bytes +
                                             mac_bytes;

    std::array<std::byte, bytes_max> octets{};
    Message message{};
    bool is_taken = false;  // From the writing until the send of it has completed.
};

}  // namespace latmon
