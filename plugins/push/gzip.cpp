// SPDX-License-Identifier: Apache-2.0
//
// Windows of 15 bits; 16 on top of it asks zlib for gzip's header and trailer (zlib.h, at
// deflateInit2). The header holds no time and no name.
#include "push/gzip.hpp"

#include <zlib.h>
#include <array>

namespace latmon::plugins::push {

namespace {

bool start(z_stream& stream) {
    constexpr int gzip_window_bits = 15 + 16;
    constexpr int memory_level = 8;
    return ::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window_bits, memory_level,
                          Z_DEFAULT_STRATEGY) == Z_OK;
}

// zlib does not write to its input, but its type does not say so.
Bytef* input_of(std::string_view text) {
    return reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
}

}  // namespace

std::string gzip(std::string_view text) {
    z_stream stream{};
    if (!start(stream)) return "";
    std::string packed(::deflateBound(&stream, text.size()), '\0');
    stream.next_in = input_of(text);
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    const bool is_whole = ::deflate(&stream, Z_FINISH) == Z_STREAM_END;
    packed.resize(is_whole ? stream.total_out : 0);
    ::deflateEnd(&stream);
    return packed;
}

struct GzipStream::State {
    z_stream stream{};

    ~State() { ::deflateEnd(&stream); }
};

GzipStream::GzipStream() : state_(std::make_unique<State>()) {
    if (!start(state_->stream)) state_.reset();
}

GzipStream::~GzipStream() = default;

bool GzipStream::add(std::string_view text, bool is_last, std::string& out) {
    if (state_ == nullptr) return false;
    z_stream& stream = state_->stream;
    stream.next_in = input_of(text);
    stream.avail_in = static_cast<uInt>(text.size());
    constexpr std::size_t part_bytes = 16384;
    std::array<char, part_bytes> part{};
    do {
        stream.next_out = reinterpret_cast<Bytef*>(part.data());
        stream.avail_out = static_cast<uInt>(part.size());
        if (::deflate(&stream, is_last ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_ERROR) return false;
        out.append(part.data(), part.size() - stream.avail_out);
    } while (stream.avail_out == 0);
    return true;
}

std::uint32_t crc32(std::string_view text, std::uint32_t before) noexcept {
    return static_cast<std::uint32_t>(
        ::crc32_z(before, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

}  // namespace latmon::plugins::push
