// SPDX-License-Identifier: Apache-2.0
//
// What stands behind include/latmon/http.h: the pages that exporters have on the admin listener,
// and the promise that no handler runs any more when its exporter is destroyed. Exporters come and
// go at a reload, so that one may already hold a path that its predecessor still serves. Knows no
// HTTP; who listens asks answer().
#pragma once

#include "base/error.hpp"
#include "base/time.hpp"

#include <latmon/http.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace latmon {

using PluginFields = std::vector<std::pair<std::string, std::string>>;

// Borrowed for the time of one call.
struct PluginRequest {
    const PluginFields& headers;  // Names in small letters.
    const PluginFields& query;
};

struct PluginAnswer {
    std::uint32_t status = 200;
    PluginFields headers;
    std::string body;
};

struct PluginPage {
    std::string path;
    std::string title;
};

}  // namespace latmon

// The opaque structs of the ABI.
struct latmon_http_request {
    const latmon::PluginRequest* request;
};
struct latmon_http_answer {
    latmon::PluginAnswer* answer;
};

namespace latmon {

class PluginRoutes {
public:
    // Whether anybody listens: without, no path can be had. `left_out`: why nobody does although
    // somebody should. [main-thread]
    explicit PluginRoutes(bool has_listener, std::optional<Error> left_out = std::nullopt)
        : has_listener_(has_listener), left_out_(std::move(left_out)) {}
    PluginRoutes(const PluginRoutes&) = delete;
    PluginRoutes& operator=(const PluginRoutes&) = delete;

    // The routes of one exporter, which holds this as long as it lives. They are answered between
    // open() and close().
    class Owner {
    public:
        // `routes` may be null: nothing can then be added. It outlives this. [main-thread]
        explicit Owner(PluginRoutes* routes);
        ~Owner();
        Owner(const Owner&) = delete;
        Owner& operator=(const Owner&) = delete;

        // What is wrong with it, with the cure; "" if nothing: it is added. Paths that are latmon's
        // own, or another exporter's that does not leave, are refused. [main-thread]
        [[nodiscard]] std::string add(std::string_view path, std::string_view title,
                                      latmon_http_handler_t handler, void* context);

        // What kept somebody from listening, if a path was refused for that; else null.
        // [main-thread]
        [[nodiscard]] const Error* missed_listener() const noexcept;

        // The exporter is active. From now on a path that another one has as well, because it is
        // about to leave, is ours. [main-thread]
        void open();

        // The exporter is about to be destroyed, if all goes well: others may have its paths.
        // [main-thread]
        void set_leaving(bool is_leaving);

        // No handler is called any more; waits for those that run, at most for `patience`. False:
        // one does not return, and what it uses must stay. The second time asks again.
        // [main-thread]
        [[nodiscard]] bool close(Duration patience);

    private:
        PluginRoutes* const routes_;
        bool has_missed_listener_ = false;
        const std::shared_ptr<struct PluginGate> gate_;
    };

    // The answer of the exporter that has this path; nothing: none has. [any-thread]
    [[nodiscard]] std::optional<PluginAnswer> answer(std::string_view path,
                                                     const PluginRequest& request) const;

    // Those with a title that are answered, by path. [any-thread]
    [[nodiscard]] std::vector<PluginPage> pages() const;

private:
    struct Route {
        std::string path;
        std::string title;
        latmon_http_handler_t handler;
        void* context;
        std::shared_ptr<PluginGate> gate;
    };

    const bool has_listener_;
    const std::optional<Error> left_out_;
    mutable std::mutex mutex_;
    std::vector<Route> routes_;  // Guarded by `mutex_`; in the order in which they came.
};

// The functions of latmon_http_t but route(), for whoever makes that table.
[[nodiscard]] latmon_http_t http_functions() noexcept;

// Paths that no exporter may have. [any-thread]
[[nodiscard]] bool is_own_path(std::string_view path) noexcept;

}  // namespace latmon
