// SPDX-License-Identifier: Apache-2.0
//
// See outlet.hpp. Sockets do not block; waiting is done here, where it has an end. A UDP socket is
// connected, so that the kernel tells of refusals: with the error of a send that comes later, which
// itself sent nothing.
#include "statsd/outlet.hpp"

#include "support/monotonic.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <resolv.h>
#include <sys/uio.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

namespace latmon::plugins::statsd {
namespace {

constexpr std::size_t burst_packets = 32;
// Shorter than what latmon leaves an exporter when it stops.
constexpr std::int64_t patience_ns = 300'000'000;
constexpr std::int64_t reconnect_pause_ns = 1'000'000'000;
constexpr std::int64_t resolve_pause_ns = 60'000'000'000;        // While all is well.
constexpr std::int64_t resolve_again_pause_ns = 10'000'000'000;  // After a failure.
// So long without an error, and trouble is over: refusals come for every other packet only.
constexpr std::int64_t calm_ns = 5'000'000'000;

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

AddressList ask_for(const OutletOptions& options, int flags) {
    addrinfo hints{};
    hints.ai_socktype = options.transport == Transport::tcp ? SOCK_STREAM : SOCK_DGRAM;
    hints.ai_flags = flags | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const std::string port = std::to_string(options.port);
    const int error = ::getaddrinfo(options.host.c_str(), port.c_str(), &hints, &found);
    return {error == 0 ? found : nullptr, ::freeaddrinfo};
}

// Of this thread alone: its resolver's own 5 seconds, twice for each server, are too long here.
void hurry_resolver() {
    if ((_res.options & RES_INIT) == 0 && ::res_ninit(&_res) != 0) return;
    _res.retrans = 1;  // Seconds.
    _res.retry = 2;
}

std::string shown_name(const OutletOptions& options) {
    if (!options.unix_path.empty()) return "unix socket " + options.unix_path;
    const bool is_ipv6 = options.host.find(':') != std::string::npos;
    const std::string host = is_ipv6 ? "[" + options.host + "]" : options.host;
    return host + ":" + std::to_string(options.port);
}

iovec vector_of(const std::string& octets) noexcept {
    return {.iov_base = const_cast<char*>(octets.data()), .iov_len = octets.size()};
}

// Little-endian.
std::string length_text(std::size_t size) {
    std::string text;
    for (unsigned shift = 0; shift < 32; shift += 8) {
        text += static_cast<char>((size >> shift) & 0xFFU);
    }
    return text;
}

void sleep_for(std::int64_t pause_ns) noexcept {
    const timespec pause{.tv_sec = static_cast<time_t>(pause_ns / 1'000'000'000),
                         .tv_nsec = static_cast<long>(pause_ns % 1'000'000'000)};
    ::clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, nullptr);
}

}  // namespace

Outlet::Outlet(const latmon_host_t* host, const OutletOptions& options)
    : host_(host),
      options_(options),
      shown_name_(shown_name(options)),
      unix_(unix_address(options.unix_path).value_or(UnixAddress{})),
      pacer_(options.transport == Transport::udp ? options.bytes_per_second : 0),
      packets_sent_(host, "packets_sent_total"),
      packets_lost_(host, "packets_lost_total"),
      bytes_sent_(host, "bytes_sent_total"),
      lines_sent_(host, "lines_sent_total"),
      lines_lost_(host, "lines_lost_total"),
      values_sent_(host, "values_sent_total"),
      values_lost_(host, "values_lost_total"),
      refusals_(host, "refusals_total") {}

// -- Connections ----------------------------------------------------------------------------------

void Outlet::prepare() {
    if (is_in_trouble_ && monotonic_ns() - last_trouble_ns_ > calm_ns && socket_.is_open()) {
        is_in_trouble_ = false;
        const std::uint64_t lost = packets_lost_.value();
        const std::string text =
            shown_name_ + " takes packets again; lost: " + std::to_string(lost - lost_reported_);
        lost_reported_ = lost;
        host_->log(host_, LATMON_LOG_INFO, text.c_str());
    }
    const bool is_settled = socket_.is_open() && !is_name_;
    if (is_settled || monotonic_ns() < next_attempt_ns_) return;
    if (!is_unix()) {
        resolve();
    } else if (const int error = connect_unix(); error != 0) {
        report_error(error);
    }
}

int Outlet::connect_unix() {
    next_attempt_ns_ = monotonic_ns() + reconnect_pause_ns;
    const int type = options_.transport == Transport::unix_stream ? SOCK_STREAM : SOCK_DGRAM;
    socket_.reset(::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (socket_.is_open() && ::connect(socket_.get(), unix_.plain(), unix_.bytes) == 0) return 0;
    const int error = errno;
    socket_.reset();
    return error;
}

void Outlet::resolve() {
    AddressList found = ask_for(options_, AI_NUMERICHOST);
    is_name_ = found == nullptr;
    if (is_name_) {
        hurry_resolver();
        found = ask_for(options_, 0);
    }
    next_attempt_ns_ =
        monotonic_ns() + (found == nullptr ? resolve_again_pause_ns : resolve_pause_ns);
    if (found == nullptr) {
        report("has no address");
        return;
    }
    // The one that is in use stays while the name still stands for it.
    for (const addrinfo* one = found.get(); socket_.is_open() && one != nullptr;
         one = one->ai_next) {
        if (std::memcmp(one->ai_addr, &address_, one->ai_addrlen) == 0) return;
    }
    int error = 0;
    for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
        error = connect_to(one->ai_addr, one->ai_addrlen);
        if (error == 0) return;
    }
    next_attempt_ns_ = monotonic_ns() + reconnect_pause_ns;
    report_error(error);
}

int Outlet::connect_to(const sockaddr* address, socklen_t bytes) {
    const int type = is_udp() ? SOCK_DGRAM : SOCK_STREAM;
    Descriptor fresh(::socket(address->sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fresh.is_open()) return errno;
    if (::connect(fresh.get(), address, bytes) != 0) {
        if (errno != EINPROGRESS) return errno;
        pollfd writable{.fd = fresh.get(), .events = POLLOUT, .revents = 0};
        if (::poll(&writable, 1, static_cast<int>(patience_ns / 1'000'000)) != 1) return ETIMEDOUT;
        int error = 0;
        socklen_t size = sizeof(error);
        ::getsockopt(fresh.get(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) return error;
    }
    std::memmove(&address_, address, bytes);
    address_bytes_ = bytes;
    socket_ = std::move(fresh);
    return 0;
}

// Whoever was there has gone. Another one may be there already, by the same name.
int Outlet::connect_again() {
    socket_.reset();
    if (is_unix()) return connect_unix();
    next_attempt_ns_ = monotonic_ns() + reconnect_pause_ns;
    return connect_to(reinterpret_cast<const sockaddr*>(&address_), address_bytes_);
}

// -- Packets --------------------------------------------------------------------------------------

void Outlet::send(std::span<const Packet> packets) {
    give_up_ns_ = monotonic_ns() + patience_ns;
    std::size_t ready = 0;  // Whose turn has come.
    while (!packets.empty() && socket_.is_open()) {
        if (ready == 0) ready = wait_for_turn(packets);
        const std::size_t sent = send_some(packets.first(ready));
        count_sent(packets.first(sent));
        if (sent == 0) count_lost(packets.first(1));
        const std::size_t gone = std::max<std::size_t>(sent, 1);
        packets = packets.subspan(gone);
        ready -= gone;
    }
    count_lost(packets);
}

std::size_t Outlet::wait_for_turn(std::span<const Packet> packets) {
    const auto may_send = [&](const Packet& packet) {
        return pacer_.may_send(static_cast<std::int64_t>(packet.octets.size()), monotonic_ns());
    };
    while (!may_send(packets.front())) {
        sleep_for(pacer_.pause_ns());
        // Waiting for our own turn is no impatience with the receiver.
        give_up_ns_ = monotonic_ns() + patience_ns;
    }
    std::size_t count = 1;
    while (count < std::min(packets.size(), burst_packets) && may_send(packets[count]))
        ++count;
    return count;
}

std::size_t Outlet::send_some(std::span<const Packet> packets) {
    const bool is_datagram = is_udp() || options_.transport == Transport::unix_datagram;
    has_failed_ = false;
    for (;;) {
        const int taken = is_datagram ? send_datagrams(packets) : send_on_stream(packets.front());
        if (taken > 0) return static_cast<std::size_t>(taken);
        if (!recover(errno)) return 0;
    }
}

int Outlet::send_datagrams(std::span<const Packet> packets) const {
    std::array<mmsghdr, burst_packets> messages{};
    std::array<iovec, burst_packets> vectors{};
    const std::size_t count = std::min(packets.size(), burst_packets);
    for (std::size_t index = 0; index < count; ++index) {
        vectors[index] = vector_of(packets[index].octets);
        messages[index].msg_hdr.msg_iov = &vectors[index];
        messages[index].msg_hdr.msg_iovlen = 1;
    }
    return ::sendmmsg(socket_.get(), messages.data(), static_cast<unsigned>(count), MSG_NOSIGNAL);
}

// A packet goes whole or ends the connection: what follows half of one would be read as its rest.
int Outlet::send_on_stream(const Packet& packet) {
    const std::string frame = options_.transport == Transport::tcp
                                  ? packet.octets + '\n'
                                  : length_text(packet.octets.size()) + packet.octets;
    std::size_t done = 0;
    while (done < frame.size()) {
        const ssize_t taken =
            ::send(socket_.get(), frame.data() + done, frame.size() - done, MSG_NOSIGNAL);
        if (taken >= 0) {
            done += static_cast<std::size_t>(taken);
            continue;
        }
        if (done == 0) return -1;
        const int error = errno;
        if (error == EINTR || (error == EAGAIN && wait_writable())) continue;
        errno = EPIPE;
        return -1;
    }
    return 1;
}

bool Outlet::recover(int error) {
    if (error == EINTR) return true;
    if (error == EAGAIN && wait_writable()) return true;
    report_error(error);
    const bool is_first = !has_failed_;
    has_failed_ = true;
    if (error == EAGAIN || error == EMSGSIZE) return false;
    if (!is_udp()) return is_first && connect_again() == 0;
    // Told of an earlier packet; this one was not tried yet.
    if (error != ECONNREFUSED) return false;
    refusals_.add(1);
    // A name may stand for another host by now.
    next_attempt_ns_ = std::min(next_attempt_ns_, monotonic_ns() + resolve_again_pause_ns);
    return is_first;
}

bool Outlet::wait_writable() const {
    const std::int64_t left_ns = give_up_ns_ - monotonic_ns();
    if (left_ns <= 0) return false;
    pollfd writable{.fd = socket_.get(), .events = POLLOUT, .revents = 0};
    return ::poll(&writable, 1, static_cast<int>(left_ns / 1'000'000) + 1) != 0;
}

// -- Accounts -------------------------------------------------------------------------------------

void Outlet::count_sent(std::span<const Packet> packets) {
    for (const Packet& packet : packets) {
        packets_sent_.add(1);
        bytes_sent_.add(packet.octets.size());
        lines_sent_.add(packet.lines);
        values_sent_.add(packet.values);
    }
}

void Outlet::count_lost(std::span<const Packet> packets) {
    for (const Packet& packet : packets) {
        packets_lost_.add(1);
        lines_lost_.add(packet.lines);
        values_lost_.add(packet.values);
    }
}

void Outlet::report_error(int error) {
    if (error == EMSGSIZE) {
        report("does not take packets of this size: make packet_bytes smaller");
    } else {
        report(std::string(": ") + std::strerror(error));
    }
}

void Outlet::report(const std::string& trouble) {
    last_trouble_ns_ = monotonic_ns();
    if (is_in_trouble_) return;
    is_in_trouble_ = true;
    lost_reported_ = packets_lost_.value();
    const std::string blank = trouble.starts_with(':') ? "" : " ";
    const std::string text =
        shown_name_ + blank + trouble + "; packets are lost until it takes them";
    host_->log(host_, LATMON_LOG_WARNING, text.c_str());
}

}  // namespace latmon::plugins::statsd
