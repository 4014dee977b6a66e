// SPDX-License-Identifier: Apache-2.0
//
// The HMAC is the one of RFC 4231's test cases, wherever its input is divided, and is made without
// an allocation. That test counts what OpenSSL allocates; nothing else in hmac.cpp could.
#include "wire/hmac.hpp"

#include "unit/wire/hex.hpp"

#include <doctest/doctest.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <cstdlib>

namespace latmon {
namespace {

std::size_t allocations = 0;

void* count_malloc(std::size_t size, const char*, int) {
    ++allocations;
    return std::malloc(size);
}

void* count_realloc(void* memory, std::size_t size, const char*, int) {
    ++allocations;
    return std::realloc(memory, size);
}

void plain_free(void* memory, const char*, int) {
    std::free(memory);
}

// OpenSSL takes other functions only before its first allocation.
const int is_counting = CRYPTO_set_mem_functions(count_malloc, count_realloc, plain_free);

Octets filled(std::size_t size, unsigned value) {
    return Octets(size, static_cast<std::byte>(value));
}

Octets counting_up(std::size_t size) {
    Octets octets(size);
    for (std::size_t index = 0; index < size; ++index) {
        octets[index] = static_cast<std::byte>(index + 1);
    }
    return octets;
}

TEST_CASE("hmac: the test cases of RFC 4231, truncated to 128 bits") {
    struct Case {
        Octets secret;
        Octets data;
        std::string_view mac;
    };
    for (const Case& one : {
             Case{filled(20, 0x0b), octets_of("Hi There"), "b0344c61d8db38535ca8afceaf0bf12b"},
             Case{octets_of("Jefe"), octets_of("what do ya want for nothing?"),
                  "5bdcc146bf60754e6a042426089575c7"},
             Case{filled(20, 0xaa), filled(50, 0xdd), "773ea91e36800e46854db8ebd09181a7"},
             Case{counting_up(25), filled(50, 0xcd), "82558a389a443c0ea4cc819899f2083a"},
             Case{filled(20, 0x0c), octets_of("Test With Truncation"),
                  "a3b6167473100ee06e0c796c2955552b"},
             Case{filled(131, 0xaa),
                  octets_of("Test Using Larger Than Block-Size Key - Hash Key First"),
                  "60e431591ee0b67f0d8a26aacbf5b77f"},
         }) {
        CAPTURE(one.mac);
        CHECK(to_hex(HmacKey(one.secret).mac(one.data)) == one.mac);
    }
}

TEST_CASE("hmac: it does not matter where the input is divided") {
    const HmacKey key(octets_of("secret"));
    const Octets data = counting_up(200);
    const Mac whole = key.mac(data);
    for (std::size_t at = 0; at <= data.size(); ++at) {
        CAPTURE(at);
        CHECK(key.mac(std::span(data).first(at), std::span(data).subspan(at)) == whole);
    }
}

// The figures are of another implementation (Python's hmac).
TEST_CASE("hmac: a key of 64 octets counts as it is, a longer one as its hash") {
    CHECK(to_hex(HmacKey(filled(63, 1)).mac({})) == "b07fd16917c5262ad2c7b351207403be");
    CHECK(to_hex(HmacKey(filled(64, 1)).mac({})) == "11581ebc1f05ecefdee13d63845c1a43");
    CHECK(to_hex(HmacKey(filled(65, 1)).mac({})) == "64fe4bbddcb2a92f94cfea8110bd7ca1");
}

TEST_CASE("hmac: verify refuses every single flipped bit") {
    const HmacKey key(octets_of("secret"));
    const Octets data = counting_up(96);
    const Mac good = key.mac(data);
    CHECK(key.verify(data, {}, good));
    for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
        Mac bad = good;
        bad[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
        CAPTURE(bit);
        CHECK_FALSE(key.verify(data, {}, bad));
    }
    CHECK_FALSE(HmacKey(octets_of("secreT")).verify(data, {}, good));
}

TEST_CASE("hmac: a copy of a key is that key") {
    const HmacKey key(octets_of("secret"));
    const HmacKey copy = key;
    CHECK(copy.mac(counting_up(10)) == key.mac(counting_up(10)));
}

TEST_CASE("hmac: OpenSSL allocates nothing for a MAC, and would through EVP") {
    REQUIRE(is_counting == 1);
    const HmacKey key(octets_of("secret"));
    const Octets data = counting_up(1'400);
    allocations = 0;
    for (int round = 0; round < 100; ++round) {
        CHECK(key.verify(data, data, key.mac(data, data)));
    }
    CHECK(allocations == 0);

    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    EVP_DigestInit_ex(context, EVP_sha256(), nullptr);
    EVP_MD_CTX_free(context);
    CHECK(allocations > 0);
}

}  // namespace
}  // namespace latmon
