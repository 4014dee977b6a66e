// SPDX-License-Identifier: Apache-2.0
//
// The Location TLV answers what was asked, in place, and tells nothing where it must not.
#include "wire/location.hpp"

#include "unit/wire/hex.hpp"

#include <doctest/doctest.h>
#include <array>

namespace latmon {
namespace {

LocationFacts facts_of(const char* source, const char* destination, bool is_told = true) {
    return {.source = *parse_endpoint(source, 0x1234),
            .destination = *parse_endpoint(destination, 0x035e),
            .is_told = is_told};
}

struct Answered {
    bool is_fine = false;
    std::string hex;
};

Answered answer(std::string_view request, const LocationFacts& facts) {
    Octets octets = from_hex(request);
    Answered result;
    result.is_fine = answer_location(octets, facts);
    result.hex = to_hex(octets);
    return result;
}

constexpr std::string_view request =
    "00000000"
    "80040010 00000000000000000000000000000000"
    "80070010 00000000000000000000000000000000";

TEST_CASE("location: a request asks for ports and both addresses with zeroes") {
    std::array<std::byte, location_request_bytes> out;
    out.fill(std::byte{0xaa});
    encode_location_request(out);
    CHECK(to_hex(out) == without_blanks(request));
}

TEST_CASE("location: IPv4 is answered with 4 octets and 12 zero") {
    const Answered answered = answer(request, facts_of("192.0.2.1", "198.51.100.2"));
    CHECK(answered.is_fine);
    CHECK(answered.hex == without_blanks("035e1234"
                                         "00050010 c6336402000000000000000000000000"
                                         "00080010 c0000201000000000000000000000000"));
}

TEST_CASE("location: IPv6 is answered with 16 octets") {
    const Answered answered = answer(request, facts_of("2001:db8::1", "2001:db8::2"));
    CHECK(answered.is_fine);
    CHECK(answered.hex == without_blanks("035e1234"
                                         "00060010 20010db8000000000000000000000002"
                                         "00090010 20010db8000000000000000000000001"));
}

TEST_CASE("location: what is not told is zero, though the sender put something there") {
    const Answered answered =
        answer("ffffffff 80040010 ffffffffffffffffffffffffffffffff 80010008 ffffffffffffffff",
               facts_of("192.0.2.1", "198.51.100.2", false));
    CHECK(answered.is_fine);
    CHECK(answered.hex == without_blanks("00000000"
                                         "00050010 00000000000000000000000000000000"
                                         "00030008 0000000000000000"));
}

TEST_CASE("location: a MAC address is never known: EUI-64, zero") {
    const Answered answered =
        answer("00000000 80010008 ffffffffffffffff", facts_of("192.0.2.1", "198.51.100.2"));
    CHECK(answered.is_fine);
    CHECK(answered.hex == without_blanks("035e1234 00030008 0000000000000000"));
}

TEST_CASE("location: what is no question gets U, a wrong length M and no further answer") {
    const LocationFacts facts = facts_of("192.0.2.1", "198.51.100.2");
    CHECK(answer("00000000 80630001 aa 80010008 ffffffffffffffff", facts).hex ==
          without_blanks("035e1234 80630001 aa 00030008 0000000000000000"));
    CHECK(answer("00000000 80040004 aabbccdd 80010008 ffffffffffffffff", facts).hex ==
          without_blanks("035e1234 40040004 aabbccdd 80010008 ffffffffffffffff"));
}

TEST_CASE("location: what is not well formed is refused and left as it is") {
    const LocationFacts facts = facts_of("192.0.2.1", "198.51.100.2");
    for (const std::string_view bad :
         {"", "000000", "0000000080", "00000000800400", "00000000 80040010 0000",
          "00000000 80010008 ffffffffffffffff 80"}) {
        const Answered answered = answer(bad, facts);
        CAPTURE(bad);
        CHECK_FALSE(answered.is_fine);
        CHECK(answered.hex == without_blanks(bad));
    }
    CHECK(answer("00000000", facts).hex == "035e1234");
}

}  // namespace
}  // namespace latmon
