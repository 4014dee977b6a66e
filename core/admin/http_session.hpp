// SPDX-License-Identifier: Apache-2.0
//
// One connection of the HTTP server, from its first octet to its last. Each step is asynchronous
// and names the next; each has a time limit, and each buffer an end. It knows neither sockets nor
// TLS (http_channel.hpp), nor the form of a message (http_codec.hpp). Runs on the admin-thread
// alone.
#pragma once

#include "admin/http_channel.hpp"
#include "admin/http_codec.hpp"
#include "admin/http_connections.hpp"
#include "admin/http_hub.hpp"
#include "admin/http_message.hpp"
#include "admin/responder.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace latmon {

// Lives as long as something is under way that ends with one of its steps.
class HttpSession final : public HttpConnection, public std::enable_shared_from_this<HttpSession> {
public:
    // `from` as of source_of(). [admin-thread]
    HttpSession(HttpHub& hub, std::uint64_t from, std::unique_ptr<HttpChannel> channel);
    ~HttpSession() override;
    HttpSession(const HttpSession&) = delete;
    HttpSession& operator=(const HttpSession&) = delete;

    // Takes its place among the connections, and begins. [admin-thread]
    void start();

    // [admin-thread]
    void close() noexcept override;

private:
    using Step = void (HttpSession::*)();

    void enter(Phase next) noexcept;
    // How long what follows may take in all. It does not keep the session alive.
    void set_limit(std::int64_t ns);
    void set_timer(std::int64_t ns, std::shared_ptr<HttpSession> kept_alive);
    void on_timer();
    // Then `next`; if it comes to no good end, or the session is closed meanwhile, the end.
    void read(Step next);
    void write(std::string_view octets, Step next);

    void await_request(std::int64_t patience_ns);
    void begin_request();
    void parse();
    void on_header();
    void read_body();
    void refuse(HttpAnswer answer);

    void on_request();
    [[nodiscard]] Responder responder_for(std::uint64_t serial);
    [[nodiscard]] bool is_awaited(std::uint64_t serial) const noexcept;
    void deliver(std::uint64_t serial, HttpAnswer answer);
    void count(std::uint32_t status) noexcept;
    void send(HttpAnswer answer);
    void send_body();
    void on_sent();
    void give_back() noexcept;
    void listen_to_the_end();
    void on_more();

    HttpHub& hub_;
    std::unique_ptr<HttpChannel> channel_;
    HttpTimer timer_;
    RequestReader reader_;
    HttpAnswer too_late_;           // If the answer is not made in time.
    std::string reply_;             // The head of the answer, and a body that is small.
    std::string reply_body_;        // One that is not.
    std::uint64_t body_bytes_ = 0;  // Of the answer, as counted in the hub.
    std::uint64_t serial_ = 0;      // Of the request: answers to earlier ones are too late.
    std::uint64_t timer_turn_ = 0;  // What an earlier one says is nothing any more.
    std::size_t lingered_bytes_ = 0;
    std::uint32_t request_count_ = 0;
    std::uint32_t version_ = 11;
    bool keeps_alive_ = false;
    bool is_head_ = false;
};

}  // namespace latmon
