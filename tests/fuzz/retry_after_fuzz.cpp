// SPDX-License-Identifier: Apache-2.0
//
// Whatever a server may write behind "Retry-After:": a number of seconds that we can wait, or none.
// A libFuzzer target. The first octet of the input moves the clock.
#include "push/retry.hpp"

#include "base/assert.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using latmon::plugins::push::parse_retry_after;
    using latmon::plugins::push::retry_after_s_max;
    if (size == 0) return 0;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    for (const std::int64_t now_s : {std::int64_t{0}, 784'111'777 + std::int64_t{data[0]} * 100,
                                     INT64_MAX - 1, INT64_MIN + 1}) {
        const std::optional<std::int64_t> delay_s = parse_retry_after(text, now_s);
        LATMON_ASSERT(!delay_s || (*delay_s >= 0 && *delay_s <= retry_after_s_max));
    }
    return 0;
}
