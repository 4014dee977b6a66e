// SPDX-License-Identifier: Apache-2.0
//
// Claims about a plain channel, over a pair of unix sockets: what its handlers are told. TLS is in
// tests/system, where certificates can be made.
#include "admin/plain_channel.hpp"

#include "base/fd.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace latmon {
namespace {

struct Pair {
    Pair() {
        std::array<int, 2> fds{};
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds.data()) == 0);
        channel = plain_channel(HttpSocket(io, HttpProtocol(AF_UNIX, 0), fds[0]));
        other = Fd(fds[1]);
    }
    void say(std::string_view text) const {
        REQUIRE(::send(other.get(), text.data(), text.size(), 0) ==
                static_cast<ssize_t>(text.size()));
    }
    void start_reading() {
        octets.reset();
        channel->read_some(room, [this](std::size_t came) { octets = came; });
    }
    void run() {
        io.restart();
        io.run();
    }

    boost::asio::io_context io;
    std::unique_ptr<HttpChannel> channel;
    Fd other;
    std::array<char, 8> room{};
    std::optional<std::size_t> octets;
};

TEST_CASE("plain_channel: what has come is read, and the end is no octets") {
    Pair pair;
    pair.say("hello");
    pair.start_reading();
    CHECK_FALSE(pair.octets.has_value());
    pair.run();
    REQUIRE(pair.octets == 5U);
    CHECK(std::string_view(pair.room.data(), 5) == "hello");
    pair.other.reset();
    pair.start_reading();
    pair.run();
    CHECK(pair.octets == 0U);
}

TEST_CASE("plain_channel: all is written, however little of it fits at once") {
    Pair pair;
    const std::string text(3'000'000, 'x');
    std::optional<bool> is_good;
    pair.channel->write(text, [&](bool good) { is_good = good; });
    std::string came;
    std::array<char, 65'536> buffer{};
    while (!is_good) {
        pair.io.poll_one();
        const ssize_t octets = ::recv(pair.other.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (octets > 0) came.append(buffer.data(), static_cast<std::size_t>(octets));
    }
    CHECK(*is_good);
    pair.channel->close();
    for (ssize_t octets = 1; octets > 0;) {
        octets = ::recv(pair.other.get(), buffer.data(), buffer.size(), 0);
        if (octets > 0) came.append(buffer.data(), static_cast<std::size_t>(octets));
    }
    CHECK(came == text);
}

TEST_CASE("plain_channel: closing ends what is under way, and twice is once") {
    Pair pair;
    pair.start_reading();
    pair.channel->close();
    pair.channel->close();
    pair.run();
    CHECK(pair.octets == 0U);
    std::optional<bool> is_good;
    pair.channel->write("x", [&](bool good) { is_good = good; });
    pair.run();
    CHECK(is_good == false);
}

TEST_CASE("plain_channel: after the last word the other end is still heard") {
    Pair pair;
    bool is_good = false;
    pair.channel->shutdown([&](bool good) { is_good = good; });
    CHECK(is_good);
    char octet = 0;
    CHECK(::recv(pair.other.get(), &octet, 1, 0) == 0);
    pair.say("late");
    pair.start_reading();
    pair.run();
    CHECK(pair.octets == 4U);
}

}  // namespace
}  // namespace latmon
