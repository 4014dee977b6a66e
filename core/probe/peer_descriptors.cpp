// SPDX-License-Identifier: Apache-2.0
//
// See peer_descriptors.hpp.
#include "probe/peer_descriptors.hpp"

namespace latmon {
namespace {

constexpr Duration change_interval{limits::peer_change_interval_ns};

}  // namespace

PeerDescriptors::PeerDescriptors(CoreCounters& counters, const AdmissionRules& rules,
                                 PeerQueue* queue)
    : counters_(counters), rules_(rules), queue_(queue), known_(limits::sessions_per_core) {}

void PeerDescriptors::forget(std::uint32_t session) noexcept {
    known_[session] = {};
}

DescriptorFate PeerDescriptors::judge(const Known& known, const AddressBytes& source,
                                      Instant now) const noexcept {
    const bool is_named = !rules_.allow_list.allows_any() ||
                          rules_.allow_list.is_provisioned(source) ||
                          rules_.keys.find(source) != nullptr;
    if (!is_named) return DescriptorFate::not_allowed;
    if (!known.is_known) return DescriptorFate::accepted;
    if (known.hash == latest_.descriptor.hash) return DescriptorFate::unchanged;
    return now - known.since < change_interval ? DescriptorFate::limited : DescriptorFate::accepted;
}

void PeerDescriptors::take(std::uint32_t session, const SessionKey& key, Instant now) noexcept {
    Known& known = known_[session];
    DescriptorFate fate = judge(known, key.peer.address, now);
    if (fate == DescriptorFate::accepted) {
        latest_.source = key.peer;
        latest_.ssid = key.ssid;
        // One that is dropped is taken when it is said again.
        if (queue_ != nullptr && !queue_->try_push(latest_)) fate = DescriptorFate::dropped;
    }
    if (fate == DescriptorFate::accepted) {
        known = {.since = now, .hash = latest_.descriptor.hash, .is_known = true};
    }
    counters_.count(fate);
}

void PeerDescriptors::note_invalid() noexcept {
    counters_.count(DescriptorFate::invalid);
}

}  // namespace latmon
