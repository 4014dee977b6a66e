// SPDX-License-Identifier: Apache-2.0
//
// Asks everybody who may know how good this host's wall clock is, and believes the best word that
// our rules allow. Blocks for a few milliseconds at most; allocates; the main-thread's, once a
// second. [main-thread]
#pragma once

#include "base/time.hpp"
#include "clock/local_clock.hpp"

#include <memory>
#include <string>

namespace latmon {

struct ClockSurveyOptions {
    enum class Trust : std::uint8_t {
        automatic,  // The operator's word if there is one; else the better of chrony and kernel.
        kernel,
        chrony,
        operator_,
        none  // Claim nothing: S = 0 in every packet.
    };
    Trust trust = Trust::automatic;
    Duration operator_error;  // 0: the operator says nothing.
    std::string chrony;       // Where chronyd answers: "127.0.0.1:323", or a path of a socket.
};

class ClockSurvey {
public:
    explicit ClockSurvey(ClockSurveyOptions options);
    ~ClockSurvey();
    ClockSurvey(const ClockSurvey&) = delete;
    ClockSurvey& operator=(const ClockSurvey&) = delete;

    // The state of the clock as of now, valid for `validity` of it.
    [[nodiscard]] LocalClock look(const Clock& clock);

private:
    struct Implementation;
    std::unique_ptr<Implementation> implementation_;
};

}  // namespace latmon
