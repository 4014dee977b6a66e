// SPDX-License-Identifier: Apache-2.0
//
// The book of one probe's exchanges, whatever carries them: it numbers what is sent, matches what
// comes back, lets time run out, and turns each outcome into counters and a sample. A UDP probe and
// a TCP probe each own one and add the transport. Used on one core-thread; allocates nothing.
#pragma once

#include "probe/probe.hpp"
#include "wire/stamp.hpp"

namespace latmon {

// How a reply travelled, as far as the kernel told.
struct ReplyPath {
    std::uint32_t packet_bytes = 0;
    std::uint8_t ttl = 0;  // 0: unknown.
    std::uint8_t traffic_class = 0;
    bool has_traffic_class = false;
};

class Exchanges {
public:
    Exchanges(CoreContext& context, const ProbePlan& plan, ProbeCounters& counters,
              std::span<Flight> slots) noexcept;

    // Opens the exchange of the slot that was due at `due`; its T1 is now. Returns what goes onto
    // the wire. Exactly one of on_sent() and on_send_failed() must follow before the next open().
    [[nodiscard]] SenderPacket open(Instant due) noexcept;
    // Takes T1 anew for the exchange just opened, which is to be sent a second time.
    [[nodiscard]] SenderPacket reopen_last() noexcept;
    void on_sent() noexcept;
    void on_send_failed(int error_number) noexcept;

    // A slot came that could not even be opened: there is no path, for this reason.
    void on_slot_without_path(Instant due, int error_number) noexcept;

    // A packet came back; arrival() of the reactor is when.
    void on_reply(std::span<const std::byte> packet, const ReplyPath& path) noexcept;

    // Whether an exchange was opened and its outcome is still to come.
    [[nodiscard]] bool is_send_open() const noexcept { return opened_ != nullptr; }

    // The network refused this probe, of which it sent the start back. Believed only if its T1 is
    // ours: whoever forges ICMP does not know it.
    void on_refused(const SenderPacket& packet, int error_number) noexcept;
    // The path broke: nothing that is in flight can be answered any more.
    void on_path_lost(int error_number) noexcept;

    [[nodiscard]] std::uint32_t in_flight() const noexcept { return flights_.outstanding(); }
    // A path to the target was opened, the first time or anew.
    void on_path_opened() noexcept {
        consecutive_failures_ = 0;
        has_answered_on_path_ = false;
        has_answered_ = false;  // The order of replies means nothing across paths.
    }
    // Losses, refusals and failures to send since the last answer or since the path was opened.
    [[nodiscard]] std::uint32_t consecutive_failures() const noexcept {
        return consecutive_failures_;
    }
    [[nodiscard]] bool has_answered_on_path() const noexcept { return has_answered_on_path_; }
    // The other end, for samples.
    void set_peer(const Endpoint& peer) noexcept { peer_ = peer; }

private:
    void on_expiry(Instant now) noexcept;
    void arm_expiry() noexcept;
    void expire(Flight& flight) noexcept;
    void answer(Flight& flight, const ReflectorPacket& reply, const ReplyPath& path) noexcept;
    void refuse(Flight& flight, int error_number) noexcept;
    void stamp_now(Flight& flight) noexcept;
    [[nodiscard]] SenderPacket packet_of(const Flight& flight) const noexcept;
    [[nodiscard]] Sample sample_of(const Flight& flight, latmon_status_t status) const noexcept;
    [[nodiscard]] Sample blank_sample(latmon_status_t status) const noexcept;

    CoreContext& context_;
    ProbeCounters& counters_;
    InFlight flights_;
    MethodTimer<&Exchanges::on_expiry> expiry_{*this, false};
    Duration timeout_;
    Endpoint peer_;
    Flight* opened_ = nullptr;  // Between open() and its outcome.
    std::uint32_t series_id_;
    std::uint32_t packet_bytes_;
    std::uint32_t highest_answered_ = 0;
    std::uint32_t consecutive_failures_ = 0;
    std::uint16_t ssid_;
    latmon_protocol_t protocol_;
    bool wants_rtt_;
    bool has_answered_ = false;
    bool has_answered_on_path_ = false;
    bool is_sent_proved_ = false;  // on_sent() is still to come for an exchange already answered.
};

}  // namespace latmon
