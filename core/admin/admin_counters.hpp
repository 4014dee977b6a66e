// SPDX-License-Identifier: Apache-2.0
//
// What the admin listener counts, and under which names it is told. Every thread may add and read;
// nothing is ordered by them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace latmon {

// Many threads may add, unlike to the counters of a core-thread.
class SharedCounter {
public:
    void add(std::uint64_t amount = 1) noexcept {
        value_.fetch_add(amount, std::memory_order_relaxed);
    }
    void subtract(std::uint64_t amount = 1) noexcept {
        value_.fetch_sub(amount, std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t read() const noexcept {
        return value_.load(std::memory_order_relaxed);
    }
    // For who shows it later. [any-thread]
    [[nodiscard]] const std::atomic<std::uint64_t>& value() const noexcept { return value_; }

private:
    std::atomic<std::uint64_t> value_{0};
};

// connections = those open + those over; requests = answers, once nothing is under way.
struct AdminCounters {
    SharedCounter connections;       // Accepted, turned away or not.
    SharedCounter connections_open;  // Now; no total.
    SharedCounter turned_away;       // Of these, for want of room.
    SharedCounter displaced;         // Closed so that somebody else gets the place.
    SharedCounter timeouts;          // Closed because something took too long to come or to go.
    SharedCounter tls_failures;      // Handshakes that came to nothing.
    SharedCounter malformed;         // What came was no request, or too large.
    SharedCounter requests;          // Understood, whatever the answer.
    SharedCounter unauthorized;      // Of these: 401.
    SharedCounter refused;           // 503: too many at once.
    SharedCounter overdue;           // 503: the answer was not made in time.
    SharedCounter failed;            // Other answers of 500 and above.
    SharedCounter probes;            // Runs of /probe that began.
};

struct AdminCounterName {
    const char* name;
    SharedCounter AdminCounters::*counter;
};

inline constexpr std::array admin_counter_names{
    AdminCounterName{"admin_connections_total", &AdminCounters::connections},
    AdminCounterName{"admin_connections_open", &AdminCounters::connections_open},
    AdminCounterName{"admin_connections_turned_away_total", &AdminCounters::turned_away},
    AdminCounterName{"admin_connections_displaced_total", &AdminCounters::displaced},
    AdminCounterName{"admin_timeouts_total", &AdminCounters::timeouts},
    AdminCounterName{"admin_tls_failures_total", &AdminCounters::tls_failures},
    AdminCounterName{"admin_malformed_total", &AdminCounters::malformed},
    AdminCounterName{"admin_requests_total", &AdminCounters::requests},
    AdminCounterName{"admin_unauthorized_total", &AdminCounters::unauthorized},
    AdminCounterName{"admin_refused_total", &AdminCounters::refused},
    AdminCounterName{"admin_overdue_total", &AdminCounters::overdue},
    AdminCounterName{"admin_failed_total", &AdminCounters::failed},
    AdminCounterName{"admin_probes_total", &AdminCounters::probes},
};

}  // namespace latmon
