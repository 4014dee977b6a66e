// SPDX-License-Identifier: Apache-2.0
//
// See plain_channel.hpp. Operations refer to the socket, and their handlers hold whoever owns it.
#include "admin/plain_channel.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>
#include <utility>

namespace latmon {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

class PlainChannel final : public HttpChannel {
public:
    explicit PlainChannel(HttpSocket socket) : socket_(std::move(socket)) {}

    void handshake(OnDone on_done) override { on_done(true); }

    void read_some(std::span<char> room, OnOctets on_octets) override {
        socket_.async_read_some(
            asio::mutable_buffer(room.data(), room.size()),
            [on_octets = std::move(on_octets)](const error_code& error, std::size_t octets) {
                on_octets(error ? 0 : octets);
            });
    }

    void write(std::string_view octets, OnDone on_done) override {
        asio::async_write(socket_, asio::const_buffer(octets.data(), octets.size()),
                          [on_done = std::move(on_done)](const error_code& error, std::size_t) {
                              on_done(!error);
                          });
    }

    void shutdown(OnDone on_done) override {
        error_code ignored;  // Of one that has gone, which reading will show.
        socket_.shutdown(HttpSocket::shutdown_send, ignored);
        on_done(true);
    }

    void close() noexcept override {
        error_code ignored;
        socket_.close(ignored);
    }

private:
    HttpSocket socket_;
};

}  // namespace

std::unique_ptr<HttpChannel> plain_channel(HttpSocket socket) {
    return std::make_unique<PlainChannel>(std::move(socket));
}

}  // namespace latmon
