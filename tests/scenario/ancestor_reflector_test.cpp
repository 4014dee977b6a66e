// SPDX-License-Identifier: Apache-2.0
//
// A node answers the Python tool latency-monitor: its packets over UDP, its stream over TCP however
// that is cut, and never more than it got.
#include "support/sim_node.hpp"
#include "wire/ancestor.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <deque>
#include <string>

namespace latmon::sim {
namespace {

constexpr const char* old_address = "10.0.0.9";
constexpr const char* far_address = "10.0.0.2";
constexpr std::size_t size_bytes = 200;

Endpoint endpoint(const char* address, std::uint16_t port) {
    return parse_endpoint(address, port).value();
}

std::string text_of(std::span<const std::byte> octets) {
    return {reinterpret_cast<const char*>(octets.data()), octets.size()};
}

// What the Python tool sends.
std::string message(int sequence, WallTime now, std::size_t bytes = size_bytes,
                    std::string_view tags = "['isp:local']") {
    std::string text = std::to_string(sequence) + "|old-node|" + std::to_string(now.ns) + "|" +
                       std::string(tags) + "|";
    text.resize(std::max(text.size(), bytes), '0');
    return text;
}

// A host with sockets and no latmon: nobody but the test sends and reads.
class OldNode {
public:
    explicit OldNode(World& world, const char* address = old_address)
        : clock(world.simulation),
          ring(world.simulation, world.directory, endpoint(address, 0), clock) {}

    void open_udp(std::uint16_t local_port = 0) {
        socket_ = ring.open_udp({.local = {.port = local_port}}).value();
        ring.prepare_receive_datagrams(receive_, socket_);
    }
    void send_to(const Endpoint& to, std::string_view text) {
        Sent& sent = sent_.emplace_back(text);
        sent.message.set_payload(std::as_bytes(std::span(sent.text)));
        sent.message.set_route(to, {}, 0);
        ring.prepare_send_datagram(sent.operation, socket_, sent.message);
    }

    // What comes is read from now on.
    void connect(const Endpoint& to) {
        socket_ = ring.open_tcp({}).value();
        is_stream_ = true;
        ring.prepare_connect(connect_, socket_, to);
        read_on();
    }
    void send(std::string_view text) {
        Sent& sent = sent_.emplace_back(text);
        sent.message.set_payload(std::as_bytes(std::span(sent.text)));
        ring.prepare_send_stream(sent.operation, socket_, sent.message);
    }
    // Datagrams, or what was read at one go, since the last call.
    std::vector<std::string> take() {
        std::vector<std::string> received;
        std::array<Ready, 64> ready;
        while (const std::uint32_t count = ring.drain(ready)) {
            for (const Ready& each : std::span(ready).first(count)) {
                each.operation->is_active = each.completion.has_more;
                if (each.operation == &receive_) received.push_back(received_by(each.completion));
            }
        }
        return received;
    }
    [[nodiscard]] bool is_closed() const noexcept { return is_closed_; }

    SimClock clock;
    SimRing ring;

private:
    static void ignore(Operation&, const Completion&) noexcept {}
    struct Sent {
        explicit Sent(std::string_view what) : text(what) {}
        std::string text;
        RoutedMessage message;
        Operation operation{ignore};
    };

    void read_on() {
        input_.set_buffer(buffer_);
        ring.prepare_receive_stream(receive_, socket_, input_);
    }
    std::string received_by(const Completion& completion) {
        if (completion.has_buffer) {
            std::string text = text_of(ring.datagram(completion).payload);
            ring.release_buffer(completion.buffer_index);
            return text;
        }
        REQUIRE(is_stream_);
        is_closed_ = completion.result <= 0;
        if (is_closed_) return "";
        std::string text =
            text_of(std::span(buffer_).first(static_cast<std::size_t>(completion.result)));
        read_on();
        return text;
    }

    SocketId socket_ = no_socket;
    bool is_stream_ = false;
    bool is_closed_ = false;
    std::deque<Sent> sent_;
    std::vector<std::byte> buffer_ = std::vector<std::byte>(100'000);
    StreamInput input_;
    Operation receive_{ignore};
    Operation connect_{ignore};
};

struct Bench {
    explicit Bench(Plan plan = plan_with({}))
        : far(world.add(std::move(plan), far_address)), old(world) {
        world.start();
    }

    void pass() { world.run_for(Duration::from_ms(1)); }

    // One datagram there and, if it is answered, one back.
    std::vector<std::string> exchange(std::string_view text) {
        old.send_to(udp, text);
        pass();
        return old.take();
    }

    void connect() {
        old.connect(tcp);
        pass();
        static_cast<void>(old.take());
    }
    // All that comes back for these pieces, sent one after the other.
    std::string stream(const std::vector<std::string_view>& pieces) {
        std::string replies;
        for (const std::string_view piece : pieces) {
            if (piece.empty()) continue;
            old.send(piece);
            pass();
            for (const std::string& text : old.take())
                replies += text;
        }
        return replies;
    }

    std::vector<Sample> samples() {
        return Node::only(far.take_samples(), LATMON_KIND_REFLECTION, LATMON_STATUS_OK);
    }
    [[nodiscard]] std::uint64_t udp_count(ReflectReason reason) {
        return far.core().udp_reflector().read(reason);
    }

    const Endpoint udp = endpoint(far_address, 8001);
    const Endpoint tcp = endpoint(far_address, 8000);
    World world;
    Node& far;
    OldNode old;
};

// The reply to what message() made, if our clock said `t2`.
std::string reply_to(int sequence, std::int64_t t2_ns, std::size_t bytes = size_bytes) {
    std::string text =
        std::to_string(sequence) + "|node|" + std::to_string(t2_ns) + "|['isp:local']  |";
    text.resize(std::max(text.size(), bytes), '0');
    return text;
}

struct Heads {
    std::vector<std::uint16_t> sequences;
    bool is_well_formed = true;
};

// Whole replies one after the other, with their padding.
Heads heads_of(std::string_view replies) {
    Heads heads;
    while (!replies.empty()) {
        AncestorPacket packet;
        if (read_ancestor_head(std::as_bytes(std::span(replies)), packet) !=
            AncestorHead::complete) {
            heads.is_well_formed = false;
            break;
        }
        heads.sequences.push_back(packet.sequence);
        heads.is_well_formed &= packet.hello == ancestor_hello_reflected;
        heads.is_well_formed &= packet.source == "node" || packet.source == "nod";
        replies.remove_prefix(packet.head_bytes);
        const std::size_t bar = replies.find('|');
        const std::size_t digit = replies.find_first_not_of('0');
        const bool is_zero = digit == bar && bar != std::string_view::npos;
        replies.remove_prefix(is_zero ? digit - 1 : std::min(digit, replies.size()));
    }
    return heads;
}

}  // namespace

// -- UDP ----------------------------------------------------------------------------------------

TEST_CASE(
    "ancestor_reflector: a packet is answered in kind, with the kernel's time of its arrival") {
    Bench bench;
    bench.old.open_udp();
    bench.pass();
    static_cast<void>(bench.samples());
    for (const std::size_t bytes : {std::size_t{0}, size_bytes, std::size_t{1'470}}) {
        const std::int64_t sent_ns = bench.old.clock.kernel_now().ns;
        const std::string request = message(7, WallTime{sent_ns}, bytes);
        const std::vector<std::string> replies = bench.exchange(request);
        REQUIRE(replies.size() == 1);
        // One way takes 50 us; the old node's name is longer than ours.
        CHECK(replies[0] == reply_to(7, sent_ns + 50'000, request.size()));
        const std::vector<Sample> samples = bench.samples();
        REQUIRE(samples.size() == 1);
        CHECK(samples[0].t1_ns == sent_ns);
        CHECK(samples[0].t2_ns == sent_ns + 50'000);
        CHECK(samples[0].t2_stamp == LATMON_STAMP_KERNEL);
        CHECK(samples[0].sequence == 7);
        CHECK(samples[0].packet_bytes == request.size());
        CHECK(samples[0].protocol == LATMON_PROTOCOL_UDP);
        CHECK(samples[0].owd_class == LATMON_OWD_NONE);
        CHECK((samples[0].valid & LATMON_HAS_OWD_FWD) == 0);
        CHECK((samples[0].valid & LATMON_HAS_PEER) != 0);
    }
    CHECK(bench.udp_count(ReflectReason::reflected_ancestor) == 3);
    CHECK(bench.udp_count(ReflectReason::reflected) == 0);
    CHECK(bench.far.core().udp_reflector().received.read() == 3);
}

TEST_CASE("ancestor_reflector: samples are in the series of who the sender says it is") {
    Bench bench;
    bench.old.open_udp();
    static_cast<void>(bench.exchange(message(0, bench.old.clock.wall_now())));
    static_cast<void>(bench.exchange(message(1, bench.old.clock.wall_now())));
    static_cast<void>(bench.exchange(message(2, bench.old.clock.wall_now(), 200, "['a:b'] ")));
    const std::vector<Sample> samples = bench.samples();
    REQUIRE(samples.size() == 3);
    CHECK(samples[0].series_id == samples[1].series_id);
    CHECK(samples[0].series_id != samples[2].series_id);
    const std::optional<PeerLabels> labels = bench.far.peer_series().find(samples[0].series_id);
    REQUIRE(labels);
    CHECK(labels->name == "old-node");
    REQUIRE(labels->tags.size() == 1);
    CHECK(labels->tags[0] == "isp:local");
    CHECK(labels->protocol == LATMON_PROTOCOL_UDP);
}

TEST_CASE("ancestor_reflector: what is no name or no list of tags is answered, and names nobody") {
    Bench bench;
    bench.old.open_udp();
    const std::string time = std::to_string(bench.old.clock.wall_now().ns);
    for (const std::string& request :
         {"1|old|" + time + "|__import__('os')|000", "2|old|" + time + "|['\\x00']|000",
          "3|o\xff"
          "d|" +
              time + "|[]|000",
          "4|old|" + time + "|['a', 1]|000"}) {
        CAPTURE(request);
        CHECK(bench.exchange(request).size() == 1);
        const std::vector<Sample> samples = bench.samples();
        REQUIRE(samples.size() == 1);
        CHECK_FALSE(bench.far.peer_series().find(samples[0].series_id));
    }
}

TEST_CASE("ancestor_reflector: where anybody may be reflected nobody names himself") {
    Plan plan = plan_with({});
    plan.reflector.allow_any = true;
    Bench bench(std::move(plan));
    bench.old.open_udp();
    CHECK(bench.exchange(message(0, bench.old.clock.wall_now())).size() == 1);
    const std::vector<Sample> samples = bench.samples();
    REQUIRE(samples.size() == 1);
    CHECK_FALSE(bench.far.peer_series().find(samples[0].series_id));
    CHECK(bench.far.peer_series().count() == 0);
}

TEST_CASE("ancestor_reflector: it can be switched off") {
    Plan plan = plan_with({});
    plan.reflector.answers_ancestor = false;
    Bench bench(std::move(plan));
    bench.old.open_udp();
    CHECK(bench.exchange(message(0, bench.old.clock.wall_now())).empty());
    CHECK(bench.udp_count(ReflectReason::ancestor_refused) == 1);
    OldNode other(bench.world, "10.0.0.8");
    other.connect(bench.tcp);
    bench.pass();
    other.send(message(0, other.clock.wall_now()));
    bench.pass();
    static_cast<void>(other.take());
    CHECK(other.is_closed());
    CHECK(bench.far.core().tcp_reflector().closed_ancestor.read() == 1);
}

namespace {

// Two reflectors on different ports, and packets that claim to come from the one to the other.
struct TwoReflectors {
    TwoReflectors() : forger(world, far_address) {
        forger.open_udp(8001);  // Replaced in the directory by the reflector, which is opened next.
        first = &world.add(plan_with({}), far_address);
        Plan plan = plan_with({});
        plan.listeners[0].endpoint.port = 9001;
        second = &world.add(std::move(plan), "10.0.0.3");
        world.start();
    }
    World world;
    OldNode forger;
    Node* first = nullptr;
    Node* second = nullptr;
};

}  // namespace

TEST_CASE("ancestor_reflector: two reflectors do not answer each other, whatever is forged") {
    TwoReflectors both;
    constexpr int forged = 303;  // Every sequence number three times, all at once.
    for (int packet = 0; packet < forged; ++packet) {
        both.forger.send_to(endpoint("10.0.0.3", 9001),
                            message(packet % 101, both.forger.clock.wall_now()));
    }
    std::uint64_t packets = 0;
    both.world.simulation.link = [&packets](const Packet&, std::mt19937_64&) {
        ++packets;
        return std::vector{Duration::from_us(50)};
    };
    both.world.run_for(Duration::from_s(1));
    CHECK(both.second->core().udp_reflector().read(ReflectReason::reflected_ancestor) == forged);
    CHECK(both.first->core().udp_reflector().read(ReflectReason::looped) == forged);
    CHECK(packets == forged);
}

TEST_CASE("ancestor_reflector: an old reflector that answers our answer is not answered again") {
    Bench bench;
    bench.old.open_udp();
    std::vector<std::string> received = bench.exchange(message(5, bench.old.clock.wall_now()));
    REQUIRE(received.size() == 1);
    // It puts its own name and time, and echoes the rest.
    const std::string echo = received[0].replace(received[0].find("node"), 4, "old!");
    CHECK(bench.exchange(echo).empty());
    CHECK(bench.udp_count(ReflectReason::looped) == 1);
}

TEST_CASE("ancestor_reflector: a sender that asks for STAMP sees who answers") {
    Bench bench;
    bench.old.open_udp();
    for (const char* tags : {"[] ", "[]"}) {
        const std::vector<std::string> replies =
            bench.exchange(message(0, bench.old.clock.wall_now(), size_bytes, tags));
        REQUIRE(replies.size() == 1);
        const std::optional<AncestorPacket> reply =
            decode_ancestor(std::as_bytes(std::span(replies[0])));
        REQUIRE(reply);
        CHECK(reply->hello == ancestor_hello_reflected);
        CHECK(reply->tags == "[]");
    }
}

// -- TCP ----------------------------------------------------------------------------------------

TEST_CASE("ancestor_reflector: each message of a stream gets one reply of its own length") {
    Bench bench;
    bench.connect();
    for (int sequence = 0; sequence < 200; ++sequence) {
        const std::int64_t sent_ns = bench.old.clock.kernel_now().ns;
        CHECK(bench.stream({message(sequence % 101, WallTime{sent_ns})}) ==
              reply_to(sequence % 101, sent_ns + 50'000));
    }
    const TcpReflectorCounters& counters = bench.far.core().tcp_reflector();
    CHECK(counters.reflected_ancestor.read() == 200);
    CHECK(counters.accepted.read() == 1);
    const std::vector<Sample> samples = bench.samples();
    REQUIRE(samples.size() == 200);
    for (const Sample& sample : samples) {
        CHECK(sample.protocol == LATMON_PROTOCOL_TCP);
        CHECK(sample.t2_ns - sample.t1_ns == 50'000);
        CHECK(sample.t2_stamp == LATMON_STAMP_KERNEL);
        CHECK(sample.packet_bytes == size_bytes);
    }
    CHECK(bench.far.peer_series().find(samples[0].series_id)->protocol == LATMON_PROTOCOL_TCP);
}

TEST_CASE(
    "ancestor_reflector: split anywhere, each message is answered once, and never with more") {
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{64}}) {
        std::size_t at = 0;
        for (std::size_t total = 1; at <= total; ++at) {
            CAPTURE(at);
            Bench bench;
            bench.connect();
            std::string text;
            for (const int sequence : {0, 1, 100, 0, 0})
                text += message(sequence, bench.old.clock.wall_now(), bytes);
            total = text.size();
            const std::string_view view(text);
            const std::string replies = bench.stream({view.substr(0, at), view.substr(at)});
            CHECK(replies.size() <= total);
            const Heads heads = heads_of(replies);
            CHECK(heads.is_well_formed);
            CHECK(heads.sequences == std::vector<std::uint16_t>{0, 1, 100, 0, 0});
            CHECK(bench.samples().size() == 5);
            CHECK_FALSE(bench.old.is_closed());
        }
    }
}

TEST_CASE("ancestor_reflector: a stream of single octets is answered message by message") {
    for (const std::size_t segment_bytes : {1U, 2U, 3U, 63U, 64U, 65U}) {
        CAPTURE(segment_bytes);
        Bench bench;
        bench.world.simulation.segment_bytes = segment_bytes;
        bench.connect();
        std::string text;
        for (const int sequence : {7, 8, 0, 1, 10})
            text += message(sequence, bench.old.clock.wall_now(), 64);
        const std::string replies = bench.stream({text});
        CHECK(replies.size() <= text.size());
        CHECK(heads_of(replies).sequences == std::vector<std::uint16_t>{7, 8, 0, 1, 10});
        CHECK(bench.far.core().tcp_reflector().reflected_ancestor.read() == 5);
    }
}

TEST_CASE(
    "ancestor_reflector: a message larger than a segment is answered when its head is there") {
    Bench bench;
    bench.connect();
    const std::string text = message(3, bench.old.clock.wall_now(), 60'000);
    const std::string_view view(text);
    CHECK(bench.stream({view.substr(0, 1'448)}).size() == 1'448);
    CHECK(bench.stream({view.substr(1'448, 30'000), view.substr(31'448)}).empty());
    CHECK(heads_of(bench.stream({message(4, bench.old.clock.wall_now())})).sequences ==
          std::vector<std::uint16_t>{4});
    // All at once, and as much as there is room for.
    const std::string large = message(5, bench.old.clock.wall_now(), 200'000);
    CHECK(heads_of(bench.stream({large})).sequences == std::vector<std::uint16_t>{5});
    CHECK_FALSE(bench.old.is_closed());
}

TEST_CASE("ancestor_reflector: what is no message ends the connection, and is counted") {
    const auto close_after = [](const std::vector<std::string_view>& pieces) {
        auto bench = std::make_unique<Bench>();
        bench->connect();
        static_cast<void>(bench->stream(pieces));
        CHECK(bench->old.is_closed());
        return bench;
    };
    CHECK(close_after({"1 HTTP"})->far.core().tcp_reflector().closed_garbage.read() == 1);
    CHECK(close_after({"0000", "1x"})->far.core().tcp_reflector().closed_garbage.read() == 1);
    const std::string good = message(3, WallTime{1'767'225'600'000'000'000});
    CHECK(close_after({good, "x"})->far.core().tcp_reflector().closed_broken.read() == 1);
    const std::string endless = "7|n|1767225600000000000|" + std::string(5'000, 't');
    CHECK(close_after({endless})->far.core().tcp_reflector().closed_garbage.read() == 1);
}

TEST_CASE("ancestor_reflector: a connection that never says one message does not last") {
    Bench bench;
    bench.connect();
    for (int second = 0; second < 6; ++second) {
        static_cast<void>(bench.stream({"0"}));
        bench.world.run_for(Duration::from_s(1));
    }
    static_cast<void>(bench.old.take());
    CHECK(bench.old.is_closed());
    CHECK(bench.far.core().tcp_reflector().closed_no_preface.read() == 1);
}

}  // namespace latmon::sim
