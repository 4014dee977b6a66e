// SPDX-License-Identifier: Apache-2.0
//
// latmon's own paths on the admin listener, over a backend: what each takes and what it answers.
// Exporters have further ones (exporter/plugin_routes.hpp).
#pragma once

#include "admin/admin_counters.hpp"
#include "admin/backend.hpp"
#include "admin/router.hpp"

#include <vector>

namespace latmon {

// `backend` and `counters` outlive the routes. /probe is there only if the backend can probe.
// [main-thread]
[[nodiscard]] std::vector<AdminRoute> make_admin_routes(const AdminBackend& backend,
                                                        AdminCounters& counters);

}  // namespace latmon
