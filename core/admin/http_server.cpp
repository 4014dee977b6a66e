// SPDX-License-Identifier: Apache-2.0
//
// See http_server.hpp. The only source that knows Boost.Beast and Asio, which take the compiler
// longer than the rest of a layer: what can stand elsewhere does.
#include "admin/http_server.hpp"

#include "admin/http_session.hpp"
#include "base/assert.hpp"
#include "base/background_thread.hpp"
#include "base/log.hpp"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <cstring>
#include <exception>
#include <list>
#include <thread>

namespace latmon {
namespace {

using asio::ip::tcp;
using Local = asio::local::stream_protocol;
using TlsContext = std::shared_ptr<asio::ssl::context>;

// Waiting to be accepted: a burst that comes while a TLS handshake is reckoned.
constexpr int backlog = 512;
// After the process has run out of descriptors, or of memory.
constexpr std::int64_t accept_pause_ns = 100'000'000;
// Whom a scraper makes wait a little is nobody; a probe is somebody.
constexpr int nice_of_admin = 5;

// -- TLS ----------------------------------------------------------------------------------------

std::unexpected<Error> refuse_tls(std::string_view what, const beast::error_code& error) {
    return fail(ExitCode::configuration, std::string(what) + " (" + error.message() + ")");
}

asio::const_buffer buffer_of(const std::string& text) noexcept {
    return {text.data(), text.size()};
}

// TLS 1.2 and later; ciphers are the library's and the host's choice.
Result<TlsContext> make_context(const TlsMaterial& material) {
    TlsContext context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    ::SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
    ::SSL_CTX_set_options(context->native_handle(),
                          SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    beast::error_code error;
    context->use_certificate_chain(buffer_of(material.certificates), error);
    if (error) return refuse_tls("tls_cert holds no certificate in PEM form; write one", error);
    context->use_private_key(buffer_of(material.key), asio::ssl::context::pem, error);
    if (error) {
        return refuse_tls(
            "tls_key holds no private key in PEM form that fits the certificate of tls_cert; write "
            "the one that it was made with, without a passphrase",
            error);
    }
    if (material.client_ca.empty()) return context;
    context->add_certificate_authority(buffer_of(material.client_ca), error);
    if (error) {
        return refuse_tls("tls_client_ca holds no certificate in PEM form; write one", error);
    }
    context->set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert,
                             error);
    if (error) return refuse_tls("tls_client_ca cannot be used", error);
    // Without it OpenSSL refuses to resume a session whose client it has verified.
    ::SSL_CTX_set_session_id_context(context->native_handle(),
                                     reinterpret_cast<const unsigned char*>("latmon"), 6);
    return context;
}

// -- Binding ------------------------------------------------------------------------------------

std::string describe(const HttpAddress& address) {
    return address.socket_path.empty() ? to_string(address.endpoint)
                                       : "unix:" + address.socket_path;
}

std::string cure_of(const beast::error_code& error) {
    switch (error.value()) {
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

// A socket that nobody listens on any more is in the way of a new one.
void remove_stale_socket(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return;
    asio::io_context io;
    Local::socket probe(io);
    beast::error_code error;
    probe.open(Local(), error);
    probe.non_blocking(true, error);
    probe.connect(Local::endpoint(path), error);
    if (error == asio::error::connection_refused) ::unlink(path.c_str());
}

void close_on_exec(int fd) noexcept {
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
}

template <typename Acceptor>
beast::error_code bind_to(Acceptor& acceptor, const typename Acceptor::endpoint_type& endpoint) {
    beast::error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (error) return error;
    close_on_exec(acceptor.native_handle());
    if constexpr (std::is_same_v<Acceptor, tcp::acceptor>) {
        acceptor.set_option(tcp::acceptor::reuse_address(true), error);
        const bool is_ipv6 = endpoint.protocol() == tcp::v6();
        if (is_ipv6) acceptor.set_option(asio::ip::v6_only(true), error);
        if (error) return error;
    }
    acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(backlog, error);
    return error;
}

tcp::endpoint to_asio(const Endpoint& endpoint) {
    sockaddr_storage storage{};
    const socklen_t length = as_sockaddr(endpoint, storage);
    tcp::endpoint converted(is_ipv4(endpoint.address) ? tcp::v4() : tcp::v6(), 0);
    LATMON_ASSERT(length <= converted.capacity());
    std::memcpy(converted.data(), &storage, length);
    converted.resize(length);
    return converted;
}

Endpoint from_asio(const tcp::endpoint& endpoint) {
    return from_sockaddr(*endpoint.data());
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

    // Below: [admin-thread]
    void run();
    template <typename Acceptor>
    void accept_next(Acceptor& acceptor);
    template <typename Socket>
    void admit(Socket socket);
    void admit_tcp(tcp::socket socket);
    void turn_away(int fd) const;
    void close();

    std::shared_ptr<HttpHub> hub;
    std::list<tcp::acceptor> tcp_acceptors;  // A list: what is under way refers to them.
    std::list<Local::acceptor> local_acceptors;
    std::vector<std::string> socket_paths;
    TlsContext tls;  // Null: without. The admin-thread's, once it runs.
    asio::steady_timer pause{hub->io};
    bool has_warned = false;
    std::thread thread;
};

Result<std::string> HttpServer::State::listen(const HttpAddress& address) {
    return address.socket_path.empty() ? listen_tcp(address) : listen_unix(address);
}

Result<std::string> HttpServer::State::listen_tcp(const HttpAddress& address) {
    tcp::acceptor acceptor(hub->io);
    if (const beast::error_code error = bind_to(acceptor, to_asio(address.endpoint)); error) {
        return fail_errno(ExitCode::permission,
                          "[admin] cannot listen on " + describe(address) + ": " + cure_of(error),
                          error.value());
    }
    const Endpoint bound = from_asio(acceptor.local_endpoint());
    tcp_acceptors.push_back(std::move(acceptor));
    return (tls == nullptr ? "http://" : "https://") + to_string(bound) + "/";
}

Result<std::string> HttpServer::State::listen_unix(const HttpAddress& address) {
    const auto refuse = [&](const beast::error_code& error) {
        return fail_errno(ExitCode::permission,
                          "[admin] cannot listen on " + describe(address) + ": " + cure_of(error),
                          error.value());
    };
    if (address.socket_path.size() >= sizeof(sockaddr_un::sun_path)) {
        return refuse(beast::error_code(ENAMETOOLONG, beast::system_category()));
    }
    remove_stale_socket(address.socket_path);
    Local::acceptor acceptor(hub->io);
    const beast::error_code error = bind_to(acceptor, Local::endpoint(address.socket_path));
    if (error) return refuse(error);
    // Whoever may is a matter of the file: its owner and group.
    ::chmod(address.socket_path.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP);
    socket_paths.push_back(address.socket_path);
    local_acceptors.push_back(std::move(acceptor));
    return "unix:" + address.socket_path;
}

void HttpServer::State::run() {
    for (tcp::acceptor& acceptor : tcp_acceptors)
        accept_next(acceptor);
    for (Local::acceptor& acceptor : local_acceptors)
        accept_next(acceptor);
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

template <typename Acceptor>
void HttpServer::State::accept_next(Acceptor& acceptor) {
    acceptor.async_accept([this, &acceptor](beast::error_code error, auto socket) {
        if (!acceptor.is_open()) return;
        if (!error) {
            admit(std::move(socket));
            return accept_next(acceptor);
        }
        if (error == asio::error::connection_aborted) return accept_next(acceptor);
        if (!has_warned) log::warning("admin: cannot accept a connection: " + error.message());
        has_warned = true;
        pause.expires_after(std::chrono::nanoseconds(accept_pause_ns));
        pause.async_wait([this, &acceptor](beast::error_code cancelled) {
            // A second acceptor that has to pause as well ends the pause of the first.
            if (acceptor.is_open()) accept_next(acceptor);
            static_cast<void>(cancelled);
        });
    });
}

template <typename Socket>
void HttpServer::State::admit(Socket socket) {
    hub->counters.connections.add();
    close_on_exec(socket.native_handle());
    if (!hub->connections.make_room(hub->clock.now())) return turn_away(socket.native_handle());
    if constexpr (std::is_same_v<Socket, tcp::socket>) {
        admit_tcp(std::move(socket));
    } else {
        std::make_shared<Session<PlainStream>>(
            *hub, 0, asio::generic::stream_protocol::socket(std::move(socket)))
            ->start();
    }
}

void HttpServer::State::admit_tcp(tcp::socket socket) {
    beast::error_code error;
    const tcp::endpoint peer = socket.remote_endpoint(error);
    if (error) return;  // It has gone already.
    socket.set_option(tcp::no_delay(true), error);
    const std::uint64_t source = source_of(from_asio(peer).address);
    asio::generic::stream_protocol::socket any(std::move(socket));
    if (tls == nullptr) {
        std::make_shared<Session<PlainStream>>(*hub, source, std::move(any))->start();
    } else {
        std::make_shared<Session<TlsStream>>(*hub, source, PlainStream(std::move(any)), *tls)
            ->start();
    }
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
    for (tcp::acceptor& acceptor : tcp_acceptors)
        acceptor.close();
    for (Local::acceptor& acceptor : local_acceptors)
        acceptor.close();
    pause.cancel();
    hub->connections.close_all();
}

Result<std::unique_ptr<HttpServer>> HttpServer::open(const HttpServerOptions& options,
                                                     AdminCounters& counters,
                                                     OnRequest on_request) {
    auto state = std::make_shared<State>(options, counters, std::move(on_request));
    if (options.tls) {
        Result<TlsContext> context = make_context(*options.tls);
        if (!context) return std::unexpected(context.error());
        state->tls = std::move(*context);
    }
    std::vector<std::string> urls;
    for (const HttpAddress& address : options.addresses) {
        Result<std::string> url = state->listen(address);
        if (url) {
            urls.push_back(std::move(*url));
        } else if (address.is_required) {
            return std::unexpected(url.error());
        } else {
            log::warning(url.error().text);
        }
    }
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(state), std::move(urls)));
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
    LATMON_ASSERT(state_->tls != nullptr);
    Result<TlsContext> context = make_context(material);
    if (!context) return std::unexpected(context.error());
    // Sessions that exist keep what they began with: an SSL holds its context.
    asio::post(state_->hub->io,
               [state = state_.get(), context = std::move(*context)] { state->tls = context; });
    return {};
}

}  // namespace latmon
