// SPDX-License-Identifier: Apache-2.0
//
// The simulated ring itself, where scenarios rest on it: stamps, drops and local loss are as a
// kernel would have them.
#include "support/sim_ring.hpp"

#include <doctest/doctest.h>
#include <array>
#include <cerrno>
#include <vector>

namespace latmon::sim {
namespace {

struct Recorder : Operation {
    Recorder() noexcept : Operation([](Operation&, const Completion&) noexcept {}) {}
};

// Two hosts whose wall clocks differ by three seconds.
struct Pair {
    Pair() {
        near_clock.wall_offset_ns = 1'000'000'000'000;
        far_clock.wall_offset_ns = 1'003'000'000'000;
    }

    void run_for(Duration duration) {
        const std::int64_t end_ns = simulation.now_ns() + duration.ns;
        for (simulation.run_due(); simulation.next_event_ns() <= end_ns; simulation.run_due()) {
            simulation.advance_to(simulation.next_event_ns());
        }
        simulation.advance_to(end_ns);
    }

    static std::vector<Ready> drain(SimRing& ring) {
        std::array<Ready, 32> ready;
        const std::uint32_t count = ring.drain(ready);
        for (std::uint32_t index = 0; index < count; ++index) {
            if (!ready[index].completion.has_more) ready[index].operation->is_active = false;
        }
        return {ready.begin(), ready.begin() + count};
    }

    // Sends 16 octets; the completion is left to be drained.
    void send(std::uint32_t key) {
        message.set_payload(payload);
        message.set_key(key);
        near.prepare_send_datagram(sends.emplace_back(), client, message);
    }

    Simulation simulation{1};
    Directory directory;
    SimClock near_clock{simulation};
    SimClock far_clock{simulation};
    SimRing near{simulation, directory, *parse_endpoint("10.0.0.1", 0), near_clock};
    SimRing far{simulation, directory, *parse_endpoint("10.0.0.2", 0), far_clock};
    SocketId server = *far.open_udp({.local = {.port = 862}, .wants_stamps = true});
    SocketId client =
        *near.open_udp({.remote = *parse_endpoint("10.0.0.2", 862), .wants_stamps = true});
    std::array<std::byte, 16> payload{};
    Message message;
    std::deque<Recorder> sends;
    Recorder receive;
    Recorder stamps;
};

WallTime wall(std::int64_t wall_offset_ns, std::int64_t true_ns) {
    return WallTime{wall_offset_ns + true_ns};
}

}  // namespace

TEST_CASE("simulated ring: packets are stamped where they leave and where they arrive") {
    Pair pair;
    pair.near.queue_delay = Duration::from_us(7);
    pair.far.read_delay = Duration::from_us(30);
    pair.near.prepare_tx_stamps(pair.stamps, pair.client);
    pair.far.prepare_receive_datagrams(pair.receive, pair.server);
    const std::int64_t sent_ns = pair.simulation.now_ns();
    pair.send(5);
    CHECK(Pair::drain(pair.near).size() == 1);
    pair.run_for(Duration::from_us(7));
    const std::vector<Ready> left = Pair::drain(pair.near);
    REQUIRE(left.size() == 1);
    CHECK(left[0].operation == &pair.stamps);
    CHECK(left[0].completion.has_more);
    CHECK(left[0].completion.stamp.key == 5);
    CHECK(left[0].completion.stamp.source == StampSource::kernel);
    CHECK(left[0].completion.stamp.time == wall(1'000'000'000'000, sent_ns + 7'000));
    // 50 us on the link; until it can be read, 30 us more.
    pair.run_for(Duration::from_us(79));
    CHECK(Pair::drain(pair.far).empty());
    pair.run_for(Duration::from_us(1));
    const std::vector<Ready> arrived = Pair::drain(pair.far);
    REQUIRE(arrived.size() == 1);
    const Datagram datagram = pair.far.datagram(arrived[0].completion);
    CHECK(datagram.arrived_by == StampSource::kernel);
    CHECK(datagram.arrived == wall(1'003'000'000'000, sent_ns + 57'000));
}

TEST_CASE(
    "simulated ring: a packet lost on its own host is sent, not stamped, and does not arrive") {
    Pair pair;
    pair.near.lose_tx_stamp = [](const Octets&) { return true; };
    pair.near.prepare_tx_stamps(pair.stamps, pair.client);
    pair.far.prepare_receive_datagrams(pair.receive, pair.server);
    pair.send(1);
    pair.run_for(Duration::from_ms(1));
    const std::vector<Ready> done = Pair::drain(pair.near);
    REQUIRE(done.size() == 1);
    CHECK(done[0].completion.result == 16);
    CHECK(Pair::drain(pair.far).empty());
}

TEST_CASE(
    "simulated ring: what a full receive buffer drops is counted on it and told by the next") {
    Pair pair;
    pair.far.receive_limit = 3;
    pair.far.prepare_receive_datagrams(pair.receive, pair.server);
    for (std::uint32_t key = 0; key < 10; ++key)
        pair.send(key);
    pair.run_for(Duration::from_ms(1));
    CHECK(pair.far.receive_drops(pair.server) == 7);
    CHECK(Pair::drain(pair.far).size() == 3);
    pair.send(10);
    pair.run_for(Duration::from_ms(1));
    const std::vector<Ready> next = Pair::drain(pair.far);
    REQUIRE(next.size() == 1);
    CHECK(pair.far.datagram(next[0].completion).drops == 7);
    pair.far.arrivals_to_drop = 2;
    for (std::uint32_t key = 0; key < 3; ++key)
        pair.send(key);
    pair.run_for(Duration::from_ms(1));
    CHECK(pair.far.receive_drops(pair.server) == 9);
    CHECK(Pair::drain(pair.far).size() == 1);
}

TEST_CASE("simulated ring: stamps can be refused, or lie in the error queue beside errors") {
    Pair refused;
    refused.near.refuse_stamps = true;
    refused.near.prepare_tx_stamps(refused.stamps, refused.client);
    CHECK(Pair::drain(refused.near).at(0).completion.result == -EOPNOTSUPP);

    Pair queued;
    queued.near.has_stamps_in_error_queue = true;
    queued.far.close(queued.server);
    queued.near.prepare_tx_stamps(queued.stamps, queued.client);
    queued.send(4);
    queued.run_for(Duration::from_ms(1));
    const std::vector<Ready> told = Pair::drain(queued.near);
    REQUIRE(told.size() == 3);  // The send, its stamp, its refusal.
    CHECK(told[1].completion.has_more);
    CHECK(told[1].completion.stamp.source == StampSource::none);
    CHECK(queued.near.take_error(queued.client)->stamp.key == 4);
    CHECK(queued.near.take_error(queued.client)->error_number == ECONNREFUSED);
    CHECK(queued.near.take_error(queued.client).error() == EAGAIN);
}

TEST_CASE("simulated ring: streams are stamped at both ends, and when acknowledged") {
    Pair pair;
    const SocketId listener =
        *pair.far.open_listener({.local = {.port = 8000}, .wants_stamps = true});
    Recorder accept;
    Recorder connect;
    Recorder send;
    Recorder receive;
    pair.far.prepare_accept(accept, listener);
    const SocketId stream = *pair.near.open_tcp({.wants_stamps = true});
    pair.near.prepare_connect(connect, stream, *parse_endpoint("10.0.0.2", 8000));
    pair.run_for(Duration::from_ms(1));
    const SocketId accepted = Pair::drain(pair.far).at(0).completion.result;
    Pair::drain(pair.near);
    pair.near.prepare_tx_stamps(pair.stamps, stream);
    const std::int64_t sent_ns = pair.simulation.now_ns();
    pair.message.set_payload(pair.payload);
    pair.near.prepare_send_stream(send, stream, pair.message);
    std::array<std::byte, 10> buffer{};
    StreamInput input;
    input.set_buffer(buffer);
    pair.far.prepare_receive_stream(receive, accepted, input);
    CHECK(!pair.far.arrival_of(input).has_value());
    pair.run_for(Duration::from_ms(1));
    const std::vector<Ready> told = Pair::drain(pair.near);
    REQUIRE(told.size() == 3);
    CHECK(told[1].completion.stamp.point == StampPoint::sent);
    CHECK(told[2].completion.stamp.point == StampPoint::acked);
    CHECK(told[2].completion.stamp.key == 15);
    CHECK(told[2].completion.stamp.time == wall(1'000'000'000'000, sent_ns + 100'000));
    CHECK(pair.far.arrival_of(input) == wall(1'003'000'000'000, sent_ns + 50'000));
}

}  // namespace latmon::sim
