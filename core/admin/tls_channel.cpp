// SPDX-License-Identifier: Apache-2.0
//
// See tls_channel.hpp. Operations refer to the stream, and their handlers hold whoever owns it. A
// channel keeps what it began with when the material is renewed: OpenSSL's SSL holds its context.
#include "admin/tls_channel.hpp"

#include <openssl/ssl.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/error_code.hpp>
#include <string>
#include <utility>

namespace latmon {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

class TlsChannel final : public HttpChannel {
public:
    TlsChannel(HttpSocket socket, asio::ssl::context& context)
        : stream_(std::move(socket), context) {}

    void handshake(OnDone on_done) override {
        stream_.async_handshake(
            asio::ssl::stream_base::server,
            [on_done = std::move(on_done)](const error_code& error) { on_done(!error); });
    }

    void read_some(std::span<char> room, OnOctets on_octets) override {
        stream_.async_read_some(
            asio::mutable_buffer(room.data(), room.size()),
            [on_octets = std::move(on_octets)](const error_code& error, std::size_t octets) {
                on_octets(error ? 0 : octets);
            });
    }

    void write(std::string_view octets, OnDone on_done) override {
        asio::async_write(stream_, asio::const_buffer(octets.data(), octets.size()),
                          [on_done = std::move(on_done)](const error_code& error, std::size_t) {
                              on_done(!error);
                          });
    }

    // Waits for the other end to say the same.
    void shutdown(OnDone on_done) override {
        stream_.async_shutdown(
            [on_done = std::move(on_done)](const error_code& error) { on_done(!error); });
    }

    void close() noexcept override {
        error_code ignored;
        stream_.next_layer().close(ignored);
    }

private:
    asio::ssl::stream<HttpSocket> stream_;
};

class AsioTlsChannels final : public TlsChannels {
public:
    [[nodiscard]] Result<void> use(const TlsMaterial& material);
    [[nodiscard]] std::unique_ptr<HttpChannel> open(HttpSocket socket) override {
        return std::make_unique<TlsChannel>(std::move(socket), context_);
    }

private:
    [[nodiscard]] Result<void> verify_clients(const std::string& client_ca);

    asio::ssl::context context_{asio::ssl::context::tls_server};
};

std::unexpected<Error> refuse(std::string_view what, const error_code& error) {
    return fail(ExitCode::configuration, std::string(what) + " (" + error.message() + ")");
}

asio::const_buffer buffer_of(const std::string& text) noexcept {
    return {text.data(), text.size()};
}

Result<void> AsioTlsChannels::use(const TlsMaterial& material) {
    ::SSL_CTX_set_min_proto_version(context_.native_handle(), TLS1_2_VERSION);
    ::SSL_CTX_set_options(context_.native_handle(),
                          SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    error_code error;
    context_.use_certificate_chain(buffer_of(material.certificates), error);
    if (error) return refuse("tls_cert holds no certificate in PEM form; write one", error);
    context_.use_private_key(buffer_of(material.key), asio::ssl::context::pem, error);
    if (error) {
        return refuse(
            "tls_key holds no private key in PEM form that fits the certificate of tls_cert; write "
            "the one that it was made with, without a passphrase",
            error);
    }
    return material.client_ca.empty() ? Result<void>{} : verify_clients(material.client_ca);
}

Result<void> AsioTlsChannels::verify_clients(const std::string& client_ca) {
    error_code error;
    context_.add_certificate_authority(buffer_of(client_ca), error);
    if (error) return refuse("tls_client_ca holds no certificate in PEM form; write one", error);
    context_.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert,
                             error);
    if (error) return refuse("tls_client_ca cannot be used", error);
    // Without it OpenSSL refuses to resume a session whose client it has verified.
    ::SSL_CTX_set_session_id_context(context_.native_handle(),
                                     reinterpret_cast<const unsigned char*>("latmon"), 6);
    return {};
}

}  // namespace

Result<std::shared_ptr<TlsChannels>> TlsChannels::make(const TlsMaterial& material) {
    auto channels = std::make_shared<AsioTlsChannels>();
    Result<void> used = channels->use(material);
    if (!used) return std::unexpected(used.error());
    return channels;
}

}  // namespace latmon
