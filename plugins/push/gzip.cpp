// SPDX-License-Identifier: Apache-2.0
//
// Windows of 15 bits; 16 on top of it asks zlib for gzip's header and trailer (zlib.h, at
// deflateInit2). The header holds no time and no name.
#include "push/gzip.hpp"

#include <zlib.h>

namespace latmon::plugins::push {

std::string gzip(std::string_view text) {
    constexpr int gzip_window_bits = 15 + 16;
    constexpr int memory_level = 8;
    z_stream stream{};
    if (::deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window_bits, memory_level,
                       Z_DEFAULT_STRATEGY) != Z_OK) {
        return "";
    }
    std::string packed(::deflateBound(&stream, text.size()), '\0');
    // zlib does not write to its input, but its type does not say so.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    const bool is_whole = ::deflate(&stream, Z_FINISH) == Z_STREAM_END;
    packed.resize(is_whole ? stream.total_out : 0);
    ::deflateEnd(&stream);
    return packed;
}

std::uint32_t crc32(std::string_view text, std::uint32_t before) noexcept {
    return static_cast<std::uint32_t>(
        ::crc32_z(before, reinterpret_cast<const Bytef*>(text.data()), text.size()));
}

}  // namespace latmon::plugins::push
