// SPDX-License-Identifier: Apache-2.0
//
// The [admin] table and its [[admin.modules]]: where the admin listener listens, who may use it,
// and whether it probes for others. [main-thread]
#pragma once

#include "config/config.hpp"
#include "config/table_reader.hpp"

namespace latmon {

// The file's admin listener; where it says nothing, one on loopback that does not probe.
[[nodiscard]] AdminConfig read_admin(const TableReader& top);

// Nobody beyond this host can reach it.
[[nodiscard]] bool is_local(const AdminAddress& address) noexcept;

// As an operator writes it: "127.0.0.1:9464", "[::1]:9464", "unix:/run/latmon/admin.sock".
[[nodiscard]] std::string to_string(const AdminAddress& address);

}  // namespace latmon
