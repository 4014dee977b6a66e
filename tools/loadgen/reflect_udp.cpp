// SPDX-License-Identifier: Apache-2.0
//
// See reflect_udp.hpp.
#include "loadgen/reflect_udp.hpp"

#include "loadgen/process.hpp"
#include "loadgen/sockets.hpp"
#include "loadgen/stamp_reply.hpp"

#include <arpa/inet.h>
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

}  // namespace

UdpTargets::UdpTargets(const ReflectOptions& options, const AddressList& addresses, Fd socket,
                       std::uint32_t thread_index)
    : addresses_(addresses),
      socket_(std::move(socket)),
      link_([&] {
          LinkOptions link = options.link;
          link.seed += thread_index;
          return link;
      }()),
      sequences_(std::max(probers_min, options.target_count * probers_per_target)),
      received_(options.batch, receive_bytes),
      replies_(options.batch),
      waiting_(waiting_max) {}

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
    const Instant now = clock_.now();
    Instant until = std::min(end, now + wait_max);
    if (!waiting_.is_empty()) until = std::min(until, waiting_.next_due());
    const Duration pause = std::max(until - now, Duration{});
    const timespec timeout{.tv_sec = pause.ns / 1'000'000'000, .tv_nsec = pause.ns % 1'000'000'000};
    pollfd readable{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    ::ppoll(&readable, 1, &timeout, nullptr);
}

void UdpTargets::receive() {
    const int count = received_.receive(socket_);
    if (count <= 0) return;
    counts_.received.add(static_cast<std::uint64_t>(count));
    const WallTime t2 = clock_.wall_now();
    for (int index = 0; index < count; ++index) {
        take(received_.datagram(static_cast<std::size_t>(index)), t2);
    }
    flush();
}

void UdpTargets::take(const ReceivedDatagram& datagram, WallTime t2) {
    if (!addresses_.contains(ntohl(datagram.route.local.s_addr))) {
        counts_.not_ours.add(1);
        return;
    }
    if (link_.loses_forward()) {
        counts_.lost_forward.add(1);
        return;
    }
    const std::optional<SenderPacket> request = read_request(datagram.data, t2);
    if (!request || datagram.is_truncated) {
        counts_.bad.add(1);
    } else if (link_.delays()) {
        delay(datagram, *request, t2);
    } else {
        answer(datagram, *request, t2);
    }
}

void UdpTargets::answer(const ReceivedDatagram& datagram, const SenderPacket& request,
                        WallTime t2) {
    const std::uint32_t sequence = next_sequence(datagram.route, request.ssid);
    if (link_.loses_reverse()) {
        counts_.lost_reverse.add(1);
        return;
    }
    const WallTime t3 = std::max(t2, clock_.wall_now());
    write_reply(datagram.data, request, sequence, {.t2 = t2, .t3 = t3, .ttl = datagram.ttl});
    replies_.add(datagram.data, datagram.route);
}

// The target of a delayed request takes no time: T3 is T2, both after the way there.
void UdpTargets::delay(const ReceivedDatagram& datagram, const SenderPacket& request,
                       WallTime arrival) {
    const Duration way_there = link_.next_delay();
    const Duration way_back = link_.next_delay();
    const std::uint32_t sequence = next_sequence(datagram.route, request.ssid);
    if (link_.loses_reverse()) {
        counts_.lost_reverse.add(1);
        return;
    }
    const WallTime t2 = arrival + way_there;
    write_reply(datagram.data, request, sequence, {.t2 = t2, .t3 = t2, .ttl = datagram.ttl});
    const Instant due = clock_.now() + way_there + way_back;
    if (!waiting_.push(due, datagram.data, datagram.route)) counts_.queue_full.add(1);
}

std::uint32_t UdpTargets::next_sequence(const Route& route, std::uint16_t ssid) noexcept {
    return sequences_.next({.source_address = route.peer.sin_addr.s_addr,
                            .target_address = route.local.s_addr,
                            .source_port = route.peer.sin_port,
                            .ssid = ssid});
}

void UdpTargets::send_due() {
    while (!waiting_.is_empty()) {
        const Duration lateness = clock_.now() - waiting_.next_due();
        if (lateness < Duration{}) break;
        lateness_.record(lateness);
        DelayQueue::Entry& entry = waiting_.pop();
        replies_.add(entry.data, entry.route);
        if (replies_.is_full()) flush();
    }
    flush();
}

void UdpTargets::flush() noexcept {
    if (replies_.size() == 0) return;
    const std::span<const int> results = replies_.flush(socket_);
    const std::ptrdiff_t answered = std::ranges::count(results, 0);
    counts_.answered.add(static_cast<std::uint64_t>(answered));
    counts_.tx_errors.add(results.size() - static_cast<std::size_t>(answered));
}

}  // namespace latmon::loadgen
