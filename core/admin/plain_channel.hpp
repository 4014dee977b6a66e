// SPDX-License-Identifier: Apache-2.0
//
// An HttpChannel whose octets go over the socket as they are. Runs on the admin-thread alone; has
// no limits of its own.
#pragma once

#include "admin/http_channel.hpp"
#include "admin/http_socket.hpp"

#include <memory>

namespace latmon {

// `socket` is connected. [admin-thread]
[[nodiscard]] std::unique_ptr<HttpChannel> plain_channel(HttpSocket socket);

}  // namespace latmon
