// SPDX-License-Identifier: Apache-2.0
//
// Which latmon this is. The definition is made by each build (tools/cmake/Version.cmake): a figure
// or a report of a fault is to say what it is of, and a further commit needs no new configuring.
#pragma once

namespace latmon {

// "0.1.0 (1a2b3c4d5e6f)": the version, and the commit that was built;
// "0.1.0 (1a2b3c4d5e6f+changes)" if what was built differed from it; "0.1.0" if the build knew of
// no commit. [any-thread]
[[nodiscard]] const char* version_text() noexcept;

}  // namespace latmon
