// SPDX-License-Identifier: Apache-2.0
//
// HTTP/1.1 over TCP, TLS and unix sockets, for many clients of whom none is trusted: takes requests
// apart, bounds everything that a client can make us hold or wait for, and sends answers. What a
// request means is somebody else's affair (admin_server.hpp). Boost.Asio and Boost.Beast do the
// work, and are in no header that others include. One thread of its own, `lm-admin`.
#pragma once

#include "admin/admin_counters.hpp"
#include "admin/http_message.hpp"
#include "admin/responder.hpp"
#include "base/address.hpp"
#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace latmon {

// Where to listen.
struct HttpAddress {
    Endpoint endpoint;        // Port 0: the kernel's choice.
    std::string socket_path;  // A unix socket instead, without TLS; "": `endpoint`.
    bool is_required = true;  // False: if it cannot be had, that is logged and it is left out.
};

// What TLS needs, as PEM texts.
struct TlsMaterial {
    std::string certificates;  // Ours first, then those that it was signed with.
    std::string key;
    std::string client_ca;  // Clients must show a certificate signed by one of these; "": need not.
};

struct HttpServerOptions {
    std::vector<HttpAddress> addresses;
    std::optional<TlsMaterial> tls;
    std::uint32_t connections_max = limits::admin_connections_default;
};

// How long an answer may take, and what is answered if it takes longer.
struct HttpPatience {
    Duration within{limits::admin_handler_ns};
    HttpAnswer too_late = text_answer(503, "the answer was not made in time");
};

class HttpServer {
public:
    // Called for every request that is one. Must not wait for anything. [admin-thread]
    using OnRequest = std::function<HttpPatience(HttpRequest, Responder)>;

    // Binds and listens; nobody is answered yet. `counters` outlive it. Errors: TLS material that
    // is none or does not fit together (ExitCode::configuration), and a required address that
    // cannot be had (ExitCode::permission). [main-thread]
    [[nodiscard]] static Result<std::unique_ptr<HttpServer>> open(const HttpServerOptions& options,
                                                                  AdminCounters& counters,
                                                                  OnRequest on_request);
    // Closes everything, and returns when the thread has ended. Responders may outlive it; what
    // they say then is heard by nobody. [main-thread]
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    // Answers from now on. [main-thread]
    void start(std::span<const std::uint32_t> core_cpus);

    // For connections that come from now on; an error leaves things as they were. Only for a server
    // that has TLS from the start. [main-thread]
    [[nodiscard]] Result<void> renew_tls(const TlsMaterial& material);

    // Where it listens, such as "http://127.0.0.1:9464/"; empty: nowhere. [any-thread]
    [[nodiscard]] const std::vector<std::string>& urls() const noexcept { return urls_; }
    // Why the first address that was left out could not be had; nothing: none was. [any-thread]
    [[nodiscard]] const std::optional<Error>& left_out() const noexcept { return left_out_; }

private:
    struct State;  // Knows Asio.
    HttpServer(std::shared_ptr<State> state, std::vector<std::string> urls);

    std::shared_ptr<State> state_;
    std::vector<std::string> urls_;
    std::optional<Error> left_out_;
};

}  // namespace latmon
