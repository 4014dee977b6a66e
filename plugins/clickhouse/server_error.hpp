// SPDX-License-Identifier: Apache-2.0
//
// What a ClickHouse server means when it says no: its numbers, sorted by what we can do about them.
// Pure; any thread.
#pragma once

#include "push/backend.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace latmon::plugins::clickhouse {

enum class ErrorClass : std::uint8_t {
    later,   // Busy, full, restarting, or no such table yet: the same again.
    table,   // The table is not as it was: look again.
    access,  // User, password or rights.
    block    // It will never take this block; or a number that we do not know.
};

// Numbers of some errors (src/Common/ErrorCodes.cpp of the server); they never change.
inline constexpr int unknown_table_code = 60;
inline constexpr int unknown_database_code = 81;

[[nodiscard]] ErrorClass class_of(int code) noexcept;

// True if an INSERT that ended with this error has surely written nothing: it was not begun.
[[nodiscard]] bool is_before_insert(int code) noexcept;

// The number of the server's error: of the header X-ClickHouse-Exception-Code, or of "Code: N" at
// the start of a line of the body that names its exception. It may stand behind a status of 200
// too, because the status is sent first.
// nullopt if it is no answer of ClickHouse's, or no error.
[[nodiscard]] std::optional<int> error_code(const push::Response& response) noexcept;

// The answer in one line, for the log: 300 octets at most.
[[nodiscard]] std::string error_text(const push::Response& response);

}  // namespace latmon::plugins::clickhouse
