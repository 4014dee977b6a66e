// SPDX-License-Identifier: Apache-2.0
//
// What an operator may set of every exporter that speaks HTTP, and the one way to read it. Keys,
// with their units, ranges and defaults, stand in settings.cpp and in docs/exporters/push.md.
#pragma once

#include <latmon/latmon.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace latmon::plugins::push {

using std::chrono::milliseconds;

// Who gives way when the backlog is full.
enum class Overflow : std::uint8_t { drop_oldest, drop_newest };

// Each field is an option of the same name; an exporter sets its own defaults before it reads.
struct Settings {
    std::uint32_t batch_rows = 10'000;            // Most rows in one request.
    std::uint64_t batch_bytes = 4 * 1024 * 1024;  // Most octets of a body before compression.
    milliseconds flush_interval{1'000};  // A row waits no longer than this for its batch to fill.
    milliseconds timeout{10'000};        // For one request, from connecting to the last octet.
    milliseconds retry_min{500};         // First pause after a failure; doubles, with full jitter,
    milliseconds retry_max{60'000};      // up to this. Retry-After of a server may ask for more.
    milliseconds shutdown_timeout{3'000};           // For what is left when latmon stops.
    std::uint64_t buffer_bytes = 64 * 1024 * 1024;  // Of rows that wait, in memory.
    Overflow overflow = Overflow::drop_oldest;
    bool gzip = true;                                   // Option `compression`: "gzip" or "none".
    std::string spool;                                  // A directory; "": rows wait in memory.
    std::uint64_t spool_bytes = 1024ULL * 1024 * 1024;  // Of rows that wait, on disk.
    std::string ca_file;                                // PEM; "": the system's.
    std::string cert_file;  // PEM; the client's certificate and its key.
    std::string key_file;
    bool insecure = false;  // Accept any certificate. Said in the log at start.
    std::string proxy;      // "": as in the environment (https_proxy, no_proxy).

    // Not an option: a new record takes the place of one that waits, because each is the whole
    // state. What it replaces is not lost, and is counted as superseded.
    bool is_snapshot = false;
    // Not an option: what the names of this pusher's counters begin with, for an exporter that has
    // two of them.
    std::string counters = "push";
};

// Reads all of the above over the defaults in `settings`. False, after saying why in the log, if a
// value does not fit the others; wrong types and ranges latmon reports. [main-thread & in create()]
[[nodiscard]] bool read_settings(const latmon_host_t* host, const latmon_options_t* options,
                                 Settings& settings);

}  // namespace latmon::plugins::push
