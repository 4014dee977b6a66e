// SPDX-License-Identifier: Apache-2.0
//
// A thread that answers "tracking" on a loopback port or a socket in a directory of its own, until
// it is stopped: what the test wants it to say, or to keep to itself.
#pragma once

#include "base/fd.hpp"
#include "support/scratch_directory.hpp"
#include "unit/clock/chrony_packet.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <thread>

namespace latmon {

struct FakeChronydOptions {
    bool has_path = false;   // Answers at a path instead of a port.
    bool is_silent = false;  // From the start.
    int strays = 0;          // Answers to nobody's question that come before the right one.
    std::function<void(ChronyPacket&)> change = {};  // Called by the thread, for each answer.
};

class FakeChronyd {
public:
    explicit FakeChronyd(FakeChronydOptions options = {})
        : options_(std::move(options)), is_silent_(options_.is_silent) {
        if (options_.has_path) {
            bind_path();
        } else {
            bind_port();
        }
        thread_ = std::thread([this] { serve(); });
    }
    ~FakeChronyd() { stop(); }
    FakeChronyd(const FakeChronyd&) = delete;
    FakeChronyd& operator=(const FakeChronyd&) = delete;

    [[nodiscard]] const std::string& where() const { return where_; }
    [[nodiscard]] int requests() const { return requests_.load(); }

    void fall_silent() { is_silent_.store(true); }

    // Answers what has arrived, and goes.
    void stop() {
        is_stopping_.store(true);
        if (thread_.joinable()) thread_.join();
    }

private:
    void bind_port() {
        socket_ = Fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t bytes = sizeof(address);
        sockaddr* const any = static_cast<sockaddr*>(static_cast<void*>(&address));
        REQUIRE(::bind(socket_.get(), any, bytes) == 0);
        REQUIRE(::getsockname(socket_.get(), any, &bytes) == 0);
        where_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
    }

    void bind_path() {
        directory_.emplace();
        where_ = directory_->file("chronyd.sock");
        socket_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        REQUIRE(where_.size() < sizeof(address.sun_path));
        std::memcpy(address.sun_path, where_.c_str(), where_.size() + 1);
        REQUIRE(::bind(socket_.get(), static_cast<sockaddr*>(static_cast<void*>(&address)),
                       sizeof(address)) == 0);
    }

    void serve() {
        for (;;) {
            const bool is_last = is_stopping_.load();
            pollfd ready{.fd = socket_.get(), .events = POLLIN, .revents = 0};
            if (::poll(&ready, 1, is_last ? 0 : 5) > 0) {
                answer();
            } else if (is_last) {
                return;
            }
        }
    }

    void answer() {
        std::array<std::byte, 1'024> request{};
        sockaddr_storage from{};
        socklen_t bytes = sizeof(from);
        sockaddr* const any = static_cast<sockaddr*>(static_cast<void*>(&from));
        const ssize_t got =
            ::recvfrom(socket_.get(), request.data(), request.size(), 0, any, &bytes);
        // As chronyd: what is shorter than its answer is not answered.
        if (got < static_cast<ssize_t>(chrony_reply_bytes)) return;
        requests_.fetch_add(1);
        if (is_silent_.load()) return;
        std::uint32_t sequence = 0;
        std::memcpy(&sequence, request.data() + 8, sizeof(sequence));
        sequence = std::byteswap(sequence);
        for (int stray = options_.strays; stray >= 0; --stray) {
            ChronyPacket packet = good_chrony_packet(sequence - static_cast<std::uint32_t>(stray));
            if (options_.change) options_.change(packet);
            (void)::sendto(socket_.get(), packet.data(), packet.size(), 0, any, bytes);
        }
    }

    FakeChronydOptions options_;
    std::optional<test::ScratchDirectory> directory_;
    std::string where_;
    Fd socket_;
    std::atomic<bool> is_silent_;            // Partner: answer().
    std::atomic<bool> is_stopping_ = false;  // Partner: serve().
    std::atomic<int> requests_ = 0;          // Partner: requests().
    std::thread thread_;
};

}  // namespace latmon
