// SPDX-License-Identifier: Apache-2.0
//
// Claims about the parts put together; each has tests of its own.
#include "admin/admin_server.hpp"

#include "base/fd.hpp"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <array>
#include <future>
#include <string>

namespace latmon {
namespace {

constexpr Duration patience = Duration::from_s(30);

AdminOptions on_loopback() {
    AdminOptions options;
    options.http.addresses = {{.endpoint = *parse_endpoint("127.0.0.1", 0), .socket_path = {}}};
    return options;
}

std::string ask(const AdminServer& server, const std::string& request) {
    const std::string& url = server.urls().at(0);
    const Fd fd(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1))));
    REQUIRE(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    const std::string text = request + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    REQUIRE(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL) > 0);
    std::string answer;
    std::array<char, 4'096> buffer{};
    for (ssize_t octets = 1; octets > 0;) {
        octets = ::recv(fd.get(), buffer.data(), buffer.size(), 0);
        if (octets > 0) answer.append(buffer.data(), static_cast<std::size_t>(octets));
    }
    return answer;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST_CASE("admin_server: lists its pages and those of others, and answers both") {
    AdminBackend backend;
    backend.node_name = "here";
    backend.other_pages = [] { return std::vector<AdminPage>{{"/metrics", "Metrics"}}; };
    auto server = AdminServer::open(on_loopback(), backend, [](const HttpRequest& request) {
        return request.path == "/metrics" ? std::optional(text_answer(200, "m 1")) : std::nullopt;
    });
    REQUIRE(server.has_value());
    (*server)->start({});
    const std::string page = ask(**server, "GET /");
    CHECK(contains(page, "href=\"/metrics\""));
    CHECK(contains(page, "href=\"/-/healthy\""));
    CHECK(contains(ask(**server, "GET /metrics"), "m 1\n"));
    CHECK(contains(ask(**server, "GET /none"), " 404 "));
    CHECK((*server)->stop(patience));
}

TEST_CASE("admin_server: health is answered while every handler hangs, and stop() says that so") {
    std::promise<void> door;
    const std::shared_future<void> opened = door.get_future().share();
    std::atomic<std::uint32_t> inside{0};
    auto server = AdminServer::open(on_loopback(), {},
                                    [&, opened](const HttpRequest&) -> std::optional<HttpAnswer> {
                                        inside.fetch_add(1);
                                        opened.wait();
                                        return std::nullopt;
                                    });
    REQUIRE(server.has_value());
    (*server)->start({});
    std::vector<std::thread> clients;
    for (std::uint32_t index = 0; index < limits::admin_handlers; ++index)
        clients.emplace_back([&] { static_cast<void>(ask(**server, "GET /hang")); });
    while (inside.load() < limits::admin_handlers)
        std::this_thread::yield();
    CHECK(contains(ask(**server, "GET /-/healthy"), "latmon is healthy"));
    CHECK_FALSE((*server)->stop(Duration::from_ms(1)));
    for (std::thread& client : clients)
        client.join();
    door.set_value();
    CHECK((*server)->stop(patience));
}

TEST_CASE("admin_server: secrets can be renewed") {
    auto server = AdminServer::open(on_loopback(), {}, {});
    REQUIRE(server.has_value());
    (*server)->start({});
    CHECK(contains(ask(**server, "GET /"), " 200 "));
    AdminSecrets secrets;
    secrets.credentials.set_bearer("t");
    CHECK((*server)->renew(secrets).has_value());
    CHECK(contains(ask(**server, "GET /"), " 401 "));
    CHECK(contains(ask(**server, "GET /-/healthy"), " 200 "));
    CHECK((*server)->counters().unauthorized.read() == 1);
    CHECK((*server)->stop(patience));
}

TEST_CASE("admin_server: without an address it does nothing, and stops") {
    auto server = AdminServer::open({}, {}, {});
    REQUIRE(server.has_value());
    (*server)->start({});
    CHECK((*server)->urls().empty());
    CHECK((*server)->stop(patience));
}

}  // namespace
}  // namespace latmon
