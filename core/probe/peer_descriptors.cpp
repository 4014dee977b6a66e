// SPDX-License-Identifier: Apache-2.0
//
// See peer_descriptors.hpp.
#include "probe/peer_descriptors.hpp"

#include <array>
#include <span>
#include <string_view>

namespace latmon {
namespace {

constexpr Duration change_interval{limits::peer_change_interval_ns};

}  // namespace

PeerDescriptors::PeerDescriptors(CoreCounters& counters, const AdmissionRules& rules,
                                 PeerQueue* queue, PeerSeries* series)
    : counters_(counters),
      rules_(rules),
      queue_(queue),
      series_(series),
      known_(limits::sessions_per_core) {}

void PeerDescriptors::forget(std::uint32_t session) noexcept {
    known_[session] = {};
}

DescriptorFate PeerDescriptors::judge(const Known& known, const AddressBytes& source,
                                      Instant now) const noexcept {
    if (!may_name_itself(rules_, source)) return DescriptorFate::not_allowed;
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
        known = {.since = now,
                 .hash = latest_.descriptor.hash,
                 .is_known = true,
                 .series_id = series_of_latest()};
    }
    counters_.count(fate);
}

std::optional<std::uint32_t> PeerDescriptors::series_of_latest() noexcept {
    if (series_ == nullptr) return std::nullopt;
    const Descriptor& descriptor = latest_.descriptor;
    std::array<std::string_view, descriptor_tags_max> tags;
    for (std::uint32_t index = 0; index < descriptor.tag_count(); ++index) {
        tags[index] = descriptor.tag(index);
    }
    return series_->find_or_add({.protocol = LATMON_PROTOCOL_UDP,
                                 .name = descriptor.name(),
                                 .tags = std::span(tags).first(descriptor.tag_count())},
                                rules_.allow_list.is_provisioned(latest_.source.address));
}

void PeerDescriptors::note_invalid() noexcept {
    counters_.count(DescriptorFate::invalid);
}

}  // namespace latmon
