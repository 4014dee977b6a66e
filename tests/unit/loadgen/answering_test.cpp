// SPDX-License-Identifier: Apache-2.0
//
// Claims about the times in what simulated targets answer, over sockets on loopback: whose lateness
// is whose. Requests are in the targets' sockets before these look; they then run in turns until
// they have done what is asked of them.
#include "loadgen/probe_format.hpp"
#include "loadgen/reflect_tcp.hpp"
#include "loadgen/reflect_udp.hpp"
#include "loadgen/sockets.hpp"
#include "wire/auth.hpp"
#include "wire/frame.hpp"

#include <doctest/doctest.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <algorithm>
#include <array>
#include <set>
#include <vector>

namespace latmon::loadgen {
namespace {

constexpr std::size_t pdu_bytes = 112;
constexpr std::size_t frame_bytes = frame_header_bytes + pdu_bytes;
const std::array<std::byte, 16> secret{std::byte{1}};
const OsClock os_clock;

AddressList one_target() {
    return AddressList::make("127.0.0.0", 1).value();
}

Endpoint address_of(const Fd& socket) {
    sockaddr_storage local{};
    socklen_t length = sizeof(local);
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&local), &length);
    return {.address = one_target().at(0),
            .port = from_sockaddr(reinterpret_cast<const sockaddr&>(local)).port};
}

void add_request(std::vector<std::byte>& to, std::uint32_t sequence, const HmacKey* key) {
    const std::unique_ptr<ProbeFormat> format =
        make_stamp_format({.sizes_bytes = {pdu_bytes}, .key = key});
    Shot shot{.sequence = sequence, .due = {}, .sent_at = {}, .raw_sent_at = {}, .t1 = {}};
    to.resize(to.size() + pdu_bytes);
    format->write(shot, 9, std::span(to).last(pdu_bytes));
}

// -- UDP ------------------------------------------------------------------------------------------

constexpr std::uint32_t batch = 8;

class UdpExchange {
public:
    explicit UdpExchange(const ReflectOptions& options, const HmacKey* key = nullptr)
        : options_(options), key_(key) {
        options_.target_count = 1;
        options_.batch = batch;
        Fd socket = open_reflecting_udp({}).value();
        prober_ = open_probing_udp({.target = address_of(socket), .source = {}}).value();
        targets_.emplace(
            ReflectSetup{
                .options = options_, .addresses = addresses_, .key = key_, .start = os_clock.now()},
            std::move(socket), 0);
    }

    void ask() const {
        for (std::uint32_t sequence = 0; sequence < batch; ++sequence) {
            std::vector<std::byte> packet;
            add_request(packet, sequence, key_);
            REQUIRE(::send(prober_.get(), packet.data(), packet.size(), 0) == pdu_bytes);
        }
    }

    std::vector<ReflectorPacket> replies() {
        std::vector<ReflectorPacket> replies;
        const std::unique_ptr<ProbeFormat> format =
            make_stamp_format({.sizes_bytes = {pdu_bytes}, .key = key_});
        while (replies.size() < batch) {
            targets_->run(os_clock.now() + Duration::from_ms(1));
            std::array<std::byte, pdu_bytes> packet{};
            while (::recv(prober_.get(), packet.data(), packet.size(), MSG_DONTWAIT) > 0) {
                REQUIRE(format->read(0, packet));  // And sealed, if there is a key.
                replies.push_back(decode_reflector(packet, key_).value());
            }
        }
        return replies;
    }

    [[nodiscard]] const UdpTargets& targets() const { return *targets_; }

private:
    ReflectOptions options_;
    const HmacKey* key_;
    AddressList addresses_ = one_target();
    Fd prober_;
    std::optional<UdpTargets> targets_;
};

TEST_CASE("answering: replies that leave together have one T3, that of when the last was ready") {
    const HmacKey key(secret);
    for (const HmacKey* const each : {static_cast<const HmacKey*>(nullptr), &key}) {
        UdpExchange exchange({}, each);
        exchange.ask();
        const WallTime asked = os_clock.wall_now();
        std::set<std::int64_t> t3s;
        for (const ReflectorPacket& reply : exchange.replies()) {
            t3s.insert(from_ntp(reply.t3, asked).ns);
            CHECK(from_ntp(reply.t2, asked) <= asked);
            CHECK(from_ntp(reply.t3, asked) >= asked);
        }
        CHECK(t3s.size() == 1);
    }
}

TEST_CASE("answering: what a delayed reply waits for its batch is lateness, in T3 and in ours") {
    ReflectOptions options;
    options.link.reverse.delay = Duration{1};  // Due before we look: all leave together.
    UdpExchange exchange(options);
    exchange.ask();
    const WallTime asked = os_clock.wall_now();
    Duration longest;
    Duration shortest = Duration::from_s(100);
    for (const ReflectorPacket& reply : exchange.replies()) {
        const Duration turnaround = from_ntp(reply.t3, asked) - from_ntp(reply.t2, asked);
        longest = std::max(longest, turnaround);
        shortest = std::min(shortest, turnaround);
    }
    const Histogram& lateness = exchange.targets().departure_lateness();
    CHECK(lateness.count() == batch);
    // To the resolution of NTP's format.
    CHECK((longest - *lateness.max()).ns <= 2);
    CHECK((*lateness.max() - longest).ns <= 2);
    CHECK((shortest - *lateness.min()).ns <= 2);
    CHECK((*lateness.min() - shortest).ns <= 2);
}

// -- TCP ------------------------------------------------------------------------------------------

class TcpExchange {
public:
    explicit TcpExchange(const ReflectOptions& options, bool is_stamped = true)
        : options_(options) {
        options_.target_count = 1;
        Fd listener = open_listener({}).value();
        const int no_stamps = 0;
        if (!is_stamped) {
            ::setsockopt(listener.get(), SOL_SOCKET, SO_TIMESTAMPING, &no_stamps,
                         sizeof(no_stamps));
        }
        prober_ = begin_connect({.target = address_of(listener), .source = {}}).value();
        targets_.emplace(ReflectSetup{.options = options_,
                                      .addresses = addresses_,
                                      .key = nullptr,
                                      .start = os_clock.now()},
                         std::move(listener), Fd(::epoll_create1(EPOLL_CLOEXEC)));
        std::array<std::byte, preface_bytes> preface{};
        encode_preface({.ssid = 9}, preface);
        put(preface);
    }

    void ask(std::uint32_t count) {
        std::vector<std::byte> frames;
        for (std::uint32_t sequence = 0; sequence < count; ++sequence) {
            frames.resize(frames.size() + frame_header_bytes);
            encode_frame_header(
                {.pdu_bytes = pdu_bytes},
                std::span(frames).last(frame_header_bytes).first<frame_header_bytes>());
            add_request(frames, sequence, nullptr);
        }
        put(frames);
    }

    // Until all that was asked lies in the targets' socket: then it is acknowledged.
    void wait_for_receipt() const {
        int unacknowledged = 1;
        while (unacknowledged > 0) {
            REQUIRE(::ioctl(prober_.get(), SIOCOUTQ, &unacknowledged) == 0);
        }
    }

    std::vector<ReflectorPacket> replies(std::size_t count) {
        std::vector<std::byte> input;
        while (input.size() < preface_bytes + count * frame_bytes) {
            work();
            std::array<std::byte, 4'096> piece{};
            const ssize_t octets = ::recv(prober_.get(), piece.data(), piece.size(), MSG_DONTWAIT);
            if (octets > 0) input.insert(input.end(), piece.begin(), piece.begin() + octets);
        }
        std::vector<ReflectorPacket> replies;
        for (std::size_t index = 0; index < count; ++index) {
            const std::size_t at = preface_bytes + index * frame_bytes + frame_header_bytes;
            replies.push_back(
                decode_reflector(std::span(input).subspan(at, pdu_bytes), nullptr).value());
        }
        return replies;
    }

    void work() { targets_->run(os_clock.now() + Duration::from_ms(1)); }
    [[nodiscard]] const TcpTargets& targets() const { return *targets_; }

private:
    // The targets read while the kernel takes no more.
    void put(std::span<const std::byte> data) {
        while (!data.empty()) {
            const ssize_t octets = ::send(prober_.get(), data.data(), data.size(), MSG_DONTWAIT);
            if (octets > 0) data = data.subspan(static_cast<std::size_t>(octets));
            if (!data.empty()) work();
        }
    }

    ReflectOptions options_;
    AddressList addresses_ = one_target();
    Fd prober_;
    std::optional<TcpTargets> targets_;
};

TEST_CASE("answering: over TCP T2 is the kernel's receipt, and what lies behind it our lateness") {
    TcpExchange exchange({});
    exchange.ask(1);
    exchange.wait_for_receipt();
    const WallTime received = os_clock.wall_now();
    const std::vector<ReflectorPacket> replies = exchange.replies(1);
    const WallTime t2 = from_ntp(replies[0].t2, received);
    CHECK(t2 <= received);
    CHECK(from_ntp(replies[0].t3, received) >= received);
    const Histogram& lateness = exchange.targets().read_lateness();
    REQUIRE(lateness.count() == 1);
    CHECK(*lateness.min() >= received - t2 - Duration{2});  // To NTP's resolution.
    CHECK(exchange.targets().counts().frames_unstamped.get() == 0);
    CHECK(exchange.targets().counts().frames_sharing_stamp.get() == 0);
}

TEST_CASE("answering: over TCP a request with others behind it in one read is counted") {
    TcpExchange exchange({});
    exchange.ask(3);
    exchange.wait_for_receipt();
    CHECK(exchange.replies(3).size() == 3);
    CHECK(exchange.targets().read_lateness().count() == 3);
    CHECK(exchange.targets().counts().frames_sharing_stamp.get() == 2);
}

TEST_CASE("answering: a request over TCP without a stamp is counted, and has no lateness") {
    TcpExchange exchange({}, false);
    exchange.ask(2);
    exchange.wait_for_receipt();
    CHECK(exchange.replies(2).size() == 2);
    CHECK(exchange.targets().read_lateness().count() == 0);
    CHECK(exchange.targets().counts().frames_unstamped.get() == 2);
}

TEST_CASE("answering: what the delay queue over TCP has no room for is counted by itself") {
    ReflectOptions options;
    options.link.reverse.delay = Duration::from_s(3'600);
    TcpExchange exchange(options);
    constexpr std::uint32_t room = 65'536;
    exchange.ask(room + 3);
    const TcpCounts& counts = exchange.targets().counts();
    while (counts.frames_received.get() < room + 3) {
        exchange.work();
    }
    CHECK(counts.frames_queue_full.get() == 3);
}

}  // namespace
}  // namespace latmon::loadgen
