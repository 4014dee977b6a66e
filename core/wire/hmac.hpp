// SPDX-License-Identifier: Apache-2.0
//
// HMAC-SHA-256 (RFC 2104) truncated to 128 bits, which STAMP seals its packets with (RFC 8762
// section 4.4). A key is made once, at set-up; using it copies two hash states to the stack and
// allocates nothing, so that a core-thread may do so for every packet. Immutable after
// construction: any number of threads may share one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace latmon {

inline constexpr std::uint32_t mac_bytes = 16;
using Mac = std::array<std::byte, mac_bytes>;

class HmacKey {
public:
    // `secret` is not empty; beyond 64 octets it counts as its SHA-256 (RFC 2104 section 2). It is
    // not kept: only the hash states that follow from it are. [main-thread, set-up]
    explicit HmacKey(std::span<const std::byte> secret) noexcept;
    HmacKey(const HmacKey&) noexcept = default;
    HmacKey& operator=(const HmacKey&) noexcept = default;
    ~HmacKey();  // Wipes it.

    // The first 128 bits of the HMAC over `a` followed by `b`. [any-thread]
    [[nodiscard]] Mac mac(std::span<const std::byte> a,
                          std::span<const std::byte> b = {}) const noexcept;

    // True if `expected` is mac(a, b); takes the same time wherever they differ. [any-thread]
    [[nodiscard]] bool verify(std::span<const std::byte> a, std::span<const std::byte> b,
                              std::span<const std::byte, mac_bytes> expected) const noexcept;

private:
    // A SHA-256 state of OpenSSL; its own type stays in hmac.cpp.
    struct State {
        alignas(8) std::array<std::byte, 112> octets;
    };

    State inner_;  // After the block of the key XOR ipad.
    State outer_;  // After the block of the key XOR opad.
};

}  // namespace latmon
