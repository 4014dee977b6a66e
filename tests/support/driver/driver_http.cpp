// SPDX-License-Identifier: Apache-2.0
//
// See driver_http.hpp.
#include "support/driver/driver_http.hpp"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <algorithm>
#include <array>

namespace latmon::driver {
namespace {

std::string lower(std::string text) {
    for (char& octet : text) {
        if (octet >= 'A' && octet <= 'Z') octet = static_cast<char>(octet - 'A' + 'a');
    }
    return text;
}

// Reads up to the end of the headers; "" if they do not come.
std::string read_head(int connection) {
    std::string head;
    std::array<char, 4096> part{};
    while (head.find("\r\n\r\n") == std::string::npos) {
        const ssize_t length = ::recv(connection, part.data(), part.size(), 0);
        if (length <= 0) return {};
        head.append(part.data(), static_cast<std::size_t>(length));
    }
    return head;
}

void send_all(int connection, std::string_view octets) {
    while (!octets.empty()) {
        const ssize_t length = ::send(connection, octets.data(), octets.size(), MSG_NOSIGNAL);
        if (length <= 0) return;
        octets.remove_prefix(static_cast<std::size_t>(length));
    }
}

}  // namespace

latmon_http_t DriverPages::functions() noexcept {
    return {
        .route = nullptr,
        .header = [](const latmon_http_request_t* request, const char* name) -> const char* {
            const auto found = request->headers.find(lower(name));
            return found == request->headers.end() ? nullptr : found->second.c_str();
        },
        .query = [](const latmon_http_request_t*, const char*) -> const char* { return nullptr; },
        .set_status = [](latmon_http_answer_t* answer, int status) { answer->status = status; },
        .add_header = [](latmon_http_answer_t* answer, const char* name,
                         const char* value) { answer->headers.emplace_back(name, value); },
        .write =
            [](latmon_http_answer_t* answer, const void* data, std::size_t size_bytes) {
                answer->body.append(static_cast<const char*>(data), size_bytes);
            }};
}

bool DriverPages::add(const char* path, latmon_http_handler_t handler, void* context) {
    return path[0] == '/' && pages_.emplace(path, Page{handler, context}).second;
}

latmon_http_answer DriverPages::get(const std::string& path,
                                    const latmon_http_request& request) const {
    latmon_http_answer answer;
    const auto found = pages_.find(path);
    if (found == pages_.end()) {
        answer.status = 404;
    } else {
        found->second.handler(found->second.context, &request, &answer);
    }
    return answer;
}

bool DriverServer::start(std::uint16_t port) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto* const name = reinterpret_cast<const sockaddr*>(&address);
    if (::bind(listener_, name, sizeof address) != 0 || ::listen(listener_, 8) != 0) return false;
    thread_ = std::thread([this] { serve(); });
    return true;
}

DriverServer::~DriverServer() {
    is_over_ = true;
    if (thread_.joinable()) thread_.join();
    if (listener_ >= 0) ::close(listener_);
}

void DriverServer::serve() {
    while (!is_over_) {
        pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
        constexpr int patience_ms = 50;
        if (::poll(&waiting, 1, patience_ms) <= 0) continue;
        const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) continue;
        answer(connection);
        ::close(connection);
    }
}

void DriverServer::answer(int connection) {
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const std::string head = read_head(connection);
    const std::size_t first = head.find(' ');
    const std::size_t second = head.find(' ', first + 1);
    if (first == std::string::npos || second == std::string::npos) return;
    latmon_http_request request;
    for (std::size_t at = head.find("\r\n"); at + 4 < head.size();) {
        const std::size_t end = head.find("\r\n", at + 2);
        const std::string line = head.substr(at + 2, end - at - 2);
        const std::size_t colon = line.find(':');
        if (colon != std::string::npos) {
            const std::size_t value = line.find_first_not_of(' ', colon + 1);
            request.headers[lower(line.substr(0, colon))] =
                value == std::string::npos ? "" : line.substr(value);
        }
        at = end;
    }
    const std::string target = head.substr(first + 1, second - first - 1);
    const latmon_http_answer answer = pages_.get(target.substr(0, target.find('?')), request);
    std::string text =
        "HTTP/1.1 " + std::to_string(answer.status) +
        " x\r\nConnection: close\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\n";
    for (const auto& [name, value] : answer.headers) {
        text += name + ": " + value + "\r\n";
    }
    send_all(connection, text + "\r\n");
    if (!head.starts_with("HEAD")) send_all(connection, answer.body);
}

}  // namespace latmon::driver

std::string latmon_http_answer::header(std::string_view name) const {
    const auto found = std::ranges::find(
        headers, name, [](const auto& each) { return std::string_view(each.first); });
    return found == headers.end() ? "" : found->second;
}
