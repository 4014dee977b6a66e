// SPDX-License-Identifier: Apache-2.0
//
// An HttpChannel through TLS 1.2 or later, and what all of them share: the certificate, the key and
// whom to believe. The library and the host choose the ciphers. Has no limits of its own.
#pragma once

#include "admin/http_channel.hpp"
#include "admin/http_server.hpp"
#include "admin/http_socket.hpp"
#include "base/error.hpp"

#include <memory>

namespace latmon {

class TlsChannels {
public:
    // Errors: material that is none or does not fit together (ExitCode::configuration).
    // [main-thread]
    [[nodiscard]] static Result<std::shared_ptr<TlsChannels>> make(const TlsMaterial& material);

    virtual ~TlsChannels() = default;

    // The server's end of a connection; `socket` is connected. May outlive this. [admin-thread]
    [[nodiscard]] virtual std::unique_ptr<HttpChannel> open(HttpSocket socket) = 0;
};

}  // namespace latmon
