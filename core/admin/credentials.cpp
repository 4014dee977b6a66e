// SPDX-License-Identifier: Apache-2.0
//
// See credentials.hpp. Digests are compared instead of texts: they have one length, whatever the
// secret's.
#include "admin/credentials.hpp"

#include "admin/http_message.hpp"
#include "base/assert.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <algorithm>
#include <cstring>
#include <vector>

namespace latmon {
namespace {

// Base64 of RFC 4648 section 4, with padding: as every client writes it.
std::string base64(std::string_view text) {
    std::vector<unsigned char> encoded((text.size() + 2) / 3 * 4 + 1);
    const int length =
        ::EVP_EncodeBlock(encoded.data(), reinterpret_cast<const unsigned char*>(text.data()),
                          static_cast<int>(text.size()));
    return {encoded.begin(), encoded.begin() + length};
}

}  // namespace

Credentials::Digest Credentials::digest_of(std::string_view text) {
    Digest digest{};
    static_assert(std::tuple_size_v<Digest> == SHA256_DIGEST_LENGTH);
    ::SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
    return digest;
}

bool Credentials::is_equal(const Digest& a, const Digest& b) noexcept {
    return ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void Credentials::set_bearer(std::string_view token) {
    bearer_ = digest_of(token);
}

void Credentials::set_basic(std::string_view user, std::string_view password) {
    LATMON_ASSERT(user.find(':') == std::string_view::npos);
    std::string both = std::string(user) + ":" + std::string(password);
    std::string encoded = base64(both);
    basic_ = digest_of(encoded);
    ::OPENSSL_cleanse(both.data(), both.size());
    ::OPENSSL_cleanse(encoded.data(), encoded.size());
}

bool Credentials::accepts(std::string_view authorization) const {
    if (!is_required()) return true;
    const std::size_t blank = std::min(authorization.find(' '), authorization.size());
    const std::string_view scheme = authorization.substr(0, blank);
    std::string_view secret = authorization.substr(blank);
    while (secret.starts_with(' '))
        secret.remove_prefix(1);
    while (secret.ends_with(' '))
        secret.remove_suffix(1);
    if (bearer_ && is_same_word(scheme, "Bearer")) return is_equal(*bearer_, digest_of(secret));
    if (basic_ && is_same_word(scheme, "Basic")) return is_equal(*basic_, digest_of(secret));
    return false;
}

std::string Credentials::challenge() const {
    std::string text;
    if (bearer_) text = "Bearer realm=\"latmon\"";
    if (basic_) text += std::string(text.empty() ? "" : ", ") + "Basic realm=\"latmon\"";
    return text;
}

}  // namespace latmon
