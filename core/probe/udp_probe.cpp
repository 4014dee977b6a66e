// SPDX-License-Identifier: Apache-2.0
//
// The UDP probe: slot -> send -> reply or error; see udp_probe.hpp.
#include "probe/udp_probe.hpp"

#include "base/assert.hpp"
#include "probe/open_path.hpp"

#include <cerrno>

namespace latmon {
namespace {

// Entries of the error queue taken at one go: ICMP errors come one per probe at most, but a hostile
// network may send more.
constexpr std::uint32_t errors_per_turn = 64;

}  // namespace

UdpProbe::UdpProbe(CoreContext& context, const ProbePlan& plan, ProbeCounters& counters,
                   std::span<Flight> slots) noexcept
    : context_(context),
      plan_(plan),
      counters_(counters),
      exchanges_(context, plan, counters, slots),
      slots_(context.reactor.timers(), *this, plan, counters),
      packet_(plan.size_bytes, false, context.zeros),
      open_error_(LATMON_ERROR_UNRESOLVED),
      reopen_after_(plan.max_lost) {}

void UdpProbe::open_path() noexcept {
    if (plan_.address) set_address(*plan_.address);
}

void UdpProbe::start(Instant origin) noexcept {
    slots_.start(origin);
}

void UdpProbe::stop_sending() noexcept {
    slots_.stop();
}

// -- The path -----------------------------------------------------------------------------------

void UdpProbe::set_address(const Endpoint& address) noexcept {
    if (address == address_) return;
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
    const Outcome<SocketId> socket =
        context_.reactor.ring().open_udp(path_options(plan_, address_));
    open_error_ = socket ? 0 : socket.error();
    if (!socket) return;
    socket_ = *socket;
    exchanges_.set_peer(address_);
    exchanges_.on_path_opened();
    context_.reactor.ring().prepare_receive_datagrams(receive_, socket_);
    context_.reactor.ring().submit();
}

// Ends the receive; its last completion closes the socket and opens the next.
void UdpProbe::close_socket() noexcept {
    if (is_closing_) return;
    is_closing_ = true;
    counters_.reopened.add(1);
    context_.reactor.ring().prepare_cancel(receive_);
    context_.reactor.ring().submit();
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
    if (socket_ == no_socket && address_ != Endpoint{}) open_socket();
    if (socket_ == no_socket || is_closing_ || send_.is_active) {
        const int reason = socket_ == no_socket ? open_error_ : EAGAIN;
        exchanges_.on_slot_without_path(due, reason);
        return;
    }
    is_second_try_ = false;
    send(exchanges_.open(due));
}

void UdpProbe::send(const SenderPacket& packet) noexcept {
    packet_.write(packet);
    context_.reactor.ring().prepare_send_datagram(send_, socket_, packet_.message());
    context_.reactor.ring().submit();  // At once: T1 is in the packet and growing old.
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
        send(exchanges_.reopen_last());
        return;
    }
    exchanges_.on_send_failed(-completion.result);
}

// -- Receiving ----------------------------------------------------------------------------------

void UdpProbe::on_receive(const Completion& completion) noexcept {
    Ring& ring = context_.reactor.ring();
    if (completion.has_buffer) {
        if (completion.result >= 0) {
            const Datagram datagram = ring.datagram(completion);
            exchanges_.on_reply(
                datagram.payload,
                {.packet_bytes = static_cast<std::uint32_t>(datagram.payload.size()),
                 .ttl = datagram.ttl,
                 .traffic_class = datagram.traffic_class,
                 .has_traffic_class = datagram.has_traffic_class});
        }
        ring.release_buffer(completion.buffer_index);
    }
    if (completion.result == -ENOBUFS) context_.reactor.note_overflow();
    if (completion.has_more) return;
    if (is_closing_) {
        is_closing_ = false;
        ring.close(socket_);
        socket_ = no_socket;
        open_socket();
        return;
    }
    if (completion.result < 0) take_errors();
    ring.prepare_receive_datagrams(receive_, socket_);
}

void UdpProbe::take_errors() noexcept {
    for (std::uint32_t taken = 0; taken < errors_per_turn; ++taken) {
        const Outcome<SocketError> error = context_.reactor.ring().take_error(socket_);
        if (!error) return;
        const std::span<const std::byte> payload =
            std::span(error->payload)
                .first(std::min<std::size_t>(error->payload_bytes, error->payload.size()));
        const std::optional<SenderPacket> refused = decode_sender(payload);
        if (!error->is_from_network || !refused) continue;
        exchanges_.on_refused(*refused, error->error_number);
    }
}

}  // namespace latmon
