// SPDX-License-Identifier: Apache-2.0
//
// The one home of libcurl: one server, one connection that is kept while it is in use, one request
// at a time. Used on the sender-thread but for interrupt_at(). Follows no redirects, keeps no
// cookies, speaks HTTP/1.1 only.
#pragma once

#include "push/backend.hpp"
#include "push/settings.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

namespace latmon::plugins::push {

class HttpClient final : public Client {
public:
    // `version` is latmon's. Throws std::bad_alloc if libcurl has no memory. [main-thread]
    HttpClient(const Settings& settings, const char* version);
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    // A request that found its kept connection closed by the server is sent once more over a new
    // one, if it is repeatable: that is no failure. An answer that broke off is none.
    // [sender-thread]
    [[nodiscard]] Response send(const Request& request) override;

    // From then on every request ends, whatever it is waiting for; nanoseconds of CLOCK_MONOTONIC.
    // Wakes one that is under way. [any-thread]
    void interrupt_at(std::int64_t monotonic_ns) noexcept;

    // What the last answer asked for; nullopt too if there was none. [sender-thread]
    [[nodiscard]] std::optional<std::int64_t> retry_after_s() const noexcept {
        return retry_after_s_;
    }

    // Requests made so far. [sender-thread]
    [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }

private:
    struct Handles;

    [[nodiscard]] Response send_once(const Request& request, bool& is_stale);

    std::unique_ptr<Handles> handles_;
    Settings settings_;
    std::uint64_t requests_ = 0;
    std::optional<std::int64_t> retry_after_s_;
    // Set by interrupt_at(), read by send().
    std::atomic<std::int64_t> interrupt_ns_;
};

// The next moment's number. [any-thread]
[[nodiscard]] std::int64_t monotonic_ns() noexcept;

}  // namespace latmon::plugins::push
