// SPDX-License-Identifier: Apache-2.0
//
// Requests to Datadog's HTTP API, and what its answers mean. Used on the sender-thread; what goes
// over the wire, and when it goes again, is the push library's.
#pragma once

#include "datadog/rows.hpp"
#include "push/backend.hpp"
#include "support/counters.hpp"

#include <cstdint>
#include <memory>
#include <string>

namespace latmon::plugins::datadog {

struct IntakeOptions {
    std::string url;  // "https://api.datadoghq.com"
    std::string api_key;
    std::string host;  // "": no host is named.
    Api api = Api::series_v2;
};

class Intake final : public push::Backend {
public:
    // `untimely` counts points that are too old or too far in the future to be sent. `now_s` gives
    // CLOCK_REALTIME in seconds; by default the kernel's.
    using NowS = std::int64_t (*)();
    Intake(IntakeOptions options, std::shared_ptr<Counter> untimely, NowS now_s = &wall_clock_s);

    // The same block gives the same octets, but for points that have become too old meanwhile.
    [[nodiscard]] push::Request build(const push::Block& block) override;

    // 403 is a key that is wrong, or one of another site: nothing gets better by itself.
    [[nodiscard]] push::Verdict judge(const push::Response& response, std::string& reason) override;

    [[nodiscard]] static std::int64_t wall_clock_s();

private:
    IntakeOptions options_;
    std::shared_ptr<Counter> untimely_;
    NowS now_s_;
    std::uint64_t untimely_in_block_ = 0;  // Counted when the block is settled, and so once.
};

}  // namespace latmon::plugins::datadog
