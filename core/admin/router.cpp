// SPDX-License-Identifier: Apache-2.0
//
// See router.hpp.
#include "admin/router.hpp"

#include <algorithm>
#include <utility>

namespace latmon {
namespace {

bool is_read(HttpMethod method) noexcept {
    return method == HttpMethod::get || method == HttpMethod::head;
}

bool is_known_to(const AdminRoute& route, HttpMethod method) noexcept {
    if (!route.takes_post) return is_read(method);
    return method == HttpMethod::post || method == HttpMethod::put;
}

HttpAnswer method_not_allowed(bool takes_post) {
    const std::string allow = takes_post ? "POST, PUT" : "GET, HEAD";
    HttpAnswer answer = text_answer(405, "this path takes " + allow);
    answer.headers.emplace_back("Allow", allow);
    return answer;
}

HttpAnswer not_found() {
    return text_answer(404, "there is no such page; / lists those that there are");
}

}  // namespace

bool is_cross_site(const HttpRequest& request) {
    const std::string* const site = request.header("sec-fetch-site");
    if (site != nullptr && *site == "cross-site") return true;
    const std::string* const origin = request.header("origin");
    if (origin == nullptr) return false;
    const std::string* const host = request.header("host");
    const std::size_t scheme_end = origin->find("://");
    if (host == nullptr || scheme_end == std::string::npos) return true;  // "null", for one.
    return !is_same_word(std::string_view(*origin).substr(scheme_end + 3), *host);
}

AdminRouter::AdminRouter(std::vector<AdminRoute> routes, RunSoon run_soon, AdminCounters& counters)
    : routes_(std::move(routes)),
      run_soon_(std::move(run_soon)),
      counters_(counters),
      credentials_(std::make_shared<const Credentials>()) {}

void AdminRouter::set_other_pages(
    std::function<std::optional<HttpAnswer>(const HttpRequest&)> other_pages) {
    other_pages_ = std::move(other_pages);
}

void AdminRouter::set_credentials(const Credentials& credentials) {
    auto fresh = std::make_shared<const Credentials>(credentials);
    const std::lock_guard<std::mutex> lock(mutex_);
    credentials_ = std::move(fresh);
}

std::shared_ptr<const Credentials> AdminRouter::credentials() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return credentials_;
}

const AdminRoute* AdminRouter::find(const std::string& path) const noexcept {
    const auto found = std::find_if(routes_.begin(), routes_.end(),
                                    [&](const AdminRoute& route) { return route.path == path; });
    return found == routes_.end() ? nullptr : &*found;
}

// Credentials first: who has none learns nothing of what there is.
std::optional<HttpAnswer> AdminRouter::refusal_of(const HttpRequest& request,
                                                  const AdminRoute* route) const {
    if (route == nullptr || !route->is_public) {
        const std::shared_ptr<const Credentials> wanted = credentials();
        const std::string* const given = request.header("authorization");
        if (!wanted->accepts(given == nullptr ? std::string_view() : *given)) {
            HttpAnswer answer = text_answer(401, "credentials are needed here");
            answer.headers.emplace_back("WWW-Authenticate", wanted->challenge());
            return answer;
        }
    }
    if (route == nullptr) return std::nullopt;
    if (!is_known_to(*route, request.method)) return method_not_allowed(route->takes_post);
    if (route->is_action && is_cross_site(request)) {
        return text_answer(403, "this was sent by a page of another origin");
    }
    return std::nullopt;
}

HttpPatience AdminRouter::take(HttpRequest request, const Responder& respond) const {
    const AdminRoute* const route = find(request.path);
    if (std::optional<HttpAnswer> refusal = refusal_of(request, route)) {
        respond(std::move(*refusal));
        return {};
    }
    if (route == nullptr) return ask_others(std::move(request), respond);
    if (route->begin) return route->begin(request, respond);
    if (route->is_public) {
        respond(route->answer(request));
        return {};
    }
    HttpPatience patience;
    patience.within = route->patience;
    run([route, request = std::move(request), respond] { respond(route->answer(request)); },
        respond);
    return patience;
}

HttpPatience AdminRouter::ask_others(HttpRequest request, const Responder& respond) const {
    if (!is_read(request.method)) {
        respond(method_not_allowed(false));
        return {};
    }
    if (!other_pages_) {
        respond(not_found());
        return {};
    }
    run(
        [this, request = std::move(request), respond] {
            std::optional<HttpAnswer> answer = other_pages_(request);
            respond(answer ? std::move(*answer) : not_found());
        },
        respond);
    return {};
}

void AdminRouter::run(std::function<void()> task, const Responder& respond) const {
    if (run_soon_(std::move(task))) return;
    counters_.refused.add();
    HttpAnswer answer = text_answer(503, "too many requests wait for an answer; try again");
    answer.headers.emplace_back("Retry-After", "1");
    respond(std::move(answer));
}

}  // namespace latmon
