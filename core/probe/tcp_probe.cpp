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

// Room for as much as comes at one go, of which only the head is of interest. A reply of the
// ancestor's format goes in whole, and an octet is left: only then is its arrival known.
std::size_t receive_bytes(const AncestorTemplate* ancestor) noexcept {
    constexpr std::size_t usual = 512;
    constexpr std::size_t most = 2 * ancestor_head_bytes_max;
    if (ancestor == nullptr) return usual;
    return std::clamp<std::size_t>(ancestor->reply_bytes_max() + 1U, usual, most);
}

bool is_padding(std::span<const std::byte> octets) noexcept {
    return std::ranges::all_of(octets, [](std::byte octet) { return octet == std::byte{'0'}; });
}

}  // namespace

TcpProbe::TcpProbe(CoreContext& context, const ProbePlan& plan, ProbeCounters& counters,
                   std::span<Flight> slots)
    : context_(context),
      plan_(plan),
      counters_(counters),
      exchanges_(context, plan, counters, slots, nullptr),
      slots_(context.reactor.timers(), *this, plan, counters),
      packet_(plan, context.zeros, key_of(context, plan)),
      ancestor_(AncestorTemplate::make(plan)),
      last_error_(LATMON_ERROR_UNRESOLVED),
      pause_(pause_min),
      reopen_after_(plan.max_lost),
      receive_buffer_(receive_bytes(ancestor_.get())) {
    if (ancestor_ != nullptr) exchanges_.set_ancestor_bytes(ancestor_->packet_bytes());
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

void TcpProbe::close() noexcept {
    LATMON_ASSERT(is_stopping_);
    exchanges_.close();
    is_ended_ = true;
    is_changing_dialect_ = false;
    context_.reactor.timers().disarm(timer_);
    if (state_ != State::waiting && state_ != State::closing) end_connection(ECONNABORTED);
}

// -- The connection -----------------------------------------------------------------------------

void TcpProbe::set_address(const Endpoint& address) noexcept {
    if (address == address_ || is_stopping_) return;
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
        is_shut_ = false;
        wait_before_connecting();
        return;
    }
    socket_ = *socket;
    state_ = State::connecting;
    dialect_ = exchanges_.dialect();
    if (!is_shut_) last_error_ = ENOTCONN;
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
        is_probe_in_send_ = false;
        kept_bytes_ = 0;
        Ring& ring = context_.reactor.ring();
        // First: their keys count octets from here.
        if (context_.uses_kernel_stamps && ring.stamp_ability().tx != TxStampWay::none) {
            ring.prepare_tx_stamps(tx_stamps_, socket_);
        }
        dialect_ == Dialect::ancestor ? begin_ancestor() : greet();
        receive_more();
    }
}

void TcpProbe::greet() noexcept {
    state_ = State::greeting;
    reader_ = FrameReader{};
    context_.reactor.timers().arm(timer_, context_.reactor.clock().now() + plan_.timeout);
    context_.reactor.ring().prepare_send_stream(send_, socket_, preface_message_);
}

void TcpProbe::begin_ancestor() noexcept {
    stream_.reset();
    begin_open();
}

void TcpProbe::begin_open() noexcept {
    state_ = State::open;
    is_shut_ = false;
    exchanges_.on_path_opened();
    first_sequence_ = exchanges_.next_sequence();
    context_.reactor.timers().disarm(timer_);
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
    if (is_unheard() && error_number != ECONNABORTED) exchanges_.on_dialect_refused();
    counters_.reopened.add(1);
    // ECONNABORTED is ours: another address, or the end.
    is_shut_ = error_number != ECONNABORTED && !is_local_error(error_number);
    end_connection(error_number);
}

// Whether we said something on this connection, in the dialect that is still the one to be spoken,
// and have no answer.
bool TcpProbe::is_unheard() const noexcept {
    if (exchanges_.dialect() != dialect_) return false;
    if (state_ == State::greeting) return true;
    const bool has_spoken = state_ == State::open && first_sequence_ != exchanges_.next_sequence();
    return has_spoken && !exchanges_.has_answered_on_path();
}

// Another connection, for the dialect to be another one: nothing has failed.
void TcpProbe::change_dialect() noexcept {
    is_changing_dialect_ = true;
    end_connection(ENOTCONN);
}

void TcpProbe::end_connection(int error_number) noexcept {
    state_ = State::closing;
    last_error_ = error_number;
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
    if (is_ended_) {
        state_ = State::waiting;  // For nothing.
    } else if (is_changing_dialect_) {
        is_changing_dialect_ = false;
        state_ = State::waiting;
        connect();
    } else {
        wait_before_connecting();
    }
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
    const bool is_spent = dialect_ == Dialect::ancestor && exchanges_.are_numbers_spent();
    const bool is_refused = exchanges_.dialect() != dialect_ || is_spent;
    if (state_ == State::open && is_refused) fail(ETIMEDOUT);
    // The far end takes nothing: the socket's buffer has been full for a whole timeout.
    const bool is_stuck = send_.is_active && due - sending_since_ > plan_.timeout;
    if (state_ == State::open && is_stuck) fail(ETIMEDOUT);
    if (state_ != State::open && is_shut_) {
        exchanges_.on_slot_refused(due, last_error_);
        return;
    }
    if (state_ != State::open || send_.is_active) {
        exchanges_.on_slot_without_path(due, state_ == State::open ? EAGAIN : last_error_);
        return;
    }
    dialect_ == Dialect::ancestor ? send_ancestor_probe(due) : send_probe(due);
}

void TcpProbe::send_probe(Instant due) noexcept {
    const SenderPacket packet = exchanges_.open(due);
    const Instant now = context_.reactor.arrival().now;
    packet_.write(packet, {.clock_epoch = context_.clock_epoch(),
                           .sent_count = packet.sequence - first_sequence_ + 1,
                           .is_synchronized = context_.own_clock.state().is_synchronized_at(now)});
    submit(due, packet_.message());
}

void TcpProbe::send_ancestor_probe(Instant due) noexcept {
    if (exchanges_.in_flight() > 0) {
        counters_.missed.add(1);
        return;
    }
    ancestor_->write(exchanges_.open_ancestor(due));
    submit(due, ancestor_->message());
}

void TcpProbe::submit(Instant due, const Message& message) noexcept {
    is_probe_in_send_ = true;
    sending_since_ = due;
    context_.reactor.ring().prepare_send_stream(send_, socket_, message);
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
// the first of our preface, if there is one; every probe takes as many.
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
    const bool is_ancestor = dialect_ == Dialect::ancestor;
    const std::uint64_t before = is_ancestor ? 0 : preface_bytes;
    const std::uint64_t frame_bytes =
        is_ancestor ? ancestor_->packet_bytes() : frame_header_bytes + plan_.size_bytes;
    const std::uint64_t probes = exchanges_.next_sequence() - first_sequence_;
    const std::uint64_t sent_bytes = before + probes * frame_bytes;
    const std::uint64_t end =
        sent_bytes - (static_cast<std::uint32_t>(sent_bytes) - (stamp.key + 1));
    if (end <= before || (end - before) % frame_bytes != 0) return;
    const std::uint64_t number = (end - before) / frame_bytes - 1;
    exchanges_.on_tx_stamp(first_sequence_ + static_cast<std::uint32_t>(number), stamp);
}

// The kernel tells when the last octets of a receive arrived: those of this reply, if it ends where
// the receive does, and the receive was not cut for want of room.
ReplyPath TcpProbe::path_of(std::uint32_t packet_bytes, bool is_last) const noexcept {
    ReplyPath path;
    path.packet_bytes = packet_bytes;
    const std::optional<WallTime> arrived =
        is_last ? context_.reactor.ring().arrival_of(input_) : std::nullopt;
    if (arrived) {
        path.has_kernel_time = true;
        path.kernel_time = *arrived;
    }
    return path;
}

void TcpProbe::take_reply(bool is_last) noexcept {
    exchanges_.on_reply(reader_.head(), path_of(reader_.header().pdu_bytes, is_last));
}

void TcpProbe::take_ancestor_reply(bool is_last) noexcept {
    if (ancestor_->is_echoed_by(stream_.packet())) {
        exchanges_.on_ancestor_reply(stream_.packet(), path_of(ancestor_->packet_bytes(), is_last));
    } else {
        counters_.invalid.add(1);
    }
    if (exchanges_.has_answered_on_path()) pause_ = pause_min;
}

// -- Receiving ----------------------------------------------------------------------------------

void TcpProbe::receive_more() noexcept {
    input_.set_buffer(std::span(receive_buffer_).subspan(kept_bytes_));
    context_.reactor.ring().prepare_receive_stream(receive_, socket_, input_);
    context_.reactor.ring().submit();
}

void TcpProbe::on_receive(const Completion& completion) noexcept {
    if (state_ == State::closing) {
        finish_closing();
    } else if (completion.result <= 0) {
        fail(completion.result < 0 ? -completion.result : ECONNRESET);
    } else if (!read(static_cast<std::size_t>(completion.result))) {
        counters_.invalid.add(1);
        fail(EPROTO);
    } else if (exchanges_.dialect() != dialect_ && exchanges_.in_flight() == 0) {
        change_dialect();
    } else {
        receive_more();
    }
}

// Takes what arrived apart. False if it is not our protocol.
bool TcpProbe::read(std::size_t received_bytes) noexcept {
    const std::size_t end = kept_bytes_ + received_bytes;
    const bool has_room = end < receive_buffer_.size();
    const std::span<std::byte> data = std::span(receive_buffer_).first(end);
    return dialect_ == Dialect::ancestor ? read_messages(data, has_room)
                                         : read_frames(data, has_room);
}

bool TcpProbe::read_frames(std::span<const std::byte> data, bool has_room) noexcept {
    for (;;) {
        switch (reader_.next(data)) {
            case FrameReader::Outcome::needs_more:
                return true;
            case FrameReader::Outcome::broken:
                return false;
            case FrameReader::Outcome::preface:
                begin_open();
                pause_ = pause_min;
                break;
            case FrameReader::Outcome::frame:
                if (reader_.header().type != FrameType::reflected) break;
                take_reply(data.empty() && has_room);
                break;
        }
    }
}

bool TcpProbe::read_messages(std::span<std::byte> data, bool has_room) noexcept {
    stream_.look(data);
    for (;;) {
        switch (stream_.next()) {
            case AncestorStream::Outcome::broken:
                return false;
            case AncestorStream::Outcome::message:
                take_ancestor_reply(has_room && is_padding(stream_.remainder()));
                break;
            case AncestorStream::Outcome::needs_more: {
                const std::span<const std::byte> kept = stream_.remainder();
                std::ranges::copy(kept, data.begin());
                kept_bytes_ = kept.size();
                // A head that is longer than any answer to us can be.
                return kept_bytes_ < receive_buffer_.size();
            }
        }
    }
}

}  // namespace latmon
