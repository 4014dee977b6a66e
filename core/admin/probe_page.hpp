// SPDX-License-Identifier: Apache-2.0
//
// The page /probe: what is asked, and what is answered, as blackbox_exporter has it, so that a
// scrape configuration made for that works. Who probes is somebody else's affair. Pure.
#pragma once

#include "admin/backend.hpp"
#include "admin/http_message.hpp"

#include <expected>

namespace latmon {

// The order in a request, or the answer (400) to one that is none. The budget is what
// X-Prometheus-Scrape-Timeout-Seconds says less limits::admin_probe_reserve_ns, never more than
// limits::admin_probe_ns less that.
[[nodiscard]] std::expected<ProbeOrder, HttpAnswer> parse_probe_order(const HttpRequest& request);

// The answer to `request`: metrics, in the form that it accepts; or all that happened, for a
// person, if it says debug=true.
[[nodiscard]] HttpAnswer probe_page(const HttpRequest& request, const ProbeOrder& order,
                                    const ProbeOutcome& outcome);

}  // namespace latmon
