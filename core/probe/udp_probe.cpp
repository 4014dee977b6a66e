// SPDX-License-Identifier: Apache-2.0
//
// The UDP probe: slot -> send -> reply or error; see udp_probe.hpp.
#include "probe/udp_probe.hpp"

#include "base/assert.hpp"
#include "probe/open_path.hpp"
#include "wire/auth.hpp"

#include <algorithm>
#include <cerrno>

namespace latmon {
namespace {

// Entries of the error queue taken at one go: ICMP errors come one per probe at most, but a hostile
// network may send more.
constexpr std::uint32_t errors_per_turn = 4'096;

// What an ICMP message gave back of a probe: its start, which holds Sequence Number and T1.
std::optional<SenderPacket> decode_refused(std::span<const std::byte> start,
                                           bool is_authenticated) noexcept {
    if (!is_authenticated) return decode_sender(start);
    std::array<std::byte, stamp_auth_base_bytes> whole{};
    if (start.size() < SocketError{}.payload.size()) return std::nullopt;
    std::ranges::copy(start, whole.begin());
    return decode_sender_auth(whole);
}

}  // namespace

UdpProbe::UdpProbe(CoreContext& context, const ProbePlan& plan, ProbeCounters& counters,
                   std::span<Flight> slots)
    : context_(context),
      plan_(plan),
      counters_(counters),
      exchanges_(context, plan, counters, slots, this),
      slots_(context.reactor.timers(), *this, plan, counters),
      packet_(plan, context.zeros, key_of(context, plan)),
      ancestor_(AncestorTemplate::make(plan)),
      descriptor_(plan, context.boot_nonce, key_of(context, plan), context.descriptor_packet),
      open_error_(LATMON_ERROR_UNRESOLVED),
      reopen_after_(plan.max_lost) {
    if (speaks_ancestor()) exchanges_.set_ancestor_bytes(ancestor_->packet_bytes());
}

void UdpProbe::open_path() noexcept {
    if (plan_.address) set_address(*plan_.address);
}

void UdpProbe::start(Instant origin) noexcept {
    slots_.start(origin);
}

void UdpProbe::stop_sending() noexcept {
    is_stopping_ = true;
    slots_.stop();
    exchanges_.stop();
}

void UdpProbe::close() noexcept {
    LATMON_ASSERT(is_stopping_);
    exchanges_.close();
    is_ended_ = true;
    if (socket_ == no_socket || is_closing_) return;
    is_closing_ = true;
    cancel_operations();
    finish_closing();  // Nothing may be under way.
}

bool UdpProbe::is_closed() const noexcept {
    return is_ended_ && socket_ == no_socket && !send_.is_active && !descriptor_send_.is_active;
}

// -- The path -----------------------------------------------------------------------------------

void UdpProbe::set_address(const Endpoint& address) noexcept {
    if (address == address_ || is_stopping_) return;
    address_ = address;
    if (socket_ == no_socket) {
        open_socket();
    } else {
        // Replies from where the target was have nowhere to go once the socket is closed.
        exchanges_.on_path_lost(ECONNABORTED);
        close_socket();
    }
}

void UdpProbe::open_socket() noexcept {
    LATMON_ASSERT(socket_ == no_socket);
    Ring& ring = context_.reactor.ring();
    SocketOptions options = path_options(plan_, address_);
    options.wants_stamps = context_.uses_kernel_stamps;
    options.wants_hardware_stamps = context_.uses_hardware_stamps;
    options.receive_buffer_bytes = context_.probe_receive_buffer_bytes;
    const Outcome<SocketId> socket = ring.open_udp(options);
    open_error_ = socket ? 0 : socket.error();
    if (!socket) return;
    socket_ = *socket;
    sent_count_ = 0;
    exchanges_.set_peer(address_);
    exchanges_.on_path_opened();
    descriptor_.forget();
    ring.prepare_receive_datagrams(receive_, socket_);
    if (options.wants_stamps && ring.stamp_ability().tx != TxStampWay::none) {
        ring.prepare_tx_stamps(tx_stamps_, socket_);
    }
    ring.submit();
}

// Ends what is under way on the socket; the last of it to end closes it and opens the next.
void UdpProbe::close_socket() noexcept {
    if (is_closing_) return;
    is_closing_ = true;
    counters_.reopened.add(1);
    cancel_operations();
}

void UdpProbe::cancel_operations() noexcept {
    Ring& ring = context_.reactor.ring();
    if (receive_.is_active) ring.prepare_cancel(receive_);
    if (tx_stamps_.is_active) ring.prepare_cancel(tx_stamps_);
    ring.submit();
}

void UdpProbe::finish_closing() noexcept {
    if (receive_.is_active || tx_stamps_.is_active) return;
    is_closing_ = false;
    context_.reactor.ring().close(socket_);
    socket_ = no_socket;
    if (!is_ended_) open_socket();
}

std::optional<std::uint32_t> UdpProbe::receive_drops() const noexcept {
    if (socket_ == no_socket) return std::nullopt;
    return context_.reactor.ring().receive_drops(socket_);
}

bool UdpProbe::is_path_worn() const noexcept {
    return reopen_after_ != 0 && exchanges_.consecutive_failures() >= reopen_after_;
}

// -- Sending ------------------------------------------------------------------------------------

void UdpProbe::on_slot(Instant due, Instant) noexcept {
    if (exchanges_.has_answered_on_path()) reopen_after_ = plan_.max_lost;
    if (is_path_worn() && socket_ != no_socket) {
        // Doubling keeps a target that is down from costing a socket every few probes.
        reopen_after_ = later_reopen(reopen_after_);
        close_socket();
    }
    const bool is_ancestor = exchanges_.dialect() == Dialect::ancestor;
    if (is_ancestor && exchanges_.are_numbers_spent() && socket_ != no_socket) close_socket();
    if (socket_ == no_socket && address_ != Endpoint{}) open_socket();
    if (socket_ == no_socket || is_closing_ || send_.is_active) {
        const int reason = socket_ == no_socket ? open_error_ : EAGAIN;
        exchanges_.on_slot_without_path(due, reason);
        return;
    }
    is_second_try_ = false;
    is_ancestor_sent_ = is_ancestor;
    if (is_ancestor) {
        if (exchanges_.is_number_in_flight()) {
            counters_.missed.add(1);
        } else {
            send(exchanges_.open_ancestor(due));
        }
        return;
    }
    if (exchanges_.is_ssid_zero() && plan_.on_ssid_zero == OnSsidZero::base) {
        packet_.reduce_to_base();
    }
    if (exchanges_.is_ssid_zero() && plan_.on_ssid_zero == OnSsidZero::stop) {
        // RFC 8972 section 3 leaves it to the operator, who does not want such a reflector.
        exchanges_.on_slot_without_path(due, EPROTONOSUPPORT);
        return;
    }
    send(exchanges_.open(due));
}

void UdpProbe::send(const SenderPacket& packet) noexcept {
    const Instant now = context_.reactor.arrival().now;
    packet_.write(packet, {.clock_epoch = context_.clock_epoch(),
                           .sent_count = ++sent_count_,
                           .is_synchronized = context_.own_clock.state().is_synchronized_at(now)});
    // Where the kernel takes no keys, the ring counts with them.
    if (context_.uses_kernel_stamps) packet_.set_key(packet.sequence);
    submit(packet_.message());
}

void UdpProbe::send(const AncestorRequest& request) noexcept {
    ancestor_->write(request);
    if (context_.uses_kernel_stamps) ancestor_->set_key(request.sequence);
    submit(ancestor_->message());
}

void UdpProbe::submit(const Message& message) noexcept {
    context_.reactor.ring().prepare_send_datagram(send_, socket_, message);
    // T1 in the packet grows old while it waits for others. That is nothing where the kernel's
    // stamp of the departure takes its place, and where nobody goes by the one in the packet.
    const bool is_stamped = exchanges_.has_tx_stamps() && !is_ancestor_sent_;
    if (is_stamped && !plan_.is_ancestor_first) {
        context_.reactor.submit_together();
    } else {
        context_.reactor.ring().submit();
    }
}

void UdpProbe::on_send(const Completion& completion) noexcept {
    if (completion.result >= 0) {
        exchanges_.on_sent();
        return;
    }
    // An ICMP error to an earlier probe is handed to the next call on the socket (udp(7)): that one
    // then was not sent, though nothing is wrong with it.
    const bool may_try_again = !is_second_try_ && !is_closing_ && socket_ != no_socket;
    if (may_try_again && exchanges_.is_send_open() && is_network_error(-completion.result)) {
        is_second_try_ = true;
        take_errors();
        if (is_ancestor_sent_) {
            send(exchanges_.reopen_last_ancestor());
        } else {
            send(exchanges_.reopen_last());
        }
        return;
    }
    exchanges_.on_send_failed(-completion.result);
}

// Right behind a reply: the peer has shown what it is, and nothing of ours is on its way out. By an
// operation of its own, so that a slot that comes due in this very turn does not find the probe's
// busy, and with its outcome taken for granted: only a probe's needs to be known.
void UdpProbe::send_descriptor_if_due() noexcept {
    const Instant now = context_.reactor.arrival().now;
    if (exchanges_.dialect() != Dialect::stamp || !exchanges_.is_peer_latmon()) return;
    if (!descriptor_.is_due(now, context_.clock_epoch())) return;
    if (is_stopping_ || is_closing_ || send_.is_active || descriptor_send_.is_active) return;
    const SenderPacket packet = exchanges_.open_descriptor();
    exchanges_.on_sent();
    ++sent_count_;
    descriptor_.write(packet, now, context_.clock_epoch());
    if (context_.uses_kernel_stamps) descriptor_.set_key(packet.sequence);
    Ring& ring = context_.reactor.ring();
    ring.prepare_send_datagram(descriptor_send_, socket_, descriptor_.message());
    ring.submit();
}

void UdpProbe::on_descriptor_sent(const Completion& completion) noexcept {
    descriptor_.release();
    if (completion.result >= 0) {
        counters_.descriptors.add(1);
        return;
    }
    descriptor_.forget();
    if (is_closing_ || socket_ == no_socket) return;
    // The error may be an earlier probe's: see on_send().
    if (is_network_error(-completion.result)) take_errors();
}

// -- Receiving ----------------------------------------------------------------------------------

void UdpProbe::on_receive(const Completion& completion) noexcept {
    Ring& ring = context_.reactor.ring();
    if (completion.has_buffer) {
        if (completion.result >= 0) take_replies(completion);
        ring.release_buffer(completion.buffer_index);
    }
    if (completion.result == -ENOBUFS) context_.reactor.note_overflow();
    if (completion.has_more) return;
    if (is_closing_) {
        finish_closing();
        return;
    }
    if (completion.result < 0) take_errors();
    ring.prepare_receive_datagrams(receive_, socket_);
}

void UdpProbe::take_replies(const Completion& completion) noexcept {
    const Datagram datagram = context_.reactor.ring().datagram(completion);
    const ReplyPath path{.packet_bytes = static_cast<std::uint32_t>(datagram.payload.size()),
                         .ttl = datagram.ttl,
                         .traffic_class = datagram.traffic_class,
                         .has_traffic_class = datagram.has_traffic_class,
                         .has_kernel_time = datagram.arrived_by != StampSource::none,
                         .has_card_time = datagram.has_hardware_time,
                         .has_drops = datagram.has_drops,
                         .kernel_time = datagram.arrived,
                         .card_time = datagram.hardware_time,
                         .drops = datagram.drops};
    // First: every packet of the ancestor's reads as STAMP as well.
    const std::optional<AncestorPacket> ancestor =
        speaks_ancestor() ? decode_ancestor(datagram.payload) : std::nullopt;
    if (!ancestor) {
        exchanges_.on_reply(datagram.payload, path);
    } else if (ancestor_->is_echoed_by(*ancestor)) {
        exchanges_.on_ancestor_reply(*ancestor, path);
    } else {
        counters_.invalid.add(1);
    }
    send_descriptor_if_due();
}

void UdpProbe::on_tx_stamp(const Completion& completion) noexcept {
    if (completion.stamp.source != StampSource::none) {
        exchanges_.on_tx_stamp(completion.stamp.key, completion.stamp);
    } else if (completion.result >= 0 && !is_closing_) {
        take_errors();
    }
    if (completion.has_more) return;
    if (is_closing_) {
        finish_closing();
    } else if (completion.result != -EOPNOTSUPP) {
        context_.reactor.ring().prepare_tx_stamps(tx_stamps_, socket_);
    }
}

void UdpProbe::take_errors() noexcept {
    for (std::uint32_t taken = 0; taken < errors_per_turn; ++taken) {
        const Outcome<SocketError> error = context_.reactor.ring().take_error(socket_);
        if (!error) return;
        if (error->stamp.source != StampSource::none) {
            exchanges_.on_tx_stamp(error->stamp.key, error->stamp);
            continue;
        }
        if (error->is_from_network) take_refusal(*error);
    }
}

// A probe that came back, as much of it as ICMP gives.
void UdpProbe::take_refusal(const SocketError& error) noexcept {
    const std::span<const std::byte> payload =
        std::span(error.payload)
            .first(std::min<std::size_t>(error.payload_bytes, error.payload.size()));
    const std::optional<std::uint8_t> number =
        speaks_ancestor() ? ancestor_->number_of(payload) : std::nullopt;
    if (number) {
        exchanges_.on_ancestor_refused(*number, error.error_number);
        return;
    }
    const std::optional<SenderPacket> refused = decode_refused(payload, is_authenticated());
    if (refused) exchanges_.on_refused(*refused, error.error_number);
}

}  // namespace latmon
