// SPDX-License-Identifier: Apache-2.0
//
// See admin_server.hpp.
#include "admin/admin_server.hpp"

#include "admin/admin_routes.hpp"
#include "admin/landing_page.hpp"
#include "base/limits.hpp"

#include <utility>

namespace latmon {

AdminServer::AdminServer(const AdminOptions& options, AdminBackend backend, OtherPages other_pages)
    : backend_(std::move(backend)),
      handlers_("lm-admin-", limits::admin_requests_waiting),
      router_(
          make_routes(),
          [this](std::function<void()> task) { return handlers_.submit(std::move(task)); },
          counters_) {
    router_.set_credentials(options.credentials);
    router_.set_other_pages(std::move(other_pages));
}

AdminServer::~AdminServer() = default;

// The landing page knows all others, and so is made here.
std::vector<AdminRoute> AdminServer::make_routes() {
    std::vector<AdminRoute> routes = make_admin_routes(backend_, counters_);
    routes.push_back(
        {.path = "/", .title = "", .answer = [this](const HttpRequest&) {
             std::vector<AdminPage> pages;
             if (backend_.other_pages) pages = backend_.other_pages();
             for (const AdminRoute& route : router_.routes()) {
                 if (route.title.empty()) continue;
                 pages.push_back({route.link.empty() ? route.path : route.link, route.title});
             }
             return HttpAnswer{
                 .status = 200,
                 .headers = {{"Content-Type", "text/html; charset=utf-8"},
                             {"Content-Security-Policy",
                              "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors "
                              "'none'"}},
                 .body = landing_page(backend_.version, backend_.node_name, pages)};
         }});
    return routes;
}

Result<std::unique_ptr<AdminServer>> AdminServer::open(const AdminOptions& options,
                                                       AdminBackend backend,
                                                       OtherPages other_pages) {
    std::unique_ptr<AdminServer> server(
        new AdminServer(options, std::move(backend), std::move(other_pages)));
    AdminServer* const self = server.get();
    Result<std::unique_ptr<HttpServer>> http = HttpServer::open(
        options.http, self->counters_, [self](HttpRequest request, const Responder& respond) {
            return self->router_.take(std::move(request), respond);
        });
    if (!http) return std::unexpected(http.error());
    self->http_ = std::move(*http);
    self->urls_ = self->http_->urls();
    return server;
}

void AdminServer::start(std::span<const std::uint32_t> core_cpus) {
    if (urls_.empty()) return;
    handlers_.start(limits::admin_handlers, core_cpus);
    http_->start(core_cpus);
}

Result<void> AdminServer::renew(const AdminSecrets& secrets) {
    if (secrets.tls) {
        Result<void> renewed = http_->renew_tls(*secrets.tls);
        if (!renewed) return renewed;
    }
    router_.set_credentials(secrets.credentials);
    return {};
}

bool AdminServer::stop(Duration grace) {
    http_.reset();
    return handlers_.stop(grace);
}

}  // namespace latmon
