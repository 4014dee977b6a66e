// SPDX-License-Identifier: Apache-2.0
//
// Which series owns which name. Two targets under one name would be added up by the server, and
// look like one: so the second is told apart, or not sent. On the main-thread in create(), on the
// exporter-thread from then on.
#pragma once

#include "statsd/naming.hpp"

#include <latmon/host.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace latmon::plugins::statsd {

class Claims {
public:
    Claims(const latmon_host_t* host, const Naming& naming) : host_(host), naming_(naming) {}

    // False if another series has the name already, which is said in the log once per series.
    // Reflections and latmon's own counters may share one: there they are parts of one thing.
    [[nodiscard]] bool claim(const latmon_series_t& series);
    // All series that there are, so that of two the first in the configuration has the name.
    // [main-thread]
    void claim_all();
    void release(std::uint32_t series_id);

private:
    const latmon_host_t* host_;
    const Naming& naming_;
    std::map<std::string, std::uint32_t> owners_;  // Series ids by name and tags.
    std::set<std::uint32_t> told_;                 // Ids of series that found their name taken.
};

}  // namespace latmon::plugins::statsd
