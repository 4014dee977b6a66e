// SPDX-License-Identifier: Apache-2.0
//
// Whatever arrives on a TCP connection: the preface, then frames until one is out of step. What was
// decoded must encode to the very octets it came from. A libFuzzer target.
#include "base/assert.hpp"
#include "wire/frame.hpp"

#include <algorithm>
#include <array>
#include <span>

namespace latmon {
namespace {

using Octets = std::span<const std::byte>;

void check_preface(std::span<const std::byte, preface_bytes> data) {
    const auto preface = decode_preface(data);
    if (!preface) return;
    LATMON_ASSERT(stream_kind(data.front()) == StreamKind::latmon);
    std::array<std::byte, preface_bytes> again{};
    encode_preface(*preface, again);
    LATMON_ASSERT(std::equal(data.begin(), data.end(), again.begin()));
}

// False if the stream is out of step.
bool check_header(std::span<const std::byte, frame_header_bytes> data, FrameHeader& header) {
    const auto decoded = decode_frame_header(data);
    if (!decoded) return false;
    header = *decoded;
    LATMON_ASSERT(header.pdu_bytes >= limits::stamp_base_bytes);
    LATMON_ASSERT(header.pdu_bytes <= limits::probe_bytes_max);
    std::array<std::byte, frame_header_bytes> again{};
    encode_frame_header(header, again);
    LATMON_ASSERT(std::equal(data.begin(), data.end(), again.begin()));
    return true;
}

void walk_stream(Octets data) {
    if (data.empty()) return;
    (void)stream_kind(data.front());
    if (data.size() < preface_bytes) return;
    check_preface(data.first<preface_bytes>());
    data = data.subspan(preface_bytes);
    FrameHeader header;
    while (data.size() >= frame_header_bytes &&
           check_header(data.first<frame_header_bytes>(), header)) {
        const std::size_t frame_bytes = frame_header_bytes + std::size_t{header.pdu_bytes};
        data = data.subspan(std::min(data.size(), frame_bytes));
    }
}

}  // namespace
}  // namespace latmon

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    latmon::walk_stream(std::as_bytes(std::span(data, size)));
    return 0;
}
