// SPDX-License-Identifier: Apache-2.0
//
// What peers say who they are: which of the descriptors that reach a reflector are believed. Labels
// from the network are a way to flood whoever keeps a series per label, so a session may change its
// name once a minute, and where anybody may be reflected only those count whom the operator named.
// What is accepted goes to the main-thread through a queue, and gives the session a series that
// carries the name. Used on one core-thread; allocates nothing after construction.
#pragma once

#include "base/zeroed_array.hpp"
#include "probe/admission.hpp"
#include "probe/core_counters.hpp"
#include "probe/session_table.hpp"
#include "sample/peer_series.hpp"
#include "sample/spsc_queue.hpp"
#include "wire/descriptor.hpp"

#include <cstdint>
#include <optional>

namespace latmon {

// A session of a peer's, and who that says it is.
struct PeerDescriptor {
    Endpoint source;
    std::uint16_t ssid = 0;
    Descriptor descriptor;
};

// From one core-thread to the main-thread.
using PeerQueue = SpscQueue<PeerDescriptor>;

class PeerDescriptors {
public:
    // `queue` may be null: nobody wants to know. `series` too: sessions then have none of their
    // own. [set-up]
    PeerDescriptors(CoreCounters& counters, const AdmissionRules& rules, PeerQueue* queue,
                    PeerSeries* series);

    // Takes its memory, all of it, now. [set-up]
    void take_memory() noexcept { known_.take_memory(); }

    // Where the descriptor of a request is put when it is read, for take() to find it.
    [[nodiscard]] Descriptor& scratch() noexcept { return latest_.descriptor; }

    // The session with this index in the table is a new one. [core-thread]
    void forget(std::uint32_t session) noexcept;

    // A request brought the descriptor that is in scratch(), `now`, in the session with this index
    // and key. Counts what becomes of it. [core-thread]
    void take(std::uint32_t session, const SessionKey& key, Instant now) noexcept;
    // The series of who the session with this index last said it is; nullopt if it has said
    // nothing that was accepted, or if there was no place left. [core-thread]
    [[nodiscard]] std::optional<std::uint32_t> series_of(std::uint32_t session) const noexcept {
        return known_[session].series_id;
    }
    // A request brought one that breaks the rules. [core-thread]
    void note_invalid() noexcept;

private:
    // What was last accepted of a session.
    struct Known {
        Instant since;
        std::uint32_t hash = 0;
        bool is_known = false;
        std::optional<std::uint32_t> series_id;
    };

    [[nodiscard]] std::optional<std::uint32_t> series_of_latest() noexcept;
    [[nodiscard]] DescriptorFate judge(const Known& known, const AddressBytes& source,
                                       Instant now) const noexcept;

    CoreCounters& counters_;
    const AdmissionRules& rules_;
    PeerQueue* queue_;
    PeerSeries* series_;
    ZeroedArray<Known> known_;  // By session.
    PeerDescriptor latest_;
};

}  // namespace latmon
