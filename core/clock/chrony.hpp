// SPDX-License-Identifier: Apache-2.0
//
// Asks the chronyd of this host what it knows of the clock, over its command port or its socket.
// Waits a few milliseconds at most, and leaves a chronyd that is not there alone for a while. The
// main-thread's; what the octets mean is in chrony_reply.hpp.
#pragma once

#include "base/fd.hpp"
#include "clock/chrony_reply.hpp"

#include <optional>
#include <string>

namespace latmon {

class Chrony {
public:
    // `where`: "127.0.0.1:323", "[::1]:323", or the path of chronyd's socket, "/run/chrony/..." (to
    // use that, the process must be allowed to make a file beside it). Anything else: nobody.
    explicit Chrony(std::string where);
    ~Chrony();
    Chrony(const Chrony&) = delete;
    Chrony& operator=(const Chrony&) = delete;

    // nullopt: no answer within 5 ms, a refusal, or not asked because there was none within the
    // last 10 s. [main-thread]
    [[nodiscard]] std::optional<ChronyTracking> ask(Instant now);

private:
    [[nodiscard]] bool open();
    [[nodiscard]] bool open_path();
    [[nodiscard]] std::optional<ChronyTracking> exchange();
    void close();

    std::string where_;
    std::string own_path_;  // Where chronyd answers to, if it is asked by path.
    Fd socket_;
    std::uint32_t sequence_ = 0;
    std::optional<Instant> silent_until_;
};

}  // namespace latmon
