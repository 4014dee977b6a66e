// SPDX-License-Identifier: Apache-2.0
//
// "latmon.http/1" as simple as it can be: a plugin's pages, which a test asks for by a call, or
// which a server of one connection at a time shows on loopback. Not a server for anybody else.
#pragma once

#include <latmon/http.h>

#include <atomic>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

struct latmon_http_request {
    std::map<std::string, std::string> headers;  // Names in lower case.
    std::string query;                           // As it came.
};
struct latmon_http_answer {
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string body;

    // The value of a header, as it was written; "" if there is none. [any-thread]
    [[nodiscard]] std::string header(std::string_view name) const;
};

namespace latmon::driver {

class DriverPages {
public:
    // What a plugin gets; its route() needs the pages, and is DriverHost's. [any-thread]
    [[nodiscard]] static latmon_http_t functions() noexcept;

    // False if there is such a page. [main-thread]
    bool add(const char* path, latmon_http_handler_t handler, void* context);

    // 404 if there is no such page. [any-thread]
    [[nodiscard]] latmon_http_answer get(const std::string& path,
                                         const latmon_http_request& request = {}) const;

private:
    struct Page {
        latmon_http_handler_t handler;
        void* context;
    };
    std::map<std::string, Page> pages_;
};

// Shows `pages`, which outlive it, on 127.0.0.1 until it goes.
class DriverServer {
public:
    explicit DriverServer(const DriverPages& pages) : pages_(pages) {}
    ~DriverServer();
    DriverServer(const DriverServer&) = delete;
    DriverServer& operator=(const DriverServer&) = delete;

    // False if the port is taken. [main-thread]
    [[nodiscard]] bool start(std::uint16_t port);

private:
    void serve();
    void answer(int connection);

    const DriverPages& pages_;
    int listener_ = -1;
    std::atomic<bool> is_over_ = false;
    std::thread thread_;
};

}  // namespace latmon::driver
