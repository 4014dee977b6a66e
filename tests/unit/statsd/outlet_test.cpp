// SPDX-License-Identifier: Apache-2.0
//
// Packets over real sockets on this host: what arrives is what was sent, and what does not arrive
// is counted.
#include "statsd/outlet.hpp"

#include "support/driver/driver_host.hpp"
#include "support/scratch_directory.hpp"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <memory>

namespace latmon::plugins::statsd {
namespace {

using driver::DriverHost;
using test::ScratchDirectory;

// Somebody who receives; on a port of the kernel's choice, or a Unix socket.
class Receiver {
public:
    Receiver(int family, int type) : fd_(::socket(family, type | SOCK_CLOEXEC, 0)) {
        sockaddr_storage any{};
        any.ss_family = static_cast<sa_family_t>(family);
        socklen_t size = family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        if (family == AF_INET) {
            reinterpret_cast<sockaddr_in&>(any).sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        } else {
            reinterpret_cast<sockaddr_in6&>(any).sin6_addr = in6addr_loopback;
        }
        REQUIRE(::bind(fd_.get(), reinterpret_cast<sockaddr*>(&any), size) == 0);
        REQUIRE(::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&any), &size) == 0);
        port_ = ntohs(family == AF_INET ? reinterpret_cast<sockaddr_in&>(any).sin_port
                                        : reinterpret_cast<sockaddr_in6&>(any).sin6_port);
        if (type == SOCK_STREAM) REQUIRE(::listen(fd_.get(), 1) == 0);
    }
    Receiver(const std::string& path, int type) : fd_(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0)) {
        ::unlink(path.c_str());
        const UnixAddress address = unix_address(path).value();
        REQUIRE(::bind(fd_.get(), address.plain(), address.bytes) == 0);
        if (type == SOCK_STREAM) REQUIRE(::listen(fd_.get(), 1) == 0);
    }

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    void accept() { connection_.reset(::accept(fd_.get(), nullptr, nullptr)); }
    // The next octets, "" if there are none.
    [[nodiscard]] std::string take() const {
        std::string text(65'536, '\0');
        const int fd = connection_.is_open() ? connection_.get() : fd_.get();
        const ssize_t got = ::recv(fd, text.data(), text.size(), MSG_DONTWAIT);
        text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
        return text;
    }

private:
    Descriptor fd_;
    Descriptor connection_;
    std::uint16_t port_ = 0;
};

std::vector<Packet> two_packets() {
    return {{.octets = "a:1|c\nb:2|ms", .lines = 2, .values = 1},
            {.octets = "c:3|ms", .lines = 1, .values = 1}};
}

OutletOptions to_port(std::uint16_t port, const char* host = "127.0.0.1") {
    OutletOptions options;
    options.host = host;
    options.port = port;
    return options;
}

OutletOptions to_path(const std::string& path, Transport transport) {
    OutletOptions options;
    options.transport = transport;
    options.unix_path = path;
    return options;
}

TEST_CASE("outlet: each packet is a datagram, to addresses and to names, and all are counted") {
    struct Case {
        int family;
        const char* host;
    };
    for (const Case& each : {Case{AF_INET, "127.0.0.1"}, Case{AF_INET6, "::1"}}) {
        const DriverHost host({});
        const Receiver receiver(each.family, SOCK_DGRAM);
        Outlet outlet(host.table(), to_port(receiver.port(), each.host));
        outlet.prepare();
        outlet.send(two_packets());
        CHECK(receiver.take() == "a:1|c\nb:2|ms");
        CHECK(receiver.take() == "c:3|ms");
        CHECK(host.counter("packets_sent_total") == 2);
        CHECK(host.counter("lines_sent_total") == 3);
        CHECK(host.counter("values_sent_total") == 2);
        CHECK(host.counter("bytes_sent_total") == 18);
        CHECK(host.counter("packets_lost_total") == 0);
        CHECK(host.log_text().empty());
    }
}

TEST_CASE("outlet: a refusal is of an earlier packet; this one is sent") {
    const DriverHost host({});
    auto receiver = std::make_unique<Receiver>(AF_INET, SOCK_DGRAM);
    Outlet outlet(host.table(), to_port(receiver->port()));
    outlet.prepare();
    receiver.reset();
    outlet.send(two_packets());
    outlet.send(two_packets());
    CHECK(host.counter("refusals_total") > 0);
    CHECK(host.counter("packets_sent_total") + host.counter("packets_lost_total") == 4);
    CHECK(host.counter("packets_sent_total") >= 3);
    CHECK(host.log_text().find("Connection refused") != std::string::npos);
}

TEST_CASE("outlet: a name that stands for nothing loses packets, and says so once") {
    const DriverHost host({});
    Outlet outlet(host.table(), to_port(8'125, "no..such..name"));
    outlet.prepare();
    outlet.send(two_packets());
    outlet.send(two_packets());
    CHECK(host.counter("packets_lost_total") == 4);
    CHECK(host.counter("lines_lost_total") == 6);
    CHECK(host.counter("values_lost_total") == 4);
    const std::string log = host.log_text();
    CHECK(log.find("has no address") != std::string::npos);
    CHECK(log.find("has no address") == log.rfind("has no address"));
}

TEST_CASE("outlet: a packet that is too large is lost, with the cure, and the next one goes") {
    const DriverHost host({});
    const Receiver receiver(AF_INET, SOCK_DGRAM);
    Outlet outlet(host.table(), to_port(receiver.port()));
    outlet.prepare();
    std::vector<Packet> packets = two_packets();
    packets[0].octets.assign(66'000, 'x');
    outlet.send(packets);
    CHECK(receiver.take() == "c:3|ms");
    CHECK(host.counter("packets_lost_total") == 1);
    CHECK(host.log_text().find("make packet_bytes smaller") != std::string::npos);
}

TEST_CASE("outlet: over TCP packets are lines") {
    const DriverHost host({});
    Receiver receiver(AF_INET, SOCK_STREAM);
    OutletOptions options = to_port(receiver.port());
    options.transport = Transport::tcp;
    Outlet outlet(host.table(), options);
    outlet.prepare();
    receiver.accept();
    outlet.send(two_packets());
    CHECK(receiver.take() == "a:1|c\nb:2|ms\nc:3|ms\n");
    CHECK(host.counter("packets_sent_total") == 2);
}

TEST_CASE("outlet: a Unix datagram socket, and the one that takes its place") {
    const ScratchDirectory folder;
    const std::string path = folder.file("dsd.socket");
    const DriverHost host({});
    auto receiver = std::make_unique<Receiver>(path, SOCK_DGRAM);
    Outlet outlet(host.table(), to_path(path, Transport::unix_datagram));
    outlet.prepare();
    outlet.send(two_packets());
    CHECK(receiver->take() == "a:1|c\nb:2|ms");
    receiver.reset();
    const Receiver second(path, SOCK_DGRAM);
    outlet.send(two_packets());
    CHECK(second.take() == "a:1|c\nb:2|ms");
    CHECK(second.take() == "c:3|ms");
    CHECK(host.counter("packets_lost_total") == 0);
}

TEST_CASE("outlet: packets on a Unix stream stand behind their lengths") {
    const ScratchDirectory folder;
    const std::string path = folder.file("dsd.socket");
    const DriverHost host({});
    Receiver receiver(path, SOCK_STREAM);
    Outlet outlet(host.table(), to_path(path, Transport::unix_stream));
    outlet.prepare();
    receiver.accept();
    outlet.send(two_packets());
    using namespace std::string_literals;
    CHECK(receiver.take() == "\x0c\0\0\0a:1|c\nb:2|ms\x06\0\0\0c:3|ms"s);
}

TEST_CASE("outlet: a receiver that takes nothing costs packets, not for ever") {
    const ScratchDirectory folder;
    const std::string path = folder.file("dsd.socket");
    const DriverHost host({});
    const Receiver receiver(path, SOCK_DGRAM);
    Outlet outlet(host.table(), to_path(path, Transport::unix_datagram));
    outlet.prepare();
    // More than the socket buffer of any machine holds.
    const std::vector<Packet> packets(2'000, {.octets = std::string(8'192, 'x'), .lines = 1});
    outlet.send(packets);
    CHECK(host.counter("packets_lost_total") > 0);
    CHECK(host.counter("packets_lost_total") + host.counter("packets_sent_total") == 2'000);
    std::uint64_t received = 0;
    while (!receiver.take().empty())
        ++received;
    CHECK(received == host.counter("packets_sent_total"));
}

TEST_CASE("outlet: while nobody listens packets are lost and counted") {
    const ScratchDirectory folder;
    const DriverHost host({});
    Outlet outlet(host.table(), to_path(folder.file("nobody"), Transport::unix_datagram));
    outlet.prepare();
    outlet.send(two_packets());
    CHECK(host.counter("packets_lost_total") == 2);
    CHECK(host.log_text().find("No such file") != std::string::npos);
}

}  // namespace
}  // namespace latmon::plugins::statsd
