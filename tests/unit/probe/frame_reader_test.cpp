// SPDX-License-Identifier: Apache-2.0
//
// A stream of frames, cut at every place.
#include "probe/frame_reader.hpp"

#include <doctest/doctest.h>
#include <algorithm>
#include <vector>

namespace latmon {
namespace {

using Octets = std::vector<std::byte>;

void append_frame(Octets& stream, std::uint16_t pdu_bytes, std::byte mark) {
    std::array<std::byte, frame_header_bytes> header{};
    encode_frame_header({.pdu_bytes = pdu_bytes, .type = FrameType::reflected}, header);
    stream.insert(stream.end(), header.begin(), header.end());
    stream.insert(stream.end(), pdu_bytes, mark);
}

Octets three_frames() {
    Octets stream(preface_bytes);
    encode_preface({.ssid = 3, .boot_nonce = 9}, std::span(stream).first<preface_bytes>());
    append_frame(stream, 44, std::byte{1});
    append_frame(stream, 1'000, std::byte{2});
    append_frame(stream, 45, std::byte{3});
    return stream;
}

struct Seen {
    int prefaces = 0;
    std::vector<std::uint16_t> sizes;
    std::vector<std::byte> marks;
    bool is_broken = false;
};

void feed(FrameReader& reader, std::span<const std::byte> data, Seen& seen) {
    for (;;) {
        switch (reader.next(data)) {
            case FrameReader::Outcome::needs_more:
                return;
            case FrameReader::Outcome::preface:
                ++seen.prefaces;
                break;
            case FrameReader::Outcome::broken:
                seen.is_broken = true;
                return;
            case FrameReader::Outcome::frame:
                seen.sizes.push_back(reader.header().pdu_bytes);
                seen.marks.push_back(reader.head()[43]);
        }
    }
}

}  // namespace

TEST_CASE("frame_reader: every cut of a stream gives the same frames") {
    const Octets stream = three_frames();
    for (std::size_t first = 0; first <= stream.size(); ++first) {
        for (const std::size_t second : {first, first + 1, first + 50, stream.size()}) {
            if (second > stream.size()) continue;
            FrameReader reader;
            Seen seen;
            const std::span<const std::byte> all(stream);
            feed(reader, all.first(first), seen);
            feed(reader, all.subspan(first, second - first), seen);
            feed(reader, all.subspan(second), seen);
            REQUIRE(seen.prefaces == 1);
            REQUIRE(seen.sizes == std::vector<std::uint16_t>{44, 1'000, 45});
            REQUIRE(seen.marks == Octets{std::byte{1}, std::byte{2}, std::byte{3}});
        }
    }
}

TEST_CASE("frame_reader: what is not our preface, or no frame, is broken") {
    FrameReader reader;
    Seen seen;
    feed(reader, Octets(preface_bytes, std::byte{'x'}), seen);
    CHECK(seen.is_broken);
    Octets stream = three_frames();
    stream[preface_bytes + 2] = std::byte{99};  // The type of the first frame.
    FrameReader second;
    Seen seen_second;
    feed(second, stream, seen_second);
    CHECK(seen_second.prefaces == 1);
    CHECK(seen_second.is_broken);
}

TEST_CASE("frame_reader: a frame is kept up to its TLVs, and all of it is consumed") {
    // Around 320 octets, which hold the largest base packet and all TLVs, sealed.
    for (std::uint32_t pdu_bytes = 44; pdu_bytes <= 700; ++pdu_bytes) {
        CAPTURE(pdu_bytes);
        Octets stream(preface_bytes);
        encode_preface({.ssid = 3, .boot_nonce = 9}, std::span(stream).first<preface_bytes>());
        append_frame(stream, static_cast<std::uint16_t>(pdu_bytes), std::byte{7});
        append_frame(stream, 44, std::byte{8});
        FrameReader reader;
        std::span<const std::byte> data(stream);
        REQUIRE(reader.next(data) == FrameReader::Outcome::preface);
        REQUIRE(reader.next(data) == FrameReader::Outcome::frame);
        CHECK(reader.header().pdu_bytes == pdu_bytes);
        CHECK(reader.head().size() == std::min(pdu_bytes, 320U));
        CHECK(std::ranges::all_of(reader.head(), [](std::byte at) { return at == std::byte{7}; }));
        CHECK(data.size() == frame_header_bytes + 44);
        REQUIRE(reader.next(data) == FrameReader::Outcome::frame);
        CHECK(reader.head().size() == 44);
        CHECK(reader.head()[0] == std::byte{8});
        CHECK(data.empty());
        CHECK(reader.next(data) == FrameReader::Outcome::needs_more);
    }
}

TEST_CASE("frame_reader: octet by octet the largest frame is one frame, once it is whole") {
    Octets stream(preface_bytes);
    encode_preface({.ssid = 3, .boot_nonce = 9}, std::span(stream).first<preface_bytes>());
    constexpr auto largest = static_cast<std::uint16_t>(limits::probe_bytes_max);
    append_frame(stream, largest, std::byte{5});
    FrameReader reader;
    Seen seen;
    for (std::size_t at = 0; at < stream.size(); ++at) {
        REQUIRE(seen.sizes.empty());
        feed(reader, std::span(stream).subspan(at, 1), seen);
    }
    CHECK(seen.prefaces == 1);
    CHECK(seen.sizes == std::vector<std::uint16_t>{largest});
    CHECK(!seen.is_broken);
}

TEST_CASE("frame_reader: a frame that is too short, too long or of no known kind is broken") {
    const auto breaks = [](std::uint16_t pdu_bytes, unsigned type, unsigned zero) {
        Octets stream(preface_bytes);
        encode_preface({.ssid = 3, .boot_nonce = 9}, std::span(stream).first<preface_bytes>());
        append_frame(stream, 44, std::byte{1});
        append_frame(stream, pdu_bytes, std::byte{2});
        const std::size_t header = preface_bytes + frame_header_bytes + 44;
        stream[header + 2] = static_cast<std::byte>(type);
        stream[header + 3] = static_cast<std::byte>(zero);
        FrameReader reader;
        Seen seen;
        feed(reader, stream, seen);
        CHECK(seen.sizes.size() == (seen.is_broken ? 1 : 2));
        return seen.is_broken;
    };
    CHECK(!breaks(44, 2, 0));
    CHECK(!breaks(limits::probe_bytes_max, 2, 0));
    CHECK(breaks(43, 2, 0));
    CHECK(breaks(0, 2, 0));
    CHECK(breaks(limits::probe_bytes_max + 1, 2, 0));
    CHECK(breaks(44, 0, 0));
    CHECK(breaks(44, 5, 0));
    CHECK(breaks(44, 2, 1));
}

}  // namespace latmon
