// SPDX-License-Identifier: Apache-2.0
//
// Claims about one connection, over a channel that does what the test says: the orders of events
// that sockets produce once in a million times. What clients see is in http_server_test.cpp.
#include "admin/http_session.hpp"

#include "base/limits.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace latmon {
namespace {

// Keeps each handler until the test calls it.
struct Script {
    HttpChannel::OnDone on_handshake, on_written, on_shutdown;
    HttpChannel::OnOctets on_read;
    std::span<char> room;
    std::string written;
    bool is_closed = false;

    // What is under way never ends: as when a server goes.
    void drop() {
        on_handshake = on_written = on_shutdown = nullptr;
        on_read = nullptr;
    }
    void give(std::string_view text) {
        REQUIRE(text.size() <= room.size());
        std::copy(text.begin(), text.end(), room.begin());
        std::exchange(on_read, {})(text.size());
    }
};

class ScriptedChannel final : public HttpChannel {
public:
    explicit ScriptedChannel(Script& script) : script_(script) {}
    void handshake(OnDone on_done) override { script_.on_handshake = std::move(on_done); }
    void read_some(std::span<char> room, OnOctets on_octets) override {
        script_.room = room;
        script_.on_read = std::move(on_octets);
    }
    void write(std::string_view octets, OnDone on_done) override {
        script_.written += octets;
        script_.on_written = std::move(on_done);
    }
    void shutdown(OnDone on_done) override { script_.on_shutdown = std::move(on_done); }
    void close() noexcept override { script_.is_closed = true; }

private:
    Script& script_;
};

constexpr std::string_view request = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

struct Bench {
    Bench() {
        const auto session =
            std::make_shared<HttpSession>(*hub, 0, std::make_unique<ScriptedChannel>(script));
        session->start();
        weak = session;
    }
    ~Bench() {
        if (const auto session = weak.lock(); session != nullptr) session->close();
        script.drop();
        run();
    }
    Bench(const Bench&) = delete;
    Bench& operator=(const Bench&) = delete;

    void shake_hands() { std::exchange(script.on_handshake, {})(true); }
    void ask() {
        shake_hands();
        script.give(request);
    }
    // Until nothing is left that can be done at once.
    void run() const { hub->io.poll(); }

    AdminCounters counters;
    Script script;
    std::vector<Responder> asked;
    HttpPatience patience;
    std::shared_ptr<HttpHub> hub = std::make_shared<HttpHub>(
        counters,
        [this](const HttpRequest&, Responder respond) {
            asked.push_back(std::move(respond));
            return patience;
        },
        4);
    std::weak_ptr<HttpSession> weak;
};

TEST_CASE("http_session: it lives as long as something is under way, and counts as open so long") {
    Bench bench;
    CHECK(bench.counters.connections_open.read() == 1);
    bench.ask();
    CHECK_FALSE(bench.weak.expired());
    bench.asked.at(0)(text_answer(200, "x"));
    bench.run();
    std::exchange(bench.script.on_written, {})(true);
    CHECK_FALSE(bench.weak.expired());
    std::exchange(bench.script.on_read, {})(0);
    bench.run();
    CHECK(bench.weak.expired());
    CHECK(bench.script.is_closed);
    CHECK(bench.counters.connections_open.read() == 0);
    CHECK(bench.counters.timeouts.read() == 0);
}

TEST_CASE("http_session: a handshake that fails is counted as one, and no request is read") {
    Bench bench;
    std::exchange(bench.script.on_handshake, {})(false);
    bench.run();
    CHECK(bench.weak.expired());
    CHECK(bench.counters.tls_failures.read() == 1);
    CHECK_FALSE(bench.script.on_read);
}

TEST_CASE("http_session: what comes to its end after the close is no request any more") {
    Bench bench;
    bench.shake_hands();
    bench.weak.lock()->close();
    bench.script.give(request);  // Read before the close, told after it.
    bench.run();
    CHECK(bench.asked.empty());
    CHECK(bench.counters.requests.read() == 0);
    CHECK(bench.weak.expired());
}

TEST_CASE("http_session: what is being sent stays until the write has ended, closed or not") {
    Bench bench;
    bench.ask();
    bench.asked.at(0)({.status = 200, .headers = {}, .body = std::string(100'000, 'b')});
    bench.run();
    CHECK(bench.hub->answers_bytes == 100'000);
    std::exchange(bench.script.on_written, {})(true);  // The head; the body is under way.
    CHECK(bench.script.written.ends_with(std::string(100'000, 'b')));
    bench.weak.lock()->close();
    CHECK(bench.hub->answers_bytes == 0);
    CHECK_FALSE(bench.weak.expired());
    std::exchange(bench.script.on_written, {})(true);
    bench.run();
    CHECK(bench.weak.expired());
    CHECK_FALSE(bench.script.on_read);
}

TEST_CASE("http_session: an answer to who has gone is sent to nobody, and counted nowhere") {
    Bench bench;
    bench.ask();
    bench.weak.lock()->close();
    bench.asked.at(0)(text_answer(500, "x"));
    bench.run();
    CHECK(bench.script.written.empty());
    CHECK(bench.counters.failed.read() == 0);
    CHECK(bench.weak.expired());
}

TEST_CASE("http_session: patience that is at its end answers once, and is no timeout") {
    Bench bench;
    bench.patience = {.within = Duration{}, .too_late = text_answer(503, "late")};
    bench.ask();
    while (!bench.script.on_written)
        bench.hub->io.run_one();
    bench.asked.at(0)(text_answer(200, "stale"));
    bench.run();
    CHECK(bench.script.written.ends_with("late\n"));
    CHECK(bench.counters.overdue.read() == 1);
    CHECK(bench.counters.timeouts.read() == 0);
    CHECK(bench.counters.failed.read() == 0);
}

TEST_CASE("http_session: more than all answers together may hold is refused") {
    Bench bench;
    bench.ask();
    bench.hub->answers_bytes = limits::admin_answers_bytes;
    bench.asked.at(0)(text_answer(200, "x"));
    bench.run();
    CHECK(bench.script.written.starts_with("HTTP/1.1 503 "));
    CHECK(bench.counters.refused.read() == 1);
}

TEST_CASE("http_session: after the last answer what still comes is read, up to an end") {
    Bench bench;
    bench.shake_hands();
    bench.script.give("nonsense\r\n\r\n");
    CHECK(bench.script.written.starts_with("HTTP/1.1 400 "));
    std::exchange(bench.script.on_written, {})(true);
    std::exchange(bench.script.on_shutdown, {})(true);
    std::size_t octets = 0;
    for (; bench.script.on_read && octets < std::size_t{2} * limits::admin_linger_bytes;
         octets += bench.script.room.size()) {
        bench.script.give(std::string(bench.script.room.size(), 'x'));
    }
    CHECK(octets >= limits::admin_linger_bytes);
    CHECK(octets < limits::admin_linger_bytes + 2 * 4'096);
    bench.run();
    CHECK(bench.weak.expired());
}

}  // namespace
}  // namespace latmon
