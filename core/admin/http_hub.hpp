// SPDX-License-Identifier: Apache-2.0
//
// What all connections of an HTTP server have in common. Sessions refer to it and live in its `io`;
// what comes from another thread holds it weakly. The admin-thread's, but for what is const.
#pragma once

#include "admin/admin_counters.hpp"
#include "admin/http_connections.hpp"
#include "admin/http_server.hpp"
#include "admin/http_socket.hpp"
#include "base/time.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <utility>

namespace latmon {

using HttpTimer = boost::asio::steady_timer::rebind_executor<HttpExecutor>::other;

struct HttpHub : std::enable_shared_from_this<HttpHub> {
    HttpHub(AdminCounters& admin_counters, HttpServer::OnRequest to, std::uint32_t connections_max)
        : counters(admin_counters),
          on_request(std::move(to)),
          connections(connections_max, admin_counters) {}

    AdminCounters& counters;
    const HttpServer::OnRequest on_request;
    HttpConnections connections;
    std::uint64_t answers_bytes = 0;  // Of bodies that are being sent.
    const OsClock clock;
    // The last member: what is left in it goes while the rest still stands.
    boost::asio::io_context io{1};
};

}  // namespace latmon
