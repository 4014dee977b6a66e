// SPDX-License-Identifier: Apache-2.0
//
// What every probe is to its core-thread, and what it is given. The main-thread makes probes,
// before the start barrier or later, and destroys them when the core-thread is through with them;
// nothing here allocates in between.
#pragma once

#include "base/address.hpp"
#include "base/log_histogram.hpp"
#include "clock/wall_watch.hpp"
#include "config/plan.hpp"
#include "probe/core_counters.hpp"
#include "probe/descriptor_packet.hpp"
#include "probe/in_flight.hpp"
#include "probe/own_clock.hpp"
#include "probe/probe_counters.hpp"
#include "reactor/reactor.hpp"
#include "sample/outlet.hpp"
#include "sample/peer_series.hpp"
#include "wire/hmac.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace latmon {

// What the probes and reflectors of one core share. Outlives them all.
struct CoreContext {
    Reactor& reactor;
    SampleOutlet& outlet;
    WallWatch& wall_watch;
    std::span<const std::byte> zeros;  // probe_bytes_max octets: the padding of every packet.
    std::uint16_t core_index = 0;
    std::uint64_t boot_nonce = 0;  // Random per process.
    OwnClock own_clock{};          // What we say about our wall clock.
    CoreCounters counters{};
    // Since the core last told of itself, of answered exchanges: local_tx_ns + local_rx_ns, which
    // stamps keep out of the round trip.
    LogHistogram dwell{};
    // By ProbePlan::key_index: what the making of probes goes by. [set-up, main-thread]
    std::span<const std::unique_ptr<const HmacKey>> keys{};
    bool uses_kernel_stamps = false;  // Sockets are asked for stamps.
    bool uses_hardware_stamps = false;
    std::uint32_t probe_receive_buffer_bytes = 0;  // SO_RCVBUF of probes' sockets; 0: the kernel's.
    // Another one in every process: the clock may have been set between two of them.
    [[nodiscard]] std::uint32_t clock_epoch() const noexcept {
        return wall_watch.epoch() + static_cast<std::uint32_t>(boot_nonce);
    }
    DescriptorPacket descriptor_packet{};  // Of the probe that sends one.
    PeerSeries* peer_series = nullptr;     // Series of peers that say who they are; null: none.
    std::string_view node_name{};          // Plan::name.
};

// The key of a probe's authenticated mode, or null. [set-up, main-thread]
[[nodiscard]] inline const HmacKey* key_of(const CoreContext& context,
                                           const ProbePlan& plan) noexcept {
    if (plan.key_index < 0) return nullptr;
    return context.keys[static_cast<std::size_t>(plan.key_index)].get();
}

// Gives a sample to every exporter, and counts what it is tainted by. [core-thread]
inline void emit(CoreContext& context, const Sample& sample) noexcept {
    for (std::uint32_t left = sample.blame; left != 0; left &= left - 1) {
        const auto bit = static_cast<std::size_t>(std::countr_zero(left));
        if (bit < blame_names.size()) context.counters.tainted[bit].add(1);
    }
    context.outlet.emit(sample);
}

class Probe {
public:
    virtual ~Probe() = default;

    // Opens the path if the plan knows the address: sockets of thousands of targets take a while,
    // and no slot may wait for them. [core-thread, before the start barrier]
    virtual void open_path() noexcept = 0;

    // Begins: slot 0 is at `origin` plus the probe's phase. [core-thread]
    virtual void start(Instant origin) noexcept = 0;

    // The address of its target, the first time or a new one. [core-thread]
    virtual void set_address(const Endpoint& address) noexcept = 0;

    // Sends no more; what is in flight is waited for. [core-thread]
    virtual void stop_sending() noexcept = 0;

    // Nothing is in flight. [core-thread]
    [[nodiscard]] virtual bool is_idle() const noexcept = 0;

    // Ends for good, after stop_sending() and once it is idle: tells what it has not told yet, ends
    // what is under way with the ring, and closes its sockets. [core-thread]
    virtual void close() noexcept = 0;

    // After close(): neither the ring nor the timers know it any more, so that it may be destroyed.
    // [core-thread]
    [[nodiscard]] virtual bool is_closed() const noexcept = 0;
};

}  // namespace latmon
