// SPDX-License-Identifier: Apache-2.0
//
// See hmac.hpp. The one file that sees OpenSSL. Its EVP functions allocate whenever a context is
// initialised or copied (OpenSSL 3.0: twice for an EVP_MAC, once for an EVP_MD_CTX), which a
// core-thread must not; only the older SHA256_* functions work on memory of ours. They are
// deprecated in favour of EVP, not unsafe.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "wire/hmac.hpp"

#include "base/assert.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <algorithm>
#include <cstring>

namespace latmon {
namespace {

constexpr std::size_t block_bytes = SHA256_CBLOCK;
constexpr std::byte inner_pad{0x36};
constexpr std::byte outer_pad{0x5c};

using Block = std::array<std::byte, block_bytes>;
using Digest = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

// These functions report errors of the older API, which has none for SHA-256: see SHA256_Init(3).
void update(SHA256_CTX& state, std::span<const std::byte> data) noexcept {
    if (!data.empty()) SHA256_Update(&state, data.data(), data.size());
}

// The hash state after one block: `key`, zero to its end, XOR `pad`.
SHA256_CTX state_after(const Block& key, std::byte pad) noexcept {
    Block padded = key;
    for (std::byte& octet : padded) {
        octet ^= pad;
    }
    SHA256_CTX state;
    SHA256_Init(&state);
    update(state, padded);
    OPENSSL_cleanse(padded.data(), padded.size());
    return state;
}

}  // namespace

HmacKey::HmacKey(std::span<const std::byte> secret) noexcept {
    static_assert(sizeof(SHA256_CTX) == sizeof(State) && alignof(SHA256_CTX) <= alignof(State));
    LATMON_ASSERT(!secret.empty());
    Block key{};
    if (secret.size() <= block_bytes) {
        std::copy(secret.begin(), secret.end(), key.begin());
    } else {
        SHA256_CTX state;
        SHA256_Init(&state);
        update(state, secret);
        Digest digest;
        SHA256_Final(digest.data(), &state);
        std::memcpy(key.data(), digest.data(), digest.size());
        OPENSSL_cleanse(digest.data(), digest.size());
    }
    const SHA256_CTX inner = state_after(key, inner_pad);
    const SHA256_CTX outer = state_after(key, outer_pad);
    std::memcpy(&inner_, &inner, sizeof(inner_));
    std::memcpy(&outer_, &outer, sizeof(outer_));
    OPENSSL_cleanse(key.data(), key.size());
}

HmacKey::~HmacKey() {
    OPENSSL_cleanse(&inner_, sizeof(inner_));
    OPENSSL_cleanse(&outer_, sizeof(outer_));
}

Mac HmacKey::mac(std::span<const std::byte> a, std::span<const std::byte> b) const noexcept {
    SHA256_CTX state;
    Digest digest;
    std::memcpy(&state, &inner_, sizeof(state));
    update(state, a);
    update(state, b);
    SHA256_Final(digest.data(), &state);
    std::memcpy(&state, &outer_, sizeof(state));
    SHA256_Update(&state, digest.data(), digest.size());
    SHA256_Final(digest.data(), &state);
    Mac result;
    std::memcpy(result.data(), digest.data(), result.size());
    return result;
}

bool HmacKey::verify(std::span<const std::byte> a, std::span<const std::byte> b,
                     std::span<const std::byte, mac_bytes> expected) const noexcept {
    const Mac actual = mac(a, b);
    return CRYPTO_memcmp(actual.data(), expected.data(), actual.size()) == 0;
}

}  // namespace latmon
