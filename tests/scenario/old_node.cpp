// SPDX-License-Identifier: Apache-2.0
//
// See old_node.hpp.
#include "scenario/old_node.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace latmon::sim {
namespace {

constexpr std::int64_t sequence_max = 100;

Endpoint endpoint(const std::string& address, std::uint16_t port) {
    return *parse_endpoint(address, port);
}

std::string text_of(std::span<const std::byte> octets) {
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

// int() of Python, as far as it matters here.
std::optional<std::int64_t> number_in(const std::string& text) {
    if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) return {};
    return std::strtoll(text.c_str(), nullptr, 10);
}

std::int64_t after(std::int64_t sequence) {
    return sequence < 0 || sequence >= sequence_max ? 0 : sequence + 1;
}

}  // namespace

OldNode::OldNode(World& world, const std::string& address)
    : world_(world),
      clock_(world.simulation),
      ring_(world.simulation, world.directory, endpoint(address, 0), clock_),
      udp_(*ring_.open_udp({.local = endpoint(address, 8001)})),
      listener_(*ring_.open_listener({.local = endpoint(address, 8000)})) {
    ring_.sends_icmp = false;  // A socket that is not connected hears nothing of it.
    ring_.prepare_receive_datagrams(receive_, udp_);
    ring_.prepare_accept(accept_, listener_);
    watch();
}

void OldNode::watch() {
    world_.simulation.link = [this, link = std::move(world_.simulation.link)](
                                 const Packet& packet, std::mt19937_64& random) {
        std::vector<Duration> delays = link(packet, random);
        for (const Duration delay : delays) {
            // After the packet, which is planned behind this.
            world_.simulation.at(world_.simulation.now_ns() + delay.ns + 1, [this] { poll(); });
        }
        return delays;
    };
}

void OldNode::poll() {
    std::array<Ready, 16> ready{};
    while (const std::uint32_t count = ring_.drain(ready)) {
        for (const Ready& one : std::span(ready).first(count)) {
            if (!one.completion.has_more) one.operation->is_active = false;
            one.operation->on_complete(*one.operation, one.completion);
        }
    }
}

// str.split("|") into five, of which two are numbers; anything else is an exception there.
std::optional<OldNode::Request> OldNode::parse(const std::string& text) {
    std::vector<std::string> parts(1);
    for (const char letter : text) {
        if (letter == '|') {
            parts.emplace_back();
        } else {
            parts.back() += letter;
        }
    }
    if (parts.size() != 5) return std::nullopt;
    const std::optional<std::int64_t> sequence = number_in(parts[0]);
    if (!sequence || !number_in(parts[2])) return std::nullopt;
    return Request{.sequence = *sequence, .tags = parts[3], .padding = parts[4], .text = text};
}

std::string OldNode::reply_to(const Request& request) {
    if (echoes) return request.text;
    const std::int64_t t2_ns = clock_.kernel_now().ns + clock_offset_ns;
    return std::to_string(request.sequence) + "|" + name + "|" + std::to_string(t2_ns) + "|" +
           request.tags + mark + "|" + request.padding;
}

OldNode::Reply& OldNode::new_reply(std::string text) {
    replies_.push_back(std::make_unique<Reply>(*this));
    Reply& reply = *replies_.back();
    reply.text = std::move(text);
    reply.message.set_payload(std::as_bytes(std::span(reply.text)));
    return reply;
}

// -- UDP ----------------------------------------------------------------------------------------

void OldNode::on_datagram(const Completion& completion) noexcept {
    LATMON_ASSERT(completion.has_buffer && completion.has_more);
    const Datagram datagram = ring_.datagram(completion);
    const std::string text = text_of(datagram.payload).substr(0, max_size);
    const Endpoint from = datagram.source;
    const Endpoint local = datagram.local;
    ring_.release_buffer(completion.buffer_index);
    if (is_silent) return;
    const std::optional<Request> request = parse(text);
    if (!request) {
        ++tracebacks;
        return;
    }
    requests.push_back(text);
    const auto [last, is_new] = last_sequences_.try_emplace(from.port, -1);
    const bool is_expected = last->second <= 0 || request->sequence == after(last->second);
    if (!is_expected) ++out_of_sequence;
    last->second = request->sequence;
    Reply& reply = new_reply(reply_to(*request));
    reply.message.set_route(from, local, 0);
    world_.simulation.at(world_.simulation.now_ns() + turnaround.ns, [this, &reply] {
        ring_.prepare_send_datagram(reply.send, udp_, reply.message);
    });
}

// -- TCP ----------------------------------------------------------------------------------------

void OldNode::on_accept(const Completion& completion) noexcept {
    ++connections;
    connections_.push_back(std::make_unique<Connection>(*this));
    Connection& connection = *connections_.back();
    connection.socket = completion.result;
    connection.buffer.resize(max_size);
    connection.input.set_buffer(connection.buffer);
    ring_.prepare_receive_stream(connection.receive, connection.socket, connection.input);
}

void OldNode::Connection::on_receive(const Completion& completion) noexcept {
    if (completion.result <= 0) {
        owner.ring_.close(socket);
        socket = no_socket;
        return;
    }
    const auto count = static_cast<std::size_t>(completion.result);
    owner.take_message(*this, text_of(std::span(buffer).first(count)));
    if (socket == no_socket) return;
    input.set_buffer(buffer);
    owner.ring_.prepare_receive_stream(receive, socket, input);
}

// What one recv() brings is one message, unless it is nothing but padding.
void OldNode::take_message(Connection& connection, const std::string& text) {
    if (is_silent || text.find_first_not_of('0') == std::string::npos) return;
    const std::optional<Request> request = parse(text);
    if (!request) {
        if (std::count(text.begin(), text.end(), '|') > 4) ++coalesced;
        if (connection.has_begun) return;
        ++tracebacks;  // A name that is bound by the first message only: the thread dies.
        ring_.close(connection.socket);
        connection.socket = no_socket;
        return;
    }
    connection.has_begun = true;
    requests.push_back(text);
    if (request->sequence != after(connection.last_sequence)) ++out_of_sequence;
    connection.last_sequence = request->sequence;
    Reply& reply = new_reply(reply_to(*request));
    world_.simulation.at(world_.simulation.now_ns() + turnaround.ns, [this, &reply, &connection] {
        if (connection.socket == no_socket) return;
        const std::size_t usual =
            std::exchange(world_.simulation.segment_bytes, reply_segment_bytes);
        ring_.prepare_send_stream(reply.send, connection.socket, reply.message);
        world_.simulation.segment_bytes = usual;
    });
}

ProbePlan ancestor_probe(ProbeKind kind, std::uint32_t size_bytes) {
    ProbePlan probe = probe_to(far_address, kind, Duration::from_ms(1));
    probe.protocol = ProbeProtocol::ancestor;
    probe.size_bytes = size_bytes;
    probe.tlvs = 0;
    probe.waits_for_follow_up = false;
    probe.node_name = "near";
    return probe;
}

}  // namespace latmon::sim
