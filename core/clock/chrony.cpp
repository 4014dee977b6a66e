// SPDX-License-Identifier: Apache-2.0
//
// A connected datagram socket per spell of answers: what another program sends to it does not
// arrive, and a port where nobody listens is an error at once. What an earlier question's answer
// may be is told by its sequence number.
#include "clock/chrony.hpp"

#include "base/host_port.hpp"

#include <poll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <cstring>
#include <ctime>
#include <utility>

namespace latmon {
namespace {

constexpr int wait_ms = 5;
constexpr Duration silence = Duration::from_s(10);
// Answers to earlier questions, and datagrams that are none, that are read past.
constexpr int strays_max = 4;

bool fill(sockaddr_un& address, const std::string& path) {
    address = {};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) return false;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return true;
}

const sockaddr* as_any(const void* address) {
    return static_cast<const sockaddr*>(address);
}

// Milliseconds until `end_ms` of CLOCK_MONOTONIC.
std::int64_t now_ms() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000 + now.tv_nsec / 1'000'000;
}

}  // namespace

Chrony::Chrony(std::string where) : where_(std::move(where)) {
    // Not a secret: it keeps the numbers of two runs apart.
    if (::getrandom(&sequence_, sizeof(sequence_), GRND_NONBLOCK) < 0) sequence_ = 0;
}

Chrony::~Chrony() {
    close();
}

void Chrony::close() {
    socket_.reset();
    if (!own_path_.empty()) ::unlink(own_path_.c_str());
    own_path_.clear();
}

bool Chrony::open() {
    if (socket_.is_open()) return true;
    if (where_.starts_with('/')) return open_path();
    const std::optional<Endpoint> endpoint = parse_endpoint(where_);
    if (!endpoint) return false;
    sockaddr_storage address{};
    const socklen_t bytes = as_sockaddr(*endpoint, address);
    socket_ = Fd(::socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    return socket_.is_open() && ::connect(socket_.get(), as_any(&address), bytes) == 0;
}

// chronyd answers to the path that the question came from, and has given its privileges away.
bool Chrony::open_path() {
    sockaddr_un remote{};
    sockaddr_un own{};
    const std::string own_path =
        where_.substr(0, where_.rfind('/') + 1) + "latmon." + std::to_string(::getpid()) + ".sock";
    if (!fill(remote, where_) || !fill(own, own_path)) return false;
    socket_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket_.is_open()) return false;
    ::unlink(own_path.c_str());
    if (::bind(socket_.get(), as_any(&own), sizeof(own)) != 0) return false;
    own_path_ = own_path;
    if (::chmod(own_path.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH) != 0) {
        return false;
    }
    return ::connect(socket_.get(), as_any(&remote), sizeof(remote)) == 0;
}

std::optional<ChronyTracking> Chrony::exchange() {
    ++sequence_;
    const std::array<std::byte, chrony_request_bytes> request = chrony_request(sequence_);
    if (::send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
        return std::nullopt;
    }
    const std::int64_t end_ms = now_ms() + wait_ms;
    for (int stray = 0; stray <= strays_max; ++stray) {
        pollfd ready{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        const std::int64_t left_ms = end_ms - now_ms();
        if (left_ms < 0 || ::poll(&ready, 1, static_cast<int>(left_ms)) <= 0) return std::nullopt;
        std::array<std::byte, 1'024> octets{};
        const ssize_t received = ::recv(socket_.get(), octets.data(), octets.size(), 0);
        if (received < 0) return std::nullopt;
        const std::span<const std::byte> reply =
            std::span(octets).first(static_cast<std::size_t>(received));
        const std::optional<ChronyTracking> tracking = decode_chrony_reply(reply, sequence_);
        if (tracking) return tracking;
    }
    return std::nullopt;
}

std::optional<ChronyTracking> Chrony::ask(Instant now) {
    if (silent_until_ && now < *silent_until_) return std::nullopt;
    silent_until_.reset();
    if (open()) {
        const std::optional<ChronyTracking> tracking = exchange();
        if (tracking) return tracking;
    }
    close();
    silent_until_ = now + silence;
    return std::nullopt;
}

}  // namespace latmon
