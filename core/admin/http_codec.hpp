// SPDX-License-Identifier: Apache-2.0
//
// HTTP/1.1 as octets: requests out of what came, one after another, and the head of an answer.
// Boost.Beast takes apart and puts together, in http_codec.cpp and nowhere else. Bounds what a
// client can make us hold; reads no socket and knows no time limits. One thread at a time.
#pragma once

#include "admin/http_message.hpp"
#include "base/time.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>

namespace latmon {

// A request that has come as a whole, and what its answer must keep to.
struct ReceivedRequest {
    std::uint32_t version = 11;  // 10 or 11.
    bool keeps_alive = false;    // Whether the client wants the connection to stay.
    // The answer, if it can be understood no further: 400 or 431.
    std::expected<HttpRequest, HttpAnswer> request;
};

class RequestReader {
public:
    enum class Step : std::uint8_t {
        more,    // Octets are missing: fill room().
        header,  // Told once, of a request that has a body: that is still to come.
        whole,   // take() it.
        refused  // It is none, or too large: see refusal(). No more can be read.
    };

    RequestReader();
    ~RequestReader();
    RequestReader(const RequestReader&) = delete;
    RequestReader& operator=(const RequestReader&) = delete;

    // Where the next octets may be put, until another function is called; never empty while more of
    // them are asked for. Then say how many there were.
    [[nodiscard]] std::span<char> room();
    void filled(std::size_t octets);
    // How many have come and are not taken apart yet.
    [[nodiscard]] std::size_t waiting_bytes() const noexcept;
    // Forgets them.
    void discard() noexcept;

    // A new request, from what waits on.
    void begin();
    // Goes on as far as it gets. Only after begin(), and not after `whole` and `refused`.
    [[nodiscard]] Step advance();

    // After `header`: whether the client waits to be told that it may send the body.
    [[nodiscard]] bool is_asked_to_go_on() const;
    // After `whole`, once.
    [[nodiscard]] ReceivedRequest take();
    // After `refused`: 400, 413 or 431.
    [[nodiscard]] HttpAnswer refusal() const;

private:
    struct State;  // Knows Beast.
    std::unique_ptr<State> state_;
};

struct ReplyForm {
    std::uint32_t version = 11;  // Of the request: 10 or 11.
    bool keeps_alive = false;    // Whether the connection stays.
    WallTime now;
};

// All of an answer that comes before its body, to the empty line. Headers that must not be written
// (see is_header_name() and is_header_value()) are left out.
[[nodiscard]] std::string reply_head(const HttpAnswer& answer, const ReplyForm& form);

// Whether an answer of this status has a body at all (RFC 9110 sections 15.3.5 and 15.4.5).
[[nodiscard]] constexpr bool may_have_body(std::uint32_t status) noexcept {
    return status != 204 && status != 304;
}

}  // namespace latmon
