// SPDX-License-Identifier: Apache-2.0
//
// See http_server.hpp. Binds, listens, and accepts: what is said on a connection is HttpSession's.
#include "admin/http_server.hpp"

#include "admin/http_hub.hpp"
#include "admin/http_session.hpp"
#include "admin/http_socket.hpp"
#include "admin/plain_channel.hpp"
#include "admin/tls_channel.hpp"
#include "base/assert.hpp"
#include "base/background_thread.hpp"
#include "base/fd.hpp"
#include "base/log.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>
#include <cerrno>
#include <cstring>
#include <exception>
#include <list>
#include <thread>
#include <utility>

namespace latmon {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

using Acceptor = asio::basic_socket_acceptor<HttpProtocol, HttpExecutor>;

// Waiting to be accepted: a burst that comes while a TLS handshake is reckoned.
constexpr int backlog = 512;
// After the process has run out of descriptors, or of memory.
constexpr std::int64_t accept_pause_ns = 100'000'000;
// Whom a scraper makes wait a little is nobody; a probe is somebody.
constexpr int nice_of_admin = 5;

// -- Binding ------------------------------------------------------------------------------------

struct SocketAddress {
    sockaddr_storage octets{};
    socklen_t size_bytes = 0;

    [[nodiscard]] const sockaddr* get() const noexcept {
        return reinterpret_cast<const sockaddr*>(&octets);
    }
    [[nodiscard]] sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&octets); }
    [[nodiscard]] int family() const noexcept { return octets.ss_family; }
};

SocketAddress address_of(const Endpoint& endpoint) noexcept {
    SocketAddress address;
    address.size_bytes = as_sockaddr(endpoint, address.octets);
    return address;
}

// `path` fits into sun_path, with a zero behind it.
SocketAddress address_of(const std::string& path) noexcept {
    sockaddr_un local{};
    local.sun_family = AF_UNIX;
    LATMON_ASSERT(path.size() < sizeof(local.sun_path));
    std::memcpy(local.sun_path, path.data(), path.size());
    SocketAddress address;
    address.size_bytes = sizeof(local);
    std::memcpy(&address.octets, &local, sizeof(local));
    return address;
}

std::string describe(const HttpAddress& address) {
    return address.socket_path.empty() ? to_string(address.endpoint)
                                       : "unix:" + address.socket_path;
}

std::string cure_of(int error) {
    switch (error) {
        case EADDRINUSE:
            return "somebody else has it; stop him, choose another or write [admin] listen = \"\"";
        case EACCES:
            return "latmon may not; choose a port from 1024 on, or a folder that it may write";
        case EADDRNOTAVAIL:
            return "this host does not have the address; write one that it has";
        default:
            return "check `listen` in [admin]";
    }
}

std::unexpected<Error> refuse(const HttpAddress& address, int error) {
    return fail_errno(ExitCode::permission,
                      "[admin] cannot listen on " + describe(address) + ": " + cure_of(error),
                      error);
}

// A socket that nobody listens on any more is in the way of a new one.
void remove_stale_socket(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
    const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    const SocketAddress address = address_of(path);
    const bool is_connected = ::connect(probe.get(), address.get(), address.size_bytes) == 0;
    if (!is_connected && errno == ECONNREFUSED) ::unlink(path.c_str());
}

bool set_flag(int fd, int level, int option) noexcept {
    const int on = 1;
    return ::setsockopt(fd, level, option, &on, sizeof(on)) == 0;
}

// A socket that listens, or the errno of what went wrong.
std::expected<Fd, int> listen_on(const SocketAddress& address) {
    Fd fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    const bool is_unix = address.family() == AF_UNIX, is_ipv6 = address.family() == AF_INET6;
    const bool is_good = fd.is_open() &&
                         (is_unix || set_flag(fd.get(), SOL_SOCKET, SO_REUSEADDR)) &&
                         (!is_ipv6 || set_flag(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY)) &&
                         ::bind(fd.get(), address.get(), address.size_bytes) == 0 &&
                         ::listen(fd.get(), backlog) == 0;
    if (!is_good) return std::unexpected(errno);
    return fd;
}

}  // namespace

// -- The server ---------------------------------------------------------------------------------

struct HttpServer::State {
    State(const HttpServerOptions& options, AdminCounters& counters, OnRequest on_request)
        : hub(std::make_shared<HttpHub>(counters, std::move(on_request), options.connections_max)) {
    }
    ~State() {
        for (const std::string& path : socket_paths)
            ::unlink(path.c_str());
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    // Its URL, or why it cannot be had.
    [[nodiscard]] Result<std::string> listen(const HttpAddress& address);
    [[nodiscard]] Result<std::string> listen_tcp(const HttpAddress& address);
    [[nodiscard]] Result<std::string> listen_unix(const HttpAddress& address);

    struct Listener {
        Acceptor acceptor;
        bool is_unix = false;
    };

    // Below: [admin-thread]
    void run();
    void accept_next(Listener& listener);
    void pause_accepting(Listener& listener, const error_code& why);
    void admit(HttpSocket socket, bool is_unix);
    void begin(std::uint64_t source, std::unique_ptr<HttpChannel> channel);
    void turn_away(int fd) const;
    void close();

    std::shared_ptr<HttpHub> hub;
    std::list<Listener> listeners;  // A list: what is under way refers to them.
    std::vector<std::string> socket_paths;
    std::shared_ptr<TlsChannels> tls;  // Null: without. The admin-thread's, once it runs.
    bool has_tls = false;              // As opened.
    HttpTimer pause{hub->io};
    bool has_warned = false;
    std::thread thread;
};

Result<std::string> HttpServer::State::listen(const HttpAddress& address) {
    return address.socket_path.empty() ? listen_tcp(address) : listen_unix(address);
}

Result<std::string> HttpServer::State::listen_tcp(const HttpAddress& address) {
    std::expected<Fd, int> fd = listen_on(address_of(address.endpoint));
    if (!fd) return refuse(address, fd.error());
    SocketAddress bound;
    bound.size_bytes = sizeof(bound.octets);
    LATMON_ASSERT(::getsockname(fd->get(), bound.get(), &bound.size_bytes) == 0);
    listeners.push_back(
        {Acceptor(hub->io, HttpProtocol(bound.family(), IPPROTO_TCP), fd->release()), false});
    return (tls == nullptr ? "http://" : "https://") + to_string(from_sockaddr(*bound.get())) + "/";
}

Result<std::string> HttpServer::State::listen_unix(const HttpAddress& address) {
    const std::string& path = address.socket_path;
    if (path.size() >= sizeof(sockaddr_un::sun_path)) return refuse(address, ENAMETOOLONG);
    remove_stale_socket(path);
    std::expected<Fd, int> fd = listen_on(address_of(path));
    if (!fd) return refuse(address, fd.error());
    // Whoever may is a matter of the file: its owner and group.
    ::chmod(path.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP);
    socket_paths.push_back(path);
    listeners.push_back({Acceptor(hub->io, HttpProtocol(AF_UNIX, 0), fd->release()), true});
    return "unix:" + path;
}

void HttpServer::State::run() {
    for (Listener& listener : listeners)
        accept_next(listener);
    for (;;) {
        try {
            hub->io.run();
            return;
        } catch (const std::exception& error) {
            // Want of memory, as a rule: what threw is gone, and so is its connection.
            log::error(std::string("admin: a connection was given up: ") + error.what());
        }
    }
}

void HttpServer::State::accept_next(Listener& listener) {
    listener.acceptor.async_accept([this, &listener](const error_code& error, HttpSocket socket) {
        if (!listener.acceptor.is_open()) return;
        if (error && error != asio::error::connection_aborted) {
            return pause_accepting(listener, error);
        }
        accept_next(listener);  // First: admit() throws for want of memory.
        if (!error) admit(std::move(socket), listener.is_unix);
    });
}

void HttpServer::State::pause_accepting(Listener& listener, const error_code& why) {
    if (!has_warned) log::warning("admin: cannot accept a connection: " + why.message());
    has_warned = true;
    pause.expires_after(std::chrono::nanoseconds(accept_pause_ns));
    pause.async_wait([this, &listener](const error_code& cancelled) {
        // A second listener that has to pause as well ends the pause of the first.
        if (listener.acceptor.is_open()) accept_next(listener);
        static_cast<void>(cancelled);
    });
}

void HttpServer::State::admit(HttpSocket socket, bool is_unix) {
    hub->counters.connections.add();
    const int fd = socket.native_handle();
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (!hub->connections.make_room(hub->clock.now())) return turn_away(fd);
    if (is_unix) return begin(0, plain_channel(std::move(socket)));
    SocketAddress peer;
    peer.size_bytes = sizeof(peer.octets);
    if (::getpeername(fd, peer.get(), &peer.size_bytes) != 0) return;  // It has gone already.
    set_flag(fd, IPPROTO_TCP, TCP_NODELAY);
    begin(source_of(from_sockaddr(*peer.get()).address),
          tls == nullptr ? plain_channel(std::move(socket)) : tls->open(std::move(socket)));
}

void HttpServer::State::begin(std::uint64_t source, std::unique_ptr<HttpChannel> channel) {
    std::make_shared<HttpSession>(*hub, source, std::move(channel))->start();
}

// What has no place gets one line and no memory. It may not fit into the socket, or not be read.
void HttpServer::State::turn_away(int fd) const {
    hub->counters.turned_away.add();
    if (tls != nullptr) return;  // It would not understand.
    constexpr std::string_view text =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n"
        "Connection: close\r\n\r\n";
    static_cast<void>(::send(fd, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
    ::shutdown(fd, SHUT_WR);
}

void HttpServer::State::close() {
    for (Listener& listener : listeners)
        listener.acceptor.close();
    pause.cancel();
    hub->connections.close_all();
}

Result<std::unique_ptr<HttpServer>> HttpServer::open(const HttpServerOptions& options,
                                                     AdminCounters& counters,
                                                     OnRequest on_request) {
    auto state = std::make_shared<State>(options, counters, std::move(on_request));
    if (options.tls) {
        Result<std::shared_ptr<TlsChannels>> tls = TlsChannels::make(*options.tls);
        if (!tls) return std::unexpected(tls.error());
        state->tls = std::move(*tls);
        state->has_tls = true;
    }
    std::vector<std::string> urls;
    std::optional<Error> left_out;
    for (const HttpAddress& address : options.addresses) {
        Result<std::string> url = state->listen(address);
        if (url) {
            urls.push_back(std::move(*url));
        } else if (address.is_required) {
            return std::unexpected(url.error());
        } else {
            log::warning(url.error().text);
            if (!left_out) left_out = url.error();
        }
    }
    std::unique_ptr<HttpServer> server(new HttpServer(std::move(state), std::move(urls)));
    server->left_out_ = std::move(left_out);
    return server;
}

HttpServer::HttpServer(std::shared_ptr<State> state, std::vector<std::string> urls)
    : state_(std::move(state)), urls_(std::move(urls)) {}

HttpServer::~HttpServer() {
    if (!state_->thread.joinable()) return;
    asio::post(state_->hub->io, [state = state_.get()] { state->close(); });
    state_->thread.join();
}

void HttpServer::start(std::span<const std::uint32_t> core_cpus) {
    LATMON_ASSERT(!state_->thread.joinable());
    if (urls_.empty()) return;
    State* const state = state_.get();
    state->thread = start_background_thread({.name = "lm-admin",
                                             .core_cpus = {core_cpus.begin(), core_cpus.end()},
                                             .nice = nice_of_admin},
                                            [state] { state->run(); });
}

Result<void> HttpServer::renew_tls(const TlsMaterial& material) {
    LATMON_ASSERT(state_->has_tls);
    Result<std::shared_ptr<TlsChannels>> tls = TlsChannels::make(material);
    if (!tls) return std::unexpected(tls.error());
    // Sessions that exist keep what they began with.
    asio::post(state_->hub->io,
               [state = state_.get(), tls = std::move(*tls)] { state->tls = tls; });
    return {};
}

}  // namespace latmon
