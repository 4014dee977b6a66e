// SPDX-License-Identifier: Apache-2.0
//
// See kernel_clock.hpp.
#include "clock/kernel_clock.hpp"

#include <sys/timex.h>
#include <cstdlib>

namespace latmon {
namespace {

constexpr Duration growth_per_second = Duration::from_us(500);

}  // namespace

KernelClock read_kernel_clock() noexcept {
    timex status{};  // modes = 0: read only.
    const int state = ::adjtimex(&status);
    const Duration remaining = (status.status & STA_NANO) != 0 ? Duration{status.offset}
                                                               : Duration::from_us(status.offset);
    return {.is_synchronized = state >= 0 && state != TIME_ERROR && state != TIME_OOP &&
                               (status.status & STA_UNSYNC) == 0,
            .error_max = Duration::from_us(status.maxerror),
            .remaining = Duration{std::abs(remaining.ns)},
            .has_tai_offset = state >= 0 && status.tai != 0,
            .tai_offset = Duration::from_s(status.tai)};
}

bool is_believable(const KernelClock& kernel) noexcept {
    return kernel.is_synchronized && kernel.error_max.ns > 0 &&
           kernel.error_max.ns % growth_per_second.ns != 0;
}

}  // namespace latmon
