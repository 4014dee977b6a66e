// SPDX-License-Identifier: Apache-2.0
//
// Time stamps of the real ring on loopback, in every way the kernel has for them: that each packet
// gets its own, and that it is the right one. Needs io_uring. That a stamp is a packet's own is
// seen from its time, which lies between two looks at the clock around the send.
#include "base/limits.hpp"
#include "reactor/ring_uring.hpp"

#include "unit/reactor/ring_fixture.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace latmon {
namespace {

const OsClock the_clock;

const std::array ways{
    UringOptions{.sockets_max = 64},
    UringOptions{.sockets_max = 64, .best_tx_way = TxStampWay::error_queue},
    UringOptions{.sockets_max = 64, .best_tx_way = TxStampWay::error_queue, .may_have_keys = false},
};

struct Window {
    WallTime before;
    WallTime after;

    [[nodiscard]] bool contains(WallTime time) const { return before <= time && time <= after; }
};

// A ring, and what came out of it.
class Bench {
public:
    explicit Bench(const UringOptions& options) : ring(open_ring(options)) {}

    // Turns the loop until `is_done`, five seconds at most.
    void run_until(const std::function<bool()>& is_done) {
        const Instant give_up = the_clock.now() + Duration::from_s(5);
        while (!is_done() && the_clock.now() < give_up) {
            ring->wait(the_clock.now() + Duration::from_ms(20));
            std::array<Ready, 64> ready;
            const std::uint32_t count = ring->drain(ready);
            for (std::uint32_t index = 0; index < count; ++index)
                take(ready[index]);
        }
        REQUIRE(is_done());
    }

    void watch_stamps(SocketId socket) {
        stamped_ = socket;
        ring->prepare_tx_stamps(stamps, socket);
    }

    // Sends one datagram and returns the result. If the send succeeded, its window is kept.
    std::int32_t send(SocketId socket, std::uint32_t key, std::size_t bytes = 44) {
        const std::vector<std::byte> data = pattern(bytes);
        Message message;
        message.set_payload(data);
        message.set_key(key);
        const WallTime before = the_clock.wall_now();
        has_sent_ = false;
        ring->prepare_send_datagram(send_, socket, message);
        run_until([&] { return has_sent_; });
        if (sent_result_ >= 0) windows[key] = {before, the_clock.wall_now()};
        return sent_result_;
    }

    // Whether each datagram sent has exactly one stamp, taken as it was sent.
    void check_stamps() {
        run_until([&] { return taken.size() >= windows.size(); });
        settle();
        CHECK(taken.size() == windows.size());
        check_keys();
    }

    // Whether every stamp is that of the datagram that it says.
    void check_keys() {
        for (const TxStamp& stamp : taken) {
            CAPTURE(stamp.key);
            CHECK(stamp.point == StampPoint::sent);
            CHECK(stamp.source == StampSource::kernel);
            CHECK(windows.contains(stamp.key));
            CHECK(windows[stamp.key].contains(stamp.time));
            CHECK(1 == std::count_if(taken.begin(), taken.end(),
                                     [&](const TxStamp& other) { return other.key == stamp.key; }));
        }
    }

    // Takes what is there.
    void settle() {
        for (int turn = 0; turn < 3; ++turn) {
            ring->poll();
            std::array<Ready, 64> ready;
            const std::uint32_t count = ring->drain(ready);
            for (std::uint32_t index = 0; index < count; ++index)
                take(ready[index]);
        }
    }

    std::unique_ptr<UringRing> ring;
    Recorder stamps;
    Recorder receive;
    std::vector<TxStamp> taken;
    std::vector<SocketError> errors;
    std::vector<Datagram> arrived;  // Payloads are gone.
    std::map<std::uint32_t, Window> windows;
    std::vector<Completion> others;

private:
    void take(const Ready& ready) {
        const Completion& completion = ready.completion;
        if (!completion.has_more) ready.operation->is_active = false;
        if (ready.operation == &send_) {
            has_sent_ = true;
            sent_result_ = completion.result;
        } else if (ready.operation == &stamps) {
            take_stamp(completion);
        } else if (completion.has_buffer) {
            arrived.push_back(ring->datagram(completion));
            ring->release_buffer(completion.buffer_index);
        } else {
            others.push_back(completion);
        }
    }

    void take_stamp(const Completion& completion) {
        CHECK((completion.has_more || completion.result == -ECANCELED));
        if (completion.stamp.source != StampSource::none) {
            taken.push_back(completion.stamp);
        } else {
            take_errors();
        }
    }

public:
    void take_errors() {
        for (;;) {
            const Outcome<SocketError> error = ring->take_error(stamped_);
            if (!error) break;
            if (error->stamp.source != StampSource::none) {
                taken.push_back(error->stamp);
            } else {
                errors.push_back(*error);
            }
        }
    }

private:
    SocketId stamped_ = no_socket;
    Recorder send_;
    bool has_sent_ = false;
    std::int32_t sent_result_ = 0;
};

SocketId open_client(UringRing& ring, std::uint16_t port) {
    const Outcome<SocketId> client =
        ring.open_udp({.remote = loopback(port), .wants_stamps = true});
    REQUIRE(client.has_value());
    return *client;
}

}  // namespace

TEST_CASE("stamps: opening a ring finds out the best way there is, and leaves nothing behind") {
    const std::unique_ptr<UringRing> ring = open_ring();
    CHECK(ring->stamp_ability().tx != TxStampWay::none);
    CHECK(ring->stamp_ability().has_rx);
    ring->poll();
    std::array<Ready, 8> ready;
    CHECK(ring->drain(ready) == 0);
    for (const UringOptions& options : ways) {
        const std::unique_ptr<UringRing> forced = open_ring(options);
        CHECK(forced->stamp_ability().tx >= options.best_tx_way);
        if (!options.may_have_keys) CHECK(!forced->stamp_ability().has_keys);
    }
}

TEST_CASE("stamps: each datagram has one stamp of its leaving, with its key, in every way") {
    for (const UringOptions& options : ways) {
        CAPTURE(static_cast<int>(options.best_tx_way));
        CAPTURE(options.may_have_keys);
        Bench bench(options);
        std::uint16_t port = 0;
        open_bound(*bench.ring, false, port);
        const SocketId client = open_client(*bench.ring, port);
        bench.watch_stamps(client);
        for (std::uint32_t key = 0; key < 20; ++key)
            CHECK(bench.send(client, 0xFFFF'FFF8U + key) == 44);
        // Keys may be left out.
        for (std::uint32_t key = 100; key < 120; key += 1 + key % 3)
            CHECK(bench.send(client, key) == 44);
        bench.check_stamps();
        bench.ring->prepare_cancel(bench.stamps);
    }
}

// Linux 6.18 leaves out the last place before the queue wraps: see retire().
TEST_CASE("stamps: nothing is read twice when the queue of completions comes round") {
    Bench bench(ways.front());
    std::uint16_t port = 0;
    open_bound(*bench.ring, false, port);
    const SocketId stamped = open_client(*bench.ring, port);
    const SocketId plain = open_client(*bench.ring, port);
    bench.watch_stamps(stamped);
    // Three completions for each pair, and the queue has no multiple of three: each kind comes to
    // be last.
    const std::uint32_t count = 2 * limits::completion_entries;
    for (std::uint32_t key = 0; key < count; ++key) {
        REQUIRE(bench.send(stamped, key) == 44);
        REQUIRE(bench.send(plain, key) == 44);
    }
    bench.run_until([&] { return bench.taken.size() >= count; });
    bench.settle();
    CHECK(bench.taken.size() == count);
    bool is_in_order = true;
    for (std::uint32_t key = 0; key < count; ++key)
        is_in_order &= bench.taken[key].key == key;
    CHECK(is_in_order);
    CHECK(bench.others.empty());
    bench.ring->prepare_cancel(bench.stamps);
}

TEST_CASE("stamps: after a send that failed the next datagrams have their own stamps, or none") {
    constexpr std::size_t too_long = 65'508;
    for (const UringOptions& options : ways) {
        CAPTURE(options.may_have_keys);
        Bench bench(options);
        std::uint16_t port = 0;
        open_bound(*bench.ring, false, port);
        const SocketId client = open_client(*bench.ring, port);
        bench.watch_stamps(client);
        for (std::uint32_t key = 10; key < 40; ++key) {
            const bool is_refused = key % 10 == 5;
            CHECK(bench.send(client, key, is_refused ? too_long : 44) ==
                  (is_refused ? -EMSGSIZE : 44));
            bench.settle();
        }
        if (bench.ring->stamp_ability().has_keys) {
            bench.check_stamps();
        } else {
            CHECK(bench.taken.size() == 5);  // Those before the first that failed.
            bench.check_keys();
        }
    }
}

TEST_CASE("stamps: a socket with many peers has stamps where the kernel takes keys, else none") {
    for (const UringOptions& options : ways) {
        Bench bench(options);
        std::uint16_t port = 0;
        const SocketId server = open_bound(*bench.ring, port, {.wants_stamps = true});
        const bool has_keys = bench.ring->stamp_ability().has_keys;
        Recorder stamps;
        bench.ring->prepare_tx_stamps(has_keys ? bench.stamps : stamps, server);
        if (!has_keys) {
            bench.run_until([&] { return !bench.others.empty(); });
            CHECK(bench.others[0].result == -EOPNOTSUPP);
            CHECK(!bench.others[0].has_more);
        }
    }
}

TEST_CASE("stamps: without a way the request for stamps ends at once, and sending goes on") {
    Bench bench({.sockets_max = 64, .best_tx_way = TxStampWay::none});
    CHECK(bench.ring->stamp_ability().tx == TxStampWay::none);
    std::uint16_t port = 0;
    open_bound(*bench.ring, false, port);
    const SocketId client = open_client(*bench.ring, port);
    Recorder stamps;
    bench.ring->prepare_tx_stamps(stamps, client);
    bench.run_until([&] { return !bench.others.empty(); });
    CHECK(bench.others[0].result == -EOPNOTSUPP);
    CHECK(!stamps.is_active);
    CHECK(bench.send(client, 7) == 44);
    CHECK(bench.ring->take_error(client).error() == EAGAIN);
}

TEST_CASE("stamps: an arrival is stamped between its sending and its being read") {
    for (const bool is_ipv6 : {false, true}) {
        Bench bench({.sockets_max = 64});
        std::uint16_t port = 0;
        const SocketId server =
            open_bound(*bench.ring, port, {.is_ipv6 = is_ipv6, .wants_stamps = true});
        const Outcome<SocketId> client = bench.ring->open_udp(
            {.remote = loopback(port, is_ipv6), .is_ipv6 = is_ipv6, .wants_stamps = true});
        REQUIRE(client.has_value());
        bench.watch_stamps(*client);
        bench.ring->prepare_receive_datagrams(bench.receive, server);
        for (std::uint32_t key = 0; key < 10; ++key)
            bench.send(*client, key);
        bench.run_until([&] { return bench.arrived.size() == 10; });
        bench.check_stamps();
        for (std::uint32_t key = 0; key < 10; ++key) {
            const Datagram& datagram = bench.arrived[key];
            CHECK(datagram.arrived_by == StampSource::kernel);
            CHECK(bench.taken[key].time <= datagram.arrived);
            CHECK(datagram.arrived <= the_clock.wall_now());
            CHECK(!datagram.has_hardware_time);
            CHECK(!datagram.has_drops);
        }
    }
}

TEST_CASE("stamps: a socket that did not ask for stamps has none") {
    Bench bench({.sockets_max = 64});
    std::uint16_t port = 0;
    const SocketId server = open_bound(*bench.ring, false, port);
    const Outcome<SocketId> client = bench.ring->open_udp({.remote = loopback(port)});
    REQUIRE(client.has_value());
    bench.ring->prepare_receive_datagrams(bench.receive, server);
    CHECK(bench.send(*client, 3) == 44);
    bench.run_until([&] { return bench.arrived.size() == 1; });
    CHECK(bench.arrived[0].arrived_by == StampSource::none);
    CHECK(bench.ring->take_error(*client).error() == EAGAIN);
}

TEST_CASE("stamps: refusals by the network and stamps share a queue and both come through") {
    for (const UringOptions& options : ways) {
        CAPTURE(static_cast<int>(options.best_tx_way));
        CAPTURE(options.may_have_keys);
        Bench bench(options);
        std::uint16_t port = 0;
        bench.ring->close(open_bound(*bench.ring, false, port));
        const SocketId client = open_client(*bench.ring, port);
        bench.watch_stamps(client);
        for (std::uint32_t key = 0; key < 40; ++key) {
            // The refusal of one datagram is the result of the next call.
            const std::int32_t result = bench.send(client, key);
            CHECK((result == 44 || result == -ECONNREFUSED));
            // A user reads the queue when a call fails; that must not lose stamps.
            if (result < 0) bench.take_errors();
        }
        bench.settle();
        bench.take_errors();
        CHECK(bench.errors.size() == bench.windows.size());
        for (const SocketError& error : bench.errors) {
            CHECK(error.error_number == ECONNREFUSED);
            CHECK(error.is_from_network);
            CHECK(error.icmp_type == 3);  // RFC 792: destination unreachable, port.
            CHECK(error.icmp_code == 3);
        }
        // Where the kernel takes no keys, a failed send costs those of the rest; none is wrong.
        if (bench.ring->stamp_ability().has_keys) {
            CHECK(bench.taken.size() == bench.windows.size());
        } else {
            CHECK(!bench.taken.empty());
        }
        bench.check_keys();
    }
}

TEST_CASE("ring: what the receive buffer has no room for is counted, in two ways alike") {
    Bench bench({.sockets_max = 64});
    std::uint16_t port = 0;
    const SocketId server = open_bound(*bench.ring, port, {.receive_buffer_bytes = 2'048});
    const SocketId client = open_client(*bench.ring, port);
    CHECK(bench.ring->receive_drops(server) == 0);
    for (std::uint32_t key = 0; key < 100; ++key)
        bench.send(client, key);
    const std::uint32_t drops = bench.ring->receive_drops(server);
    CHECK(drops > 0);
    bench.ring->prepare_receive_datagrams(bench.receive, server);
    bench.run_until([&] { return bench.arrived.size() == 100 - drops; });
    bench.send(client, 100);
    bench.run_until([&] { return bench.arrived.size() == 101 - drops; });
    CHECK(bench.arrived.back().has_drops);
    CHECK(bench.arrived.back().drops == drops);
    CHECK(bench.ring->receive_drops(server) == drops);
}

TEST_CASE("stamps: a stream's octets are stamped as they leave, are acknowledged, and arrive") {
    for (const UringOptions& options : ways) {
        CAPTURE(static_cast<int>(options.best_tx_way));
        Bench bench(options);
        std::uint16_t port = 20'000;
        Outcome<SocketId> listener = no_socket;
        do {
            ++port;
            listener = bench.ring->open_listener({.local = loopback(port), .wants_stamps = true});
        } while (!listener && port < 21'000);
        REQUIRE(listener.has_value());
        Recorder accept;
        Recorder connect;
        bench.ring->prepare_accept(accept, *listener);
        const Outcome<SocketId> client = bench.ring->open_tcp({.wants_stamps = true});
        REQUIRE(client.has_value());
        bench.ring->prepare_connect(connect, *client, loopback(port));
        bench.run_until([&] { return bench.others.size() == 2; });
        const SocketId server = std::max(bench.others[0].result, bench.others[1].result);
        // Both ends: the one that was accepted has what its listener asked for.
        for (const auto& [from, to] : {std::pair{*client, server}, std::pair{server, *client}}) {
            Bench& end = bench;
            end.watch_stamps(from);
            std::uint32_t key = ~0U;
            for (const std::size_t bytes : {std::size_t{100}, std::size_t{5'000}, std::size_t{1}}) {
                const std::vector<std::byte> data = pattern(bytes);
                Message message;
                message.set_payload(data);
                std::vector<std::byte> buffer(bytes);
                StreamInput input;
                input.set_buffer(buffer);
                Recorder receive;
                Recorder send;
                end.others.clear();
                end.taken.clear();
                const WallTime before = the_clock.wall_now();
                end.ring->prepare_receive_stream(receive, to, input);
                end.ring->prepare_send_stream(send, from, message);
                end.run_until([&] { return end.taken.size() == 2 && end.others.size() == 2; });
                const WallTime after = the_clock.wall_now();
                key += static_cast<std::uint32_t>(bytes);
                CHECK(end.taken[0].point == StampPoint::sent);
                CHECK(end.taken[1].point == StampPoint::acked);
                for (const TxStamp& stamp : end.taken) {
                    CHECK(stamp.key == key);
                    CHECK(Window{before, after}.contains(stamp.time));
                }
                const std::optional<WallTime> arrival = end.ring->arrival_of(input);
                REQUIRE(arrival.has_value());
                CHECK(end.taken[0].time <= *arrival);
                CHECK(*arrival <= after);
            }
            end.ring->prepare_cancel(end.stamps);
            end.run_until([&] { return !end.stamps.is_active; });
        }
    }
}

TEST_CASE("stamps: a loop that waits for stamps of many sockets sleeps until its deadline") {
    for (const UringOptions& options : ways) {
        Bench bench(options);
        std::uint16_t port = 0;
        const SocketId server = open_bound(*bench.ring, port, {.wants_stamps = true});
        bench.ring->prepare_receive_datagrams(bench.receive, server);
        std::vector<std::unique_ptr<Recorder>> operations;
        for (int socket = 0; socket < 50; ++socket) {
            const SocketId client = open_client(*bench.ring, port);
            for (const bool is_receive : {false, true}) {
                operations.push_back(std::make_unique<Recorder>());
                is_receive ? bench.ring->prepare_receive_datagrams(*operations.back(), client)
                           : bench.ring->prepare_tx_stamps(*operations.back(), client);
            }
            CHECK(bench.send(client, 1) == 44);
        }
        // The stamps of the error queue are left unread: a queue that is not empty is no news.
        bench.run_until([&] { return bench.arrived.size() == 50; });
        bench.settle();
        const Instant until = the_clock.now() + Duration::from_ms(30);
        const std::uint64_t waits = bench.ring->counters().waits;
        while (the_clock.now() < until) {
            bench.ring->wait(until);
            std::array<Ready, 8> ready;
            CHECK(bench.ring->drain(ready) == 0);
        }
        CHECK(bench.ring->counters().waits == waits + 1);
    }
}

}  // namespace latmon
