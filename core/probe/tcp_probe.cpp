// SPDX-License-Identifier: Apache-2.0
//
// The TCP probe; see tcp_probe.hpp.
#include "probe/tcp_probe.hpp"

#include "base/assert.hpp"
#include "probe/open_path.hpp"

#include <algorithm>
#include <cerrno>

namespace latmon {
namespace {

// The first try after a break comes soon, a far end that is down is asked every five seconds.
constexpr Duration pause_min = Duration::from_ms(100);
constexpr Duration pause_max = Duration::from_s(5);

// Stamps taken off the error queue at one go.
constexpr std::uint32_t stamps_per_turn = 4'096;

}  // namespace

TcpProbe::TcpProbe(CoreContext& context, const ProbePlan& plan, ProbeCounters& counters,
                   std::span<Flight> slots) noexcept
    : context_(context),
      plan_(plan),
      counters_(counters),
      exchanges_(context, plan, counters, slots, nullptr),
      slots_(context.reactor.timers(), *this, plan, counters),
      packet_(plan, context.zeros, key_of(context, plan)),
      last_error_(LATMON_ERROR_UNRESOLVED),
      pause_(pause_min),
      reopen_after_(plan.max_lost) {
    encode_preface({.ssid = plan.ssid, .boot_nonce = context.boot_nonce}, preface_);
    preface_message_.set_payload(preface_);
}

void TcpProbe::open_path() noexcept {
    if (plan_.address) set_address(*plan_.address);
}

void TcpProbe::start(Instant origin) noexcept {
    slots_.start(origin);
}

void TcpProbe::stop_sending() noexcept {
    is_stopping_ = true;
    slots_.stop();
    exchanges_.stop();
}

// -- The connection -----------------------------------------------------------------------------

void TcpProbe::set_address(const Endpoint& address) noexcept {
    if (address == address_) return;
    address_ = address;
    exchanges_.set_peer(address);
    if (state_ == State::waiting) {
        connect();
    } else {
        fail(ECONNABORTED);
    }
}

void TcpProbe::connect() noexcept {
    LATMON_ASSERT(state_ == State::waiting && socket_ == no_socket);
    Ring& ring = context_.reactor.ring();
    SocketOptions options = path_options(plan_, address_);
    options.wants_stamps = context_.uses_kernel_stamps;
    options.wants_hardware_stamps = context_.uses_hardware_stamps;
    const Outcome<SocketId> socket = ring.open_tcp(options);
    if (!socket) {
        last_error_ = socket.error();
        wait_before_connecting();
        return;
    }
    socket_ = *socket;
    state_ = State::connecting;
    last_error_ = ENOTCONN;
    context_.reactor.timers().arm(timer_, context_.reactor.clock().now() + plan_.timeout);
    ring.prepare_connect(connect_, socket_, address_);
    ring.submit();
}

void TcpProbe::on_connect(const Completion& completion) noexcept {
    if (state_ == State::closing) {
        finish_closing();
    } else if (completion.result < 0) {
        fail(-completion.result);
    } else {
        greet();
    }
}

void TcpProbe::greet() noexcept {
    state_ = State::greeting;
    reader_ = FrameReader{};
    is_probe_in_send_ = false;
    context_.reactor.timers().arm(timer_, context_.reactor.clock().now() + plan_.timeout);
    Ring& ring = context_.reactor.ring();
    // First: their keys count octets from here.
    if (context_.uses_kernel_stamps && ring.stamp_ability().tx != TxStampWay::none) {
        ring.prepare_tx_stamps(tx_stamps_, socket_);
    }
    ring.prepare_send_stream(send_, socket_, preface_message_);
    receive_more();
}

void TcpProbe::on_timer(Instant) noexcept {
    if (state_ == State::waiting) {
        connect();
    } else if (state_ == State::connecting || state_ == State::greeting) {
        fail(ETIMEDOUT);
    }
}

// Ends the connection, or the attempt at one. What is in flight cannot be answered any more.
void TcpProbe::fail(int error_number) noexcept {
    if (state_ == State::closing || state_ == State::waiting) return;
    state_ = State::closing;
    last_error_ = error_number;
    counters_.reopened.add(1);
    context_.reactor.timers().disarm(timer_);
    Ring& ring = context_.reactor.ring();
    if (connect_.is_active) ring.prepare_cancel(connect_);
    if (send_.is_active) ring.prepare_cancel(send_);
    if (receive_.is_active) ring.prepare_cancel(receive_);
    if (tx_stamps_.is_active) ring.prepare_cancel(tx_stamps_);
    finish_closing();
}

void TcpProbe::finish_closing() noexcept {
    LATMON_ASSERT(state_ == State::closing);
    if (connect_.is_active || send_.is_active || receive_.is_active || tx_stamps_.is_active) return;
    exchanges_.on_path_lost(last_error_);
    context_.reactor.ring().close(socket_);
    socket_ = no_socket;
    wait_before_connecting();
}

void TcpProbe::wait_before_connecting() noexcept {
    state_ = State::waiting;
    context_.reactor.timers().arm(timer_, context_.reactor.clock().now() + pause_);
    pause_ = std::min(pause_ * 2, pause_max);
}

// -- Sending ------------------------------------------------------------------------------------

void TcpProbe::on_slot(Instant due, Instant) noexcept {
    if (exchanges_.has_answered_on_path()) reopen_after_ = plan_.max_lost;
    const bool is_worn = reopen_after_ != 0 && exchanges_.consecutive_failures() >= reopen_after_;
    if (state_ == State::open && is_worn) {
        reopen_after_ = later_reopen(reopen_after_);
        fail(ETIMEDOUT);
    }
    // The far end takes nothing: the socket's buffer has been full for a whole timeout.
    const bool is_stuck = send_.is_active && due - sending_since_ > plan_.timeout;
    if (state_ == State::open && is_stuck) fail(ETIMEDOUT);
    if (state_ != State::open || send_.is_active) {
        exchanges_.on_slot_without_path(due, state_ == State::open ? EAGAIN : last_error_);
        return;
    }
    const SenderPacket packet = exchanges_.open(due);
    const Instant now = context_.reactor.arrival().now;
    packet_.write(packet, {.clock_epoch = context_.clock_epoch(),
                           .sent_count = packet.sequence - first_sequence_ + 1,
                           .is_synchronized = context_.own_clock.state().is_synchronized_at(now)});
    is_probe_in_send_ = true;
    sending_since_ = due;
    context_.reactor.ring().prepare_send_stream(send_, socket_, packet_.message());
    context_.reactor.ring().submit();
}

void TcpProbe::on_send(const Completion& completion) noexcept {
    const bool is_probe = is_probe_in_send_;
    is_probe_in_send_ = false;
    if (is_probe && completion.result >= 0) exchanges_.on_sent();
    if (is_probe && completion.result < 0) exchanges_.on_send_failed(-completion.result);
    if (state_ == State::closing) {
        finish_closing();
    } else if (completion.result < 0) {
        fail(-completion.result);
    }
}

// When the last octet of a probe left, or was acknowledged. The stream's octets are numbered from
// the first of our preface; every probe takes as many.
void TcpProbe::on_tx_stamp(const Completion& completion) noexcept {
    if (completion.stamp.source != StampSource::none) {
        take_tx_stamp(completion.stamp);
    } else if (completion.result >= 0 && state_ != State::closing) {
        for (std::uint32_t taken = 0; taken < stamps_per_turn; ++taken) {
            const Outcome<SocketError> entry = context_.reactor.ring().take_error(socket_);
            if (!entry) break;
            if (entry->stamp.source != StampSource::none) take_tx_stamp(entry->stamp);
        }
    }
    if (completion.has_more) return;
    if (state_ == State::closing) {
        finish_closing();
    } else if (completion.result != -EOPNOTSUPP) {
        context_.reactor.ring().prepare_tx_stamps(tx_stamps_, socket_);
    }
}

void TcpProbe::take_tx_stamp(const TxStamp& stamp) noexcept {
    // The key has 32 bits; all octets sent so far are at most half of that ahead.
    const std::uint64_t frame_bytes = frame_header_bytes + plan_.size_bytes;
    const std::uint64_t probes = exchanges_.next_sequence() - first_sequence_;
    const std::uint64_t sent_bytes = preface_bytes + probes * frame_bytes;
    const std::uint64_t end =
        sent_bytes - (static_cast<std::uint32_t>(sent_bytes) - (stamp.key + 1));
    if (end <= preface_bytes || (end - preface_bytes) % frame_bytes != 0) return;
    const std::uint64_t number = (end - preface_bytes) / frame_bytes - 1;
    exchanges_.on_tx_stamp(first_sequence_ + static_cast<std::uint32_t>(number), stamp);
}

// The kernel tells when the last octets of a receive arrived: those of this reply, if it ends where
// the receive does, and the receive was not cut for want of room.
void TcpProbe::take_reply(bool is_last) noexcept {
    ReplyPath path;
    path.packet_bytes = reader_.header().pdu_bytes;
    const std::optional<WallTime> arrived =
        is_last ? context_.reactor.ring().arrival_of(input_) : std::nullopt;
    if (arrived) {
        path.has_kernel_time = true;
        path.kernel_time = *arrived;
    }
    exchanges_.on_reply(reader_.head(), path);
}

// -- Receiving ----------------------------------------------------------------------------------

void TcpProbe::receive_more() noexcept {
    input_.set_buffer(receive_buffer_);
    context_.reactor.ring().prepare_receive_stream(receive_, socket_, input_);
    context_.reactor.ring().submit();
}

void TcpProbe::on_receive(const Completion& completion) noexcept {
    if (state_ == State::closing) {
        finish_closing();
    } else if (completion.result <= 0) {
        fail(completion.result < 0 ? -completion.result : ECONNRESET);
    } else if (!read(
                   std::span(receive_buffer_).first(static_cast<std::size_t>(completion.result)))) {
        counters_.invalid.add(1);
        fail(EPROTO);
    } else {
        receive_more();
    }
}

// Takes what arrived apart. False if it is not our protocol.
bool TcpProbe::read(std::span<const std::byte> data) noexcept {
    const bool has_room = data.size() < receive_buffer_.size();
    for (;;) {
        switch (reader_.next(data)) {
            case FrameReader::Outcome::needs_more:
                return true;
            case FrameReader::Outcome::broken:
                return false;
            case FrameReader::Outcome::preface:
                state_ = State::open;
                exchanges_.on_path_opened();
                first_sequence_ = exchanges_.next_sequence();
                pause_ = pause_min;
                context_.reactor.timers().disarm(timer_);
                break;
            case FrameReader::Outcome::frame:
                if (reader_.header().type != FrameType::reflected) break;
                take_reply(data.empty() && has_room);
                break;
        }
    }
}

}  // namespace latmon
