// SPDX-License-Identifier: Apache-2.0
//
// The admin listener as the daemon has it: HTTP server, router, latmon's own routes and the threads
// that answer, put together, with the order in which they start and stop.
#pragma once

#include "admin/admin_counters.hpp"
#include "admin/backend.hpp"
#include "admin/credentials.hpp"
#include "admin/handler_pool.hpp"
#include "admin/http_server.hpp"
#include "admin/router.hpp"

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace latmon {

struct AdminOptions {
    HttpServerOptions http;
    Credentials credentials;
};

// What a reload may change.
struct AdminSecrets {
    Credentials credentials;
    std::optional<TlsMaterial> tls;
};

class AdminServer {
public:
    // Asked for paths that are not latmon's, on handler threads; nothing: there is no such page.
    using OtherPages = std::function<std::optional<HttpAnswer>(const HttpRequest&)>;

    // Binds; answers nobody yet. `other_pages` may be empty. Errors: see HttpServer::open().
    // [main-thread]
    [[nodiscard]] static Result<std::unique_ptr<AdminServer>> open(const AdminOptions& options,
                                                                   AdminBackend backend,
                                                                   OtherPages other_pages);
    // stop() must have been called if start() was.
    ~AdminServer();
    AdminServer(const AdminServer&) = delete;
    AdminServer& operator=(const AdminServer&) = delete;

    // The threads keep off the CPUs in `core_cpus` if there are others. [main-thread]
    void start(std::span<const std::uint32_t> core_cpus);

    // For what comes from now on; on an error nothing has changed. TLS can neither begin nor end
    // while it runs. [main-thread]
    [[nodiscard]] Result<void> renew(const AdminSecrets& secrets);

    // Hears nobody any more, and waits for answers that are being made, at most for `grace`. False:
    // one of them hangs, and neither this nor what the backend refers to may be destroyed.
    // [main-thread]
    [[nodiscard]] bool stop(Duration grace);

    // Where it listens; empty: nowhere. [any-thread]
    [[nodiscard]] const std::vector<std::string>& urls() const noexcept { return urls_; }
    // See HttpServer::left_out(). [any-thread]
    [[nodiscard]] const std::optional<Error>& left_out() const noexcept {
        return http_->left_out();
    }
    [[nodiscard]] const AdminCounters& counters() const noexcept { return counters_; }

private:
    AdminServer(const AdminOptions& options, AdminBackend backend, OtherPages other_pages);
    [[nodiscard]] std::vector<AdminRoute> make_routes();

    AdminCounters counters_;
    const AdminBackend backend_;
    HandlerPool handlers_;
    AdminRouter router_;
    std::unique_ptr<HttpServer> http_;  // Goes first.
    std::vector<std::string> urls_;
};

}  // namespace latmon
