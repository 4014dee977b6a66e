// SPDX-License-Identifier: Apache-2.0
//
// What the admin listener asks of the rest of latmon, and the plain values that it gets: the daemon
// fills this in, a test does it with three lines. Nothing here knows HTTP, and nothing that
// implements it needs to.
#pragma once

#include "base/error.hpp"
#include "base/time.hpp"

#include <latmon/window.h>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace latmon {

enum class TargetState : std::uint8_t {
    unknown,  // Nothing was measured lately.
    up,       // The last window has an answer.
    down      // It has none, and losses.
};

// One way of probing one target.
struct TargetStatus {
    std::uint32_t series_id = 0;
    latmon_kind_t kind = LATMON_KIND_EXCHANGE;
    latmon_protocol_t protocol = LATMON_PROTOCOL_UDP;
    std::string target;  // Its label, or its host.
    std::string host;
    std::string address;  // What the host's name came to; "": unresolved.
    std::uint16_t port = 0;
    std::vector<std::string> tags;
    Duration interval;
    Duration timeout;
    TargetState state = TargetState::unknown;
    std::optional<Duration> last_rtt;

    // Since the target was configured; see probe_counters.hpp.
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
    std::uint64_t lost = 0;
    std::uint64_t unreachable = 0;
    std::uint64_t local_error = 0;
    std::uint64_t missed = 0;
    std::uint64_t late = 0;
    std::uint64_t duplicate = 0;
    std::uint64_t reordered = 0;
};

struct TargetList {
    std::vector<TargetStatus> targets{};
    // Since when windows are kept, which `state` and `last_rtt` are of; nothing: not yet.
    std::optional<WallTime> windows_since{};
};

// Which windows are wanted.
struct SeriesQuestion {
    std::uint32_t length_bit = LATMON_WINDOW_60S;  // LATMON_WINDOW_...; 0: the last 60 s, sliding.
    std::string target;                            // Of this name alone; "": all.
    std::uint32_t limit = 0;                       // At most so many.
};

// What a series is, and its last window.
struct SeriesView {
    std::uint32_t series_id = 0;
    std::uint8_t kind = 0;      // latmon_kind_t
    std::uint8_t protocol = 0;  // latmon_protocol_t
    std::uint16_t port = 0;
    std::string name;
    std::string source;
    std::string target;
    std::string host;
    std::vector<std::string> tags;
    latmon_window_t window{};  // Its `buckets` are null.
};

struct SeriesList {
    std::vector<SeriesView> series{};  // By id.
    bool is_cut = false;               // There are more than `limit`.
    // All windows that began since then are there, and no other; nothing: none is kept yet.
    std::optional<WallTime> windows_since{};
};

// What somebody who asks for /probe wants to know.
struct ProbeOrder {
    std::string target;  // "HOST" or "HOST:PORT".
    std::string module;
    std::optional<std::uint32_t> count;  // Probes; nothing: as the module says.
    Duration budget;                     // All of it must be over by then.
};

struct ProbeOutcome {
    // Not 0: it was not begun, and why: 400, 403 or 503.
    std::uint32_t refusal_status = 0;
    std::string refusal;

    Duration duration;             // All of it.
    std::optional<Duration> dns;   // The look-up alone; nothing if there was none to do.
    std::uint32_t ip_version = 0;  // 4, 6; 0: the name did not resolve.
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
    std::uint64_t lost = 0;              // No answer within the timeout, or refused on the way.
    std::vector<std::int64_t> rtts_ns;   // Of the answered.
    std::vector<std::string> log_lines;  // What happened, for a person.
};

// A page that somebody else has, for the landing page.
struct AdminPage {
    std::string path;
    std::string title;
};

// Called on handler threads; several at once. An empty function is an ability that there is not.
struct AdminBackend {
    std::string version;
    std::string node_name;
    std::function<bool()> is_ready;  // Called on the admin-thread: must not wait.
    // Waits for the outcome. The error's text may have several lines.
    std::function<Result<void>()> reload;
    std::function<TargetList()> targets;
    std::function<SeriesList(const SeriesQuestion&)> series;
    // Returns at once, calls `done` once, on whatever thread. Called on the admin-thread.
    std::function<void(ProbeOrder, std::function<void(ProbeOutcome)> done)> probe;
    std::string probe_modules;  // What a ProbeOrder's may be, for a person: "udp, tcp".
    std::function<std::vector<AdminPage>()> other_pages;
};

}  // namespace latmon
