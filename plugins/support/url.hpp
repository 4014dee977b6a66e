// SPDX-License-Identifier: Apache-2.0
//
// What operators write about a server, made into what goes over the wire: its address, and the name
// and password for it. Pure but for the log; any thread.
#pragma once

#include <latmon/host.h>

#include <optional>
#include <string>
#include <string_view>

namespace latmon::plugins {

// `text`, the value of the option `key`, without the '/' at its end and with "http://" in front if
// it names no scheme. nullopt, after saying why in the log, if it is empty, has another scheme than
// http and https, holds a user or a password (it stands in the log), or blanks. [main-thread]
[[nodiscard]] std::optional<std::string> base_url(const latmon_host_t* host, const std::string& key,
                                                  std::string_view text);

// The alphabets of RFC 4648: section 4, and section 5, which is safe in a URL. Both padded.
enum class Base64 : std::uint8_t { standard, url_safe };
[[nodiscard]] std::string base64(std::string_view octets, Base64 alphabet);

// The header "Authorization: Basic ..." (RFC 7617).
[[nodiscard]] std::string basic_authorization(std::string_view username, std::string_view password);

}  // namespace latmon::plugins
