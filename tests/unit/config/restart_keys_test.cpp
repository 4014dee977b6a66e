// SPDX-License-Identifier: Apache-2.0
//
// What a running latmon takes over, and what it refuses.
#include "config/restart_keys.hpp"

#include "unit/config/config_text.hpp"

#include <doctest/doctest.h>
#include <string>

namespace latmon {

TEST_CASE("restart_keys: targets, exporters, the log and whom we answer need no restart") {
    const Config running = config_of(two_cores + target_text(1));
    CHECK(restart_needed(running, running).empty());
    const Config wanted = config_of(two_cores +
                                    "interval = 5\nlog_level = \"debug\"\nplugin_path = [\"/p\"]\n"
                                    "[reflector]\nallow = [\"10.0.0.0/8\"]\n" +
                                    target_text(2));
    CHECK(restart_needed(running, wanted).empty());
}

TEST_CASE("restart_keys: everything else does, and is named with its place") {
    const Config running = config_of(two_cores);
    for (const char* const line :
         {"precision = \"power\"", "stamps = \"user\"", "udp_port = 9", "tcp_port = 9",
          "stamp_port = 9", "tcp = false", "udp = false", "address = \"127.0.0.1\"",
          "node_interval = 3", "resolve_interval = 3", "[clock]\nseries = false",
          "[reflector]\nrate_total = 3", "[[exporters]]\nplugin = \"cli\""}) {
        CAPTURE(line);
        const std::string text = restart_needed(running, config_of(two_cores + line + "\n"));
        CHECK(text.find("needs a restart") != std::string::npos);
        CHECK(text.find('\n') == std::string::npos);
    }
    CHECK(restart_needed(running, config_of(two_cores + "stamp_port = 9\n"))
              .starts_with("t.toml:3:1: \"stamp_port\""));
}

}  // namespace latmon
