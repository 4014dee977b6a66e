// SPDX-License-Identifier: Apache-2.0
//
// A stream of frames, cut at every place.
#include "probe/frame_reader.hpp"

#include <doctest/doctest.h>
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

}  // namespace latmon
