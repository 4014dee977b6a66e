// SPDX-License-Identifier: Apache-2.0
//
// The stream is cut into the same messages wherever the network cut it before.
#include "wire/ancestor_stream.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <string>
#include <vector>

namespace latmon {
namespace {

using Outcome = AncestorStream::Outcome;

// What came out of a stream that arrived in these pieces.
struct Cut {
    std::vector<std::string> heads;
    std::size_t messages_bytes = 0;
    bool is_broken = false;
};

class Receiver {
public:
    void take(std::string_view piece) {
        buffer_ += piece;
        stream_.look(std::as_bytes(std::span(buffer_)));
        Outcome outcome = stream_.next();
        for (; outcome == Outcome::message; outcome = stream_.next()) {
            const AncestorPacket& packet = stream_.packet();
            cut.heads.push_back(std::to_string(packet.sequence) + "|" + std::string(packet.source) +
                                "|" + std::string(packet.tags));
            cut.messages_bytes += stream_.message_bytes();
            CHECK(stream_.message_bytes() + 1 >= packet.head_bytes);
            REQUIRE(stream_.message_at() + packet.head_bytes <= buffer_.size());
            // Replies are written over their messages.
            std::fill_n(buffer_.begin() + static_cast<std::ptrdiff_t>(stream_.message_at()),
                        stream_.message_bytes(), '|');
        }
        if (outcome == Outcome::broken) {
            cut.is_broken = true;
            return;
        }
        CHECK(stream_.remainder().size() < ancestor_head_bytes_max);
        const std::span<const std::byte> rest = stream_.remainder();
        buffer_ = std::string(reinterpret_cast<const char*>(rest.data()), rest.size());
    }

    Cut cut;

private:
    AncestorStream stream_;
    std::string buffer_;
};

Cut cut(const std::vector<std::string_view>& pieces) {
    Receiver receiver;
    for (const std::string_view piece : pieces) {
        if (!receiver.cut.is_broken) receiver.take(piece);
    }
    return receiver.cut;
}

std::string message(int sequence, std::size_t padding_bytes) {
    return std::to_string(sequence) +
           "|node-a|1737463866123456789|['a:" + std::to_string(sequence) + "']|" +
           std::string(padding_bytes, '0');
}

TEST_CASE("ancestor_stream: a message that comes whole is given out whole") {
    for (const std::size_t padding_bytes : {0U, 1U, 2U, 1'400U}) {
        const std::string text = message(7, padding_bytes);
        const Cut whole = cut({text});
        CHECK(whole.heads == std::vector<std::string>{"7|node-a|['a:7']"});
        CHECK(whole.messages_bytes == text.size());
    }
}

TEST_CASE("ancestor_stream: split anywhere, in two or in octets, it is the same messages") {
    for (const std::size_t padding_bytes : {0U, 1U, 2U, 30U}) {
        std::string text;
        std::vector<std::string> heads;
        for (const int sequence : {0, 7, 10, 100, 0, 0}) {
            text += message(sequence, padding_bytes);
            heads.push_back(std::to_string(sequence) + "|node-a|['a:" + std::to_string(sequence) +
                            "']");
        }
        CHECK(cut({text}).messages_bytes == text.size());
        std::vector<std::string_view> octets;
        for (std::size_t at = 0; at < text.size(); ++at) {
            CAPTURE(at);
            const std::string_view view(text);
            const Cut two = cut({view.substr(0, at), view.substr(at)});
            CHECK(two.heads == heads);
            CHECK(two.messages_bytes <= text.size());
            CHECK_FALSE(two.is_broken);
            octets.push_back(view.substr(at, 1));
        }
        const Cut each = cut(octets);
        CHECK(each.heads == heads);
        CHECK(each.messages_bytes <= text.size());
        CHECK_FALSE(each.is_broken);
    }
}

TEST_CASE("ancestor_stream: padding that comes late is nobody's") {
    const std::string head = message(7, 0);
    const std::string more = message(8, 3);
    const Cut late = cut({head + "00", "000", "0", "0000" + more});
    CHECK(late.heads.size() == 2);
    CHECK(late.messages_bytes == head.size() + 2 + more.size());
}

TEST_CASE("ancestor_stream: a '0' that was counted as padding and is a number counts once") {
    const std::string first = message(7, 2);
    const std::string second = message(0, 2);
    const Cut split = cut({first + "0", std::string_view(second).substr(1)});
    CHECK(split.heads == std::vector<std::string>{"7|node-a|['a:7']", "0|node-a|['a:0']"});
    CHECK(split.messages_bytes == first.size() + second.size());
    // It was padding after all.
    const Cut padded = cut({first, "00" + message(8, 2)});
    CHECK(padded.heads.size() == 2);
    CHECK(padded.messages_bytes == 2 * first.size());
}

TEST_CASE("ancestor_stream: what is no message breaks it, wherever it was cut") {
    for (const std::string_view garbage : {"x", "GET / HTTP/1.1\r\n", "01234|", "1|a|12|", "\n"}) {
        const std::string text = message(5, 4) + std::string(garbage);
        for (std::size_t at = 0; at <= text.size(); ++at) {
            CAPTURE(text);
            CAPTURE(at);
            const std::string_view view(text);
            CHECK(cut({view.substr(0, at), view.substr(at)}).is_broken);
        }
    }
    CHECK(cut({"00000x"}).is_broken);
    CHECK(cut({"5|a|1737463866123456789|t||"}).is_broken);
}

TEST_CASE("ancestor_stream: a head has 4,096 octets at most, however it arrives") {
    const std::string begin = "7|node|1737463866123456789|";
    const auto with_head = [&begin](std::size_t head_bytes) {
        return begin + std::string(head_bytes - begin.size() - 1, 't') + "|";
    };
    CHECK(cut({with_head(4'096)}).heads.size() == 1);
    CHECK(cut({with_head(4'097)}).is_broken);
    std::string longest = with_head(4'096);
    longest.pop_back();
    CHECK_FALSE(cut({longest}).is_broken);
    CHECK(cut({longest + "t"}).is_broken);
}

TEST_CASE("ancestor_stream: a message is the last until the first octet of another has come") {
    AncestorStream stream;
    const auto is_last = [&stream](const std::string& text) {
        stream.reset();
        stream.look(std::as_bytes(std::span(text)));
        REQUIRE(stream.next() == Outcome::message);
        return stream.is_last();
    };
    CHECK(is_last(message(7, 0)));
    CHECK(is_last(message(7, 5)));
    CHECK_FALSE(is_last(message(7, 5) + "1"));
    CHECK_FALSE(is_last(message(7, 5) + message(8, 5)));
    CHECK_FALSE(is_last(message(7, 5) + message(0, 5)));
}

TEST_CASE("ancestor_stream: a new connection owes nothing") {
    AncestorStream stream;
    const std::string text = message(7, 2);
    stream.look(std::as_bytes(std::span(text)));
    while (stream.next() == Outcome::message) {
    }
    CHECK(stream.remainder().size() == 1);
    stream.reset();
    const std::string zero = message(0, 2);
    stream.look(std::as_bytes(std::span(zero)));
    REQUIRE(stream.next() == Outcome::message);
    CHECK(stream.message_bytes() == zero.size());
}

}  // namespace
}  // namespace latmon
