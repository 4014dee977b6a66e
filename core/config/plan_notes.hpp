// SPDX-License-Identifier: Apache-2.0
//
// What of a plan is not as it would be without a word in the file: few words where nothing is
// special. Part of describe_plan(). [main-thread]
#pragma once

#include "config/plan.hpp"

#include <string>

namespace latmon {

// The end of a probe's line: "  twamp-light, trust_clock". What there is no room for in its packets
// is among it. "" if nothing is special.
[[nodiscard]] std::string notes_of(const Plan& plan, const ProbePlan& probe);

// A line of its own each; "" if nothing is special.
[[nodiscard]] std::string notes_of_clock(const Plan& plan);
[[nodiscard]] std::string notes_of_reflector(const Plan& plan);

// Where the admin listener is and what protects it, in a line that is always there: the port is
// open unless somebody closes it.
[[nodiscard]] std::string notes_of_admin(const AdminConfig& admin);

}  // namespace latmon
