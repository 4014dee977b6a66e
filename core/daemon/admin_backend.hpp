// SPDX-License-Identifier: Apache-2.0
//
// The admin listener in the daemon: the configuration as options, its files read, and the rest of
// latmon behind it. The daemon opens it before its exporters, which may want pages on it, starts it
// last and stops it before they are destroyed.
#pragma once

#include "admin/admin_server.hpp"
#include "base/error.hpp"
#include "config/config.hpp"
#include "daemon/admin_probe.hpp"
#include "daemon/admin_targets.hpp"
#include "exporter/plugin_routes.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

namespace latmon {

class DaemonAdmin {
public:
    // Reads the files and binds. Errors: a file that cannot be used, TLS that does not fit together
    // (both 77 or 78), an address that is the operator's own and cannot be had (77). [main-thread]
    [[nodiscard]] static Result<std::unique_ptr<DaemonAdmin>> open(const AdminConfig& config,
                                                                   std::string node_name);
    DaemonAdmin(const DaemonAdmin&) = delete;
    DaemonAdmin& operator=(const DaemonAdmin&) = delete;

    // What it needs of descriptors, beside those of the plan. [main-thread]
    [[nodiscard]] static std::uint64_t fds_needed(const AdminConfig& config) noexcept;

    [[nodiscard]] bool is_listening() const noexcept { return !server_->urls().empty(); }

    // Where exporters register their pages. [main-thread]
    [[nodiscard]] PluginRoutes* routes() noexcept { return routes_.get(); }
    [[nodiscard]] AdminTargets& targets() noexcept { return targets_; }
    [[nodiscard]] const AdminCounters& counters() const noexcept { return server_->counters(); }

    // What /-/reload does; called on a handler thread, returns when it is known how it went.
    // [main-thread, before start()]
    void set_reload(std::function<Result<void>()> reload) { reload_ = std::move(reload); }

    // Answers from now on, and is ready. [main-thread]
    void start(std::span<const std::uint32_t> core_cpus);

    // For what /-/ready says. [any-thread]
    void set_ready(bool is_ready) noexcept { is_ready_.store(is_ready); }

    // Reads the files of the configuration anew: certificates, token and password. On an error the
    // old ones stay. TLS can neither begin nor end. [main-thread]
    [[nodiscard]] Result<void> renew(const AdminConfig& config);

    // No handler runs any more when it returns true. False: one hangs, and the process must end
    // without destroying what it uses. [main-thread]
    [[nodiscard]] bool stop(Duration grace);

private:
    explicit DaemonAdmin(std::string node_name) : node_name_(std::move(node_name)) {}
    [[nodiscard]] AdminBackend make_backend(const AdminConfig& config);
    [[nodiscard]] std::optional<HttpAnswer> ask_exporters(const HttpRequest& request) const;

    const std::string node_name_;
    const OsClock clock_;
    AdminTargets targets_;
    std::function<Result<void>()> reload_;
    std::atomic<bool> is_ready_{false};     // Written by set_ready(), read by handlers.
    std::unique_ptr<PluginRoutes> routes_;  // Always there once opened.
    std::unique_ptr<AdminProbes> probes_;   // Null: it does not probe.
    std::unique_ptr<AdminServer> server_;   // Always there once opened. Goes first.
};

}  // namespace latmon
