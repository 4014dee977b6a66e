// SPDX-License-Identifier: Apache-2.0
//
// Which series owns which name. Two targets under one name would be added up by the server, and
// look like one: so the second is told apart, or not sent. On the main-thread in create(), on the
// exporter-thread from then on.
#pragma once

#include "statsd/naming.hpp"

#include <latmon/host.h>

#include <map>
#include <string>

namespace latmon::plugins::statsd {

class Claims {
public:
    Claims(const latmon_host_t* host, const Naming& naming) : host_(host), naming_(naming) {}

    // False, after saying so in the log, if another series has the name already. Reflections and
    // latmon's own counters may share one: there they are parts of one thing.
    [[nodiscard]] bool claim(const latmon_series_t& series, latmon_log_level_t level);
    // All series that there are. False if two of them have one name. [main-thread]
    [[nodiscard]] bool claim_all();
    void release(std::uint32_t series_id);

private:
    const latmon_host_t* host_;
    const Naming& naming_;
    std::map<std::string, std::uint32_t> owners_;  // Series ids by name and tags.
};

}  // namespace latmon::plugins::statsd
