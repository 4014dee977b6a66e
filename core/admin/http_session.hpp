// SPDX-License-Identifier: Apache-2.0
//
// One connection of the HTTP server, from its first octet to its last: a part of http_server.cpp,
// the only file that includes it. Each step is asynchronous and names the next; each has a time
// limit, and each buffer an end. Runs on the admin-thread alone.
#pragma once

#include "admin/http_connections.hpp"
#include "admin/http_server.hpp"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream_base.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>

#include <array>
#include <ctime>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace latmon {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

// TCP and unix sockets alike.
using PlainStream = beast::basic_stream<asio::generic::stream_protocol>;
using TlsStream = beast::ssl_stream<PlainStream>;

// What all connections of a server have in common. Sessions refer to it and live in its `io`; what
// comes from another thread holds it weakly.
struct HttpHub : std::enable_shared_from_this<HttpHub> {
    HttpHub(AdminCounters& admin_counters, HttpServer::OnRequest to, std::uint32_t connections_max)
        : counters(admin_counters),
          on_request(std::move(to)),
          connections(connections_max, admin_counters) {}

    AdminCounters& counters;
    const HttpServer::OnRequest on_request;
    HttpConnections connections;
    std::uint64_t answers_bytes = 0;  // Of bodies that are being sent.
    const OsClock clock;
    asio::io_context io{
        1};  // The last member: what is left in it goes while the rest still stands.
};

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7).
inline std::string http_date(WallTime now) {
    const auto seconds = static_cast<std::time_t>(now.ns / 1'000'000'000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const std::size_t length =
        std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text.data(), length};
}

inline HttpMethod method_of(http::verb verb) noexcept {
    switch (verb) {
        case http::verb::get:
            return HttpMethod::get;
        case http::verb::head:
            return HttpMethod::head;
        case http::verb::post:
            return HttpMethod::post;
        case http::verb::put:
            return HttpMethod::put;
        default:
            return HttpMethod::other;
    }
}

// Beast takes its limit for what it has not parsed yet, so that a header of many small fields may
// pass it.
inline bool is_too_large(const http::request<http::string_body>& message) {
    constexpr std::size_t marks = 4;  // ": " and the end of the line.
    std::size_t octets = message.target().size();
    for (const auto& field : message.base())
        octets += field.name_string().size() + field.value().size() + marks;
    return octets > limits::admin_header_bytes;
}

// Nothing if it is no request that we could answer in any other way than by 400.
inline std::optional<HttpRequest> to_request(http::request<http::string_body> message) {
    std::optional<RequestTarget> target =
        parse_target(std::string_view(message.target().data(), message.target().size()));
    if (!target) return std::nullopt;
    HttpRequest request{.method = method_of(message.method()),
                        .path = std::move(target->path),
                        .query = std::move(target->query),
                        .headers = {},
                        .body = {}};
    const std::size_t hosts = message.count(http::field::host);
    if (hosts > 1 || (hosts == 0 && message.version() >= 11)) return std::nullopt;
    for (const auto& field : message.base()) {
        const std::string_view value(field.value().data(), field.value().size());
        std::string name = small_letters({field.name_string().data(), field.name_string().size()});
        add_header(request.headers, std::move(name), value);
    }
    request.body = std::move(message.body());
    return request;
}

// What is wrong with what came, as an answer; nothing if there is nobody to answer to.
inline std::optional<HttpAnswer> answer_to(beast::error_code error) {
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
        return text_answer(431, "the header of this request is too large");
    }
    if (error == http::error::body_limit) {
        return text_answer(413, "the body of this request is too large");
    }
    if (error == http::error::end_of_stream || error == http::error::partial_message) {
        return std::nullopt;
    }
    const bool is_malformed =
        error.category() == beast::error_code(http::error::bad_method).category();
    if (is_malformed) return text_answer(400, "this is no HTTP/1.1 request");
    return std::nullopt;
}

template <typename Stream>
class Session final : public HttpConnection, public std::enable_shared_from_this<Session<Stream>> {
public:
    // `arguments` are those of the stream.
    template <typename... Arguments>
    Session(HttpHub& hub, std::uint64_t from, Arguments&&... arguments)
        : HttpConnection(from, hub.clock.now()),
          hub_(hub),
          stream_(std::forward<Arguments>(arguments)...),
          timer_(hub.io),
          buffer_(buffer_bytes) {}
    ~Session() override { Session::close(); }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Takes its place among the connections, and begins.
    void start() {
        hub_.connections.add(*this);
        if constexpr (is_tls) {
            set_limit(limits::admin_request_ns);
            stream_.async_handshake(asio::ssl::stream_base::server,
                                    [self = self()](beast::error_code error) {
                                        if (!error) return self->await_request(first_patience_ns);
                                        self->hub_.counters.tls_failures.add();
                                        self->end(error);
                                    });
        } else {
            await_request(first_patience_ns);
        }
    }

    void close() noexcept override {
        hub_.connections.remove(*this);
        release_body();
        timer_.cancel();
        beast::get_lowest_layer(stream_).close();
    }

private:
    static constexpr bool is_tls = std::is_same_v<Stream, TlsStream>;
    static constexpr std::size_t buffer_bytes = std::size_t{2} * limits::admin_header_bytes;
    static constexpr std::size_t read_bytes = 4'096;
    // Who connects has something to say.
    static constexpr std::int64_t first_patience_ns = limits::admin_request_ns;

    using Parser = http::request_parser<http::string_body>;

    [[nodiscard]] std::shared_ptr<Session> self() { return this->shared_from_this(); }

    void set_limit(std::int64_t ns) {
        beast::get_lowest_layer(stream_).expires_after(std::chrono::nanoseconds(ns));
    }
    void enter(Phase next) noexcept {
        phase = next;
        since = hub_.clock.now();
    }

    // -- Receiving ------------------------------------------------------------------------------

    void await_request(std::int64_t patience_ns) {
        enter(Phase::waiting);
        if (buffer_.size() > 0) return read_header();  // Of a client that does not wait.
        set_limit(patience_ns);
        stream_.async_read_some(buffer_.prepare(read_bytes),
                                [self = self()](beast::error_code error, std::size_t octets) {
                                    if (error) return self->end(error);
                                    self->buffer_.commit(octets);
                                    self->read_header();
                                });
    }

    void read_header() {
        enter(Phase::receiving);
        parser_.emplace();
        parser_->header_limit(limits::admin_header_bytes);
        parser_->body_limit(limits::admin_body_bytes);
        set_limit(limits::admin_request_ns);
        http::async_read_header(
            stream_, buffer_, *parser_,
            [self = self()](beast::error_code error, std::size_t) { self->on_header(error); });
    }

    void on_header(beast::error_code error) {
        if (error) return refuse(error);
        if (parser_->is_done()) return on_message();
        if (!beast::iequals(parser_->get()[http::field::expect], "100-continue"))
            return read_body();
        static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
        asio::async_write(stream_, asio::buffer(go_on.data(), go_on.size()),
                          [self = self()](beast::error_code written, std::size_t) {
                              if (written) return self->end(written);
                              self->read_body();
                          });
    }

    void read_body() {
        set_limit(limits::admin_request_ns);
        http::async_read(stream_, buffer_, *parser_,
                         [self = self()](beast::error_code error, std::size_t) {
                             if (error) return self->refuse(error);
                             self->on_message();
                         });
    }

    void refuse(beast::error_code error) {
        std::optional<HttpAnswer> answer = answer_to(error);
        if (!answer) return end(error);
        refuse(std::move(*answer));
    }

    void refuse(HttpAnswer answer) {
        hub_.counters.malformed.add();
        keeps_alive_ = false;
        is_head_ = false;
        send(std::move(answer));
    }

    // -- Answering ------------------------------------------------------------------------------

    void on_message() {
        http::request<http::string_body> message = parser_->release();
        keeps_alive_ =
            message.keep_alive() && ++request_count_ < limits::admin_requests_per_connection;
        version_ = message.version();
        if (is_too_large(message)) return refuse(*answer_to(http::error::header_limit));
        std::optional<HttpRequest> request = to_request(std::move(message));
        if (!request) return refuse(text_answer(400, "this request cannot be understood"));
        is_head_ = request->method == HttpMethod::head;
        hub_.counters.requests.add();
        enter(Phase::answering);
        const std::uint64_t serial = ++serial_;
        HttpPatience patience = hub_.on_request(std::move(*request), responder_for(serial));
        timer_.expires_after(std::chrono::nanoseconds(patience.within.ns));
        timer_.async_wait([self = self(), serial,
                           answer = std::move(patience.too_late)](beast::error_code error) mutable {
            if (error || !self->is_awaited(serial)) return;
            self->hub_.counters.overdue.add();
            self->deliver(serial, std::move(answer));
        });
    }

    // An answer comes by way of `io`, also one that is given at once.
    [[nodiscard]] Responder responder_for(std::uint64_t serial) {
        return Responder([hub = hub_.weak_from_this(), weak = this->weak_from_this(),
                          serial](HttpAnswer answer) {
            const std::shared_ptr<HttpHub> alive = hub.lock();
            if (alive == nullptr) return;
            asio::post(alive->io, [weak, serial, answer = std::move(answer)]() mutable {
                const std::shared_ptr<Session> session = weak.lock();
                if (session != nullptr) session->deliver(serial, std::move(answer));
            });
        });
    }

    // False for what was answered in another way, or to nobody.
    [[nodiscard]] bool is_awaited(std::uint64_t serial) const noexcept {
        return serial == serial_ && phase == Phase::answering;
    }

    void deliver(std::uint64_t serial, HttpAnswer answer) {
        if (!is_awaited(serial)) return;
        timer_.cancel();
        count(answer.status);
        send(std::move(answer));
    }

    void count(std::uint32_t status) noexcept {
        if (status == 401) hub_.counters.unauthorized.add();
        if (status >= 500 && status != 503) hub_.counters.failed.add();
    }

    void send(HttpAnswer answer) {
        if (hub_.answers_bytes + answer.body.size() > limits::admin_answers_bytes) {
            hub_.counters.refused.add();
            answer = text_answer(503, "too much is on its way to others; try again");
        }
        enter(Phase::sending);
        body_bytes_ = answer.body.size();
        hub_.answers_bytes += body_bytes_;
        make_response(std::move(answer));
        set_limit(limits::admin_answer_ns);
        http::async_write(stream_, response_,
                          [self = self()](beast::error_code error, std::size_t) {
                              if (error) return self->end(error);
                              self->on_sent();
                          });
    }

    void make_response(HttpAnswer answer) {
        response_ = {};
        response_.version(version_);
        response_.result(answer.status);
        response_.set(http::field::date, http_date(hub_.clock.wall_now()));
        response_.set("X-Content-Type-Options", "nosniff");
        response_.set(http::field::cache_control, "no-store");
        for (const auto& [name, value] : answer.headers) {
            if (!is_header_name(name) || !is_header_value(value)) continue;
            const bool is_ours = is_same_word(name, "cache-control");
            is_ours ? response_.set(name, value) : response_.insert(name, value);
        }
        response_.keep_alive(keeps_alive_);
        const bool has_no_body = answer.status == 204 || answer.status == 304;
        if (has_no_body) return;
        response_.content_length(answer.body.size());
        if (!is_head_) response_.body() = std::move(answer.body);
    }

    void on_sent() {
        release_body();
        if (keeps_alive_) return await_request(limits::admin_idle_ns);
        enter(Phase::closing);
        set_limit(limits::admin_linger_ns);
        if constexpr (is_tls) {
            stream_.async_shutdown([self = self()](beast::error_code) { self->close(); });
        } else {
            beast::error_code ignored;
            stream_.socket().shutdown(asio::socket_base::shutdown_send, ignored);
            listen_to_the_end();
        }
    }

    void release_body() noexcept {
        hub_.answers_bytes -= std::exchange(body_bytes_, 0);
        response_.body() = {};
    }

    // Octets that nobody has read when a socket is closed make the kernel reset the connection, and
    // the client may never see the answer that tells what it did wrong.
    void listen_to_the_end() {
        if (lingered_bytes_ > limits::admin_linger_bytes) return close();
        buffer_.clear();
        stream_.async_read_some(buffer_.prepare(read_bytes),
                                [self = self()](beast::error_code error, std::size_t octets) {
                                    if (error) return self->close();
                                    self->lingered_bytes_ += octets;
                                    self->listen_to_the_end();
                                });
    }

    void end(beast::error_code error) {
        if (error == beast::error::timeout) hub_.counters.timeouts.add();
        close();
    }

    HttpHub& hub_;
    Stream stream_;
    asio::steady_timer timer_;  // Of the answer that is being made.
    beast::flat_buffer buffer_;
    std::optional<Parser> parser_;
    http::response<http::string_body> response_;
    std::uint64_t body_bytes_ = 0;  // Of it, as counted in the hub.
    std::uint64_t serial_ = 0;      // Of the request: answers to earlier ones are too late.
    std::size_t lingered_bytes_ = 0;
    std::uint32_t request_count_ = 0;
    unsigned version_ = 11;
    bool keeps_alive_ = false;
    bool is_head_ = false;
};

}  // namespace latmon
