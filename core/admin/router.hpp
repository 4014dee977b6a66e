// SPDX-License-Identifier: Apache-2.0
//
// From a request to who answers it: checks who asks, finds the path, sees to it that the method is
// one that it knows, and that no foreign web page makes a browser act here. Has no socket and no
// thread of its own.
#pragma once

#include "admin/admin_counters.hpp"
#include "admin/credentials.hpp"
#include "admin/http_message.hpp"
#include "admin/http_server.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace latmon {

struct AdminRoute {
    std::string path;
    std::string title;        // For the landing page; "": it is not shown there.
    std::string link{};       // What the landing page links to, if not `path` alone.
    bool is_public = false;   // Needs no credentials, and is answered on the admin-thread itself.
    bool is_action = false;   // Does more than show something.
    bool takes_post = false;  // POST and PUT; otherwise GET and HEAD.
    Duration patience{limits::admin_handler_ns};  // How long `answer` may take.
    // One of the two. `answer` runs on a handler thread; `begin` at once, and answers when it can.
    std::function<HttpAnswer(const HttpRequest&)> answer{};
    std::function<HttpPatience(const HttpRequest&, Responder)> begin{};
};

class AdminRouter {
public:
    // Runs a task on some thread, soon; false: there are too many.
    using RunSoon = std::function<bool(std::function<void()>)>;

    AdminRouter(std::vector<AdminRoute> routes, RunSoon run_soon, AdminCounters& counters);

    // Asked for paths that are no route's; GET and HEAD alone. Nothing: there is no such page.
    // Called on a handler thread. [main-thread, before the first request]
    void set_other_pages(std::function<std::optional<HttpAnswer>(const HttpRequest&)> other_pages);

    // For requests that come from now on. [any-thread]
    void set_credentials(const Credentials& credentials);

    // See HttpServer::OnRequest. [admin-thread]
    [[nodiscard]] HttpPatience take(HttpRequest request, const Responder& respond) const;

    [[nodiscard]] const std::vector<AdminRoute>& routes() const noexcept { return routes_; }

private:
    [[nodiscard]] const AdminRoute* find(const std::string& path) const noexcept;
    [[nodiscard]] std::shared_ptr<const Credentials> credentials() const;
    [[nodiscard]] std::optional<HttpAnswer> refusal_of(const HttpRequest& request,
                                                       const AdminRoute* route) const;
    [[nodiscard]] HttpPatience ask_others(HttpRequest request, const Responder& respond) const;
    void run(std::function<void()> task, const Responder& respond) const;

    const std::vector<AdminRoute> routes_;
    const RunSoon run_soon_;
    AdminCounters& counters_;
    std::function<std::optional<HttpAnswer>(const HttpRequest&)> other_pages_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Credentials> credentials_;  // Guarded by `mutex_`; never null.
};

// Whether a browser sends this on behalf of a page that is not ours: Origin (RFC 6454) or
// Sec-Fetch-Site say so. Who is no browser sends neither.
[[nodiscard]] bool is_cross_site(const HttpRequest& request);

}  // namespace latmon
