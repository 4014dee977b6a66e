// SPDX-License-Identifier: Apache-2.0
//
// Cuts a stream into frames for a sender of probes, which needs only the head of each reply: the
// rest is padding and is skipped by count. Takes the stream in pieces of any size, down to single
// octets. Pure; owned by one connection.
#pragma once

#include "wire/frame.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>

namespace latmon {

class FrameReader {
public:
    enum class Outcome : std::uint8_t { needs_more, preface, frame, broken };

    // Consumes from `data` up to the end of one item, advancing it. `frame`: header() and head()
    // hold the frame until the next call; all of it has been consumed. `broken`: the peer does not
    // speak our protocol and nothing more may be read.
    [[nodiscard]] Outcome next(std::span<const std::byte>& data) noexcept {
        for (;;) {
            skip(data);
            if (skip_bytes_ > 0) return Outcome::needs_more;
            if (is_frame_ready_) {
                is_frame_ready_ = false;
                filled_ = 0;
                return Outcome::frame;
            }
            const Outcome outcome = has_preface_ ? read_frame(data) : read_preface(data);
            if (outcome != Outcome::frame) return outcome;
        }
    }

    [[nodiscard]] const FrameHeader& header() const noexcept { return header_; }
    // The first octets of the PDU: all of it, or head_bytes_max.
    [[nodiscard]] std::span<const std::byte> head() const noexcept {
        return std::span(item_).subspan(frame_header_bytes, head_bytes());
    }

private:
    void skip(std::span<const std::byte>& data) noexcept {
        const std::size_t count = std::min<std::size_t>(skip_bytes_, data.size());
        data = data.subspan(count);
        skip_bytes_ -= static_cast<std::uint32_t>(count);
    }

    // Copies into item_ until it holds `wanted` octets; false if `data` ends before.
    [[nodiscard]] bool fill(std::span<const std::byte>& data, std::size_t wanted) noexcept {
        const std::size_t count = std::min(wanted - filled_, data.size());
        std::copy_n(data.begin(), count, item_.begin() + static_cast<std::ptrdiff_t>(filled_));
        filled_ += count;
        data = data.subspan(count);
        return filled_ == wanted;
    }

    [[nodiscard]] Outcome read_preface(std::span<const std::byte>& data) noexcept {
        if (!fill(data, preface_bytes)) return Outcome::needs_more;
        filled_ = 0;
        has_preface_ = decode_preface(std::span(item_).first<preface_bytes>()).has_value();
        return has_preface_ ? Outcome::preface : Outcome::broken;
    }

    [[nodiscard]] Outcome read_frame(std::span<const std::byte>& data) noexcept {
        if (!has_header_) {
            if (!fill(data, frame_header_bytes)) return Outcome::needs_more;
            const std::optional<FrameHeader> header =
                decode_frame_header(std::span(item_).first<frame_header_bytes>());
            if (!header) return Outcome::broken;
            header_ = *header;
            has_header_ = true;
        }
        if (!fill(data, frame_header_bytes + head_bytes())) return Outcome::needs_more;
        has_header_ = false;
        skip_bytes_ = header_.pdu_bytes - static_cast<std::uint32_t>(head_bytes());
        is_frame_ready_ = true;
        return Outcome::frame;
    }

    // Base packet and TLVs, sealed, with room to spare; what is behind is padding.
    static constexpr std::size_t head_bytes_max = 320;

    [[nodiscard]] std::size_t head_bytes() const noexcept {
        return std::min<std::size_t>(header_.pdu_bytes, head_bytes_max);
    }

    std::array<std::byte, frame_header_bytes + head_bytes_max> item_{};
    std::size_t filled_ = 0;
    FrameHeader header_;
    std::uint32_t skip_bytes_ = 0;
    bool has_preface_ = false;
    bool has_header_ = false;      // Of the frame under way.
    bool is_frame_ready_ = false;  // Its head is in item_, its rest is being skipped.
};

}  // namespace latmon
