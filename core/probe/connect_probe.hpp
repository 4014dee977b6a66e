// SPDX-License-Identifier: Apache-2.0
//
// Times the TCP handshake with one target, on a fresh connection per slot: from SYN to the kernel's
// word that it is complete. Needs nothing at the far end but a listening port. Open loop:
// handshakes that hang do not delay the next. Used on one core-thread; allocates nothing after
// construction.
#pragma once

#include "probe/probe.hpp"
#include "probe/slots.hpp"

#include <memory>
#include <vector>

namespace latmon {

class ConnectProbe final : public Probe, private Slots::User {
public:
    ConnectProbe(CoreContext& context, const ProbePlan& plan, ProbeCounters& counters);

    void open_path() noexcept override;
    void start(Instant origin) noexcept override;
    void set_address(const Endpoint& address) noexcept override;
    void stop_sending() noexcept override;
    bool is_idle() const noexcept override { return active_count_ == 0; }
    void close() noexcept override;
    bool is_closed() const noexcept override;

private:
    // One handshake under way.
    struct Attempt final : Operation {
        explicit Attempt(ConnectProbe& the_probe) noexcept;
        ConnectProbe* probe;
        SocketId socket = no_socket;
        Endpoint address;  // The target's when it began; it may move meanwhile.
        std::uint32_t sequence = 0;
        Instant due;
        Duration lateness;
        RawInstant sent_raw;
        WallTime sent_wall;
        bool is_expired = false;  // Reported lost; the cancel is under way.
    };

    void on_slot(Instant due, Instant now) noexcept override;
    void on_expiry(Instant now) noexcept;
    void arm_expiry() noexcept;
    void expire(Attempt& attempt) noexcept;
    void on_complete(Attempt& attempt, int result) noexcept;
    void report_without_attempt(Instant due, Instant now, int error_number) noexcept;
    void report(const Attempt& attempt, latmon_status_t status, int result) noexcept;
    [[nodiscard]] Attempt* oldest_pending() noexcept;
    [[nodiscard]] Sample blank_sample(latmon_status_t status) const noexcept;

    CoreContext& context_;
    const ProbePlan& plan_;
    ProbeCounters& counters_;
    Slots slots_;
    MethodTimer<&ConnectProbe::on_expiry> expiry_{*this, false};
    Endpoint address_;
    std::uint32_t next_sequence_ = 0;
    std::uint32_t active_count_ = 0;
    std::vector<std::unique_ptr<Attempt>> attempts_;  // Fixed; by sequence modulo its size.
};

}  // namespace latmon
