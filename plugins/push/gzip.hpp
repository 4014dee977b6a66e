// SPDX-License-Identifier: Apache-2.0
//
// The one home of zlib: bodies of requests and answers, and checksums of what lies in a spool. Any
// thread, one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace latmon::plugins::push {

// `text` in the format of RFC 1952, at zlib's fastest level: measurements compress well at any.
// The same octets give the same octets. "" if memory is out. [any-thread]
[[nodiscard]] std::string gzip(std::string_view text);

// The same for a body that is made in parts and never there as a whole.
class GzipStream {
public:
    GzipStream();
    ~GzipStream();
    GzipStream(const GzipStream&) = delete;
    GzipStream& operator=(const GzipStream&) = delete;

    // Appends to `out` what is ready by now; all of it if `is_last`, and nothing may follow then.
    // False if memory is out: what was packed so far is good for nothing.
    [[nodiscard]] bool add(std::string_view text, bool is_last, std::string& out);

private:
    struct State;
    std::unique_ptr<State> state_;  // Null: memory is out.
};

// The CRC-32 of RFC 1952 over `text`, continuing from that of what stands before it. [any-thread]
[[nodiscard]] std::uint32_t crc32(std::string_view text, std::uint32_t before = 0) noexcept;

}  // namespace latmon::plugins::push
