// SPDX-License-Identifier: Apache-2.0
//
// The options of the zeromq exporter, read and checked, in both shapes of the configuration. Knows
// no socket.
#pragma once

#include <latmon/latmon.h>

#include <optional>
#include <string>
#include <vector>

namespace latmon::plugins {

// Keys as Z85 text of 40 characters (rfc.zeromq.org/spec/32), as `zmq.curve_keypair()` makes them.
struct CurveKeys {
    std::string secret_key;                // Ours. "": the connection is not encrypted.
    std::string public_key;                // Ours; as client only.
    std::string server_key;                // Not "": we are the client.
    std::vector<std::string> client_keys;  // As server: who may come. None: all who know our key.
};

struct ZeromqSettings {
    std::vector<std::string> bind;
    std::vector<std::string> connect;
    bool is_legacy = false;  // The ancestor's JSON instead of ours.
    bool has_topic = false;
    bool has_ipv6 = true;
    bool has_exact_drops = true;
    int send_high_water_mark = 0;  // Messages per subscriber.
    int stuck_timeout_ms = 0;      // 0: never.
    int linger_ms = 0;
    CurveKeys curve;
};

// nullopt, after saying why in the log, if the options contradict themselves. What is of the wrong
// type or out of range latmon itself refuses. [main-thread & in create()]
[[nodiscard]] std::optional<ZeromqSettings> read_zeromq_settings(const latmon_host_t* host,
                                                                 const latmon_options_t* options);

}  // namespace latmon::plugins
