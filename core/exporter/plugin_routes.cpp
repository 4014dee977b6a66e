// SPDX-License-Identifier: Apache-2.0
//
// See plugin_routes.hpp. A gate counts the handlers of one exporter that run; it outlives the
// exporter as long as one of them does.
#include "exporter/plugin_routes.hpp"

#include "base/assert.hpp"
#include "base/limits.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>

namespace latmon {

struct PluginGate {
    enum class State : std::uint8_t { pending, open, closed };

    // False if nothing may be called now. A true one is followed by leave().
    [[nodiscard]] bool enter() {
        const std::lock_guard<std::mutex> lock(mutex);
        if (state != State::open) return false;
        ++running;
        return true;
    }
    void leave() {
        const std::lock_guard<std::mutex> lock(mutex);
        if (--running == 0) is_empty.notify_all();
    }
    [[nodiscard]] bool is_open() {
        const std::lock_guard<std::mutex> lock(mutex);
        return state == State::open;
    }
    [[nodiscard]] bool close(Duration patience) {
        std::unique_lock<std::mutex> lock(mutex);
        state = State::closed;
        return is_empty.wait_for(lock, std::chrono::nanoseconds(patience.ns),
                                 [this] { return running == 0; });
    }

    std::mutex mutex;
    std::condition_variable is_empty;
    State state = State::pending;  // Guarded by `mutex`.
    std::uint32_t running = 0;     // Guarded by `mutex`.
    bool is_leaving = false;       // Guarded by PluginRoutes::mutex_.
};

namespace {

constexpr std::size_t path_bytes_max = 256;

// What stands in a request as it is: nobody has to guess how to encode it.
bool is_plain_path(std::string_view path) noexcept {
    constexpr std::string_view marks = "/-._~!$'()*,;:@+=";
    return path.starts_with('/') && path.size() <= path_bytes_max &&
           std::all_of(path.begin(), path.end(), [&](char letter) {
               return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
                      (letter >= 'A' && letter <= 'Z') ||
                      marks.find(letter) != std::string_view::npos;
           });
}

const char* find(const PluginFields& fields, std::string_view key) noexcept {
    const auto found = std::find_if(fields.begin(), fields.end(),
                                    [&](const auto& field) { return field.first == key; });
    return found == fields.end() ? nullptr : found->second.c_str();
}

// -- latmon.http/1: noexcept, as an exception must not pass through C ----------------------------

const char* header_value(const latmon_http_request_t* request, const char* name) noexcept {
    if (name == nullptr) return nullptr;
    std::string letters(name);
    std::transform(letters.begin(), letters.end(), letters.begin(), [](char letter) {
        return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
    });
    return find(request->request->headers, letters);
}

const char* query_value(const latmon_http_request_t* request, const char* key) noexcept {
    return key == nullptr ? nullptr : find(request->request->query, key);
}

// A status that there is not is a failure of the plugin's, and is shown as one.
void set_status(latmon_http_answer_t* answer, int status) noexcept {
    const bool is_status = status >= 200 && status <= 599;
    answer->answer->status = is_status ? static_cast<std::uint32_t>(status) : 500;
}

void add_header(latmon_http_answer_t* answer, const char* name, const char* value) noexcept {
    if (name == nullptr || value == nullptr) return;
    answer->answer->headers.emplace_back(name, value);
}

void write_body(latmon_http_answer_t* answer, const void* data, std::size_t size_bytes) noexcept {
    if (size_bytes == 0) return;
    answer->answer->body.append(static_cast<const char*>(data), size_bytes);
}

}  // namespace

latmon_http_t http_functions() noexcept {
    return {.route = nullptr,
            .header = header_value,
            .query = query_value,
            .set_status = set_status,
            .add_header = add_header,
            .write = write_body};
}

bool is_own_path(std::string_view path) noexcept {
    return path == "/" || path == "/-" || path.starts_with("/-/") || path == "/api" ||
           path.starts_with("/api/") || path == "/probe";
}

// -- Owners ---------------------------------------------------------------------------------------

PluginRoutes::Owner::Owner(PluginRoutes* routes)
    : routes_(routes), gate_(std::make_shared<PluginGate>()) {}

PluginRoutes::Owner::~Owner() {
    LATMON_ASSERT(!gate_->is_open());
    if (routes_ == nullptr) return;
    const std::lock_guard<std::mutex> lock(routes_->mutex_);
    std::erase_if(routes_->routes_, [this](const Route& route) { return route.gate == gate_; });
}

std::string PluginRoutes::Owner::add(std::string_view path, std::string_view title,
                                     latmon_http_handler_t handler, void* context) {
    const std::string named = "the path \"" + std::string(path.substr(0, path_bytes_max)) + "\" ";
    if (routes_ != nullptr && !routes_->has_listener_ && routes_->left_out_) {
        has_missed_listener_ = true;
        return named + "needs the admin listener: " + routes_->left_out_->text;
    }
    if (routes_ == nullptr || !routes_->has_listener_) {
        return named + "needs the admin listener, which does not listen; set `listen` in [admin]";
    }
    if (handler == nullptr) return named + "has no handler";
    if (!is_plain_path(path)) {
        return named + "must begin with '/' and be of letters, digits and -._~; write such a one";
    }
    if (is_own_path(path)) return named + "is latmon's own; write another";
    const std::lock_guard<std::mutex> lock(routes_->mutex_);
    const auto is_taken = [&](const Route& route) {
        return route.path == path && !route.gate->is_leaving;
    };
    if (std::any_of(routes_->routes_.begin(), routes_->routes_.end(), is_taken)) {
        return named + "has an exporter already; write another for one of them";
    }
    if (routes_->routes_.size() >= limits::admin_routes_max) {
        return named + "is one too many; exporters have too many paths";
    }
    routes_->routes_.push_back({std::string(path), std::string(title), handler, context, gate_});
    return "";
}

const Error* PluginRoutes::Owner::missed_listener() const noexcept {
    return has_missed_listener_ ? &*routes_->left_out_ : nullptr;
}

void PluginRoutes::Owner::open() {
    const std::lock_guard<std::mutex> lock(gate_->mutex);
    LATMON_ASSERT(gate_->state == PluginGate::State::pending);
    gate_->state = PluginGate::State::open;
}

void PluginRoutes::Owner::set_leaving(bool is_leaving) {
    if (routes_ == nullptr) return;
    const std::lock_guard<std::mutex> lock(routes_->mutex_);
    gate_->is_leaving = is_leaving;
}

bool PluginRoutes::Owner::close(Duration patience) {
    return gate_->close(patience);
}

// -- Answers --------------------------------------------------------------------------------------

std::optional<PluginAnswer> PluginRoutes::answer(std::string_view path,
                                                 const PluginRequest& request) const {
    std::optional<Route> found;
    {
        const std::lock_guard<std::mutex> lock(mutex_);
        // The last that came, of those that are active: the successor, once it is.
        const auto route = std::find_if(routes_.rbegin(), routes_.rend(), [&](const Route& each) {
            return each.path == path && each.gate->enter();
        });
        if (route != routes_.rend()) found = *route;
    }
    if (!found) return std::nullopt;
    PluginAnswer answer;
    const latmon_http_request_t asked{&request};
    latmon_http_answer_t made{&answer};
    try {
        found->handler(found->context, &asked, &made);
    } catch (...) {
        log::error("the exporter behind " + found->path +
                   " threw an exception, which the ABI forbids");
        answer = {.status = 500, .headers = {}, .body = "the exporter failed\n"};
    }
    found->gate->leave();
    return answer;
}

std::vector<PluginPage> PluginRoutes::pages() const {
    std::vector<PluginPage> pages;
    const std::lock_guard<std::mutex> lock(mutex_);
    for (const Route& route : routes_) {
        const bool is_shown = !route.title.empty() && route.gate->is_open() &&
                              std::none_of(pages.begin(), pages.end(), [&](const auto& page) {
                                  return page.path == route.path;
                              });
        if (is_shown) pages.push_back({route.path, route.title});
    }
    std::sort(pages.begin(), pages.end(),
              [](const PluginPage& a, const PluginPage& b) { return a.path < b.path; });
    return pages;
}

}  // namespace latmon
