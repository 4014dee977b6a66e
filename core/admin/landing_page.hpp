// SPDX-License-Identifier: Apache-2.0
//
// The page at /: what this is, and where what stands, for a person with a browser. Static HTML
// without scripts. Pure.
#pragma once

#include "admin/backend.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace latmon {

[[nodiscard]] std::string landing_page(std::string_view version, std::string_view node_name,
                                       const std::vector<AdminPage>& pages);

}  // namespace latmon
