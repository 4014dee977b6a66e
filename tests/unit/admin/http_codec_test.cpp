// SPDX-License-Identifier: Apache-2.0
//
// Claims about HTTP as octets: requests that come in pieces of any size, and heads of answers. No
// sockets; what a whole server makes of it is in http_server_test.cpp.
#include "admin/http_codec.hpp"

#include "base/limits.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <string>
#include <string_view>

namespace latmon {
namespace {

using Step = RequestReader::Step;

// Gives what fits and takes it away from `text`; at most `most` octets.
void fill(RequestReader& reader, std::string_view& text, std::size_t most) {
    const std::span<char> room = reader.room();
    const std::size_t octets = std::min({room.size(), text.size(), most});
    std::copy_n(text.begin(), octets, room.begin());
    reader.filled(octets);
    text.remove_prefix(octets);
}

// On to a step that is another than `more`, or to the end of `text`.
Step read(RequestReader& reader, std::string_view& text, std::size_t most = 4'096) {
    Step step = reader.advance();
    while (step == Step::more && !text.empty()) {
        fill(reader, text, most);
        step = reader.advance();
    }
    return step;
}

std::string repeated(std::string_view text, std::size_t count) {
    std::string all;
    for (std::size_t index = 0; index < count; ++index)
        all += text;
    return all;
}

std::uint32_t refused_status(std::string_view text) {
    RequestReader reader;
    reader.begin();
    Step step = read(reader, text);
    if (step == Step::header) step = read(reader, text);
    if (step == Step::whole) {
        const ReceivedRequest received = reader.take();
        return received.request ? 0 : received.request.error().status;
    }
    return step == Step::refused ? reader.refusal().status : 0;
}

TEST_CASE("http_codec: a request is the same in whatever pieces it comes") {
    constexpr std::string_view whole =
        "POST /a%20b?k=v HTTP/1.1\r\nHost: x\r\nX-Two: 1\r\nx-two: 2\r\n"
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\n\r\n";
    for (const std::size_t piece : {1U, 2U, 7U, 4'096U}) {
        CAPTURE(piece);
        RequestReader reader;
        reader.begin();
        std::string_view text = whole;
        REQUIRE(read(reader, text, piece) == Step::header);
        CHECK_FALSE(reader.is_asked_to_go_on());
        REQUIRE(read(reader, text, piece) == Step::whole);
        CHECK(text.empty());
        CHECK(reader.waiting_bytes() == 0);
        const ReceivedRequest received = reader.take();
        REQUIRE(received.request.has_value());
        CHECK(received.keeps_alive);
        CHECK(received.version == 11);
        CHECK(received.request->method == HttpMethod::post);
        CHECK(received.request->path == "/a b");
        CHECK(*received.request->query_value("k") == "v");
        CHECK(*received.request->header("X-Two") == "1, 2");
        CHECK(received.request->body == "abcde");
    }
}

TEST_CASE("http_codec: what comes behind a request is the next one's") {
    RequestReader reader;
    std::string_view text = "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.0\r\n\r\nGET /3 HT";
    reader.begin();
    REQUIRE(read(reader, text) == Step::whole);
    CHECK(reader.take().request->path == "/1");
    reader.begin();
    REQUIRE(reader.advance() == Step::whole);
    const ReceivedRequest second = reader.take();
    CHECK(second.request->path == "/2");
    CHECK(second.version == 10);
    CHECK_FALSE(second.keeps_alive);
    reader.begin();
    CHECK(reader.advance() == Step::more);
    reader.discard();
    CHECK(reader.waiting_bytes() == 0);
}

TEST_CASE("http_codec: a body is asked for where the client waits for that, and told once") {
    RequestReader reader;
    reader.begin();
    std::string_view text =
        "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    REQUIRE(read(reader, text) == Step::header);
    CHECK(reader.is_asked_to_go_on());
    CHECK(reader.advance() == Step::more);
    text = "ok";
    REQUIRE(read(reader, text, 1) == Step::whole);
    CHECK(reader.take().request->body == "ok");
}

TEST_CASE("http_codec: what is no request, or too large, is refused by what is wrong with it") {
    const std::string head = "GET / HTTP/1.1\r\nHost: x\r\n";
    CHECK(refused_status("hello\r\n\r\n") == 400);
    CHECK(refused_status("GET / HTTP/1.1\r\n\r\n") == 400);
    CHECK(refused_status(head + "Host: y\r\n\r\n") == 400);
    CHECK(refused_status(head + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
    CHECK(refused_status(head + "X: " + std::string(limits::admin_header_bytes, 'x')) == 431);
    // None of them is large, and Beast lets each go by.
    CHECK(refused_status(head + repeated("X: 123456\r\n", 1'500) + "\r\n") == 431);
    CHECK(refused_status(head + repeated("X: 123456\r\n", 1'000) + "\r\n") == 0);
    const std::string most = std::to_string(limits::admin_body_bytes);
    const std::string more = std::to_string(limits::admin_body_bytes + 1);
    CHECK(refused_status(head + "Content-Length: " + more + "\r\n\r\n") == 413);
    CHECK(refused_status(head + "Content-Length: " + most + "\r\n\r\n" +
                         std::string(limits::admin_body_bytes, 'y')) == 0);
    CHECK(refused_status(head + "Transfer-Encoding: chunked\r\n\r\n" +
                         repeated("1000\r\n" + std::string(0x1000, 'y') + "\r\n", 17)) == 413);
}

TEST_CASE("http_codec: what never ends a line is refused before it fills more than the buffer") {
    RequestReader reader;
    reader.begin();
    std::string_view text = "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;";
    REQUIRE(read(reader, text) == Step::header);
    const std::string endless(std::size_t{4} * limits::admin_header_bytes, 'x');
    text = endless;
    REQUIRE(read(reader, text) == Step::refused);
    CHECK(endless.size() - text.size() <= std::size_t{2} * limits::admin_header_bytes);
    CHECK(reader.refusal().status == 431);
}

TEST_CASE("http_codec: the head of an answer, octet by octet") {
    HttpAnswer answer = text_answer(200, "body");
    const ReplyForm form{
        .version = 11, .keeps_alive = true, .now = WallTime{784'111'777'000'000'000}};
    CHECK(reply_head(answer, form) ==
          "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
          "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
          "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n\r\n");
    answer = {.status = 304, .headers = {{"Cache-Control", "max-age=1"}}, .body = {}};
    CHECK(reply_head(answer, {.version = 10, .keeps_alive = true, .now = form.now}) ==
          "HTTP/1.0 304 Not Modified\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
          "X-Content-Type-Options: nosniff\r\nCache-Control: max-age=1\r\n"
          "Connection: keep-alive\r\n\r\n");
    answer = {.status = 503, .headers = {{"Content-Length", "9"}}, .body = {}};
    const std::string closing = reply_head(answer, {.keeps_alive = false, .now = form.now});
    CHECK(closing.find("\r\nConnection: close\r\n") != std::string::npos);
    CHECK(closing.find("\r\nContent-Length: 0\r\n") != std::string::npos);
}

}  // namespace
}  // namespace latmon
