// SPDX-License-Identifier: Apache-2.0
//
// The book of one probe's exchanges, whatever carries them: it numbers what is sent, matches what
// comes back, lets time run out, finds out where losses fell, and turns each outcome into counters
// and a sample. A UDP probe and a TCP probe each own one and add the transport. Used on one
// core-thread; allocates nothing.
//
// Two kinds of samples wait a little: an answer for the exact T3, which comes with the next reply,
// and a loss for the next answer, which says on which way it fell.
#pragma once

#include "probe/ancestor_numbers.hpp"
#include "probe/ancestor_template.hpp"
#include "probe/answer.hpp"
#include "probe/dialect.hpp"
#include "probe/loss_ledger.hpp"
#include "probe/probe.hpp"
#include "wire/stamp.hpp"
#include "wire/tlv_reply.hpp"

namespace latmon {

// How a reply travelled, as far as the kernel told.
struct ReplyPath {
    std::uint32_t packet_bytes = 0;
    std::uint8_t ttl = 0;  // 0: unknown.
    std::uint8_t traffic_class = 0;
    bool has_traffic_class = false;
    bool has_kernel_time = false;  // `kernel_time`: when the kernel took it from the driver, by
    bool has_card_time = false;    // CLOCK_REALTIME; `card_time`: when the card saw it, by its own.
    bool has_drops = false;        // `drops`: Datagram::drops.
    WallTime kernel_time;
    WallTime card_time;
    std::uint32_t drops = 0;
};

class Exchanges final : private LossLedger::User {
public:
    // The socket's own count of datagrams that its receive buffer had no room for; asked for when
    // losses cannot wait for an answer.
    class DropSource {
    public:
        [[nodiscard]] virtual std::optional<std::uint32_t> receive_drops() const noexcept = 0;

    protected:
        ~DropSource() = default;
    };

    // `drop_source` may be null: a stream drops nothing.
    Exchanges(CoreContext& context, const ProbePlan& plan, ProbeCounters& counters,
              std::span<Flight> slots, const DropSource* drop_source) noexcept;

    // Opens the exchange of the slot that was due at `due`; its T1 is now. Returns what goes onto
    // the wire. Exactly one of on_sent() and on_send_failed() must follow before the next open().
    [[nodiscard]] SenderPacket open(Instant due) noexcept;
    // The same for a packet that carries our descriptor: it takes its place in the sequence, but is
    // neither a sample nor counted as a probe.
    [[nodiscard]] SenderPacket open_descriptor() noexcept;
    // Takes T1 anew for the exchange just opened, which is to be sent a second time.
    [[nodiscard]] SenderPacket reopen_last() noexcept;
    void on_sent() noexcept;
    void on_send_failed(int error_number) noexcept;

    // -- What is spoken: STAMP, or the ancestor's format --

    // What the next exchange has to be opened in: open(), or open_ancestor(). The latter never
    // where are_numbers_spent(), nor where is_number_in_flight().
    [[nodiscard]] Dialect dialect() const noexcept { return dialect_.current(); }
    // A connection was ended, or had to be, before anything was answered on it.
    void on_dialect_refused() noexcept;
    // How long the ancestor's packets are: for samples of those that were lost.
    void set_ancestor_bytes(std::uint32_t packet_bytes) noexcept { ancestor_bytes_ = packet_bytes; }
    // As open(), reopen_last(), on_reply() and on_refused(), in the ancestor's format. Its replies
    // echo no T1, so that what is believed of them is what their T2 and what is in flight allow.
    [[nodiscard]] AncestorRequest open_ancestor(Instant due) noexcept;
    [[nodiscard]] AncestorRequest reopen_last_ancestor() noexcept;
    void on_ancestor_reply(const AncestorPacket& reply, const ReplyPath& path) noexcept;
    void on_ancestor_refused(std::uint8_t number, int error_number) noexcept;
    // The number that would come next is on its way already: this slot has to be missed.
    [[nodiscard]] bool is_number_in_flight() noexcept;
    // No number is left that was answered, or not used, on this path: it has to be opened anew.
    [[nodiscard]] bool are_numbers_spent() const noexcept { return numbers_.are_spent(); }
    // The departures of probes over this path are stamped by the kernel.
    [[nodiscard]] bool has_tx_stamps() const noexcept { return has_tx_stamps_; }

    // A slot came that could not even be opened: there is no path, for this reason of our own.
    void on_slot_without_path(Instant due, int error_number) noexcept;
    // A slot came while the network or the far end keeps the path shut, as it did when it was last
    // tried: for who probes it, the probe was refused.
    void on_slot_refused(Instant due, int error_number) noexcept;

    // When the probe with this sequence number left, or was acknowledged.
    void on_tx_stamp(std::uint32_t sequence, const TxStamp& stamp) noexcept;

    // A packet came back, whole or at least with all of its TLVs; arrival() of the reactor is when.
    void on_reply(std::span<const std::byte> packet, const ReplyPath& path) noexcept;

    // Whether an exchange was opened and its outcome is still to come.
    [[nodiscard]] bool is_send_open() const noexcept { return opened_ != nullptr; }

    // The network refused this probe, of which it sent the start back. Believed only if its T1 is
    // ours: whoever forges ICMP does not know it.
    void on_refused(const SenderPacket& packet, int error_number) noexcept;
    // The path broke: nothing that is in flight can be answered any more.
    void on_path_lost(int error_number) noexcept;

    [[nodiscard]] std::uint32_t in_flight() const noexcept { return flights_.outstanding(); }
    // Sending has stopped: nothing waits for what comes later.
    void stop() noexcept;
    // Nothing is in flight and nothing more will come: what has not been told is told.
    void close() noexcept;
    // A path to the target was opened, the first time or anew.
    void on_path_opened() noexcept;
    // Losses, refusals and failures to send since the last answer or since the path was opened.
    [[nodiscard]] std::uint32_t consecutive_failures() const noexcept {
        return consecutive_failures_;
    }
    [[nodiscard]] bool has_answered_on_path() const noexcept { return has_answered_on_path_; }
    // The reflector of this path answered a TLV that only latmon knows.
    [[nodiscard]] bool is_peer_latmon() const noexcept { return is_peer_latmon_; }
    // The reflector of this path gives our session id back as 0.
    [[nodiscard]] bool is_ssid_zero() const noexcept { return is_ssid_zero_; }
    // The number of the next exchange.
    [[nodiscard]] std::uint32_t next_sequence() const noexcept { return flights_.next(); }
    // The other end, for samples.
    void set_peer(const Endpoint& peer) noexcept { peer_ = peer; }

private:
    // What a later packet has to say to be about an answer that is held.
    struct HeldFor {
        std::uint32_t sequence = 0;
        std::uint32_t peer_sequence = 0;
        bool is_ptp = false;
    };
    // An answer whose sample is not complete yet.
    struct Held {
        Held(const Answer& answer, const HeldFor& held_for) noexcept
            : stamps(answer), begun(answer.sample), reply(held_for) {}

        AnswerStamps stamps;
        BegunSample begun;
        HeldFor reply;
    };

    void on_loss(Flight& flight, LossAddress address) noexcept override;
    void on_timer(Instant now) noexcept;
    void arm_at(Instant deadline) noexcept;
    void arm_timer() noexcept;
    void disarm_timer() noexcept;
    void settle_overdue(Instant now) noexcept;
    void expire(Flight& flight) noexcept;
    void tell_come_back(Flight& flight, std::uint32_t peer_sequence) noexcept;
    void note_arrival(const ReplyPath& path) noexcept;
    [[nodiscard]] bool is_in_time(Flight& flight, const ReplyPath& path) noexcept;
    void begin_stretch() noexcept;
    void restart_ledger() noexcept;
    void follow_dialect() noexcept;
    [[nodiscard]] AncestorRequest ancestor_request_of(Flight& flight) const noexcept;
    [[nodiscard]] Flight* ancestor_flight(std::uint32_t sequence, std::uint32_t number) noexcept;
    [[nodiscard]] Flight* flight_of(const AncestorPacket& reply) noexcept;
    [[nodiscard]] bool is_before_its_probe(const AncestorPacket& reply,
                                           const Flight& flight) noexcept;
    void answer_ancestor(Flight& flight, WallTime t2, const ReplyPath& path) noexcept;
    void end_answered(Flight& flight, const AnswerFacts& facts) noexcept;
    [[nodiscard]] Answer begin_answer(const Flight& flight, const ReplyPath& path) noexcept;
    [[nodiscard]] bool has_timed_out(const Flight& flight, const ReplyPath& path) const noexcept;
    [[nodiscard]] std::optional<ReflectorPacket> read_reply(
        std::span<const std::byte> packet) const noexcept;
    void answer(Flight& flight, const ReflectorPacket& reply, std::span<const std::byte> packet,
                const ReplyPath& path) noexcept;
    [[nodiscard]] bool note_order(const Flight& flight) noexcept;
    [[nodiscard]] ReplyTlvs read_tlvs(const Flight& flight, std::span<const std::byte> packet,
                                      std::uint32_t sequence) const noexcept;
    [[nodiscard]] bool is_new_epoch(const ReplyTlvs& tlvs) const noexcept;
    void note_peer(const ReflectorPacket& reply, const ReplyTlvs& tlvs) noexcept;
    void note_drops(const ReplyPath& path) noexcept;
    [[nodiscard]] Answer make_answer(const Flight& flight, const ReflectorPacket& reply,
                                     const ReplyTlvs& tlvs, const ReplyPath& path) noexcept;
    void hold_or_finish(Answer& answer, const HeldFor& reply) noexcept;
    void apply_follow_up(PeerStamps& peer, const FollowUp& follow_up, bool is_ptp) const noexcept;
    void take_follow_up(const std::optional<FollowUp>& follow_up, bool is_ptp) noexcept;
    void finish_held() noexcept;
    void finish(Answer& answer) noexcept;
    void report_clock(const Answer& answer) noexcept;
    void check_own_clock() noexcept;
    void refuse(Flight& flight, int error_number) noexcept;
    Flight& begin(Instant due, bool is_measuring) noexcept;
    void stamp_now(Flight& flight) noexcept;
    [[nodiscard]] SenderPacket packet_of(const Flight& flight) noexcept;
    [[nodiscard]] Instant expiry_of(const Flight& flight) const noexcept {
        return flight.due + flight.lateness + timeout_of(flight);
    }
    [[nodiscard]] Duration timeout_of(const Flight& flight) const noexcept {
        return flight.is_ancestor ? ancestor_timeout_ : timeout_;
    }
    void tell_invalid() noexcept;
    void tell_slot(Instant due, latmon_status_t status, int error_number) noexcept;
    [[nodiscard]] Sample sample_of(const Flight& flight, latmon_status_t status) const noexcept;
    [[nodiscard]] Sample blank_sample(latmon_status_t status) const noexcept;

    CoreContext& context_;
    const ProbePlan& plan_;
    ProbeCounters& counters_;
    const DropSource* drop_source_;
    const HmacKey* key_;
    InFlight flights_;
    LossLedger ledger_;
    PathClock path_clock_;
    MethodTimer<&Exchanges::on_timer> timer_{*this, false};
    Duration timeout_;
    Duration ancestor_timeout_;
    Duration loss_wait_;
    Endpoint peer_;
    Flight* opened_ = nullptr;  // Between open() and its outcome.
    std::optional<Held> held_;
    std::optional<FollowUp> early_follow_up_;  // Of a reply that has not come yet.
    Instant next_clock_report_{};
    RawInstant peer_steady_from_{};  // We know that its clock was set, and it knew before us.
    std::uint64_t own_steps_seen_ = 0;
    std::uint64_t resets_seen_ = 0;
    std::uint64_t invalid_told_ = 0;  // Of ProbeCounters::invalid, in samples.
    std::uint32_t tlv_bytes_ = 0;     // Of the TLVs that are sent, without padding.
    std::uint32_t highest_answered_ = 0;
    std::uint32_t consecutive_failures_ = 0;
    std::uint32_t peer_epoch_ = 0;
    std::uint32_t drops_seen_ = 0;
    latmon_protocol_t protocol_;
    DialectChoice dialect_;
    AncestorNumbers numbers_;
    Dialect stretch_dialect_ = Dialect::stamp;
    // Exchanges from here on were opened in that; over this path, if anything was ever answered on
    // the one before.
    std::uint32_t stretch_first_ = 0;
    std::uint32_t path_first_ = 0;  // Exchanges from here on were opened over this path.
    std::uint32_t ancestor_bytes_ = 0;
    bool has_answered_ = false;
    bool has_answered_on_path_ = false;
    bool is_sent_proved_ = false;   // on_sent() is still to come for an exchange already answered.
    bool has_tx_stamps_ = false;    // Seen on this path: an exchange without one waits for it.
    bool has_rx_stamps_ = false;    // Seen on this path: an answer without one may have waited.
    bool gives_exact_t2_ = false;   // Likewise of the request, at the far end.
    bool gives_follow_up_ = false;  // Seen on this path.
    bool has_peer_epoch_ = false;
    bool is_peer_latmon_ = false;
    bool is_ssid_zero_ = false;
    bool is_stopping_ = false;
};

}  // namespace latmon
