// SPDX-License-Identifier: Apache-2.0
//
// Claims about the HTTP server: real connections over loopback, to ports of the kernel's choice.
// What needs TLS, or thousands of clients, is in tests/system.
#include "admin/http_server.hpp"

#include "base/fd.hpp"
#include "support/scratch_directory.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace latmon {
namespace {

constexpr std::string_view head = "GET /a HTTP/1.1\r\nHost: x\r\n";

HttpServerOptions on_loopback() {
    return {.addresses = {{.endpoint = *parse_endpoint("127.0.0.1", 0), .socket_path = {}}},
            .tls = {}};
}

std::uint16_t port_of(const HttpServer& server) {
    const std::string& url = server.urls().at(0);
    return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

class Client {
public:
    explicit Client(const HttpServer& server) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        address.sin_port = htons(port_of(server));
        REQUIRE(::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address),
                          sizeof(address)) == 0);
    }
    void send(std::string_view text) const {
        // What the server has closed meanwhile is no fault of the test's.
        static_cast<void>(::send(fd_.get(), text.data(), text.size(), MSG_NOSIGNAL));
    }
    void half_close() const { ::shutdown(fd_.get(), SHUT_WR); }

    // All until the server closes.
    [[nodiscard]] std::string read_all() const {
        std::string text;
        std::array<char, 4'096> buffer{};
        for (ssize_t octets = 1; octets > 0;) {
            octets = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
            if (octets > 0) text.append(buffer.data(), static_cast<std::size_t>(octets));
        }
        return text;
    }
    // Until `end` has come, or the server closes.
    [[nodiscard]] std::string read_until(std::string_view end) const {
        std::string text;
        for (char octet = 0; !text.ends_with(end) && ::recv(fd_.get(), &octet, 1, 0) == 1;)
            text += octet;
        return text;
    }

private:
    Fd fd_;
};

struct Bench {
    AdminCounters counters;
    std::unique_ptr<HttpServer> server;

    // Without a rule of its own: the path and the body that came, as the answer.
    explicit Bench(HttpServer::OnRequest on_request = {},
                   const HttpServerOptions& options = on_loopback()) {
        if (!on_request) {
            on_request = [](const HttpRequest& request, const Responder& respond) {
                respond(text_answer(200, request.path + " " + request.body));
                return HttpPatience{};
            };
        }
        Result<std::unique_ptr<HttpServer>> opened =
            HttpServer::open(options, counters, std::move(on_request));
        REQUIRE(opened.has_value());
        server = std::move(*opened);
        server->start({});
    }
    [[nodiscard]] std::string ask(std::string_view request) const {
        const Client client(*server);
        client.send(request);
        client.half_close();  // Or the server would listen for more, to see the end.
        return client.read_all();
    }
};

bool contains(std::string_view text, std::string_view part) {
    return text.find(part) != std::string_view::npos;
}

TEST_CASE("http_server: requests that come together are answered one by one, in their order") {
    const Bench bench;
    const std::string text = bench.ask(
        "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
        "POST /2 HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
        "GET /3 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        "GET /4 HTTP/1.1\r\nHost: x\r\n\r\n");
    const std::size_t first = text.find("/1 \n"), second = text.find("/2 body\n");
    const std::size_t third = text.find("/3 \n");
    CHECK(first < second);
    CHECK(second < third);
    CHECK(third != std::string::npos);
    CHECK_FALSE(contains(text, "/4"));
    CHECK(bench.counters.requests.read() == 3);
}

TEST_CASE("http_server: HEAD has the length of a body, and none") {
    const Bench bench;
    const std::string text = bench.ask("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK(contains(text, "\r\nContent-Length: 4\r\n"));
    CHECK(text.ends_with("\r\n\r\n"));
}

TEST_CASE("http_server: an answer of any size comes as a whole") {
    for (const std::size_t size : {0U, 1U, 15'359U, 15'360U, 15'361U, 3'000'000U}) {
        CAPTURE(size);
        const std::string body(size, 'b');
        const Bench bench([&](const HttpRequest&, const Responder& respond) {
            respond({.status = 200, .headers = {}, .body = body});
            return HttpPatience{};
        });
        const std::string text = bench.ask(
            "GET /1 HTTP/1.1\r\nHost: x\r\n\r\n"
            "HEAD /2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        const std::string length = "\r\nContent-Length: " + std::to_string(size) + "\r\n";
        const std::size_t end = text.find("\r\n\r\n") + 4;
        CHECK(contains(text.substr(0, end), length));
        CHECK(text.substr(end, size) == body);
        CHECK(text.substr(end + size).starts_with("HTTP/1.1 200 OK\r\n"));
        CHECK(contains(text.substr(end + size), length));
        CHECK(text.ends_with("\r\n\r\n"));
    }
}

TEST_CASE("http_server: what is no request is told so, and closed") {
    const Bench bench;
    for (const std::string_view request :
         {"hello\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "GET /%0a HTTP/1.1\r\nHost: x\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n",
          "GET / HTTP/2.0\r\nHost: x\r\n\r\n"}) {
        CAPTURE(request);
        CHECK(contains(bench.ask(request), " 400 "));
    }
    CHECK(bench.counters.malformed.read() == 8);
}

TEST_CASE("http_server: what is too large is not kept") {
    const Bench bench;
    const std::string field = "X: " + std::string(1'000, 'x') + "\r\n";
    std::string large(head);
    for (int index = 0; index < 17; ++index)
        large += field;
    CHECK(contains(bench.ask(large + "\r\n"), " 431 "));
    CHECK(contains(bench.ask(std::string(head) + "Content-Length: 65537\r\n\r\n"), " 413 "));
    const std::string chunk = "10000\r\n" + std::string(0x10000, 'y') + "\r\n";
    CHECK(contains(bench.ask(std::string(head) + "Transfer-Encoding: chunked\r\n\r\n" + chunk +
                             chunk + "0\r\n\r\n"),
                   " 413 "));
}

TEST_CASE("http_server: a client that closes one way still gets its answer") {
    const Bench bench;
    const Client client(*bench.server);
    client.send("GET /half HTTP/1.1\r\nHost: x\r\n\r\n");
    client.half_close();
    CHECK(contains(client.read_all(), "/half \n"));
}

TEST_CASE("http_server: HTTP/1.0 needs no host, and is closed behind the answer") {
    const Bench bench;
    CHECK(contains(bench.ask("GET /old HTTP/1.0\r\n\r\n"), "/old \n"));
}

TEST_CASE("http_server: who waits to be asked for a body is asked") {
    const Bench bench;
    const Client client(*bench.server);
    client.send(
        "POST /a HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
        "Connection: close\r\n\r\n");
    CHECK(client.read_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
    client.send("ok");
    CHECK(contains(client.read_all(), "/a ok\n"));
}

TEST_CASE("http_server: an answer may come from any thread, and one that never comes is a 500") {
    std::thread other;
    const Bench bench([&](const HttpRequest& request, const Responder& respond) {
        if (request.path == "/a") {
            other = std::thread([respond] { respond(text_answer(200, "from afar")); });
        }
        return HttpPatience{};
    });
    const std::string request = std::string(head) + "Connection: close\r\n\r\n";
    CHECK(contains(bench.ask(request), "from afar\n"));
    other.join();
    CHECK(contains(bench.ask("GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), " 500 "));
}

TEST_CASE("http_server: an answer that is too late is another's, and the late one nobody's") {
    std::vector<Responder> kept;
    const Bench bench([&](const HttpRequest&, const Responder& respond) {
        kept.push_back(respond);
        return HttpPatience{.within = Duration::from_ms(1), .too_late = text_answer(503, "late")};
    });
    const Client client(*bench.server);
    client.send(std::string(head) + "\r\n");
    CHECK(contains(client.read_until("late\n"), " 503 "));
    kept.at(0)(text_answer(200, "stale"));
    client.send(std::string(head) + "Connection: close\r\n\r\n");
    CHECK_FALSE(contains(client.read_all(), "stale"));
    CHECK(bench.counters.overdue.read() == 2);
}

TEST_CASE("http_server: a header that a handler may not write is not written") {
    const Bench bench([](const HttpRequest&, const Responder& respond) {
        HttpAnswer answer = text_answer(200, "x");
        answer.headers.emplace_back("X-Good", "1");
        answer.headers.emplace_back("X-Bad", "1\r\nSet-Cookie: a=b");
        answer.headers.emplace_back("Content-Length", "99");
        respond(std::move(answer));
        return HttpPatience{};
    });
    const std::string text = bench.ask(std::string(head) + "Connection: close\r\n\r\n");
    CHECK(contains(text, "\r\nX-Good: 1\r\n"));
    CHECK_FALSE(contains(text, "X-Bad"));
    CHECK_FALSE(contains(text, "Set-Cookie"));
    CHECK(contains(text, "\r\nContent-Length: 2\r\n"));
}

TEST_CASE("http_server: a newcomer gets the place of who has waited longest") {
    HttpServerOptions options = on_loopback();
    options.connections_max = 4;
    const Bench bench({}, options);
    std::vector<Client> waiting;
    for (int index = 0; index < 4; ++index) {
        waiting.emplace_back(*bench.server);
        // Answered, so that their order is certain.
        waiting.back().send("GET /w HTTP/1.1\r\nHost: x\r\n\r\n");
        CHECK(contains(waiting.back().read_until("/w \n"), " 200 "));
    }
    CHECK(contains(bench.ask(std::string(head) + "Connection: close\r\n\r\n"), " 200 "));
    CHECK(waiting[0].read_all().empty());
    waiting[3].send("GET /w HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK(contains(waiting[3].read_all(), " 200 "));
    CHECK(bench.counters.displaced.read() == 1);
}

TEST_CASE("http_server: where all are at work, one more is turned away") {
    HttpServerOptions options = on_loopback();
    options.connections_max = 4;
    std::vector<Responder> kept;
    const Bench bench(
        [&](const HttpRequest&, const Responder& respond) {
            kept.push_back(respond);
            return HttpPatience{};
        },
        options);
    std::vector<Client> working;
    for (int index = 0; index < 4; ++index) {
        working.emplace_back(*bench.server);
        working.back().send(std::string(head) + "\r\n");
        while (bench.counters.requests.read() <= static_cast<std::uint64_t>(index))
            std::this_thread::yield();
    }
    CHECK(contains(Client(*bench.server).read_all(), " 503 "));
    CHECK(bench.counters.turned_away.read() == 1);
}

TEST_CASE("http_server: a unix socket is a file of its owner and group, and goes with the server") {
    const test::ScratchDirectory scratch;
    const std::string path = scratch.file("admin.sock");
    HttpServerOptions options;
    options.addresses = {{.endpoint = {}, .socket_path = path}};
    {
        const Bench bench({}, options);
        CHECK(bench.server->urls().at(0) == "unix:" + path);
        const Fd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.c_str(), path.size());
        REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) ==
                0);
        const std::string request = std::string(head) + "\r\n";
        REQUIRE(::send(fd.get(), request.data(), request.size(), 0) > 0);
        std::array<char, 16> start{};
        REQUIRE(::recv(fd.get(), start.data(), start.size(), MSG_WAITALL) == 16);
        CHECK(std::string_view(start.data(), 15) == "HTTP/1.1 200 OK");
        CHECK((std::filesystem::status(path).permissions() & std::filesystem::perms::others_all) ==
              std::filesystem::perms::none);
    }
    CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("http_server: a port that somebody has is an error, or left out if it is optional") {
    const Bench bench;
    AdminCounters counters;
    HttpServerOptions options = on_loopback();
    options.addresses[0].endpoint.port = port_of(*bench.server);
    const auto ignore = [](const HttpRequest&, const Responder&) { return HttpPatience{}; };
    const auto refused = HttpServer::open(options, counters, ignore);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ExitCode::permission);
    CHECK(contains(refused.error().text, "somebody else has it"));
    options.addresses[0].is_required = false;
    const auto without = HttpServer::open(options, counters, ignore);
    REQUIRE(without.has_value());
    CHECK((*without)->urls().empty());
    (*without)->start({});
}

TEST_CASE("http_server: TLS that does not fit together is an error of the configuration") {
    AdminCounters counters;
    HttpServerOptions options = on_loopback();
    options.tls = TlsMaterial{.certificates = "no", .key = "no", .client_ca = ""};
    const auto refused = HttpServer::open(
        options, counters, [](const HttpRequest&, const Responder&) { return HttpPatience{}; });
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ExitCode::configuration);
    CHECK(contains(refused.error().text, "tls_cert holds no certificate"));
}

}  // namespace
}  // namespace latmon
