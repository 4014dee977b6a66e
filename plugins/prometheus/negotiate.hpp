// SPDX-License-Identifier: Apache-2.0
//
// What a scraper wants, out of its headers Accept and Accept-Encoding (RFC 9110 section 12.5, and
// Prometheus' content negotiation). Takes whatever comes: what is not understood is not wanted.
// Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace latmon::plugins::prometheus {

enum class Exposition : std::uint8_t { text, open_metrics, protobuf };

struct Choice {
    Exposition exposition = Exposition::text;
    bool has_escaping = false;  // It said which names it can read; ours are plain in any case.
};

// The one it likes best; of several that it likes equally, the one that says most. Text, if it
// likes none of them, or `accept` is null: it may still read that.
[[nodiscard]] Choice choose_exposition(const char* accept);

// The answer's Content-Type.
[[nodiscard]] std::string content_type(const Choice& choice);

// Whether it can unpack gzip; null: it cannot.
[[nodiscard]] bool takes_gzip(const char* accept_encoding);

}  // namespace latmon::plugins::prometheus
