// SPDX-License-Identifier: Apache-2.0
//
// Passwords and keys, which an operator gives in one of three ways: read once, when an exporter is
// made. They never go into a log.
#pragma once

#include <latmon/latmon.h>

#include <optional>
#include <string>

namespace latmon::plugins {

// The secret `key`, from the first of these that is there:
//
//   KEY_file = "/etc/latmon/password"  its first line; refused if others than its owner and group
//                                      may read it
//   KEY_env = "CLICKHOUSE_PASSWORD"    that environment variable; refused if it is not set
//   KEY = "..."                        in the configuration itself
//   `variable`                         an environment variable that is asked unasked; NULL: none
//
// "" if there is none at all. nullopt, after saying why in the log, if it was promised and cannot
// be had. At most one of the first three may be given. [main-thread & in create()]
[[nodiscard]] std::optional<std::string> read_secret(const latmon_host_t* host,
                                                     const latmon_options_t* options,
                                                     const std::string& key,
                                                     const char* variable = nullptr);

}  // namespace latmon::plugins
