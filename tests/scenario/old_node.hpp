// SPDX-License-Identifier: Apache-2.0
//
// A node of the Python tool latency-monitor in a simulation: what its servers accept, answer and
// trip over, over UDP and TCP. It has no loop of its own; whatever the link brings wakes it up. It
// believes nothing of what latmon's own code says of the format, and so takes packets apart itself.
#pragma once

#include "support/sim_node.hpp"

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace latmon::sim {

class OldNode {
public:
    OldNode(World& world, const std::string& address);

    // To be called after the world's link is set: what it brings is noticed from now on.
    void watch();

    // -- Faults --
    bool is_silent = false;
    bool echoes = false;                  // It is an echo service, over UDP and TCP.
    std::string mark;                     // Behind the tags of replies, as latmon does it.
    std::size_t reply_segment_bytes = 0;  // Replies over TCP come in pieces of so many octets.
    // By how much T2 is wrong, and the time from a request to its reply.
    std::int64_t clock_offset_ns = 0;
    Duration turnaround{};
    std::size_t max_size = 1'470;
    std::string name = "old";

    // -- What it saw --
    std::vector<std::string> requests;  // Datagrams and messages that it understood.
    std::uint32_t tracebacks = 0;       // What it did not: a thread died, no reply was sent.
    std::uint32_t out_of_sequence = 0;  // Of which it would report a one-way delay of 0.
    std::uint32_t coalesced = 0;        // Several messages at one go: none is answered.
    std::uint32_t connections = 0;

private:
    struct Request {
        std::int64_t sequence = 0;
        std::string tags;
        std::string padding;
        std::string text;  // All of it.
    };
    struct Reply {
        explicit Reply(OldNode& owner) : send(owner) {}
        std::string text;
        RoutedMessage message;
        struct Send : Operation {
            explicit Send(OldNode&) noexcept
                : Operation([](Operation&, const Completion&) noexcept {}) {}
        } send;
    };
    struct Connection {
        explicit Connection(OldNode& the_owner) : receive(*this), owner(the_owner) {}
        void on_receive(const Completion& completion) noexcept;
        MethodOperation<&Connection::on_receive> receive;
        OldNode& owner;
        SocketId socket = no_socket;
        StreamInput input;
        std::vector<std::byte> buffer;
        std::int64_t last_sequence = -1;
        bool has_begun = false;
    };

    void poll();
    void on_datagram(const Completion& completion) noexcept;
    void on_accept(const Completion& completion) noexcept;
    void take_message(Connection& connection, const std::string& text);
    [[nodiscard]] static std::optional<Request> parse(const std::string& text);
    [[nodiscard]] std::string reply_to(const Request& request);
    Reply& new_reply(std::string text);

    World& world_;
    SimClock clock_;
    SimRing ring_;
    SocketId udp_;
    SocketId listener_;
    std::map<std::uint16_t, std::int64_t> last_sequences_;  // By port: there is one sender.
    std::vector<std::unique_ptr<Reply>> replies_;
    std::vector<std::unique_ptr<Connection>> connections_;
    MethodOperation<&OldNode::on_datagram> receive_{*this};
    MethodOperation<&OldNode::on_accept> accept_{*this};
};

inline constexpr const char* near_address = "10.0.0.1";
inline constexpr const char* far_address = "10.0.0.2";

// A probe of the node "near" to `far_address` in the old node's format, once a millisecond.
[[nodiscard]] ProbePlan ancestor_probe(ProbeKind kind, std::uint32_t size_bytes = 300);

// A node of ours that probes an old one.
struct NearAndOld {
    explicit NearAndOld(const Plan& plan)
        : near(world.add(plan, near_address)), old(world, far_address) {}

    [[nodiscard]] const ProbeCounters& counters() { return near.core().counters(0); }
    void run(Duration duration) {
        world.start();
        world.run_for(duration);
    }

    World world;
    Node& near;
    OldNode old;
};

}  // namespace latmon::sim
