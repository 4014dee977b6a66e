// SPDX-License-Identifier: Apache-2.0
//
// What was packed, unpacked by zlib itself.
#include "push/gzip.hpp"

#include <doctest/doctest.h>
#include <zlib.h>
#include <random>

namespace latmon::plugins::push {
namespace {

// As a server does it: gzip only, whole, nothing behind it.
std::string unpack(std::string packed, std::size_t size) {
    z_stream stream{};
    REQUIRE(::inflateInit2(&stream, 15 + 16) == Z_OK);
    std::string text(size + 1, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(text.data());
    stream.avail_out = static_cast<uInt>(text.size());
    const int outcome = ::inflate(&stream, Z_FINISH);
    text.resize(stream.total_out);
    CHECK(stream.avail_in == 0);
    ::inflateEnd(&stream);
    CHECK(outcome == Z_STREAM_END);
    return text;
}

TEST_CASE("gzip: what is unpacked is what was packed") {
    std::mt19937 random(7);
    for (const std::size_t size : {0U, 1U, 100U, 70'000U, 3'000'000U}) {
        CAPTURE(size);
        std::string noise(size, '\0');
        for (char& octet : noise) {
            octet = static_cast<char>(random());
        }
        CHECK(unpack(gzip(noise), size) == noise);
        const std::string same(size, 'x');
        CHECK(unpack(gzip(same), size) == same);
    }
}

TEST_CASE("gzip: the same octets pack to the same octets") {
    CHECK(gzip("a block that comes again") == gzip("a block that comes again"));
}

TEST_CASE("gzip: the checksum is that of RFC 1952, in one piece or in several") {
    CHECK(crc32("123456789") == 0xCBF43926U);
    CHECK(crc32("6789", crc32("12345")) == 0xCBF43926U);
    CHECK(crc32("") == 0);
}

}  // namespace
}  // namespace latmon::plugins::push
