// SPDX-License-Identifier: Apache-2.0
//
// See http_session.hpp. What is under way holds the session; when it is closed, the channel lets
// all of that fail, and the last that ends takes the session with it.
#include "admin/http_session.hpp"

#include "base/limits.hpp"

#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <utility>

namespace latmon {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

// Who connects has something to say.
constexpr std::int64_t first_patience_ns = limits::admin_request_ns;
// What goes along with the head, as one write and one record of TLS: RFC 8446 section 5.1.
constexpr std::size_t small_body_bytes = std::size_t{15} * 1'024;

}  // namespace

HttpSession::HttpSession(HttpHub& hub, std::uint64_t from, std::unique_ptr<HttpChannel> channel)
    : HttpConnection(from, hub.clock.now()),
      hub_(hub),
      channel_(std::move(channel)),
      timer_(hub.io) {}

HttpSession::~HttpSession() {
    HttpSession::close();
}

void HttpSession::start() {
    hub_.connections.add(*this);
    set_limit(limits::admin_request_ns);
    channel_->handshake([self = shared_from_this()](bool is_good) {
        if (!is_good) self->hub_.counters.tls_failures.add();
        if (!is_good || !self->is_listed) return self->close();
        self->await_request(first_patience_ns);
    });
}

void HttpSession::close() noexcept {
    hub_.connections.remove(*this);
    give_back();
    ++timer_turn_;
    timer_.cancel();
    channel_->close();
}

void HttpSession::enter(Phase next) noexcept {
    phase = next;
    since = hub_.clock.now();
}

// -- Time ---------------------------------------------------------------------------------------

void HttpSession::set_limit(std::int64_t ns) {
    set_timer(ns, nullptr);
}

void HttpSession::set_timer(std::int64_t ns, std::shared_ptr<HttpSession> kept_alive) {
    timer_.expires_after(std::chrono::nanoseconds(ns));
    timer_.async_wait([weak = weak_from_this(), kept_alive = std::move(kept_alive),
                       turn = ++timer_turn_](const error_code& error) {
        const std::shared_ptr<HttpSession> self = weak.lock();
        // One that has run out already can no more be cancelled.
        if (!error && self != nullptr && turn == self->timer_turn_) self->on_timer();
    });
}

void HttpSession::on_timer() {
    switch (phase) {
        case Phase::answering:
            hub_.counters.overdue.add();
            return deliver(serial_, std::move(too_late_));
        case Phase::waiting:
        case Phase::receiving:
        case Phase::sending:
            hub_.counters.timeouts.add();
            break;
        case Phase::closing:
            break;  // All that mattered has been said.
    }
    close();
}

// -- Receiving ----------------------------------------------------------------------------------

void HttpSession::read(Step next) {
    channel_->read_some(reader_.room(), [self = shared_from_this(), next](std::size_t octets) {
        if (octets == 0 || !self->is_listed) return self->close();
        self->reader_.filled(octets);
        (self.get()->*next)();
    });
}

void HttpSession::write(std::string_view octets, Step next) {
    channel_->write(octets, [self = shared_from_this(), next](bool is_good) {
        if (!is_good || !self->is_listed) return self->close();
        (self.get()->*next)();
    });
}

void HttpSession::await_request(std::int64_t patience_ns) {
    enter(Phase::waiting);
    if (reader_.waiting_bytes() > 0) return begin_request();  // Of a client that does not wait.
    set_limit(patience_ns);
    read(&HttpSession::begin_request);
}

void HttpSession::begin_request() {
    enter(Phase::receiving);
    reader_.begin();
    set_limit(limits::admin_request_ns);
    parse();
}

void HttpSession::parse() {
    switch (reader_.advance()) {
        case RequestReader::Step::more:
            return read(&HttpSession::parse);
        case RequestReader::Step::header:
            return on_header();
        case RequestReader::Step::whole:
            return on_request();
        case RequestReader::Step::refused:
            return refuse(reader_.refusal());
    }
}

void HttpSession::on_header() {
    if (!reader_.is_asked_to_go_on()) return read_body();
    write("HTTP/1.1 100 Continue\r\n\r\n", &HttpSession::read_body);
}

void HttpSession::read_body() {
    set_limit(limits::admin_request_ns);
    parse();
}

void HttpSession::refuse(HttpAnswer answer) {
    hub_.counters.malformed.add();
    keeps_alive_ = false;
    is_head_ = false;
    send(std::move(answer));
}

// -- Answering ----------------------------------------------------------------------------------

void HttpSession::on_request() {
    ReceivedRequest received = reader_.take();
    keeps_alive_ = received.keeps_alive && ++request_count_ < limits::admin_requests_per_connection;
    version_ = received.version;
    if (!received.request) return refuse(std::move(received.request.error()));
    is_head_ = received.request->method == HttpMethod::head;
    hub_.counters.requests.add();
    enter(Phase::answering);
    HttpPatience patience = hub_.on_request(std::move(*received.request), responder_for(++serial_));
    too_late_ = std::move(patience.too_late);
    set_timer(patience.within.ns, shared_from_this());  // Nothing else is under way.
}

// An answer comes by way of `io`, also one that is given at once.
Responder HttpSession::responder_for(std::uint64_t serial) {
    return Responder(
        [hub = hub_.weak_from_this(), weak = weak_from_this(), serial](HttpAnswer answer) {
            const std::shared_ptr<HttpHub> alive = hub.lock();
            if (alive == nullptr) return;
            asio::post(alive->io, [weak, serial, answer = std::move(answer)]() mutable {
                const std::shared_ptr<HttpSession> session = weak.lock();
                if (session != nullptr) session->deliver(serial, std::move(answer));
            });
        });
}

// False for what was answered in another way, or to nobody.
bool HttpSession::is_awaited(std::uint64_t serial) const noexcept {
    return is_listed && serial == serial_ && phase == Phase::answering;
}

void HttpSession::deliver(std::uint64_t serial, HttpAnswer answer) {
    if (!is_awaited(serial)) return;
    count(answer.status);
    send(std::move(answer));
}

void HttpSession::count(std::uint32_t status) noexcept {
    if (status == 401) hub_.counters.unauthorized.add();
    if (status >= 500 && status != 503) hub_.counters.failed.add();
}

void HttpSession::send(HttpAnswer answer) {
    set_limit(limits::admin_answer_ns);  // First: what may throw below ends the session by it.
    if (hub_.answers_bytes + answer.body.size() > limits::admin_answers_bytes) {
        hub_.counters.refused.add();
        answer = text_answer(503, "too much is on its way to others; try again");
    }
    enter(Phase::sending);
    body_bytes_ = answer.body.size();
    hub_.answers_bytes += body_bytes_;
    reply_ = reply_head(
        answer, {.version = version_, .keeps_alive = keeps_alive_, .now = hub_.clock.wall_now()});
    reply_body_.clear();
    if (!is_head_ && may_have_body(answer.status)) reply_body_ = std::move(answer.body);
    if (reply_body_.size() <= small_body_bytes) reply_ += std::exchange(reply_body_, {});
    write(reply_, reply_body_.empty() ? &HttpSession::on_sent : &HttpSession::send_body);
}

void HttpSession::send_body() {
    write(reply_body_, &HttpSession::on_sent);
}

void HttpSession::on_sent() {
    give_back();
    reply_ = std::string();  // `{}` would keep the memory.
    reply_body_ = std::string();
    if (keeps_alive_) return await_request(limits::admin_idle_ns);
    enter(Phase::closing);
    set_limit(limits::admin_linger_ns);
    channel_->shutdown([self = shared_from_this()](bool is_good) {
        if (!is_good || !self->is_listed) return self->close();
        self->listen_to_the_end();
    });
}

// The octets themselves stay until they have been sent: a write may still be about to take more.
void HttpSession::give_back() noexcept {
    hub_.answers_bytes -= std::exchange(body_bytes_, 0);
}

// Octets that nobody has read when a socket is closed make the kernel reset the connection, and the
// client may never see the answer that tells what it did wrong.
void HttpSession::listen_to_the_end() {
    reader_.discard();
    read(&HttpSession::on_more);
}

void HttpSession::on_more() {
    // What the reader holds now is what this read has brought.
    lingered_bytes_ += reader_.waiting_bytes();
    if (lingered_bytes_ > limits::admin_linger_bytes) return close();
    listen_to_the_end();
}

}  // namespace latmon
