// SPDX-License-Identifier: Apache-2.0
//
// Attempts against a server that gives one answer: how long the next has to wait, and whether it is
// asked first what became of the one before.
#include "push/sender.hpp"

#include "support/fake_host.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cstdlib>
#include <thread>

namespace latmon::plugins::push {
namespace {

using latmon::test::FakeHost;

constexpr std::int64_t second_ns = 1'000'000'000;
constexpr int patience_ms = 20'000;  // Only of a test that fails.

// Takes one connection, answers the request on it, and closes it.
class OneAnswer {
public:
    explicit OneAnswer(std::string answer) : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        auto* const any = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(::bind(listener_, any, size) == 0);
        REQUIRE(::listen(listener_, 1) == 0);
        REQUIRE(::getsockname(listener_, any, &size) == 0);
        url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/";
        thread_ = std::thread([this, text = std::move(answer)] { serve(text); });
    }
    ~OneAnswer() {
        thread_.join();
        ::close(listener_);
    }
    OneAnswer(const OneAnswer&) = delete;
    OneAnswer& operator=(const OneAnswer&) = delete;
    [[nodiscard]] const std::string& url() const noexcept { return url_; }

private:
    void serve(const std::string& text) const noexcept {
        pollfd asked{.fd = listener_, .events = POLLIN, .revents = 0};
        if (::poll(&asked, 1, patience_ms) != 1) return;
        const int client = ::accept(listener_, nullptr, nullptr);
        pollfd sent{.fd = client, .events = POLLIN, .revents = 0};
        char request[4'096];  // A GET, at one go.
        if (::poll(&sent, 1, patience_ms) == 1 && ::read(client, request, sizeof(request)) > 0) {
            static_cast<void>(::send(client, text.data(), text.size(), MSG_NOSIGNAL));
        }
        ::close(client);
    }

    int listener_;
    std::string url_;
    std::thread thread_;
};

// Asks before the first block, and does not get as far as that.
class Asking final : public Backend {
public:
    explicit Asking(std::string url) : url_(std::move(url)) {}
    Verdict prepare(Client& client, std::string&) override {
        return judge_status(client.send({.method = "GET", .url = url_, .headers = {}, .body = ""}));
    }
    Request build(const Block&) override { return {}; }

private:
    std::string url_;
};

// How long the sender waits after one attempt, at least; with latmon stopping in `stop_s`, if any.
std::int64_t pause_s(const std::string& answer, std::optional<std::int64_t> stop_s = {}) {
    ::setenv("no_proxy", "127.0.0.1", 1);
    const OneAnswer server(answer);
    const FakeHost host;
    Settings settings;
    settings.retry_min = milliseconds(10);
    settings.retry_max = milliseconds(10);
    Asking backend(server.url());
    HttpClient client(settings, "0.0.0");
    Depot depot(host.table(), settings,
                std::make_unique<MemoryBacklog>(1 << 20, Overflow::drop_newest), "test");
    Sender sender(settings, backend, client, depot);
    REQUIRE(depot.put({.rows = 1, .payload = "payload"}));
    depot.flush();
    if (stop_s) depot.stop_at(monotonic_ns() + *stop_s * second_ns);
    const std::int64_t began_ns = monotonic_ns();
    sender.run_once();
    CHECK(depot.accounts().requests == 1);
    CHECK(depot.accounts().failures == 1);
    const std::int64_t ended_ns = monotonic_ns();
    if (sender.not_before_ns() < ended_ns + second_ns) return 0;
    return (sender.not_before_ns() - began_ns) / second_ns;
}

std::string busy(const std::string& header) {
    return "HTTP/1.1 503 Busy\r\n" + header + "Content-Length: 0\r\nConnection: close\r\n\r\n";
}

TEST_CASE("sender: Retry-After counts for what is asked before the first block") {
    CHECK(pause_s(busy("Retry-After: 1000\r\n")) >= 1'000);
    CHECK(pause_s(busy("")) == 0);
}

TEST_CASE("sender: at the end, a Retry-After beyond it is not waited for") {
    CHECK(pause_s(busy("Retry-After: 1000\r\n"), 500) == 0);
    CHECK(pause_s(busy("Retry-After: 1000\r\n"), 2'000) >= 1'000);
}

// Sends a block to `url`, and says `settled` when it is in doubt.
class Doubting final : public Backend {
public:
    Request build(const Block&) override {
        Request request;
        request.url = url;
        request.body = "rows";
        request.is_repeatable = false;
        return request;
    }
    std::optional<Verdict> settle(Client&, const Block&, std::string&) override {
        ++questions;
        return settled;
    }

    std::string url;
    std::optional<Verdict> settled;
    int questions = 0;
};

std::string status_line(int status) {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\n\r\n";
}

struct Doubts {
    Doubts() {
        ::setenv("no_proxy", "127.0.0.1", 1);
        settings.retry_min = milliseconds(10);
        settings.retry_max = milliseconds(10);
        client = std::make_unique<HttpClient>(settings, "0.0.0");
        depot = std::make_unique<Depot>(
            host.table(), settings, std::make_unique<MemoryBacklog>(1 << 20, Overflow::drop_newest),
            "test");
        sender = std::make_unique<Sender>(settings, backend, *client, *depot);
        put(2);
    }

    // So many records of one row.
    void put(int records) const {
        for (int count = 0; count < records; ++count) {
            REQUIRE(depot->put({.rows = 1, .payload = "payload"}));
        }
        depot->flush();
    }
    // One attempt at a server that says this. How often it was asked what became of the block.
    int attempt(const std::string& answer) {
        const OneAnswer server(answer);
        backend.url = server.url();
        return attempt();
    }
    int attempt() {
        const int before = backend.questions;
        sender->run_once();
        return backend.questions - before;
    }

    FakeHost host;
    Settings settings;
    Doubting backend;
    std::unique_ptr<HttpClient> client;
    std::unique_ptr<Depot> depot;
    std::unique_ptr<Sender> sender;
};

TEST_CASE("sender: a block whose answer was lost is asked about before it is sent again") {
    for (const std::string& lost : {std::string(), status_line(500), std::string("HTTP/1.1 2")}) {
        Doubts doubts;
        CHECK(doubts.attempt(lost) == 0);
        CHECK(doubts.attempt(status_line(200)) == 1);
        CHECK(doubts.depot->accounts().sent == 2);
        CHECK(doubts.depot->accounts().requests == 2);
        doubts.put(1);
        CHECK(doubts.attempt(status_line(200)) == 0);
        CHECK(doubts.depot->accounts().sent == 3);
    }
}

TEST_CASE("sender: a block that is there is done without another request") {
    Doubts doubts;
    CHECK(doubts.attempt("") == 0);
    doubts.backend.settled = Verdict::done;
    CHECK(doubts.attempt() == 1);
    CHECK(doubts.depot->accounts().sent == 2);
    CHECK(doubts.depot->accounts().requests == 1);
}

TEST_CASE("sender: while it is not known what became of a block, it waits") {
    Doubts doubts;
    CHECK(doubts.attempt("") == 0);
    doubts.backend.settled = Verdict::retry;
    CHECK(doubts.attempt() == 1);
    CHECK(doubts.attempt() == 1);
    CHECK(doubts.depot->accounts().backlog.waiting == 2);
    CHECK(doubts.depot->accounts().requests == 1);
    CHECK(doubts.depot->accounts().failures == 3);
}

TEST_CASE("sender: nobody is asked about what the server cannot have") {
    Doubts doubts;
    {
        const OneAnswer gone("");
        doubts.backend.url = gone.url();
        CHECK(doubts.attempt() == 0);
    }
    // Nobody listens there any more: the first was in doubt, the second is not.
    CHECK(doubts.attempt() == 1);
    CHECK(doubts.attempt() == 0);
    CHECK(doubts.attempt(status_line(429)) == 0);
    CHECK(doubts.attempt("") == 0);
    CHECK(doubts.attempt(status_line(200)) == 1);
}

TEST_CASE("sender: both halves of a block in doubt are in doubt") {
    Doubts doubts;
    CHECK(doubts.attempt("") == 0);
    doubts.backend.settled = Verdict::split;
    CHECK(doubts.attempt() == 1);
    doubts.backend.settled = Verdict::done;
    CHECK(doubts.attempt() == 1);
    CHECK(doubts.depot->accounts().sent == 1);
    CHECK(doubts.attempt() == 1);
    CHECK(doubts.depot->accounts().sent == 2);
    doubts.put(1);
    CHECK(doubts.attempt(status_line(200)) == 0);
}

}  // namespace
}  // namespace latmon::plugins::push
