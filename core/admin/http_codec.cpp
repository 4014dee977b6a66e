// SPDX-License-Identifier: Apache-2.0
//
// See http_codec.hpp. The parser is driven from a buffer of ours, the way that Beast's own
// reading operations do it, and the serializer asked for a head alone: so no stream and no time is
// in it, and the compiler is spared what it would make of them for every kind of stream.
#include "admin/http_codec.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"

#include <algorithm>
#include <array>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <ctime>
#include <optional>
#include <string_view>
#include <utility>

namespace latmon {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;

using Message = http::request<http::string_body>;
using Parser = http::request_parser<http::string_body>;

constexpr std::size_t buffer_bytes = std::size_t{2} * limits::admin_header_bytes;
constexpr std::size_t read_bytes = 4'096;

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7).
std::string http_date(WallTime now) {
    const auto seconds = static_cast<std::time_t>(now.ns / 1'000'000'000);
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const std::size_t length =
        std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text.data(), length};
}

HttpMethod method_of(http::verb verb) noexcept {
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

HttpAnswer header_too_large() {
    return text_answer(431, "the header of this request is too large");
}

// Beast takes its limit for what it has not parsed yet, so that a header of many small fields may
// pass it.
bool is_too_large(const Message& message) {
    constexpr std::size_t marks = 4;  // ": " and the end of the line.
    std::size_t octets = message.target().size();
    for (const auto& field : message.base())
        octets += field.name_string().size() + field.value().size() + marks;
    return octets > limits::admin_header_bytes;
}

// Nothing if it is no request that we could answer in any other way than by 400.
std::optional<HttpRequest> to_request(Message message) {
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

}  // namespace

// -- Requests -----------------------------------------------------------------------------------

struct RequestReader::State {
    beast::flat_buffer buffer{buffer_bytes};
    std::optional<Parser> parser;
    beast::error_code error;  // Why it was refused.
    bool is_header_told = false;

    [[nodiscard]] Step refuse(beast::error_code why) {
        error = why;
        return Step::refused;
    }
};

RequestReader::RequestReader() : state_(std::make_unique<State>()) {}
RequestReader::~RequestReader() = default;

std::span<char> RequestReader::room() {
    const std::size_t left = state_->buffer.max_size() - state_->buffer.size();
    const auto prepared = state_->buffer.prepare(std::min(left, read_bytes));
    return {static_cast<char*>(prepared.data()), prepared.size()};
}

void RequestReader::filled(std::size_t octets) {
    state_->buffer.commit(octets);
}

std::size_t RequestReader::waiting_bytes() const noexcept {
    return state_->buffer.size();
}

void RequestReader::discard() noexcept {
    state_->buffer.clear();
}

void RequestReader::begin() {
    Parser& parser = state_->parser.emplace();
    parser.header_limit(limits::admin_header_bytes);
    parser.body_limit(limits::admin_body_bytes);
    parser.eager(false);  // The header alone: who sends it may have to be asked for the rest.
    state_->is_header_told = false;
}

RequestReader::Step RequestReader::advance() {
    LATMON_ASSERT(state_->parser.has_value());
    Parser& parser = *state_->parser;
    while (waiting_bytes() > 0) {
        beast::error_code error;
        state_->buffer.consume(parser.put(state_->buffer.data(), error));
        if (error == http::error::need_more) break;
        if (error) return state_->refuse(error);
        if (parser.is_done()) return Step::whole;
        if (parser.is_header_done() && !std::exchange(state_->is_header_told, true)) {
            parser.eager(true);
            return Step::header;
        }
    }
    const bool is_full = waiting_bytes() == state_->buffer.max_size();
    return is_full ? state_->refuse(http::error::buffer_overflow) : Step::more;
}

bool RequestReader::is_asked_to_go_on() const {
    return beast::iequals(state_->parser->get()[http::field::expect], "100-continue");
}

ReceivedRequest RequestReader::take() {
    Message message = state_->parser->release();
    state_->parser.reset();
    ReceivedRequest received{.version = message.version(),
                             .keeps_alive = message.keep_alive(),
                             .request = std::unexpected(header_too_large())};
    if (is_too_large(message)) return received;
    std::optional<HttpRequest> request = to_request(std::move(message));
    if (request) {
        received.request = std::move(*request);
    } else {
        received.request = std::unexpected(text_answer(400, "this request cannot be understood"));
    }
    return received;
}

HttpAnswer RequestReader::refusal() const {
    if (state_->error == http::error::header_limit ||
        state_->error == http::error::buffer_overflow) {
        return header_too_large();
    }
    if (state_->error == http::error::body_limit) {
        return text_answer(413, "the body of this request is too large");
    }
    return text_answer(400, "this is no HTTP/1.1 request");
}

// -- Answers ------------------------------------------------------------------------------------

std::string reply_head(const HttpAnswer& answer, const ReplyForm& form) {
    http::response<http::empty_body> reply;
    reply.version(form.version);
    reply.result(answer.status);
    reply.set(http::field::date, http_date(form.now));
    reply.set("X-Content-Type-Options", "nosniff");
    reply.set(http::field::cache_control, "no-store");
    for (const auto& [name, value] : answer.headers) {
        if (!is_header_name(name) || !is_header_value(value)) continue;
        const bool is_ours = is_same_word(name, "cache-control");
        is_ours ? reply.set(name, value) : reply.insert(name, value);
    }
    reply.keep_alive(form.keeps_alive);
    if (may_have_body(answer.status)) reply.content_length(answer.body.size());
    // What Beast's serializer takes the head from; of bodies, chunked or not, nothing is needed.
    http::fields::writer writer(reply, reply.version(), reply.result_int());
    return beast::buffers_to_string(writer.get());
}

}  // namespace latmon
