// SPDX-License-Identifier: Apache-2.0
//
// The JSON of /api/v1, made of the plain values of backend.hpp. Keys are stable, and each unit is
// in its key: times are seconds, counts are whole numbers. What has no value is left out, never 0
// or null. docs/admin.md is the manual of it. Pure.
#pragma once

#include "admin/backend.hpp"

#include <string>
#include <vector>

namespace latmon {

[[nodiscard]] std::string targets_json(const TargetList& targets);

// `window`: the word that the windows were asked for by, such as "60s" or "sliding".
[[nodiscard]] std::string series_json(const SeriesList& views, const std::string& window);

}  // namespace latmon
