// SPDX-License-Identifier: Apache-2.0
//
// See http_connections.hpp. There are some tens of them, so that looking at each is cheaper than
// anything cleverer.
#include "admin/http_connections.hpp"

#include "base/limits.hpp"

#include <algorithm>
#include <cstring>

namespace latmon {
namespace {

bool is_dispensable(const HttpConnection& connection, Instant now) noexcept {
    switch (connection.phase) {
        case HttpConnection::Phase::waiting:
        case HttpConnection::Phase::receiving:
        case HttpConnection::Phase::closing:
            return true;
        case HttpConnection::Phase::sending:
            return now - connection.since > Duration{limits::admin_slow_reader_ns};
        case HttpConnection::Phase::answering:
            break;
    }
    return false;
}

}  // namespace

bool HttpConnections::make_room(Instant now) {
    if (open_.size() < max_) return true;
    HttpConnection* const leaver = find_dispensable(now);
    if (leaver == nullptr) return false;
    counters_.displaced.add();
    leaver->close();
    return true;
}

HttpConnection* HttpConnections::find_dispensable(Instant now) const noexcept {
    HttpConnection* found = nullptr;
    std::size_t count_max = 0;
    for (HttpConnection* const connection : open_) {
        if (!is_dispensable(*connection, now)) continue;
        const std::size_t count = count_of(connection->source);
        if (count < count_max) continue;
        if (count == count_max && connection->since >= found->since) continue;
        count_max = count;
        found = connection;
    }
    return found;
}

std::size_t HttpConnections::count_of(std::uint64_t source) const noexcept {
    return static_cast<std::size_t>(std::count_if(
        open_.begin(), open_.end(),
        [&](const HttpConnection* connection) { return connection->source == source; }));
}

void HttpConnections::add(HttpConnection& connection) {
    open_.push_back(&connection);
    connection.is_listed = true;
    counters_.connections_open.add();
}

void HttpConnections::remove(HttpConnection& connection) noexcept {
    if (!connection.is_listed) return;
    connection.is_listed = false;
    open_.erase(std::find(open_.begin(), open_.end(), &connection));
    counters_.connections_open.subtract();
}

void HttpConnections::close_all() noexcept {
    while (!open_.empty())
        open_.back()->close();
}

std::uint64_t source_of(const AddressBytes& address) noexcept {
    std::uint64_t half = 0;
    const std::size_t offset = is_ipv4(address) ? 8 : 0;  // Ends with the four octets; /64.
    std::memcpy(&half, address.data() + offset, sizeof(half));
    return half;
}

}  // namespace latmon
