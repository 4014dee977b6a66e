// SPDX-License-Identifier: Apache-2.0
//
// The accounts of one probe, published by its core-thread for whoever reads them. Two laws hold:
//
//   slots that came = sent + local_error + missed
//   sent            = answered + lost + unreachable + in flight        (invariant 4)
//
// `late`, `duplicate` and `reordered` look at replies once more and change neither: a late reply
// does not un-count a loss. Where a loss fell is found out after it is counted.
#pragma once

#include "sample/sample_queue.hpp"

namespace latmon {

struct ProbeCounters {
    PublishedCounter sent;           // Left this host, as far as the kernel says.
    PublishedCounter answered;       // In time, first copy; reordered ones too.
    PublishedCounter lost;           // No reply within the timeout.
    PublishedCounter lost_forward;   // Of these: the reflector never counted them;
    PublishedCounter lost_reverse;   // it did, but its reply did not come back;
    PublishedCounter lost_local_tx;  // they never left this host;
    PublishedCounter lost_local_rx;  // the reply found no room in our receive buffer.
    PublishedCounter unreachable;    // Sent, and refused by the network or the far host.
    PublishedCounter local_error;    // Never left this host.
    PublishedCounter missed;         // Slots that a stall of ours let pass.
    PublishedCounter late;           // Replies after the timeout.
    PublishedCounter duplicate;      // Further replies to a probe already answered.
    PublishedCounter reordered;      // Answered after a probe that was sent later.
    PublishedCounter invalid;        // Packets that are no reply to a probe of ours.
    PublishedCounter reopened;       // Times the path was opened anew.
    PublishedCounter descriptors;    // Packets sent that told who we are; none of them a probe.
    PublishedCounter stamped_tx;     // Probes whose leaving the kernel stamped.
    PublishedCounter stamped_rx;     // Replies whose arrival it stamped.

    // Never negative in the long run; a snapshot across threads may be off by what is happening.
    [[nodiscard]] std::uint64_t in_flight() const noexcept {
        return sent.read() - answered.read() - lost.read() - unreachable.read();
    }
};

}  // namespace latmon
