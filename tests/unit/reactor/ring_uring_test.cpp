// SPDX-License-Identifier: Apache-2.0
//
// The real ring on loopback: that the kernel does what Ring promises. Needs io_uring.
#include "reactor/ring_uring.hpp"

#include "base/limits.hpp"
#include "unit/reactor/ring_fixture.hpp"

#include <doctest/doctest.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <thread>
#include <vector>

namespace latmon {
TEST_CASE("ring: a datagram arrives whole, with source, local address, TTL and class") {
    for (const bool is_ipv6 : {false, true}) {
        const std::unique_ptr<UringRing> ring = open_ring();
        std::uint16_t port = 0;
        const SocketId server = open_bound(*ring, is_ipv6, port);
        const Outcome<SocketId> client =
            ring->open_udp({.remote = loopback(port, is_ipv6), .dscp = 46, .is_ipv6 = is_ipv6});
        REQUIRE(client.has_value());
        for (const std::size_t bytes :
             {std::size_t{44}, std::size_t{1'470}, std::size_t{limits::probe_bytes_max}}) {
            Recorder receive;
            ring->prepare_receive_datagrams(receive, server);
            const std::vector<std::byte> data = pattern(bytes);
            Message message;
            message.set_payload(data);
            Recorder send;
            ring->prepare_send_datagram(send, *client, message);
            const std::vector<Ready> ready = wait_for(*ring, 2);
            CHECK(ready[0].operation == &send);
            CHECK(ready[0].completion.result == static_cast<int>(bytes));
            REQUIRE(ready[1].completion.has_buffer);
            CHECK(ready[1].completion.has_more);
            const Datagram datagram = ring->datagram(ready[1].completion);
            REQUIRE(datagram.payload.size() == bytes);
            CHECK(std::memcmp(datagram.payload.data(), data.data(), bytes) == 0);
            CHECK(datagram.source.address == loopback(0, is_ipv6).address);
            CHECK(datagram.source.port != 0);
            CHECK(datagram.local.address == loopback(0, is_ipv6).address);
            CHECK(datagram.ttl == 64);
            CHECK(datagram.has_traffic_class);
            CHECK((datagram.traffic_class >> 2) == 46);
            CHECK(!datagram.is_truncated);
            ring->release_buffer(ready[1].completion.buffer_index);
            ring->prepare_cancel(receive);
            CHECK(wait_for(*ring, 1)[0].completion.result == -ECANCELED);
        }
    }
}

TEST_CASE("ring: a reply leaves from the address that was probed, in the class it is given") {
    const std::unique_ptr<UringRing> ring = open_ring();
    std::uint16_t port = 0;
    open_bound(*ring, false, port);
    const Outcome<SocketId> wildcard = ring->open_udp(
        {.local = *parse_endpoint("0.0.0.0", static_cast<std::uint16_t>(port + 1'000)),
         .is_reflector = true});
    REQUIRE(wildcard.has_value());
    const Endpoint probed = *parse_endpoint("127.0.0.77", static_cast<std::uint16_t>(port + 1'000));
    const Outcome<SocketId> client = ring->open_udp({.remote = probed});
    REQUIRE(client.has_value());
    Recorder server_receive;
    Recorder client_receive;
    ring->prepare_receive_datagrams(server_receive, *wildcard);
    ring->prepare_receive_datagrams(client_receive, *client);
    const std::vector<std::byte> data = pattern(44);
    Message request;
    request.set_payload(data);
    Recorder send;
    ring->prepare_send_datagram(send, *client, request);
    const std::vector<Ready> arrived = wait_for(*ring, 2);
    const Datagram datagram = ring->datagram(arrived[1].completion);
    CHECK(datagram.local.address == probed.address);
    RoutedMessage reply;
    reply.set_payload(datagram.payload);
    reply.set_route(datagram.source, datagram.local, 40 << 2);
    Recorder reply_send;
    ring->prepare_send_datagram(reply_send, *wildcard, reply);
    // A connected client gets it only if it comes from 127.0.0.77.
    const std::vector<Ready> back = wait_for(*ring, 2);
    CHECK(back[1].operation == &client_receive);
    const Datagram answer = ring->datagram(back[1].completion);
    CHECK(answer.ttl == 255);
    CHECK((answer.traffic_class >> 2) == 40);
}

TEST_CASE("ring: a refused datagram ends the receive and lies in the error queue with its start") {
    const std::unique_ptr<UringRing> ring = open_ring();
    std::uint16_t port = 0;
    ring->close(open_bound(*ring, false, port));
    const Outcome<SocketId> client = ring->open_udp({.remote = loopback(port)});
    REQUIRE(client.has_value());
    Recorder receive;
    ring->prepare_receive_datagrams(receive, *client);
    const std::vector<std::byte> data = pattern(44);
    Message message;
    message.set_payload(data);
    Recorder send;
    ring->prepare_send_datagram(send, *client, message);
    const std::vector<Ready> ready = wait_for(*ring, 2);
    CHECK(ready[1].completion.result == -ECONNREFUSED);
    CHECK(!ready[1].completion.has_more);
    const Outcome<SocketError> error = ring->take_error(*client);
    REQUIRE(error.has_value());
    CHECK(error->error_number == ECONNREFUSED);
    CHECK(error->is_from_network);
    REQUIRE(error->payload_bytes >= 16);
    CHECK(std::memcmp(error->payload.data(), data.data(), 16) == 0);
    CHECK(ring->take_error(*client).error() == EAGAIN);
}

TEST_CASE("ring: a receive that runs out of buffers ends, and what arrived meanwhile is not lost") {
    const std::unique_ptr<UringRing> ring = open_ring();
    std::uint16_t port = 0;
    const SocketId server = open_bound(*ring, false, port);
    const Outcome<SocketId> client = ring->open_udp({.remote = loopback(port)});
    REQUIRE(client.has_value());
    const std::vector<std::byte> data = pattern(44);
    Message message;
    message.set_payload(data);
    constexpr std::uint32_t packets = limits::receive_buffers + 40;
    for (std::uint32_t sent = 0; sent < packets; ++sent) {
        Recorder send;
        ring->prepare_send_datagram(send, *client, message);
        CHECK(wait_for(*ring, 1)[0].completion.result == 44);
    }
    Recorder receive;
    ring->prepare_receive_datagrams(receive, server);
    const std::vector<Ready> ready = wait_for(*ring, limits::receive_buffers + 1);
    CHECK(ready.back().completion.result == -ENOBUFS);
    CHECK(!ready.back().completion.has_more);
    for (std::size_t index = 0; index + 1 < ready.size(); ++index) {
        ring->release_buffer(ready[index].completion.buffer_index);
    }
    ring->prepare_receive_datagrams(receive, server);
    CHECK(wait_for(*ring, 40).size() == 40);
}

TEST_CASE("ring: streams connect, carry, end; accept goes on for the next") {
    const std::unique_ptr<UringRing> ring = open_ring();
    std::uint16_t port = 0;
    ring->close(open_bound(*ring, false, port));
    const Outcome<SocketId> listener = ring->open_listener({.local = loopback(port)});
    REQUIRE(listener.has_value());
    Recorder accept;
    ring->prepare_accept(accept, *listener);
    for (int round = 0; round < 3; ++round) {
        const Outcome<SocketId> client = ring->open_tcp({.is_short_lived = round == 1});
        REQUIRE(client.has_value());
        Recorder connect;
        ring->prepare_connect(connect, *client, loopback(port));
        SocketId server = no_socket;
        for (const Ready& ready : wait_for(*ring, 2)) {
            if (ready.operation == &accept) server = ready.completion.result;
            if (ready.operation == &connect) CHECK(ready.completion.result == 0);
        }
        REQUIRE(server >= 0);
        CHECK(ring->peer(*client) == loopback(port));
        const std::vector<std::byte> data = pattern(60'000);
        Message message;
        message.set_payload(std::span(data).first(100), std::span(data).subspan(100));
        Recorder send;
        ring->prepare_send_stream(send, *client, message);
        CHECK(wait_for(*ring, 1)[0].completion.result == 60'000);
        std::vector<std::byte> received(60'000);
        std::size_t filled = 0;
        while (filled < received.size()) {
            Recorder receive;
            StreamInput input;
            input.set_buffer(std::span(received).subspan(filled));
            ring->prepare_receive_stream(receive, server, input);
            filled += static_cast<std::size_t>(wait_for(*ring, 1)[0].completion.result);
        }
        CHECK(received == data);
        ring->close(*client);
        Recorder receive;
        StreamInput input;
        input.set_buffer(received);
        ring->prepare_receive_stream(receive, server, input);
        CHECK(wait_for(*ring, 1)[0].completion.result == 0);
        ring->close(server);
    }
}

TEST_CASE("ring: a wait ends at its deadline, not before, and at once when woken") {
    const std::unique_ptr<UringRing> ring = open_ring();
    const OsClock clock;
    for (int round = 0; round < 20; ++round) {
        const Instant until = clock.now() + Duration::from_us(500);
        while (clock.now() < until)
            ring->wait(until);
        std::array<Ready, 4> ready;
        CHECK(ring->drain(ready) == 0);
    }
    const Instant far = clock.now() + Duration::from_s(60);
    std::thread waker([&] { ring->wake(); });
    ring->wait(far);
    CHECK(clock.now() < far);
    waker.join();
}

}  // namespace latmon
