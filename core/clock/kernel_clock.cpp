// SPDX-License-Identifier: Apache-2.0
//
// See kernel_clock.hpp.
#include "clock/kernel_clock.hpp"

#include <sys/timex.h>

namespace latmon {

KernelClock read_kernel_clock() noexcept {
    timex status{};  // modes = 0: read only.
    const int state = ::adjtimex(&status);
    return {
        .is_synchronized = state >= 0 && state != TIME_ERROR && (status.status & STA_UNSYNC) == 0,
        .error_max = Duration::from_us(status.maxerror)};
}

}  // namespace latmon
