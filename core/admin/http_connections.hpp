// SPDX-License-Identifier: Apache-2.0
//
// The connections that a server has open, and who must go when there is no room for another: of the
// source that has the most of them, the one that has waited longest. Whoever opens thousands of
// connections and says nothing so displaces himself, and not a scraper from elsewhere. One thread;
// closes nothing by itself but what it displaces.
#pragma once

#include "admin/admin_counters.hpp"
#include "base/address.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <vector>

namespace latmon {

class HttpConnection {
public:
    enum class Phase : std::uint8_t {
        waiting,    // For a request.
        receiving,  // The rest of one.
        answering,  // Its answer is being made.
        sending,    // It is on its way.
        closing     // All is said.
    };

    HttpConnection(std::uint64_t from, Instant now) noexcept : source(from), since(now) {}
    virtual ~HttpConnection() = default;

    // Closes it at once and leaves HttpConnections; the second time nothing happens.
    virtual void close() noexcept = 0;

    const std::uint64_t source;  // Of source_of().
    Phase phase = Phase::waiting;
    Instant since;  // When `phase` began.
    bool is_listed = false;
};

class HttpConnections {
public:
    HttpConnections(std::uint32_t connections_max, AdminCounters& counters)
        : max_(connections_max), counters_(counters) {}

    // Whether there is room for one more, if need be because another one was closed. False: all are
    // at work.
    [[nodiscard]] bool make_room(Instant now);

    void add(HttpConnection& connection);
    void remove(HttpConnection& connection) noexcept;
    void close_all() noexcept;

    [[nodiscard]] std::size_t count() const noexcept { return open_.size(); }

private:
    [[nodiscard]] HttpConnection* find_dispensable(Instant now) const noexcept;
    [[nodiscard]] std::size_t count_of(std::uint64_t source) const noexcept;

    const std::uint32_t max_;
    AdminCounters& counters_;
    std::vector<HttpConnection*> open_;
};

// One number for all addresses that are likely to be one client's: an IPv4 address, an IPv6 /64.
// Two clients may have the same by accident, and then only share their luck.
[[nodiscard]] std::uint64_t source_of(const AddressBytes& address) noexcept;

}  // namespace latmon
