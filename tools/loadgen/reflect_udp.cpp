// SPDX-License-Identifier: Apache-2.0
//
// See reflect_udp.hpp.
#include "loadgen/reflect_udp.hpp"

#include "base/limits.hpp"
#include "loadgen/process.hpp"
#include "loadgen/sockets.hpp"
#include "loadgen/stream_read.hpp"

#include <poll.h>
#include <algorithm>
#include <ctime>
#include <utility>

namespace latmon::loadgen {
namespace {

// A datagram of any size, and one octet by which a longer one would show.
constexpr std::size_t receive_bytes = limits::probe_bytes_max + 1;
constexpr std::size_t waiting_max = 262'144;  // 5 s at 50,000 a second.
// Probers per target: a path that is opened anew has a new port, and with it a new number.
constexpr std::uint32_t probers_per_target = 8;
constexpr std::uint32_t probers_min = 65'536;
constexpr Duration wait_max = Duration::from_ms(100);  // So that a stop is seen.
constexpr std::size_t ipv4_udp_bytes = 28;
constexpr std::size_t ipv6_udp_bytes = 48;

LinkOptions link_of(const ReflectOptions& options, std::uint32_t thread_index) {
    LinkOptions link = options.link;
    link.seed += thread_index;
    return link;
}

}  // namespace

UdpTargets::UdpTargets(const ReflectSetup& setup, Fd socket, std::uint32_t thread_index)
    : options_(setup.options),
      addresses_(setup.addresses),
      format_(setup.options.packets, setup.key),
      socket_(std::move(socket)),
      link_(link_of(setup.options, thread_index), setup.options.target_count, setup.start),
      header_bytes_(setup.addresses.is_ipv6() ? ipv6_udp_bytes : ipv4_udp_bytes),
      sequences_(std::max(probers_min, setup.options.target_count * probers_per_target)),
      received_(setup.options.batch, receive_bytes),
      replies_(2 * std::size_t{setup.options.batch}),
      waiting_(waiting_max) {
    unwritten_.reserve(2 * std::size_t{setup.options.batch});
    is_second_.reserve(2 * std::size_t{setup.options.batch});
}

void UdpTargets::run(Instant end) {
    refuse_timer_slack();
    while (!stop_requested() && clock_.now() < end) {
        wait(end);
        receive();
        send_due();
    }
    counts_.left_waiting.add(waiting_.size());
    counts_.evictions.add(sequences_.evictions());
    counts_.kernel_drops.add(kernel_drops(socket_));
}

void UdpTargets::wait(Instant end) const noexcept {
    if (options_.spin) return;
    const Instant now = clock_.now();
    Duration pause = std::clamp(end - now, Duration{}, wait_max);
    if (!waiting_.is_empty()) {
        pause = std::min(pause, sleep_time(options_, now, waiting_.next_due()));
    }
    if (pause == Duration{}) return;
    const timespec timeout{.tv_sec = pause.ns / 1'000'000'000, .tv_nsec = pause.ns % 1'000'000'000};
    pollfd readable{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    ::ppoll(&readable, 1, &timeout, nullptr);
}

void UdpTargets::receive() {
    const int count = received_.receive(socket_);
    if (count <= 0) return;
    counts_.received.add(static_cast<std::uint64_t>(count));
    const Now now{.instant = clock_.now(), .wall = clock_.wall_now()};
    for (int index = 0; index < count; ++index) {
        take(received_.datagram(static_cast<std::size_t>(index)), now);
    }
    flush();
}

void UdpTargets::take(const ReceivedDatagram& datagram, Now now) {
    const std::optional<std::uint32_t> target = addresses_.index_of(datagram.route.local);
    if (!target) {
        counts_.not_ours.add(1);
        return;
    }
    if (link_.outages.is_away(*target, now.instant)) {
        counts_.away.add(1);
        return;
    }
    const std::optional<Duration> dwell = dwell_of(datagram.arrival, now.wall);
    Ticket ticket{.route = datagram.route,
                  .t2 = now.wall - dwell.value_or(Duration{}),
                  .dwell = dwell.value_or(Duration{}),
                  .ttl = datagram.ttl,
                  .has_kernel_t2 = dwell.has_value()};
    if (dwell) {
        read_lateness_.record(*dwell);
    } else {
        counts_.unstamped.add(1);
    }
    reach(datagram,
          {.target = *target,
           .size_bytes = datagram.data.size() + header_bytes_,
           .at = now.instant - ticket.dwell},
          ticket);
}

// The way there, and what the target makes of the packet.
void UdpTargets::reach(const ReceivedDatagram& datagram, Crossing crossing, Ticket& ticket) {
    const Passage there = link_.forward.cross(crossing);
    if (there.fate != Fate::arrives) {
        (there.fate == Fate::lost ? counts_.lost_forward : counts_.line_full).add(1);
        return;
    }
    const std::optional<std::uint16_t> ssid = format_.read(datagram.data, ticket.t2);
    if (!ssid || datagram.is_truncated) {
        counts_.bad.add(1);
        return;
    }
    ticket.t2 = ticket.t2 + (there.arrival - crossing.at);
    const Endpoint peer = peer_of(datagram.route);
    ticket.sequence = sequences_.next({.source = peer.address,
                                       .target = crossing.target,
                                       .source_port = peer.port,
                                       .ssid = *ssid});
    crossing.at = there.arrival;
    answer(datagram, crossing, ticket);
}

// The way back.
void UdpTargets::answer(const ReceivedDatagram& datagram, const Crossing& crossing,
                        Ticket& ticket) {
    const Passage back = link_.reverse.cross(crossing);
    if (back.fate != Fate::arrives) {
        (back.fate == Fate::lost ? counts_.lost_reverse : counts_.line_full).add(1);
        return;
    }
    ticket.is_doubled = back.is_doubled;
    if (!link_.delays()) {
        send({.packet = datagram.data, .ticket = ticket, .due = std::nullopt});
    } else if (!waiting_.push(back.arrival, datagram.data, ticket)) {
        counts_.queue_full.add(1);
    }
}

// The target of a delayed request takes no time: what lies between T2 and T3 is our lateness.
void UdpTargets::send_due() {
    while (!waiting_.is_empty()) {
        const Instant due = waiting_.next_due();
        if (clock_.now() < due) break;
        DelayQueue::Entry& entry = waiting_.pop();
        send({.packet = entry.data, .ticket = entry.ticket, .due = due});
        if (replies_.room() < 2) flush();
    }
    flush();
}

void UdpTargets::send(const Reply& reply) {
    unwritten_.push_back(reply);
    for (int copy = 0; copy < (reply.ticket.is_doubled ? 2 : 1); ++copy) {
        replies_.add(reply.packet, reply.ticket.route);
        is_second_.push_back(copy > 0);
    }
}

// As late as can be, and with one T3: a reply that is ready waits for those beside it, and what it
// waited belongs to its T3 - T2 and to our lateness. A sealed one cannot be stamped any later.
void UdpTargets::write_replies() {
    const Now now{.instant = clock_.now(), .wall = clock_.wall_now()};
    for (const Reply& reply : unwritten_) {
        const Ticket& ticket = reply.ticket;
        WallTime t3 = std::max(ticket.t2, now.wall);
        if (reply.due) {
            const Duration lateness = now.instant - *reply.due;
            lateness_.record(lateness);
            t3 = ticket.t2 + lateness;
        }
        format_.write(reply.packet, {.t2 = ticket.t2,
                                     .t3 = t3,
                                     .dwell = ticket.dwell,
                                     .sequence = ticket.sequence,
                                     .ttl = ticket.ttl,
                                     .has_kernel_t2 = ticket.has_kernel_t2});
    }
    unwritten_.clear();
}

void UdpTargets::flush() {
    if (replies_.size() == 0) return;
    write_replies();
    const std::span<const int> results = replies_.flush(socket_);
    std::uint64_t answered = 0;
    std::uint64_t doubled = 0;
    std::uint64_t errors = 0;
    for (std::size_t index = 0; index < results.size(); ++index) {
        if (is_second_[index]) {
            doubled += results[index] == 0 ? 1U : 0U;
        } else {
            ++(results[index] == 0 ? answered : errors);
        }
    }
    is_second_.clear();
    counts_.answered.add(answered);
    counts_.doubled.add(doubled);
    counts_.tx_errors.add(errors);
}

}  // namespace latmon::loadgen
